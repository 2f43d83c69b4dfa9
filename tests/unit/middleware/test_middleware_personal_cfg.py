from __future__ import annotations

from datetime import timedelta
from itertools import product
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.middleware.configuration import KEYS, Form, Key, Layer, load
from cardtwin.provenance import Switches
from cardtwin.provenance.middleware import CACHE_VALIDITY_UNIT, PROGRAM_OVER_USER, SKIP_READER_MATCH
from cardtwin.source import Diagnostics, SourceText

if TYPE_CHECKING:
    from cardtwin.middleware import ClientConfiguration

VALUES = {Form.FLAG: "10", Form.NUMBER: "78", Form.PATTERN: "ab", Form.NAMES: "xy"}
LISTED = "[CSP_PKCS11]\nSections=java.exe\n"
GLOBAL = "[CSP_PKCS11]\nP11_LogoutAfterSign={}\n"
OWN = "[java.exe]\nP11_LogoutAfterSign={}\n"


def loaded(
    system: str | None,
    user: str | None = None,
    program: str = "java.exe",
    switches: Switches | None = None,
) -> tuple[ClientConfiguration, Diagnostics]:
    found = Diagnostics()
    system_file, user_file = _file("system.cfg", system), _file("user.cfg", user)
    return load(system_file, user_file, program, found, switches=switches), found


def _file(name: str, text: str | None) -> SourceText | None:
    return None if text is None else SourceText(name, text)


def configured(
    system: str | None, user: str | None = None, *, program: str = "java.exe", **switches: str
) -> ClientConfiguration:
    names = {"unit": CACHE_VALIDITY_UNIT, "match": SKIP_READER_MATCH, "order": PROGRAM_OVER_USER}
    chosen = Switches({names[name].id: value for name, value in switches.items()})
    configuration, found = loaded(system, user, program, chosen)
    assert not found.errors
    return configuration


def codes(found: Diagnostics) -> list[str]:
    return [finding.code for finding in found]


def test_without_files_every_value_is_the_default() -> None:
    configuration = configured(None)

    assert {setting.layer for setting in configuration.settings} == {Layer.DEFAULT}
    assert [setting.key for setting in configuration.settings] == list(KEYS)
    assert configuration.cache_validity == timedelta(0)
    assert not configuration.p11_logout_after_sign
    assert not configuration.p11_enable_cache_pin
    assert not configuration.skips("any reader")


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
def test_the_user_wins_for_each_key_alone(key: Key) -> None:
    values = {
        Form.FLAG: ("1", "0"),
        Form.NUMBER: ("7", "8"),
        Form.PATTERN: ("a", "b"),
        Form.NAMES: ("x", "y"),
    }
    first, second = values[key.form]
    text = f"[{key.section}]\n{key.name}={{}}\n"

    def value(system: str | None, user: str | None) -> tuple[str, Layer]:
        setting = configured(system, user).setting(key.name)
        return setting.value, setting.layer

    assert value(text.format(first), None) == (first, Layer.SYSTEM)
    assert value(None, text.format(second)) == (second, Layer.USER)
    assert value(text.format(first), text.format(second)) == (second, Layer.USER)
    assert value(text.format(first), "[Cache]\n") == (first, Layer.SYSTEM)


def expected(layers: dict[Layer, str], order: str) -> str:
    """Return what the rule says, written apart from the code: who is asked first."""
    program_first = [Layer.USER_PROGRAM, Layer.SYSTEM_PROGRAM, Layer.USER, Layer.SYSTEM]
    user_first = [Layer.USER_PROGRAM, Layer.USER, Layer.SYSTEM_PROGRAM, Layer.SYSTEM]
    asked = program_first if order == "program" else user_first
    return next((layers[layer] for layer in asked if layer in layers), "0")


@pytest.mark.parametrize("order", ["program", "user"])
@pytest.mark.parametrize("present", list(product([None, "0", "1"], repeat=4)))
def test_layers_win_over_one_another_as_the_rule_says(present: tuple[str | None, ...], order: str) -> None:
    kinds = (Layer.SYSTEM, Layer.SYSTEM_PROGRAM, Layer.USER, Layer.USER_PROGRAM)
    layers = {layer: value for layer, value in zip(kinds, present, strict=True) if value is not None}

    def text(general: Layer, program: Layer) -> str:
        lines = GLOBAL.format(layers[general]) if general in layers else ""
        return LISTED + lines + (OWN.format(layers[program]) if program in layers else "")

    configuration = configured(
        text(Layer.SYSTEM, Layer.SYSTEM_PROGRAM), text(Layer.USER, Layer.USER_PROGRAM), order=order
    )

    assert configuration.p11_logout_after_sign == (expected(layers, order) == "1")
    assert configuration.setting("P11_LogoutAfterSign").value == expected(layers, order)


@pytest.mark.parametrize(
    ("program", "value"),
    [
        ("java.exe", True),
        ("JAVA.EXE", True),
        (r"C:\Program Files\Java\bin\Java.exe", True),
        ("/opt/java/bin/java.exe", True),
        ("javaw.exe", False),
        ("java", False),
        ("java.exe.bak", False),
    ],
)
def test_a_section_holds_for_the_program_of_its_name_in_any_folder_and_case(
    program: str, value: bool
) -> None:
    assert configured(LISTED + OWN.format(1), program=program).p11_logout_after_sign is value


def test_the_listing_in_one_file_makes_sections_of_both_count() -> None:
    assert configured(LISTED, OWN.format(1)).p11_logout_after_sign
    assert configured(OWN.format(1), LISTED).p11_logout_after_sign
    assert not configured(LISTED + OWN.format(1), "[CSP_PKCS11]\nSections=other.exe\n").p11_logout_after_sign


def test_all_programs_of_the_vendors_example_stay_logged_in() -> None:
    names = ["java.exe", "javaw.exe", "personalx.exe", "outside.exe", "outside64.exe"]
    text = GLOBAL.format(1) + f"Sections={' ; '.join(names)};\n"
    text += "".join(f"[{name}]\nP11_LogoutAfterSign=0\n" for name in names)

    assert [configured(text, program=name).p11_logout_after_sign for name in names] == [False] * 5
    assert configured(text, program="browser.exe").p11_logout_after_sign


def test_a_section_that_is_not_listed_does_not_count_and_is_told() -> None:
    configuration, found = loaded(OWN.format(1))

    assert not configuration.p11_logout_after_sign
    assert codes(found) == ["section-not-listed"]
    assert "add java.exe to Sections" in next(iter(found)).remedy


def test_a_listed_program_without_section_is_told_with_the_section_that_is_likely_meant() -> None:
    _, found = loaded(LISTED + "[jawa.exe]\nP11_LogoutAfterSign=1\n")

    assert sorted(codes(found)) == ["no-such-section", "section-not-listed"]
    assert {finding.remedy for finding in found} == {"did you mean 'java.exe'?", "did you mean 'jawa.exe'?"}


def test_a_general_section_is_no_programs_even_if_it_is_listed() -> None:
    text = "[CSP_PKCS11]\nSections=Cache\n[Cache]\nP11_LogoutAfterSign=1\n"
    configuration, found = loaded(text, program="Cache")

    assert not configuration.p11_logout_after_sign
    assert "unknown-key" in codes(found)


@pytest.mark.parametrize(
    ("text", "code", "hint"),
    [
        ("[Cache]\nCacheValdity=0", "unknown-key", "CacheValidity"),
        ("[Cach]\nCacheValidity=0", "unknown-section", "Cache"),
        ("[Cache]\nSkipReader=x", "unknown-key", "[Reader]"),
        (LISTED + "[java.exe]\nCacheValidity=0", "unknown-key", "[Cache]"),
        ("[Cache]\nCacheValidity=0\nCacheValidity=1", "repeated-key", "one of them"),
        ("[Cache]\nCacheValidity=0\n[cache]\ncachevalidity=1", "repeated-key", "one of them"),
    ],
)
def test_what_has_no_effect_is_told_with_a_remedy(text: str, code: str, hint: str) -> None:
    configuration, found = loaded(text)

    assert codes(found) == [code]
    assert hint in next(iter(found)).remedy
    assert not found.errors
    assert len(configuration.warnings) == 1


def test_warnings_found_before_are_not_the_configurations() -> None:
    found = Diagnostics()
    source = SourceText("other.cfg", "text")
    found.warning("old", "an old one", source.start)

    assert load(None, None, "java.exe", found).warnings == ()


def test_of_a_repeated_key_the_last_line_counts() -> None:
    assert loaded("[Cache]\nCacheValidity=1\nCacheValidity=2")[0].cache_validity == timedelta(minutes=2)


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("Cache", "CacheValidity", "-1"),
        ("Cache", "CacheValidity", "1.5"),
        ("Cache", "CacheValidity", "soon"),
        ("Cache", "CacheValidity", ""),
        ("Cache", "CacheValidity", "12345678901"),
        ("Cache", "CacheValidity", "\N{ARABIC-INDIC DIGIT ONE}"),
        ("Reader", "SkipReader", "Microsoft ("),
        ("Reader", "SkipReader", "*"),
        ("CSP_PKCS11", "P11_LogoutAfterSign", "2"),
        ("CSP_PKCS11", "P11_LogoutAfterSign", "true"),
        ("CSP_PKCS11", "P11_EnableCachePIN", ""),
        ("CSP_PKCS11", "MD_EnableCachePIN", "on"),
        ("CSP_PKCS11", "CSP_EnableCachePIN", "01"),
    ],
)
def test_a_broken_value_is_an_error_at_its_place_and_counts_for_nothing(
    section: str, key: str, value: str
) -> None:
    configuration, found = loaded(f"[{section}]\n{key}={value}\n")
    error = found.errors[0]

    assert codes(found) == ["bad-value"]
    assert (error.span.line, error.span.column) == (2, len(key) + 2)
    assert error.expected
    assert error.remedy
    assert configuration.setting(key).layer is Layer.DEFAULT


def test_a_broken_value_lets_the_weaker_file_through() -> None:
    configuration, found = loaded("[Cache]\nCacheValidity=3", "[Cache]\nCacheValidity=x")

    assert found.errors
    assert configuration.cache_validity == timedelta(minutes=3)


def test_broken_values_in_the_sections_of_other_programs_are_told_too() -> None:
    text = "[CSP_PKCS11]\nSections=java.exe;javaw.exe\n[java.exe]\n[javaw.exe]\nP11_LogoutAfterSign=x"

    assert codes(loaded(text)[1]) == ["bad-value"]


def test_a_long_value_is_quoted_in_part() -> None:
    _, found = loaded("[Cache]\nCacheValidity=" + "9" * 100_000)

    assert len(found.errors[0].message) < 200


def test_several_lines_of_skip_reader_all_count_and_the_users_replace_the_systems() -> None:
    system = "[Reader]\nSkipReader=A.*\nSkipReader=B.*\n"

    assert [configured(system).skips(name) for name in ("A1", "B1", "C1")] == [True, True, False]
    user = configured(system, "[Reader]\nSkipReader=C.*")
    assert [user.skips(name) for name in ("A1", "B1", "C1")] == [False, False, True]
    assert not configured(system, "[Reader]\nSkipReader=").skips("A1")


def test_skip_reader_matches_whole_names_or_parts_by_switch() -> None:
    text = "[Reader]\nSkipReader=Virtual"

    assert not configured(text).skips("A Virtual Reader")
    assert configured(text).skips("Virtual")
    assert configured(text, match="part").skips("A Virtual Reader")
    assert not configured("[Reader]\nSkipReader=", match="part").skips("A Virtual Reader")
    assert not configured(text, match="part").skips("A virtual reader")


@pytest.mark.parametrize(
    ("unit", "validity"), [("minutes", timedelta(days=7)), ("seconds", timedelta(seconds=10080))]
)
def test_cache_validity_has_the_unit_of_the_switch(unit: str, validity: timedelta) -> None:
    assert configured("[Cache]\nCacheValidity=10080", unit=unit).cache_validity == validity


def test_explanations_name_file_line_and_section() -> None:
    configuration = configured("\n" + LISTED + OWN.format(1), "[Reader]\nSkipReader=a\n\nSkipReader=b")

    assert configuration.setting("p11_logoutaftersign").origins == (
        "system.cfg:5 (system file, program's section)",
    )
    assert configuration.setting("SkipReader").origins == (
        "user.cfg:2 (user file)",
        "user.cfg:4 (user file)",
    )
    assert configuration.setting("CacheValidity").origins == ("default (cardtwin's own)",)


def test_a_key_that_is_not_known_has_no_setting() -> None:
    with pytest.raises(KeyError):
        configured(None).setting("Colour")


@given(st.text(max_size=200), st.text(max_size=200), st.text(max_size=20))
def test_any_text_gives_a_configuration_and_findings(system: str, user: str, program: str) -> None:
    configuration, found = loaded(system, user, program)

    assert len(configuration.settings) == len(KEYS)
    assert all(finding.render() for finding in found)


SECTIONS = [
    "[Cache]",
    "[Reader]",
    "[CSP_PKCS11]",
    "[java.exe]",
    "[x]",
    "Sections=java.exe;x",
    "Sections=Cache",
]
VALID = ["Sections=", "CacheValidity=1", "SkipReader=a", "P11_LogoutAfterSign=1", "P11_LogoutAfterSign=0"]
BROKEN = ["CacheValidity=?", "SkipReader=(", "P11_LogoutAfterSign=7", "Unknown=1", "nonsense"]


@given(st.lists(st.sampled_from(SECTIONS + VALID + BROKEN)))
def test_lines_in_any_order_give_values_that_their_keys_take(lines: list[str]) -> None:
    configuration, _ = loaded("\n".join(lines), "\n".join(reversed(lines)))

    assert configuration.setting("CacheValidity").value in {"0", "1"}
    assert configuration.setting("P11_LogoutAfterSign").value in {"0", "1"}
    assert set(configuration.setting("SkipReader").values) <= {"", "a"}
