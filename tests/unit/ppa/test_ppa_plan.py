from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin import ppa
from cardtwin.entropy import SeededEntropy
from cardtwin.plan import (
    ALWAYS,
    NEVER,
    Access,
    FilePlan,
    KeyAlgorithm,
    KeyUse,
    Operation,
    Plan,
    Secret,
    SecretName,
)
from cardtwin.plan.cms import CmsPinBlobCodec
from support.profiles import SKETCH, evaluate, profile

ODF = "A40A300804063F0050154441"
CDF = "302F301A0C114469676974616C205369676E6174757265030206400401013003040111A10C300A300804063F0050154541"


def files(plan: Plan) -> dict[str, FilePlan]:
    return {file.name: file for _, file in plan.root.walk()}


def pin(text: str, value: str = "'1234'", role: str = "PIN1") -> str:
    return f"SEC_{role} = {value}\nX_Pin {role} label='x' {text}"


def test_the_public_example_gives_the_files_that_it_shows() -> None:
    plan = evaluate(SKETCH)
    found = files(plan)
    assert [path for path, _ in plan.root.walk()] == [
        (0x3F00, 0x5015, 0x5031),
        (0x3F00, 0x5015, 0x4441),
        (0x3F00, 0x5015, 0x4541),
    ]
    assert found["EFODF"].content is not None
    assert found["EFODF"].content.literal() == bytes.fromhex(ODF)
    assert found["EFODF"].size is None
    assert found["EFCDF1"].content is not None
    assert found["EFCDF1"].content.literal() == bytes.fromhex(CDF)
    assert found["EFCDF1"].size == 1700
    assert {file.size for file in found.values()} == {None, 1700, 6000}
    assert {access for file in found.values() for access in file.access.values()} == {ALWAYS}


def test_the_public_example_says_what_the_card_is_and_becomes() -> None:
    plan = evaluate(SKETCH)
    (directory,) = plan.root.directories
    assert (directory.name, directory.file_id, directory.size) == ("DFPKCS15", 0x5015, 22000)
    assert directory.aid == b"\xa0\x00\x00\x00cPKCS-15"
    assert directory.access == {Operation.UPDATE: ALWAYS, Operation.CREATE: ALWAYS}
    assert (plan.card_model, plan.profile_name) == ("SIEMENS50", "P15_Siemens")
    assert (plan.eraseable, plan.burn_fuse, plan.irreversible) == (True, False, False)
    assert (plan.pins, plan.keys) == ((), ())


def test_the_public_example_leaves_a_blob_in_the_certificate_file() -> None:
    content = files(evaluate(SKETCH))["EFCERT1"].content
    assert content is not None
    assert CmsPinBlobCodec().recognises(content.literal())


def test_the_same_seed_gives_the_same_plan_and_another_seed_another() -> None:
    assert evaluate(SKETCH) == evaluate(SKETCH)
    assert evaluate(SKETCH) != evaluate(SKETCH, entropy=SeededEntropy("another"))


@given(st.integers(1, 20), st.sampled_from(["0123456789", "AB", "0123456789ABCDEF!"]))
def test_secrandom_draws_so_many_characters_of_the_alphabet(length: int, alphabet: str) -> None:
    secret = f"SECRANDOM({length}, '{alphabet}')"
    (made,) = evaluate(profile(pin("reference=1 min=1 max=20 stored=20", secret))).pins
    value = made.value.reveal().decode()
    assert len(value) == length
    assert set(value) <= set(alphabet)


def test_secrandom_draws_digits_unless_told_otherwise() -> None:
    (made,) = evaluate(profile(pin("reference=1 max=64 stored=64", "SECRANDOM(64)"))).pins
    assert set(made.value.reveal().decode()) == set("0123456789")


def test_a_secret_is_a_text_bytes_or_drawn() -> None:
    text = "\n".join(
        (
            pin("reference=1"),
            pin("reference=2", "0x{31 32 33 34}", "PUK"),
            pin("reference=3", "SECRANDOM(4)", "OP"),
        )
    )
    made = {each.role: each.value for each in evaluate(profile(text)).pins}
    assert made[SecretName.PIN1] == made[SecretName.PUK] == Secret.of("1234")
    assert len(made[SecretName.OP]) == 4


def test_a_variable_takes_its_value_from_a_parameter() -> None:
    plan = evaluate(profile("PERSINFO_PUT_PROFILENAME(Variable1)"), parameters={"variable1": "Grün".encode()})
    assert plan.profile_name == "Grün"


def test_a_secret_that_is_not_reserved_may_be_a_parameter() -> None:
    text = profile("X_Pin PUK1 reference=1 label='x'")
    (made,) = evaluate(text, parameters={"SEC_PUK1": b"12345678"}).pins
    assert made.value == Secret.of("12345678")


def test_a_default_counts_where_nothing_comes_from_outside() -> None:
    text = profile("X_Default SEC_PIN1 value=SECRANDOM(6)\nX_Pin PIN1 reference=1 label='x'")
    given_value = Secret.of("4711")
    (drawn,) = evaluate(text).pins
    (given_pin,) = evaluate(text, secrets={SecretName.PIN1: given_value}).pins
    assert len(drawn.value) == 6
    assert given_pin.value == given_value


def test_files_lie_in_the_master_file_and_in_nested_directories() -> None:
    ef = "maxsize=1 read=always update=never"
    layout = f"""
    CreateEf A id=0x2F00 {ef}
    CreateDf D1 id=0x5015 maxsize=auto update=always create=never
    CreateDf D2 id=0x5016 maxsize=auto update=always create=never
    CreateEf B id=0x4401 {ef}
    EndDF
    CreateEf C id=0x4401 {ef}
    EndDF
    """
    plan = evaluate(profile(layout=layout))
    assert [(path[1:], file.name) for path, file in plan.root.walk()] == [
        ((0x2F00,), "A"),
        ((0x5015, 0x4401), "C"),
        ((0x5015, 0x5016, 0x4401), "B"),
    ]
    assert plan.root.directories[0].size is None
    assert plan.root.directories[0].access == {Operation.UPDATE: ALWAYS, Operation.CREATE: NEVER}


@pytest.mark.parametrize("role", list(SecretName))
def test_each_of_the_eight_secrets_can_guard_a_file(role: SecretName) -> None:
    layout = f"CreateEf E id=1 maxsize=1 read={role.value.lower()} update={role.value}"
    plan = evaluate(profile(pin("reference=1", role=role.value), layout=layout))
    assert plan.root.files[0].access == {Operation.READ: Access.by(role), Operation.UPDATE: Access.by(role)}


def test_a_pin_says_all_that_a_card_wants_to_know() -> None:
    text = "\n".join(
        (
            pin("reference=1 min=6 max=12 stored=16 pad=0xFF tries=5 unblocked_by=PUK so=no slot=signature"),
            pin("reference=2 stored=auto so=YES", role="PUK"),
        )
    ).replace("'1234'", "'123456'")
    puk, made = evaluate(profile(text)).pins
    assert (puk.role, puk.stored_length, puk.so, puk.slot) == (SecretName.PUK, None, True, "main")
    assert (puk.min_length, puk.max_length, puk.tries, puk.pad) == (4, 8, 3, 0)
    assert (made.min_length, made.max_length, made.stored_length, made.pad) == (6, 12, 16, 0xFF)
    assert (made.tries, made.unblocked_by, made.so, made.slot) == (5, SecretName.PUK, False, "signature")
    assert (made.name, made.reference, made.label) == ("PIN1", 1, "x")


@given(st.permutations(["PIN1", "PUK1", "PUK", "OP"]))
def test_what_unblocks_a_pin_is_made_before_it_whatever_the_order_of_the_lines(order: list[str]) -> None:
    above = {"PIN1": "PUK1", "PUK1": "PUK", "PUK": "OP"}
    lines = [
        pin(f"reference={number} " + (f"unblocked_by={above[role]}" if role in above else ""), role=role)
        for number, role in enumerate(order, start=1)
    ]
    assert [made.name for made in evaluate(profile("\n".join(lines))).pins] == ["OP", "PUK", "PUK1", "PIN1"]


def test_a_key_says_all_that_a_card_wants_to_know() -> None:
    layout = "CreateDf D id=0x5015 maxsize=auto update=always create=always\nEndDF"
    key = "X_Key K{n} directory=D reference={n} label='x' "
    text = profile(
        pin("reference=1"),
        layout=layout,
        files=key.format(n=1)
        + "size=2048 use=sign,DECIPHER,nonrepudiation access=pin1\n"
        + key.format(n=2)
        + "type=ec size=256 use=derive access=always id=0x{45} generate=no",
    )
    rsa, ec = evaluate(text).keys
    assert (rsa.algorithm, rsa.size, rsa.generate) == (KeyAlgorithm.RSA, 2048, True)
    assert rsa.use == KeyUse.SIGN | KeyUse.DECIPHER | KeyUse.NON_REPUDIATION
    assert (rsa.directory, rsa.access) == ((0x3F00, 0x5015), Access.by(SecretName.PIN1))
    assert (ec.algorithm, ec.size, ec.use, ec.generate) == (KeyAlgorithm.EC, 256, KeyUse.DERIVE, False)


@pytest.mark.parametrize("eraseable", [True, False])
@pytest.mark.parametrize("burn", [True, False])
def test_the_four_rows_of_fuse_and_erasing(*, eraseable: bool, burn: bool) -> None:
    start = ("MakeCardEraseable()\n" if eraseable else "") + "CardModel 'SIEMENS44'"
    plan = evaluate(profile(start=start, end="CreateFiles()" + ("\nBurnFuse()" if burn else "")))
    assert (plan.eraseable, plan.burn_fuse) == (eraseable, burn)
    assert plan.irreversible is (burn and not eraseable)


def test_card_model_and_assignments_may_stand_before_make_card_eraseable() -> None:
    start = "CardModel 'SIEMENS44'\nA = 1\nX_Default B value='x'\nmakecarderaseable()"
    assert evaluate(profile(start=start)).eraseable


def test_a_static_file_may_hold_a_text() -> None:
    plan = evaluate(profile(files="File Static EF1\ndata = 'abc'\nEndfile"))
    content = plan.root.files[0].content
    assert content is not None
    assert content.literal() == b"abc"


def test_dynamic_contents_are_worked_out_when_the_files_are_made() -> None:
    text = profile(files="File Dynamic EF1\ndata = LATER\nEndfile\nLATER = 'abc'")
    content = evaluate(text).root.files[0].content
    assert content is not None
    assert content.literal() == b"abc"


def test_the_card_model_table_can_be_added_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ppa.card_models, "_FAMILIES", dict(ppa.card_models._FAMILIES))
    ppa.card_models.register("MyCard", "cardos-5")
    plan = evaluate(profile(start="CardModel 'mycard'"))
    assert ppa.card_models.family_of(plan.card_model) == "cardos-5"
    assert "MyCard" in ppa.card_models.names()

    with pytest.raises(ppa.RegistrationError, match="stands for 'cardos-5' already"):
        ppa.card_models.register("MYCARD", "cardos-4.4")


def test_an_unknown_card_model_is_told_with_the_known_ones() -> None:
    with pytest.raises(ppa.UnknownCardModelError, match="'SIEMENS43B', 'SIEMENS44', 'SIEMENS50'"):
        ppa.card_models.family_of("SIEMENS99")


def test_the_public_card_model_stands_for_the_cardos_5_family() -> None:
    assert ppa.card_models.family_of("Siemens50") == "cardos-5"
    assert ppa.card_models.family_of("SIEMENS44") == "cardos-4.4"
    assert ppa.card_models.family_of("SIEMENS43B") == "cardos-4.3b"
