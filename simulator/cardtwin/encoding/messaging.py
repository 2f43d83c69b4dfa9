"""The messaging server between Identity Manager and Smart ID Desktop App."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.encoding.checks.structure import JPKI_ENCODER
from cardtwin.encoding.errors import MessagingServerError
from cardtwin.plan import Secret

if TYPE_CHECKING:
    from cardtwin.encoding.checks import Scope

__all__ = ["check_messaging_server"]


def check_messaging_server(scope: Scope) -> None:
    """See that the messaging server can be reached that the description names.

    What goes over it is the encoding, which takes the same course with any of them.

    Raises:
        MessagingServerError: It can't.
    """
    setting, job = scope.description.encoding.get("MessagingServerField"), scope.job

    if setting is None or job is None or job.messaging_servers is None or JPKI_ENCODER in scope.devices:
        return

    if (name := job.text(setting.value)) not in job.messaging_servers:
        # A field that is stored encrypted may hold something else by mistake.
        named = "that is named" if isinstance(job.value(setting.value), Secret) else repr(name)
        raise MessagingServerError(f"messaging server {named} cannot be reached")
