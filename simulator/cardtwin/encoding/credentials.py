"""The second block: PINs are changed or unblocked, and the PUK is changed.

``SetPIN`` means what the credentials beside it make possible: with InitToken the profile sets the PIN; with a
PUK the PIN is set by it, blocked or not; with dialog 3 the user changes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cardtwin.encoding.run import Block, Run, command

__all__ = ["SETTABLE", "SettablePin"]


@dataclass(frozen=True, slots=True)
class SettablePin:
    """A PIN that SetPIN is about.

    Attributes:
        keyword: What names its value.
        puk: What names the PUK that resets it.
        kind: What the middleware calls it.
    """

    keyword: str
    puk: str
    kind: str


SETTABLE: Final = (
    SettablePin("PIN", "InitialPUK", "user"),
    SettablePin("SignPIN", "SignPUK", "signature"),
)


def _sets(run: Run) -> bool:
    return run.scope.flag("SetPIN") and not run.scope.flag("InitToken")


@command("SetPIN", Block.CREDENTIALS, _sets)
def _set_pins(run: Run) -> None:
    for pin in SETTABLE:
        _set_pin(run, pin)


def _set_pin(run: Run, pin: SettablePin) -> None:
    setting, new = run.scope.setting(pin.keyword), run.given(pin.keyword)

    if setting is None or new is None:
        return

    if (current := run.job.current(setting.value)) is not None:
        run.middleware.change_pin(run.reader, current, new, pin=pin.kind)
    elif (puk := run.given(pin.puk)) is not None:
        run.middleware.unblock_pin(run.reader, puk, new, pin=pin.kind)


@command("PUK", Block.CREDENTIALS, lambda run: run.scope.flag("SetPIN"))
def _change_puk(run: Run) -> None:
    new, old = run.given("PUK"), run.given("InitialPUK")

    if new is not None and old is not None:
        run.middleware.change_pin(run.reader, old, new, pin="puk")
