from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from cardtwin.entropy import SeededEntropy
from cardtwin.middleware import (
    CardMismatchError,
    Ckr,
    Installation,
    InstallationError,
    PersonalDesktopClient,
    ProfileRefusedError,
)
from cardtwin.plan import Secret, SecretName
from cardtwin.plan.cms import CmsPinBlobCodec
from cardtwin.provenance import Switches
from cardtwin.source import SourceText
from support.profiles import certificate
from support.tokens import CARD_MODEL, MODELS, READER, TokenDesk, key_line, profile_text


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
