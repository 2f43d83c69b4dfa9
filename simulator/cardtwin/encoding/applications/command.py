"""The block of the applications: which ones run, in which order, with one login for all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.encoding.applications.registry import PARTS, ApplicationRun
from cardtwin.encoding.applications.selection import chosen_applications
from cardtwin.encoding.applications.session import MAIN, SIGNATURE, opened
from cardtwin.encoding.errors import ApplicationError
from cardtwin.encoding.run import Block, Run, command
from cardtwin.events import because

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cardtwin.encoding.applications.session import SlotSession
    from cardtwin.encoding.description import Application

__all__: list[str] = []

_CREDENTIALS = {MAIN: "PIN", SIGNATURE: "SignPIN"}


@command("Applications", Block.APPLICATIONS, lambda run: bool(run.scope.description.applications))
def _applications(run: Run) -> None:
    chosen = chosen_applications(run.scope.description, run.scope.job)

    if not chosen:
        return

    if run.open_program is None:
        raise ApplicationError("this middleware shows no PKCS#11 library, which applications need")

    with opened(run.open_program(), run.reader) as slots:
        _log_in(run, slots)
        _carry_out(run, chosen, slots)


def _log_in(run: Run, slots: Mapping[int, SlotSession]) -> None:
    for place, keyword in _CREDENTIALS.items():
        if place in slots and (pin := run.given(keyword)) is not None:
            slots[place].log_in(pin)


def _carry_out(run: Run, applications: Sequence[Application], slots: Mapping[int, SlotSession]) -> None:
    """Carry out one application after the other; PINs are blocked when none needs them any more."""
    for application in applications:
        with because(f"Application_{application.name}"):
            for part in PARTS:
                if part.applies(application):
                    part.carry_out(ApplicationRun(run, application, slots))

    for application in applications:
        if application.settings.flag("BlockCard"):
            with because(f"Application_{application.name}"):
                ApplicationRun(run, application, slots).session.block()
