"""``find`` and ``token_info``: what a program sees of a token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import create_model

from cardtwin.cryptoki.constants import Cka
from cardtwin.cryptoki.structures import INFO_STRUCTURES
from cardtwin.scenario.effects import PRESENTS
from cardtwin.scenario.matchers import NumberMatcher, TextListMatcher
from cardtwin.scenario.pkcs11.attributes import Template, attributes
from cardtwin.scenario.pkcs11.results import structure_matchers, structure_values
from cardtwin.scenario.pkcs11.steps import SlotStep, UseExpectation, UseStep
from cardtwin.scenario.step import verb
from cardtwin.targets import Capability

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.scenario.pkcs11.sessions import TokenSession
    from cardtwin.scenario.run import Run
    from cardtwin.scenario.values import Value

__all__ = ["Find", "TokenInfo"]


class FindExpectation(UseExpectation):
    """How many objects there are to be seen, and their labels in the order of their handles."""

    count: NumberMatcher | None = None
    labels: TextListMatcher | None = None


@verb("find", needs={Capability.PKCS11}, effects=PRESENTS)
class Find(SlotStep):
    """Look for objects by attributes; ``{}`` finds all. Without `expect`, the return value is CKR_OK."""

    find: Template  # type: ignore[valid-type]  # a class made of the table of attributes
    expect: FindExpectation | None = None

    def use(self, session: TokenSession, run: Run) -> Mapping[str, Value]:  # noqa: ARG002  # the base's
        """Look for them."""
        found = session.find(attributes(self.find))
        labels = tuple(session.read(handle, Cka.CKA_LABEL)[0].decode(errors="replace") for handle in found)
        return {"call": "C_FindObjects", "count": len(found), "labels": labels}


_STRUCTURE = next(each for each in INFO_STRUCTURES if each.name == "CK_TOKEN_INFO")
_FIELDS: dict[str, Any] = structure_matchers(_STRUCTURE)
TokenInfoExpectation: type[UseExpectation] = create_model(
    "TokenInfoExpectation",
    __base__=UseExpectation,
    __doc__="The members of CK_TOKEN_INFO; memory that isn't told is ``absent``.",
    **_FIELDS,
)


@verb("token_info", needs={Capability.PKCS11}, effects=PRESENTS)
class TokenInfo(UseStep):
    """Ask what a slot, ``main`` or ``signature``, tells of its token: the members of CK_TOKEN_INFO."""

    token_info: Literal["main", "signature"]
    expect: TokenInfoExpectation | None = None  # type: ignore[valid-type]  # made of the structure

    def which_slot(self) -> str:
        """Return the verb's argument."""
        return self.token_info

    def use(self, session: TokenSession, run: Run) -> Mapping[str, Value]:  # noqa: ARG002  # the base's
        """Ask."""
        (info,) = session.call("C_GetTokenInfo", session.slot_id())
        return {"call": "C_GetTokenInfo", **structure_values(_STRUCTURE, info)}
