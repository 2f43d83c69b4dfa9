from __future__ import annotations

import pytest

from cardtwin import pkcs15
from cardtwin.middleware import (
    CARD_ERASER,
    ENCRYPTED_PINS,
    Ckr,
    CommandFailedError,
    MiddlewareError,
    ObjectClass,
    TokenState,
)
from cardtwin.middleware.pinkinds import kinds_of
from cardtwin.pkcs15 import PinFlags
from cardtwin.plan.cms import CmsPinBlobCodec
from support.profiles import SKETCH
from support.tokens import CARD_MODEL, MODELS, READER, TokenDesk, key_line, profile_text, write

LOCAL = PinFlags.LOCAL

LOCAL = PinFlags.LOCAL


@pytest.mark.parametrize("model", MODELS)
def test_a_token_shows_its_labels_serial_numbers_and_objects(model: str) -> None:
    desk = TokenDesk(model)
    desk.init(
        keys=key_line("use=sign public=EFPUB")
        + "\nX_Certificate EFCERT key=K label='Signature'\nX_Data EFDATA label='ProfileId'",
        files="CreateEf EFPUB id=0x4601 maxsize=auto read=always update=puk\n"
        "CreateEf EFCERT id=0x4501 maxsize=99 read=always update=puk\n"
        "CreateEf EFDATA id=0xF001 maxsize=40 read=always update=puk\n"
        "CreateEf EFPRKDF id=0x4401 maxsize=200 read=always update=puk\n"
        "CreateEf EFPUKDF id=0x4411 maxsize=200 read=always update=puk\n"
        "CreateEf EFCDF id=0x4441 maxsize=200 read=always update=puk\n"
        "CreateEf EFDODF id=0x4471 maxsize=200 read=always update=puk---"
        "File Dynamic EFPUB\ndata=X_PUBLICKEY(K)\nEndfile\n"
        "File Static EFDATA\ndata='The profile'\nEndfile\n"
        "File Dynamic EFPRKDF\ndata=X_PRKDF()\nEndfile\n"
        "File Dynamic EFPUKDF\ndata=X_PUKDF()\nEndfile\n"
        "File Dynamic EFCDF\ndata=X_CDF()\nEndfile\n"
        "File Dynamic EFDODF\ndata=X_DODF()\nEndfile",
    )
    token = desk.client.token(READER)

    assert (token.state, token.label, token.manufacturer) == (TokenState.INITIALISED, "Badge", "cardtwin")
    assert token.chip_serial == token.serial == desk.model.serial
    assert token.profile_name == "The profile"
    assert [(found.object_class, found.label, found.private) for found in token.objects] == [
        (ObjectClass.PRIVATE_KEY, "Key", True),
        (ObjectClass.PUBLIC_KEY, "Key", False),
        (ObjectClass.CERTIFICATE, "Signature", False),
        (ObjectClass.DATA, "ProfileId", False),
        (ObjectClass.DATA, CARD_ERASER, False),
    ]
    assert token.find(ObjectClass.PUBLIC_KEY, "Key") is token.objects[1]
    assert token.find(ObjectClass.DATA, "Key") is None


@pytest.mark.parametrize("model", MODELS)
def test_a_certificates_file_that_holds_a_blob_is_the_data_object_encrypted_pins(model: str) -> None:
    desk = TokenDesk(model)
    desk.init(SKETCH.replace("SIEMENS50", CARD_MODEL[model]))
    token = desk.client.token(READER)
    blob = desk.client.encrypted_pins(READER)

    assert [(found.object_class, found.label) for found in token.objects] == [
        (ObjectClass.DATA, ENCRYPTED_PINS),
        (ObjectClass.DATA, CARD_ERASER),
    ]
    assert blob is not None
    assert CmsPinBlobCodec().recognises(blob)


def test_a_certificate_written_over_the_blob_takes_the_object_away() -> None:
    desk = TokenDesk("cardos-5.3")
    desk.init(SKETCH)
    write(desk, "3F00/5015/4541", bytes.fromhex("3082010030820100"))
    token = desk.client.token(READER)

    assert token.find(ObjectClass.CERTIFICATE, "Digital Signature")
    assert token.find(ObjectClass.DATA, ENCRYPTED_PINS) is None
    assert desk.client.encrypted_pins(READER) is None


def test_a_blob_stands_also_beside_public_keys() -> None:
    desk = TokenDesk("cardos-5.3")
    desk.init(
        SKETCH.replace("data = PERSINFO_SEC()", "data = PERSINFO_PUT_PUBRSA_AND_SEC()").replace(
            "Endfile\n\nFile Static EFODF",
            "Endfile\nX_Key K reference=3 directory=DFPKCS15 size=2048 use=sign access=always label='K'\n"
            "\nFile Static EFODF",
        )
    )
    blob = desk.client.encrypted_pins(READER)

    assert desk.view.files["3F00/5015/4541"].content[0] == 0xE0
    assert blob is not None
    assert CmsPinBlobCodec().recognises(blob)


@pytest.mark.parametrize("model", MODELS)
def test_a_card_without_a_blob_gives_none(model: str) -> None:
    desk = TokenDesk(model)
    assert desk.client.encrypted_pins(READER) is None
    desk.init()
    assert desk.client.encrypted_pins(READER) is None


@pytest.mark.parametrize("path", ["3F00/5015/5031", "3F00/5015/5032", "3F00/5015/4481"])
@pytest.mark.parametrize("content", ["", "FF" * 64, "A0820101", "30033001FF"])
def test_a_broken_file_hides_what_it_lists_and_nothing_else(path: str, content: str) -> None:
    desk = TokenDesk()
    desk.init()
    write(desk, path, bytes.fromhex(content))
    token = desk.client.token(READER)

    assert token.initialised
    assert bool(token.label) == (path != "3F00/5015/5032")
    assert bool(token.pins) == (path == "3F00/5015/5032")


def test_paths_in_directories_may_begin_at_the_application() -> None:
    desk = TokenDesk()
    desk.init()
    kinds = [pkcs15.DirectoryPath(pkcs15.DirectoryKind.AUTH_OBJECTS, pkcs15.Path.of(0x4481))]
    write(desk, "3F00/5015/5031", pkcs15.encode_odf(kinds))

    assert len(desk.client.token(READER).pins) == 5


def test_a_file_that_needs_a_login_is_left_out() -> None:
    desk = TokenDesk()
    desk.init(profile_text().replace("4481 maxsize=auto read=always", "4481 maxsize=auto read=pin1"))

    assert desk.client.token(READER).pins == ()

    with pytest.raises(CommandFailedError) as refused:
        desk.client.read_file(READER, "3F00/5015/4481")

    assert refused.value.rv is Ckr.CKR_USER_NOT_LOGGED_IN


@pytest.mark.parametrize("path", ["3F00/5015/5031", "5015/5031", "/3f00/5015/5031/"])
def test_a_file_is_read_by_its_path(path: str) -> None:
    desk = TokenDesk()
    desk.init()

    assert desk.client.read_file(READER, path) == desk.view.files["3F00/5015/5031"].content


@pytest.mark.parametrize("path", ["", "5031x", "3F00/501", "3F00/5015/4999", "3F00/5015"])
def test_what_is_no_file_is_told(path: str) -> None:
    desk = TokenDesk()
    desk.init()

    with pytest.raises(MiddlewareError) as refused:
        desk.client.read_file(READER, path)

    assert refused.value.rv is Ckr.CKR_ARGUMENTS_BAD


@pytest.mark.parametrize("model", MODELS)
def test_looking_at_a_card_changes_nothing(model: str) -> None:
    desk = TokenDesk(model)
    desk.init()
    before = desk.card.image
    desk.commands.clear()
    desk.client.token(READER)
    desk.client.card_state(READER)
    desk.client.chip_serial(READER)
    desk.client.card_eraser(READER)

    assert desk.card.image == before
    assert desk.changing == []


def test_readers_and_atr_are_those_of_the_context() -> None:
    desk = TokenDesk()

    assert desk.client.readers() == (READER,)
    assert desk.client.atr(READER) == desk.model.atr


def _pin(reference: int, flags: PinFlags = PinFlags.INITIALIZED, *, reset: bool = False) -> pkcs15.Pin:
    return pkcs15.Pin(
        id=bytes((reference,)),
        label=f"PIN {reference}",
        reference=reference,
        flags=flags,
        auth_id=b"\x63" if reset else None,
    )


@pytest.mark.parametrize(
    ("pins", "eraser", "kinds"),
    [
        ([_pin(1)], None, "user"),
        ([_pin(1), _pin(2)], None, "user operator"),
        ([_pin(1), _pin(2, reset=True)], None, "operator user"),
        ([_pin(1), _pin(2), _pin(3)], None, "user operator other"),
        ([_pin(1), _pin(2), _pin(3)], 3, "user other operator"),
        ([_pin(1), _pin(2), _pin(3)], 1, "operator user other"),
        (
            [_pin(1), _pin(2, LOCAL, reset=True), _pin(3, LOCAL)],
            None,
            "user signature other",
        ),
        ([_pin(1, PinFlags.SO_PIN), _pin(2), _pin(3)], None, "operator user other"),
        ([_pin(1, PinFlags.SO_PIN | PinFlags.UNBLOCKING_PIN), _pin(2)], None, "puk user"),
        ([_pin(0x81), _pin(0x82)], 2, "user operator"),
        ([_pin(1, LOCAL)], None, "user"),
        ([_pin(1, LOCAL | PinFlags.SO_PIN), _pin(3, LOCAL), _pin(5, LOCAL)], None, "operator user signature"),
        ([], None, ""),
    ],
)
def test_what_pins_are_for(pins: list[pkcs15.Pin], eraser: int | None, kinds: str) -> None:
    assert [found.kind for found in kinds_of(pins, eraser)] == kinds.split()
