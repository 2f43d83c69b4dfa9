"""The last block: what is read from the card."""

from __future__ import annotations

from cardtwin.encoding.keywords import PIN_OUTPUTS
from cardtwin.encoding.run import Block, Run, command
from cardtwin.encoding.selection import card_number
from cardtwin.encoding.values import FieldRef

__all__: list[str] = []


@command("ICCSN", Block.FINALISATION, lambda run: run.scope.says("ICCSN"))
def _read_iccsn(run: Run) -> None:
    setting = run.scope.setting("ICCSN")
    assert setting is not None
    assert isinstance(setting.value, FieldRef)
    run.fields[setting.value.name] = card_number(run.middleware, run.reader, run.scope)


@command("CardPinDecryption", Block.FINALISATION, lambda run: bool(run.scope.pin_outputs))
def _decrypt_pins(run: Run) -> None:
    data = run.middleware.encrypted_pins(run.reader)

    if data is None or not run.codec.recognises(data):
        return

    found = dict(run.codec.decrypt(data, run.keys).secrets)

    for setting, target in run.scope.pin_outputs:
        if (secret := found.get(PIN_OUTPUTS[setting.keyword])) is not None:
            run.fields[target.name] = secret
