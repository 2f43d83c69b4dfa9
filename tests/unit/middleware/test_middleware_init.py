from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from cardtwin.entropy import SeededEntropy
from cardtwin.iso7816 import CommandApdu
from cardtwin.middleware import (
    CardMismatchError,
    CardNotRecognisedError,
    Ckr,
    EraseRefusedError,
    Installation,
    InstallationError,
    Login,
    MiddlewareError,
    PersonalDesktopClient,
    ProfileRefusedError,
    TokenState,
    UserType,
)
from cardtwin.plan import Secret, SecretName
from cardtwin.plan.cms import CmsPinBlobCodec
from cardtwin.provenance import Switches
from cardtwin.source import SourceText
from support.profiles import SKETCH, certificate
from support.tokens import CARD_MODEL, MODELS, OP, READER, TokenDesk, key_line, profile_text


def test_the_vendors_sketch_becomes_the_files_that_it_shows() -> None:
    desk = TokenDesk("cardos-5.3")
    desk.init(SKETCH)
    files = desk.view.files

    assert files["3F00/5015"].name.hex().upper() == "A000000063504B43532D3135"
    assert files["3F00/5015/5031"].content.hex().upper() == "A40A300804063F0050154441"
    assert files["3F00/5015/4441"].content[:49].startswith(bytes.fromhex("302F301A0C11"))
    assert files["3F00/5015/4441"].content[49:] == bytes(1700 - 49)
    assert files["3F00/5015/4541"].size == 6000
    assert desk.client.encrypted_pins(READER) == files["3F00/5015/4541"].content
    assert set(files) == {"3F00", "3F00/5015", *(f"3F00/5015/{name}" for name in ("5031", "4441", "4541"))}


@pytest.mark.parametrize(
    ("parts", "fuse", "erasable", "phase"),
    [
        ({}, "intact", "always", "ADMINISTRATION"),
        ({"eraseable": True}, "intact", "always", "ADMINISTRATION"),
        ({"eraseable": True, "burn": True}, "burnt", "always", "OPERATIONAL"),
        ({"burn": True}, "burnt", "object 05", "OPERATIONAL"),
        ({"burn": True, "operator": False}, "burnt", "never", "OPERATIONAL"),
    ],
)
@pytest.mark.parametrize("model", MODELS)
def test_the_fuse_decides_phase_and_conditions(
    model: str, parts: dict[str, Any], fuse: str, erasable: str, phase: str
) -> None:
    desk = TokenDesk(model)
    desk.init(**parts)
    view, state = desk.view, desk.client.card_state(READER)

    assert (view.fuse, view.erasable, view.life_cycle.name) == (fuse, erasable, phase)
    assert (state.fuse, state.phase.name, state.state) == (fuse, phase, TokenState.INITIALISED)
    assert (
        str(state.erasable_by)
        == {"always": "anybody", "object 05": "credential 05", "never": "nobody"}[erasable]
    )
    closed = {name for name, condition in view.files["3F00"].access.items() if condition != erasable}
    assert not closed
    assert view.files["3F00/5015"].access["DELETE"] == erasable


@pytest.mark.parametrize("model", MODELS)
def test_files_pins_and_keys_have_the_conditions_of_the_profile(model: str) -> None:
    desk = TokenDesk(model)
    keys = "X_Key K reference=16 directory=DF size=2048 use=sign access=pin2 label='Key'"
    desk.init(keys=keys)
    files, pins = desk.view.files, desk.view.pins

    assert {key: files["3F00/5015"].access[key] for key in ("UPDATE", "APPEND", "CREATE")} == dict.fromkeys(
        ("UPDATE", "APPEND", "CREATE"), "object 02"
    )
    assert files["3F00/5015/4481"].access["READ"] == "always"
    assert files["3F00/5015/4481"].access["UPDATE"] == "object 02"
    assert files["3F00/5015/4481"].access["DEACTIVATE"] == "never"
    assert pins["3F00", 1].access == {"USE": "always", "CHANGE": "object 01", "UNBLOCK": "object 02"}
    assert pins["3F00", 2].access["UNBLOCK"] == "never"
    assert (pins["3F00", 1].max_tries, pins["3F00", 5].max_tries) == (3, 4)
    key = desk.view.keys["3F00/5015", 16]
    assert (key.kind, key.purpose, key.access["USE"]) == ("RSA-2048", "sign", "object 03")


NESTED = """CreateDf D2 id=0x5099 maxsize=auto update=pin1 create=never
CreateEf EIN id=0x4444 maxsize=10 read=pin1 update=never
EndDF
EndDF
CreateEf EMF id=0x2F99 maxsize=auto read=always update=never
CreateDf D3 id=0x5098 maxsize=5 update=always create=always---
File Static EIN
data = 'inside'
Endfile
File Static EMF
data = 'outside'
Endfile
"""


@pytest.mark.parametrize("model", MODELS)
def test_files_that_nobody_may_update_are_written_and_then_closed(model: str) -> None:
    desk = TokenDesk(model)
    desk.init(files=NESTED, burn=True)
    files = desk.view.files
    inner, outer = files["3F00/5015/5099/4444"], files["3F00/2F99"]

    assert (inner.content, inner.access["READ"], inner.access["UPDATE"]) == (
        b"inside\0\0\0\0",
        "object 01",
        "never",
    )
    assert (outer.content, outer.access["UPDATE"], outer.access["DELETE"]) == (
        b"outside",
        "never",
        "object 05",
    )
    assert files["3F00/5015/5099"].size == 10
    assert files["3F00/5015/5099"].access["CREATE"] == "never"
    assert {files[path].access["DELETE"] for path in files} == {"object 05"}
    desk.client.erase(READER, Login(UserType.OPERATOR, OP))
    assert desk.card.image == desk.blank


@pytest.mark.parametrize("model", MODELS)
def test_unnamed_operations_can_be_for_anybody_by_a_switch(model: str) -> None:
    desk = TokenDesk(model, switches=Switches({"middleware.unnamed-operations": "always"}))
    desk.init()

    assert desk.view.files["3F00/5015/4481"].access["DEACTIVATE"] == "always"


@pytest.mark.parametrize(
    ("model", "use", "size"),
    [
        ("cardos-4.4", "rsa", 1024),
        ("cardos-4.4", "rsa", 2048),
        ("cardos-5.3", "rsa", 3072),
        ("cardos-5.3", "ec", 256),
        ("cardos-5.3", "ec", 384),
        ("cardos-5.3", "ec", 521),
    ],
)
def test_a_public_key_in_a_file_is_the_cards(model: str, use: str, size: int) -> None:
    desk = TokenDesk(model)
    desk.init(
        keys=key_line(f"type={use} use=sign public=EFPUB", size=size),
        files="CreateEf EFPUB id=0x4601 maxsize=auto read=always update=puk---"
        "File Dynamic EFPUB\ndata = X_PUBLICKEY(K)\nEndfile",
    )
    public = desk.view.keys["3F00/5015", 3].public
    content = desk.view.files["3F00/5015/4601"].content

    assert content
    assert (content if use == "rsa" else content[2 if size < 521 else 3 :]) in public
    assert "3F00/5015/7EAD" not in desk.view.files


def test_a_room_for_a_key_has_its_condition_and_no_value() -> None:
    desk = TokenDesk()
    desk.init(keys=key_line("use=decipher id=0x{13} generate=no"))
    key = desk.view.keys["3F00/5015", 3]

    assert (key.kind, key.public, key.purpose, key.access["USE"]) == ("", b"", "decipher", "object 01")


@pytest.mark.parametrize("model", MODELS)
def test_a_profile_for_another_family_has_nothing_sent_but_select_and_get_data(model: str) -> None:
    desk = TokenDesk(model)
    other = next(name for name in MODELS if name != model)

    with pytest.raises(CardMismatchError) as mismatch:
        desk.init(profile_text(other))

    assert mismatch.value.rv is Ckr.CKR_TOKEN_NOT_RECOGNIZED
    assert CARD_MODEL[other] in str(mismatch.value)
    assert {command[1] for command in desk.commands} <= {0xA4, 0xCA}
    assert desk.card.image == desk.blank


@pytest.mark.parametrize(
    ("installation", "rv"),
    [
        (Installation(None), Ckr.CKR_FUNCTION_FAILED),
        (Installation(certificate(), bits=64), Ckr.CKR_FUNCTION_NOT_SUPPORTED),
    ],
    ids=["no certificate", "64 bits"],
)
def test_an_installation_that_cannot_initialise_sends_nothing(installation: Installation, rv: Ckr) -> None:
    desk = TokenDesk(installation=installation)

    with pytest.raises(InstallationError) as refused:
        desk.init()

    assert refused.value.rv is rv
    assert desk.commands == []


@pytest.mark.parametrize("year", [2019, 2041])
def test_a_certificate_out_of_date_counts_where_the_switch_says_so(year: int) -> None:
    desk = TokenDesk()
    arguments: dict[str, Any] = {"entropy": SeededEntropy("dates"), "codec": CmsPinBlobCodec()}
    source = SourceText("x.cpf", profile_text())
    when = datetime(year, 6, 1, tzinfo=UTC)
    checked = Switches({"middleware.pin-certificate-dates": "checked"})
    strict = PersonalDesktopClient(
        desk.context, Installation(certificate()), switches=checked, now=lambda: when, **arguments
    )

    with pytest.raises(InstallationError, match="valid from"):
        strict.init_token(READER, source)

    assert desk.commands == []
    lenient = PersonalDesktopClient(desk.context, Installation(certificate()), now=lambda: when, **arguments)
    lenient.init_token(READER, source)
    assert lenient.token(READER).initialised


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("CreateFiles()", "Nonsense()\nCreateFiles()"), "Nonsense"),
        (("SEC_PUK = ", "SEC_PUK = 'x'\nSEC_PUK = "), "SEC_PUK"),
        (("maxsize=64 read", "maxsize=4 read"), "EFODF"),
    ],
)
def test_a_wrong_profile_leaves_the_card_untouched_and_its_lines_out_of_the_message(
    change: tuple[str, str], told: str
) -> None:
    desk = TokenDesk()

    with pytest.raises(ProfileRefusedError, match=told) as refused:
        desk.init(profile_text().replace(*change))

    assert desk.commands == []
    assert refused.value.diagnostics
    assert "11112222" not in str(refused.value)


def test_a_secret_that_comes_twice_is_refused_before_the_card_is_touched() -> None:
    desk = TokenDesk()
    source = SourceText("x.cpf", profile_text())

    with pytest.raises(ProfileRefusedError, match="SEC_PIN1"):
        desk.client.init_token(READER, source, secrets={SecretName.PIN1: Secret.of("9999")})

    assert desk.commands == []


@pytest.mark.parametrize(
    ("model", "keys", "files", "told"),
    [
        ("cardos-4.4", key_line("use=sign", size=3072), "", "3072"),
        ("cardos-4.4", key_line("type=ec use=sign", size=256), "", "ec"),
        ("cardos-5.3", key_line("use=sign", size=4096), "", "4096"),
        ("cardos-5.3", key_line("use=sign", reference=99), "", "99"),
        ("cardos-5.3", "", "CreateEf E id=0x7EAD maxsize=9 read=always update=always", "7EAD is reserved"),
    ],
)
def test_a_profile_that_the_card_cannot_carry_is_refused_before_anything_changes(
    model: str, keys: str, files: str, told: str
) -> None:
    desk = TokenDesk(model)

    with pytest.raises(ProfileRefusedError, match=told):
        desk.init(keys=keys, files=files)

    assert desk.changing == []
    assert desk.card.image == desk.blank


def _large_file(number: int, size: int) -> str:
    return f"CreateEf E{number} id=0x46{number:02X} maxsize={size} read=always update=puk"


def test_a_profile_without_room_on_the_card_is_refused_before_anything_changes() -> None:
    desk = TokenDesk()
    large = "\n".join(_large_file(at, 30000) for at in range(3))
    files = f"EndDF\n{large}\nCreateDf D2 id=0x5016 maxsize=10 update=puk create=puk"

    with pytest.raises(ProfileRefusedError) as refused:
        desk.init(files=files)

    assert refused.value.rv is Ckr.CKR_DEVICE_MEMORY
    assert desk.changing == []


def test_a_full_card_that_is_erased_first_has_room_again() -> None:
    desk = TokenDesk()
    files = "\n".join(_large_file(at, 25000) for at in range(2))
    text = profile_text(files=files).replace("maxsize=4000", "maxsize=65535")
    desk.init(text)
    desk.init(text)

    assert desk.client.token(READER).initialised


@pytest.mark.parametrize("model", MODELS)
def test_a_card_that_anybody_may_erase_is_erased_before_it_gets_another_profile(model: str) -> None:
    desk = TokenDesk(model)
    desk.init(eraseable=True, burn=True, files="CreateEf EFOLD id=0x4666 maxsize=9 read=always update=puk")
    desk.init()

    assert "3F00/5015/4666" not in desk.view.files
    assert desk.view.fuse == "intact"


@pytest.mark.parametrize("model", MODELS)
def test_a_card_that_not_everybody_may_erase_keeps_its_profile(model: str) -> None:
    desk = TokenDesk(model)
    desk.init(burn=True)
    before = desk.card.image

    with pytest.raises(EraseRefusedError):
        desk.init()

    assert desk.card.image == before


def test_a_card_that_is_not_empty_can_be_refused_by_a_switch() -> None:
    desk = TokenDesk(switches=Switches({"middleware.init-on-initialised": "refuse"}))
    desk.init()
    before = desk.card.image

    with pytest.raises(EraseRefusedError) as refused:
        desk.init()

    assert refused.value.rv is Ckr.CKR_ACTION_PROHIBITED
    assert desk.card.image == before


def test_an_empty_card_in_the_operational_phase_is_taken_back_first() -> None:
    desk = TokenDesk()

    with desk.context.connect(READER) as connection:
        assert connection.transmit(bytes.fromhex("80100000")) == b"\x90\x00"

    desk.init()
    assert desk.client.card_state(READER).fuse == "intact"


def test_a_card_without_a_file_system_is_no_token() -> None:
    desk = TokenDesk()
    blank = desk.model.blank()
    desk.card.load(replace(blank, files={}, life_cycle=type(blank.life_cycle)(0x34)))

    assert desk.client.token(READER).state is TokenState.INCOMPLETE

    with pytest.raises(CardNotRecognisedError, match="phase"):
        desk.init()

    with pytest.raises(EraseRefusedError, match="file system"):
        desk.client.erase(READER)


def test_secrets_and_label_from_outside_reach_the_card() -> None:
    desk = TokenDesk()
    text = profile_text().replace("SEC_PIN1 = '1111'", "")
    desk.client.init_token(
        READER,
        SourceText("x.cpf", text),
        secrets={SecretName.PIN1: Secret.of("2468")},
        label="From outside",
    )

    assert desk.client.token(READER).label == "From outside"
    desk.client.verify_pin(READER, Secret.of("2468"))


def test_an_initialisation_is_one_transaction_of_one_connection() -> None:
    desk = TokenDesk()
    desk.init()
    creations = [CommandApdu.parse(command) for command in desk.commands if command[1] == 0xE0]

    assert len(creations) == 5
    assert all(created.data[0] == 0x62 for created in creations)
    assert desk.manager.context().state(READER).sharing == 0


def test_an_error_of_the_readers_has_a_return_value() -> None:
    desk = TokenDesk()
    desk.manager.remove(READER)

    with pytest.raises(MiddlewareError) as empty:
        desk.client.token(READER)

    assert empty.value.rv is Ckr.CKR_TOKEN_NOT_PRESENT

    with pytest.raises(MiddlewareError) as unknown:
        desk.client.token("no such reader")

    assert unknown.value.rv is Ckr.CKR_SLOT_ID_INVALID
