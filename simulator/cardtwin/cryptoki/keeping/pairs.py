"""Key pairs: what the two templates of C_GenerateKeyPair ask for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from cardtwin.cryptoki.constants import Cka, Ckk, Ckm, Cko
from cardtwin.cryptoki.errors import CryptokiError
from cardtwin.cryptoki.keys.public import CURVES
from cardtwin.cryptoki.keys.session import EXPONENT
from cardtwin.cryptoki.objects.model import CryptokiObject
from cardtwin.cryptoki.objects.shown import packed
from cardtwin.cryptoki.objects.templates import check, defaults, fields_of, given, with_uses
from cardtwin.cryptoki.values import Attribute
from cardtwin.iso7816 import Tlv, TlvFormatError
from cardtwin.middleware import Ckr
from cardtwin.pkcs15 import KeyAlgorithm

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cardtwin.cryptoki.keys.public import PublicNumbers
    from cardtwin.cryptoki.mechanisms import MechanismSpec

__all__ = ["PairRequest", "read_pair"]

_FALSE: Final = b"\0"
_OID: Final = 0x06
_ALGORITHMS: Final = {Ckk.CKK_RSA: KeyAlgorithm.RSA, Ckk.CKK_EC: KeyAlgorithm.EC}
_GIVEN: Final[Mapping[int, frozenset[int]]] = {
    Ckk.CKK_RSA: frozenset({Cka.CKA_MODULUS_BITS, Cka.CKA_PUBLIC_EXPONENT}),
    Ckk.CKK_EC: frozenset({Cka.CKA_EC_PARAMS}),
}
"""What a public key's template says of the key to be made."""

_MADE: Final[Mapping[int, frozenset[int]]] = {
    Ckk.CKK_RSA: frozenset(
        {
            Cka.CKA_PUBLIC_KEY_INFO,
            Cka.CKA_MODULUS,
            Cka.CKA_PRIVATE_EXPONENT,
            Cka.CKA_PRIME_1,
            Cka.CKA_PRIME_2,
            Cka.CKA_EXPONENT_1,
            Cka.CKA_EXPONENT_2,
            Cka.CKA_COEFFICIENT,
        }
    ),
    Ckk.CKK_EC: frozenset({Cka.CKA_PUBLIC_KEY_INFO, Cka.CKA_EC_POINT, Cka.CKA_VALUE}),
}
"""What is made, and stands in no template."""


@dataclass(frozen=True, slots=True)
class PairRequest:
    """A key pair that is asked for.

    Attributes:
        mechanism: CKM_*.
        algorithm: RSA or EC.
        size: The modulus or the field, in bits.
        params: CKA_EC_PARAMS; empty for RSA.
        public: The public key's attributes, as far as they are known before it is made.
        private: The private key's.
    """

    mechanism: Ckm
    algorithm: KeyAlgorithm
    size: int
    params: bytes
    public: dict[int, bytes] = field(repr=False)
    private: dict[int, bytes] = field(repr=False)

    @property
    def on_card(self) -> bool:
        """Whether the card makes the pair: the private key is to be on it. The public one may be or not."""
        return self.private[Cka.CKA_TOKEN] != _FALSE

    @property
    def lists_public(self) -> bool:
        """Whether the public key is to be on the token, and not the session's."""
        return self.public[Cka.CKA_TOKEN] != _FALSE

    def public_object(self, key: PublicNumbers, identifier: bytes) -> CryptokiObject:
        """Return the public key, once it is made, as an object, with its identifier if it has none yet."""
        bits = packed({Cka.CKA_MODULUS_BITS: self.size}) if self.algorithm is KeyAlgorithm.RSA else {}
        named = {Cka.CKA_ID: self.public[Cka.CKA_ID] or identifier}
        return CryptokiObject(attributes=self.public | key.attributes() | bits | named, public=key)


def read_pair(spec: MechanismSpec, public: Sequence[Attribute], private: Sequence[Attribute]) -> PairRequest:
    """Return what two templates ask for.

    Raises:
        CryptokiError: CKR_TEMPLATE_INCOMPLETE: the size or the curve is missing. CKR_TEMPLATE_INCONSISTENT,
            CKR_ATTRIBUTE_TYPE_INVALID, CKR_ATTRIBUTE_READ_ONLY, CKR_ATTRIBUTE_VALUE_INVALID,
            CKR_DOMAIN_PARAMS_INVALID, CKR_CURVE_NOT_SUPPORTED.
    """
    assert spec.key_type is not None
    kind = spec.key_type
    size, params = _size(kind, given(public))
    half, whole = (
        _attributes(object_class, kind, template)
        for object_class, template in ((Cko.CKO_PUBLIC_KEY, public), (Cko.CKO_PRIVATE_KEY, private))
    )
    local = packed({Cka.CKA_LOCAL: True, Cka.CKA_KEY_GEN_MECHANISM: int(spec.type)})
    pair = PairRequest(
        spec.type, _ALGORITHMS[kind], size, params, half | local, whole | local | _history(whole)
    )
    _share_identifier(pair)
    return pair


def _attributes(object_class: Cko, kind: Ckk, template: Sequence[Attribute]) -> dict[int, bytes]:
    """Return the attributes of one of the keys, without the numbers that are to be made."""
    found = given(template)
    fields = fields_of(object_class, kind)

    for what, value in ((Cka.CKA_CLASS, int(object_class)), (Cka.CKA_KEY_TYPE, int(kind))):
        if found.setdefault(what, Attribute.of(what, value)).ulong != value:
            raise CryptokiError(Ckr.CKR_TEMPLATE_INCONSISTENT, f"{what.name} is not that of the mechanism")

    asked = _GIVEN[kind] if object_class is Cko.CKO_PUBLIC_KEY else frozenset()

    for each in found.values():
        if each.type in _MADE[kind] or (each.type in _GIVEN[kind] and each.type not in asked):
            raise CryptokiError(Ckr.CKR_TEMPLATE_INCONSISTENT, f"{Cka(each.type).name} is what is made")

        if each.type not in asked:
            check(each, fields)

    values = {what: each.value for what, each in found.items() if what not in asked}
    return with_uses(defaults(fields) | values, found)


def _size(kind: Ckk, public: Mapping[int, Attribute]) -> tuple[int, bytes]:
    """Return the size of the key to be made, and the curve's name where it is one."""
    needed = Cka.CKA_MODULUS_BITS if kind is Ckk.CKK_RSA else Cka.CKA_EC_PARAMS

    if needed not in public:
        raise CryptokiError(Ckr.CKR_TEMPLATE_INCOMPLETE, f"{needed.name} is missing")

    if kind is Ckk.CKK_EC:
        params = public[needed].value
        return _curve_size(params), params

    exponent = public.get(Cka.CKA_PUBLIC_EXPONENT)

    if exponent is not None and int.from_bytes(exponent.value) != EXPONENT:
        raise CryptokiError(Ckr.CKR_ATTRIBUTE_VALUE_INVALID, f"the public exponent is {EXPONENT} here")

    return public[needed].ulong, b""


def _curve_size(params: bytes) -> int:
    if params in CURVES:
        return CURVES[params].key_size

    try:
        is_named = Tlv.parse(params).tag == _OID
    except TlvFormatError:
        is_named = False

    if is_named:
        raise CryptokiError(Ckr.CKR_CURVE_NOT_SUPPORTED, "the curve is none of P-256, P-384, P-521")

    raise CryptokiError(Ckr.CKR_DOMAIN_PARAMS_INVALID, "a curve is told by its object identifier here")


def _history(private: Mapping[int, bytes]) -> dict[int, bytes]:
    """Return what a private key has always been since it was made (v2.40, 4.9)."""
    return packed(
        {
            Cka.CKA_ALWAYS_SENSITIVE: private[Cka.CKA_SENSITIVE] != _FALSE,
            Cka.CKA_NEVER_EXTRACTABLE: private[Cka.CKA_EXTRACTABLE] == _FALSE,
        }
    )


def _share_identifier(pair: PairRequest) -> None:
    """Give the key without an identifier that of the other one; on a token they are the same."""
    public, private = pair.public[Cka.CKA_ID], pair.private[Cka.CKA_ID]

    if pair.on_card and pair.lists_public and public and private and public != private:
        raise CryptokiError(Ckr.CKR_TEMPLATE_INCONSISTENT, "CKA_ID is what ties the two keys together")

    pair.public[Cka.CKA_ID], pair.private[Cka.CKA_ID] = public or private, private or public
