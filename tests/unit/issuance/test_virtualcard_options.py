"""The options of the ordering of virtual smart cards: their script, their defaults, and PINs."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.issuance.virtualcard import (
    CertificateKind,
    Characters,
    Options,
    OrderFailedError,
    PinPolicy,
    PinRefusedError,
    User,
    parse_options,
)
from cardtwin.source import SourceError, SourceText

JANE = User("jane", variables={"UsersDp_Email": "jane.doe@example.org", "UsersDp_Number": "4711"})

SCRIPT = """\
/*
Lengths
 * of the PIN = "in a comment"
*/
VirtualSmartCardOptionPinMinLength = 8 // --> CHANGE HERE
  VirtualSmartCardOptionPinMaxLength = 20;

/* one */ VirtualSmartCardOptionPinUpperCase = "REQUIRED" /* two */
VirtualSmartCardOptionPinLowerCase = "ALLOWED"
VirtualSmartCardOptionDigitsAllowed = "REQUIRED"
VirtualSmartCardOptionSpecialCharactersAllowed="DISALLOWED"
var yearsOfValidity = 3
VirtualSmartCardOptionUserID = binding.variables[ "UsersDp_Number" ]
VirtualSmartCardOptionServerName = "// no comment, and a \\"quote\\""
VirtualSmartCardOptionProfileName = "Card " + binding.variables["UsersDp_Number"]+" of it"
X_VirtualSmartCardOptionCertificates = [ "signature" , "encryption" ]
"""


def read(text: str) -> Options:
    return parse_options(SourceText("options.groovy", text))[0]


def test_an_empty_script_has_the_defaults() -> None:
    options = read("")
    assert options == Options()
    assert (options.pin.min_length, options.pin.max_length, options.years_of_validity) == (6, 15, 2)
    assert options.pin.upper_case is options.pin.special is Characters.ALLOWED
    assert options.profile_name.of(JANE) == "Virtual smart card jane.doe@example.org"


def test_every_option_is_read_among_comments() -> None:
    options = read(SCRIPT)
    pin = options.pin
    assert (pin.min_length, pin.max_length) == (8, 20)
    assert (pin.upper_case, pin.lower_case) == (Characters.REQUIRED, Characters.ALLOWED)
    assert (pin.digits, pin.special) == (Characters.REQUIRED, Characters.DISALLOWED)
    assert options.years_of_validity == 3
    assert options.user_id.of(JANE) == "4711"
    assert options.server_name.of(JANE) == '// no comment, and a "quote"'
    assert options.profile_name.of(JANE) == "Card 4711 of it"
    assert options.certificates == (CertificateKind.SIGNATURE, CertificateKind.ENCRYPTION)
    assert not tuple(parse_options(SourceText("options.groovy", SCRIPT))[1])


def test_what_is_no_option_s_assignment_is_told_and_not_run() -> None:
    text = "def date = new Date()\n\nuse(TimeCategory) {\n}\nyearsOfValidity = 4"
    options, diagnostics = parse_options(SourceText("options.groovy", text))
    assert options.years_of_validity == 4
    assert [(found.code, found.span.line) for found in diagnostics] == [
        ("not-run", line) for line in (1, 3, 4)
    ]


def test_of_two_values_the_last_one_holds_and_that_is_told() -> None:
    options, diagnostics = parse_options(SourceText("o", "yearsOfValidity = 4\nyearsOfValidity = 5"))
    assert options.years_of_validity == 5
    assert [(found.code, found.span.line) for found in diagnostics] == [("assigned-twice", 2)]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("VirtualSmartCardOptionPinMinLenght = 8", "unknown-option"),
        ("VirtualSmartCardOptionPinMinLength = eight", "no-number"),
        ("VirtualSmartCardOptionPinMinLength = -8", "no-number"),
        (f"VirtualSmartCardOptionPinMinLength = {'9' * 5000}", "no-number"),
        ("VirtualSmartCardOptionPinMinLength =", "no-number"),
        ("VirtualSmartCardOptionPinUpperCase = ALLOWED", "no-rule"),
        ('VirtualSmartCardOptionPinUpperCase = "allowed"', "no-rule"),
        ("VirtualSmartCardOptionServerName = name", "no-text"),
        ('VirtualSmartCardOptionServerName = "a" "b"', "no-text"),
        ('VirtualSmartCardOptionServerName = "a" +', "no-text"),
        ('VirtualSmartCardOptionServerName = + "a"', "no-text"),
        ("yearsOfValidity = 0", "validity"),
        ("yearsOfValidity = 20", "validity"),
        ('X_VirtualSmartCardOptionCertificates = "signature"', "no-certificates"),
        ("X_VirtualSmartCardOptionCertificates = []", "no-certificates"),
        ('X_VirtualSmartCardOptionCertificates = ["signature", "signature"]', "no-certificates"),
        ('X_VirtualSmartCardOptionCertificates = ["login"]', "no-certificates"),
        ("VirtualSmartCardOptionPinMinLength = 16", "pin-complexity"),
        ("VirtualSmartCardOptionPinMinLength = 3", "pin-complexity"),
        ("VirtualSmartCardOptionPinMaxLength = 128", "pin-complexity"),
    ],
)
def test_a_mistake_is_told_with_its_line(line: str, code: str) -> None:
    with pytest.raises(SourceError) as caught:
        read(f"// first\n{line}")

    assert [(found.code, found.span.line) for found in caught.value.diagnostics] == [(code, 2)]


def test_a_misspelt_option_is_told_with_the_right_one() -> None:
    with pytest.raises(SourceError) as caught:
        read("VirtualSmartCardOptionPinMinLenght = 8")

    assert "VirtualSmartCardOptionPinMinLength" in caught.value.diagnostics[0].remedy


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    for line in (text, f"VirtualSmartCardOptionServerName = {text}", f'yearsOfValidity = "{text}'):
        with suppress(SourceError):
            read(line)


@given(st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs", "Cc"]), max_size=40))
def test_a_text_is_read_as_it_was_written(text: str) -> None:
    written = text.replace("\\", "\\\\").replace('"', '\\"')
    assert read(f'VirtualSmartCardOptionServerName = "{written}"').server_name.of(JANE) == text


def test_a_field_that_the_user_has_not_is_named() -> None:
    text = read('VirtualSmartCardOptionUserID = binding.variables["UsersDp_Phone"]').user_id

    with pytest.raises(OrderFailedError, match="'jane' has no field 'UsersDp_Phone'"):
        text.of(JANE)


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        (PinPolicy(max_length=5), "least length first"),
        (PinPolicy(min_length=4, max_length=128), "takes 4 to 127"),
        (
            PinPolicy(
                upper_case=Characters.DISALLOWED,
                lower_case=Characters.DISALLOWED,
                digits=Characters.DISALLOWED,
                special=Characters.DISALLOWED,
            ),
            "every kind of characters is disallowed",
        ),
    ],
)
def test_options_that_no_pin_fits_are_told(policy: PinPolicy, told: str) -> None:
    assert told in " ".join(policy.problems())


def test_all_that_is_wrong_with_a_pin_is_told_and_no_character_of_it() -> None:
    policy = PinPolicy(upper_case=Characters.REQUIRED, special=Characters.DISALLOWED)

    with pytest.raises(PinRefusedError) as caught:
        policy.check("a-1")

    told = str(caught.value)
    assert "it has 6 to 15 characters" in told
    assert "upper case letters are required" in told
    assert "special characters are not allowed" in told
    assert "a-1" not in told


def test_letters_beyond_a_to_z_are_special_characters() -> None:
    PinPolicy(special=Characters.REQUIRED, upper_case=Characters.DISALLOWED).check("Äabcde")

    with pytest.raises(PinRefusedError):
        PinPolicy(digits=Characters.REQUIRED).check("abcde٣")


RULES = st.sampled_from(Characters)
POLICIES = st.builds(PinPolicy, st.integers(4, 8), st.integers(8, 20), RULES, RULES, RULES, RULES)


@given(POLICIES, st.text(max_size=24))
def test_a_pin_is_taken_where_length_and_every_kind_fit_and_nowhere_else(policy: PinPolicy, pin: str) -> None:
    checks = [
        (policy.upper_case, any("A" <= sign <= "Z" for sign in pin)),
        (policy.lower_case, any("a" <= sign <= "z" for sign in pin)),
        (policy.digits, any("0" <= sign <= "9" for sign in pin)),
        (policy.special, any(not ("A" <= s <= "Z" or "a" <= s <= "z" or "0" <= s <= "9") for s in pin)),
    ]
    fits = policy.min_length <= len(pin) <= policy.max_length and all(
        rule is Characters.ALLOWED or there == (rule is Characters.REQUIRED) for rule, there in checks
    )

    try:
        policy.check(pin)
    except PinRefusedError:
        assert not fits
    else:
        assert fits
