from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cardtwin.iso7816 import CommandApdu
from cardtwin.middleware import (
    CardNotRecognisedError,
    Ckr,
    EraseRefusedError,
    Login,
    MiddlewareError,
    TokenState,
    UserType,
)
from cardtwin.plan import Secret, SecretName
from cardtwin.provenance import Switches
from cardtwin.source import SourceText
from support.profiles import SKETCH
from support.tokens import MODELS, OP, READER, TokenDesk, key_line, profile_text


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
