"""``login`` and ``logout``: by PKCS#11, in the session that the harness keeps for a program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from cardtwin.cryptoki.constants import Cku
from cardtwin.scenario.document import MapNode, TextNode
from cardtwin.scenario.effects import PRESENTS
from cardtwin.scenario.pkcs11.steps import SlotStep, UseExpectation, UseStep
from cardtwin.scenario.step import verb
from cardtwin.scenario.values import SecretText
from cardtwin.targets import Capability

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.scenario.pkcs11.sessions import TokenSession
    from cardtwin.scenario.run import Run
    from cardtwin.scenario.values import Value

__all__ = ["Login", "Logout"]

_OPERATOR: Final = "operator"
_USERS: Final = {"user": Cku.CKU_USER, "so": Cku.CKU_SO}


@verb("login", needs={Capability.PKCS11}, effects=PRESENTS)
class Login(SlotStep):
    """Log a program in. It stays so, until it is logged out or the login is lost.

    A session that is gone is opened anew first. Without `pin` it is entered at the reader. Without `expect`,
    the return value is CKR_OK.
    """

    login: Literal["user", "so", "operator"]
    pin: SecretText | None = None
    expect: UseExpectation | None = None

    @classmethod
    def capabilities(cls, written: MapNode) -> frozenset[Capability]:
        """Return what a login needs: the operator's is no function of PKCS#11."""
        argument = written.get("login")
        is_operator = isinstance(argument, TextNode) and argument.text == _OPERATOR
        return cls.needs | ({Capability.OWN} if is_operator else set())

    def use(self, session: TokenSession, run: Run) -> Mapping[str, Value]:  # noqa: ARG002  # the base's
        """Log in."""
        session.renew()

        if self.login == _OPERATOR:
            session.in_session("cardtwin_LoginOperator", self.pin)
            return {"call": "cardtwin_LoginOperator"}

        session.in_session("C_Login", int(_USERS[self.login]), self.pin)
        return {"call": "C_Login"}


@verb("logout", needs={Capability.PKCS11}, effects=PRESENTS)
class Logout(UseStep):
    """Log a program out of a slot, ``main`` or ``signature``."""

    logout: Literal["main", "signature"]
    expect: UseExpectation | None = None

    def which_slot(self) -> str:
        """Return the verb's argument."""
        return self.logout

    def use(self, session: TokenSession, run: Run) -> Mapping[str, Value]:  # noqa: ARG002  # the base's
        """Log out."""
        session.in_session("C_Logout")
        return {"call": "C_Logout"}
