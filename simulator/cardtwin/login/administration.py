"""Digital Access Admin: a draft that is edited, and what is published (DA-08)."""

from __future__ import annotations

from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING

from cardtwin.login.checks import problems
from cardtwin.login.configuration import Configuration
from cardtwin.login.errors import AdministrationError, PublicationError

if TYPE_CHECKING:
    from cardtwin.login.checks import Problem
    from cardtwin.login.configuration import (
        AuthenticationMethod,
        CertificateAuthority,
        ExternalAddress,
        UserAccount,
    )

__all__ = ["Administration"]


class Administration:
    """Edits a draft; nothing of it takes effect until :meth:`publish`, and then all of it does at once."""

    def __init__(self) -> None:
        self._draft = Configuration()
        self._published = Configuration()
        self._lock = Lock()

    @property
    def draft(self) -> Configuration:
        """The draft as it is now."""
        return self._draft

    @property
    def published(self) -> Configuration:
        """What is in effect."""
        return self._published

    @property
    def changed(self) -> bool:
        """Whether the draft differs from what is published: the button Publish is marked then."""
        return self._draft != self._published

    def add_method(self, method: AuthenticationMethod) -> None:
        """Add an authentication method. Its display name is checked when it is published."""
        with self._lock:
            self._draft = replace(self._draft, methods=(*self._draft.methods, method))

    def change_method(self, display_name: str, method: AuthenticationMethod) -> None:
        """Put a method in the place of one.

        Raises:
            AdministrationError: The draft has no such method.
        """
        with self._lock:
            place = self._place(display_name)
            methods = self._draft.methods
            self._draft = replace(self._draft, methods=(*methods[:place], method, *methods[place + 1 :]))

    def remove_method(self, display_name: str) -> None:
        """Take a method out.

        Raises:
            AdministrationError: The draft has no such method.
        """
        with self._lock:
            place = self._place(display_name)
            methods = self._draft.methods
            self._draft = replace(self._draft, methods=methods[:place] + methods[place + 1 :])

    def put_user(self, user: UserAccount) -> None:
        """Add a user account, or put it in the place of the one with its id."""
        with self._lock:
            self._draft = replace(self._draft, users={**self._draft.users, user.user_id: user})

    def remove_user(self, user_id: str) -> None:
        """Take a user account out, and with it the phones that were activated for it.

        Raises:
            AdministrationError: The draft has no such account.
        """
        with self._lock:
            if user_id not in self._draft.users:
                raise AdministrationError(f"there is no user account {user_id!r}")

            users = {name: user for name, user in self._draft.users.items() if name != user_id}
            removals = self._draft.removals

            if user_id in self._published.users:
                removals = {**removals, user_id: self._published.removals.get(user_id, 0) + 1}

            self._draft = replace(self._draft, users=users, removals=removals)

    def put_authority(self, authority: CertificateAuthority) -> None:
        """Add a certificate authority, or put it in the place of the one with its name."""
        with self._lock:
            known = {**self._draft.authorities, authority.name: authority}
            self._draft = replace(self._draft, authorities=known)

    def add_server(self, name: str) -> None:
        """Add an authentication server."""
        with self._lock:
            self._draft = replace(self._draft, servers=self._draft.servers | {name})

    def set_external_address(self, address: ExternalAddress) -> None:
        """Set where Digital Access is reached from outside."""
        with self._lock:
            self._draft = replace(self._draft, external=address)

    def problems(self) -> tuple[Problem, ...]:
        """Return what keeps the draft from being published."""
        return problems(self._draft)

    def publish(self) -> None:
        """Make the draft take effect, all of it.

        Raises:
            PublicationError: It breaks rules; nothing has changed then.
        """
        with self._lock:
            found = problems(self._draft)

            if found:
                raise PublicationError(found)

            self._published = self._draft

    def _place(self, display_name: str) -> int:
        for place, method in enumerate(self._draft.methods):
            if method.display_name == display_name:
                return place

        raise AdministrationError(f"there is no authentication method {display_name!r}")
