"""The functions that are refused, with which return value, and why: one table."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cardtwin.cryptoki.calls import registry
from cardtwin.cryptoki.errors import CryptokiError
from cardtwin.cryptoki.functions import BY_NAME, FUNCTIONS
from cardtwin.middleware import Ckr

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardtwin.cryptoki.application import Application

__all__ = ["INIT_TOKEN", "REFUSED", "Coverage", "Refusal", "coverage"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a function is refused, and with what."""

    rv: Ckr
    why: str


def _not_supported(why: str, *names: str) -> dict[str, Refusal]:
    return dict.fromkeys(names, Refusal(Ckr.CKR_FUNCTION_NOT_SUPPORTED, why))


REFUSED: Final = {
    **_not_supported(
        "signatures with message recovery are left to CKM_RSA_X_509",
        "C_SignRecoverInit",
        "C_SignRecover",
        "C_VerifyRecoverInit",
        "C_VerifyRecover",
    ),
    **_not_supported(
        "no two operations go on as one: CKF_DUAL_CRYPTO_OPERATIONS is not set",
        "C_DigestEncryptUpdate",
        "C_DecryptDigestUpdate",
        "C_SignEncryptUpdate",
        "C_DecryptVerifyUpdate",
    ),
    **_not_supported("these cards hold no secret keys, and none is made here", "C_GenerateKey"),
    **_not_supported("keys do not leave or enter the card wrapped", "C_WrapKey", "C_UnwrapKey"),
    **_not_supported("operations of a card cannot be saved", "C_GetOperationState", "C_SetOperationState"),
    "C_SeedRandom": Refusal(Ckr.CKR_RANDOM_SEED_NOT_SUPPORTED, "the card's generator takes no seed"),
    **dict.fromkeys(
        ("C_GetFunctionStatus", "C_CancelFunction"),
        Refusal(Ckr.CKR_FUNCTION_NOT_PARALLEL, "functions do not run in parallel (legacy, v2.40, 5.14)"),
    ),
}
"""The functions that end with the same return value whatever they are given, beside a bad session."""

INIT_TOKEN: Final = Refusal(
    Ckr.CKR_FUNCTION_NOT_SUPPORTED, "cards are initialised with a card profile: InitTokenPPA does that"
)
"""What C_InitToken, which has no session, is refused with."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What becomes of a function: `refusal` is None where it is supported."""

    name: str
    refusal: Refusal | None = None


def coverage() -> tuple[Coverage, ...]:
    """Return every function of the table with what becomes of it, for the documentation."""
    return tuple(Coverage(each.name, _refusal(each.name, local=each.local)) for each in FUNCTIONS)


def _refusal(name: str, *, local: bool) -> Refusal | None:
    if (found := (REFUSED | {"C_InitToken": INIT_TOKEN}).get(name)) or local or registry.find(name):
        return found

    return Refusal(Ckr.CKR_FUNCTION_NOT_SUPPORTED, "there is nothing like it on these cards")


def _refuse(name: str, refusal: Refusal) -> Callable[..., None]:
    """Return a function that checks its session and refuses."""

    def run(application: Application, session: int, *_rest: object) -> None:
        application.session(session)
        raise CryptokiError(refusal.rv, refusal.why)

    kind = inspect.Parameter.POSITIONAL_ONLY
    arguments = ["application", *(each.names[0] for each in BY_NAME[name].arguments)]
    run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # what the registry counts
        [inspect.Parameter(each, kind) for each in arguments]
    )
    return run


for _name, _why in REFUSED.items():
    registry.function(_name)(_refuse(_name, _why))
