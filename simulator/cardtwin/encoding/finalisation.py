"""The last block: what is read from the card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.encoding.keywords import PIN_OUTPUTS
from cardtwin.encoding.run import Block, Run, command
from cardtwin.encoding.values import FieldRef

if TYPE_CHECKING:
    from cardtwin.encoding.token import TokenMiddleware

__all__ = ["card_number"]


def card_number(middleware: TokenMiddleware, reader: str, *, with_atr: bool) -> str:
    """Return the card's ICCSN in upper-case hexadecimal; with the ATR after a hyphen where wanted."""
    iccsn = middleware.chip_serial(reader).hex().upper()
    return f"{iccsn}-{middleware.atr(reader).hex().upper()}" if with_atr else iccsn


@command("ICCSN", Block.FINALISATION, lambda scope: scope.setting("ICCSN") is not None)
def _read_iccsn(run: Run) -> None:
    setting = run.scope.setting("ICCSN")
    assert setting is not None
    assert isinstance(setting.value, FieldRef)
    number = card_number(run.middleware, run.reader, with_atr=run.scope.flag("UseICCSNwithATR"))
    run.fields[setting.value.name] = number


@command("CardPinDecryption", Block.FINALISATION, lambda scope: bool(scope.pin_outputs))
def _decrypt_pins(run: Run) -> None:
    data = run.middleware.encrypted_pins(run.reader)

    if data is None or not run.codec.recognises(data):
        return

    found = dict(run.codec.decrypt(data, run.keys).secrets)

    for setting, target in run.scope.pin_outputs:
        if (secret := found.get(PIN_OUTPUTS[setting.keyword])) is not None:
            run.fields[target.name] = secret
