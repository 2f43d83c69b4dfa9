"""The mechanisms: what each is for, which keys it takes, and what of it the card does."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Final, Protocol

from cardtwin.cryptoki.constants import Ckg, Ckk, Ckm, MechanismFlag, name_of
from cardtwin.cryptoki.errors import CryptokiError
from cardtwin.cryptoki.structures import MechanismInfo
from cardtwin.middleware import Ckr
from cardtwin.plan import KeyAlgorithm

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["MECHANISMS", "MGF_HASHES", "MechanismSpec", "Scheme", "is_offered", "mechanism_for", "offered"]


class Scheme(Enum):
    """What is done with the data before, or after, the key's own operation."""

    DIGEST = auto()
    PKCS1 = auto()
    RAW = auto()
    PSS = auto()
    OAEP = auto()
    ECDSA = auto()
    ECDH = auto()
    KEY_PAIR = auto()


@dataclass(frozen=True, slots=True)
class MechanismSpec:
    """One mechanism.

    Attributes:
        type: CKM_*.
        scheme: What is done.
        flags: What it can be used for, CKF_HW aside.
        key_type: The type of its keys; None for digests.
        hash: The hash that it makes itself; None where the data are taken as they are.
    """

    type: Ckm
    scheme: Scheme
    flags: MechanismFlag
    key_type: Ckk | None = None
    hash: str | None = None

    @property
    def uses(self) -> tuple[str, ...]:
        """What it can be used for, in words."""
        flags = (flag.name or "" for flag in self.flags)
        words = (name.removeprefix("CKF_").lower() for name in flags if not name.startswith("CKF_EC_"))
        return tuple(words)

    def needs(self, flag: MechanismFlag) -> None:
        """See that it can be used so.

        Raises:
            CryptokiError: CKR_MECHANISM_INVALID, it can't.
        """
        if not self.flags & flag:
            raise CryptokiError(Ckr.CKR_MECHANISM_INVALID, f"{self.type.name} is not for this")


_SIGN: Final = MechanismFlag.CKF_SIGN | MechanismFlag.CKF_VERIFY
_GENERATE: Final = MechanismFlag.CKF_GENERATE_KEY_PAIR
_CIPHER: Final = MechanismFlag.CKF_ENCRYPT | MechanismFlag.CKF_DECRYPT
_CURVES: Final = MechanismFlag.CKF_EC_F_P | MechanismFlag.CKF_EC_NAMEDCURVE | MechanismFlag.CKF_EC_UNCOMPRESS
_HASHES: Final = {
    "sha1": Ckm.CKM_SHA_1,
    "sha224": Ckm.CKM_SHA224,
    "sha256": Ckm.CKM_SHA256,
    "sha384": Ckm.CKM_SHA384,
    "sha512": Ckm.CKM_SHA512,
}

MGF_HASHES: Final = {
    Ckg.CKG_MGF1_SHA1: "sha1",
    Ckg.CKG_MGF1_SHA224: "sha224",
    Ckg.CKG_MGF1_SHA256: "sha256",
    Ckg.CKG_MGF1_SHA384: "sha384",
    Ckg.CKG_MGF1_SHA512: "sha512",
}
"""The hashes of the mask generation functions."""


def _all() -> tuple[MechanismSpec, ...]:
    rsa, curve = Ckk.CKK_RSA, Ckk.CKK_EC
    return (
        *(
            MechanismSpec(kind, Scheme.DIGEST, MechanismFlag.CKF_DIGEST, None, name)
            for name, kind in _HASHES.items()
        ),
        MechanismSpec(Ckm.CKM_RSA_PKCS_KEY_PAIR_GEN, Scheme.KEY_PAIR, _GENERATE, rsa),
        MechanismSpec(Ckm.CKM_EC_KEY_PAIR_GEN, Scheme.KEY_PAIR, _GENERATE | _CURVES, curve),
        MechanismSpec(Ckm.CKM_RSA_PKCS, Scheme.PKCS1, _SIGN | _CIPHER, rsa),
        MechanismSpec(Ckm.CKM_RSA_X_509, Scheme.RAW, _SIGN | _CIPHER, rsa),
        MechanismSpec(Ckm.CKM_RSA_PKCS_OAEP, Scheme.OAEP, _CIPHER, rsa),
        MechanismSpec(Ckm.CKM_RSA_PKCS_PSS, Scheme.PSS, _SIGN, rsa),
        *(
            MechanismSpec(Ckm[f"CKM_{name.upper()}_RSA_PKCS"], Scheme.PKCS1, _SIGN, rsa, name)
            for name in _HASHES
        ),
        *(
            MechanismSpec(Ckm[f"CKM_{name.upper()}_RSA_PKCS_PSS"], Scheme.PSS, _SIGN, rsa, name)
            for name in _HASHES
        ),
        MechanismSpec(Ckm.CKM_ECDSA, Scheme.ECDSA, _SIGN | _CURVES, curve),
        *(
            MechanismSpec(Ckm[f"CKM_ECDSA_{name.upper()}"], Scheme.ECDSA, _SIGN | _CURVES, curve, name)
            for name in _HASHES
        ),
        MechanismSpec(Ckm.CKM_ECDH1_DERIVE, Scheme.ECDH, MechanismFlag.CKF_DERIVE | _CURVES, curve),
    )


MECHANISMS: Final[Mapping[int, MechanismSpec]] = {int(spec.type): spec for spec in _all()}
"""All mechanisms by type."""

HASH_BY_MECHANISM: Final[Mapping[int, str]] = {int(kind): name for name, kind in _HASHES.items()}
"""The names of the hashes by their digest mechanisms."""

_RAW_RSA: Final = {Scheme.RAW, Scheme.PSS, Scheme.OAEP}
_ALGORITHMS: Final = {Ckk.CKK_RSA: KeyAlgorithm.RSA, Ckk.CKK_EC: KeyAlgorithm.EC}


def mechanism_for(kind: int, flag: MechanismFlag) -> MechanismSpec:
    """Return the mechanism of a type that is usable so.

    Raises:
        CryptokiError: CKR_MECHANISM_INVALID, there is none.
    """
    spec = MECHANISMS.get(kind)

    if spec is None:
        raise CryptokiError(Ckr.CKR_MECHANISM_INVALID, f"{name_of(Ckm, kind)} is not known here")

    spec.needs(flag)
    return spec


class Abilities(Protocol):
    """What of a card decides on its mechanisms."""

    @property
    def key_sizes(self) -> Mapping[KeyAlgorithm, Collection[int]]:
        """What keys it takes."""

    @property
    def raw_rsa(self) -> bool:
        """Whether it does RSA with any padding, not that of PKCS#1 v1.5 alone."""


def is_offered(kind: int, card: Abilities) -> bool:
    """Whether a card offers a mechanism: it takes such keys, and the padding."""
    spec = MECHANISMS.get(kind)

    if spec is None or (spec.scheme in _RAW_RSA and not card.raw_rsa):
        return False

    return spec.key_type is None or _ALGORITHMS[spec.key_type] in card.key_sizes


def offered(card: Abilities) -> dict[int, MechanismInfo]:
    """Return what a card offers, in the table's order.

    Digests are made here, not on the card; so are verification and encryption, which need no secret. CKF_HW
    tells of mechanisms whose private operation the card does.
    """
    return {kind: _info(spec, card.key_sizes) for kind, spec in MECHANISMS.items() if is_offered(kind, card)}


def _info(spec: MechanismSpec, key_sizes: Mapping[KeyAlgorithm, Collection[int]]) -> MechanismInfo:
    if spec.key_type is None:
        return MechanismInfo(min_key_size=0, max_key_size=0, flags=int(spec.flags))

    sizes = key_sizes[_ALGORITHMS[spec.key_type]]
    flags = int(spec.flags | MechanismFlag.CKF_HW)
    return MechanismInfo(min_key_size=min(sizes), max_key_size=max(sizes), flags=flags)
