"""Key pairs: what the two templates of C_GenerateKeyPair ask for, and the card that makes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from cardtwin.cryptoki.constants import Cka, Ckk, Ckm, Cko
from cardtwin.cryptoki.entries import require_keepable
from cardtwin.cryptoki.errors import CryptokiError
from cardtwin.cryptoki.objects import CryptokiObject
from cardtwin.cryptoki.publickeys import CURVES, read_public_key
from cardtwin.cryptoki.templates import check, defaults, fields_of, given, with_uses
from cardtwin.cryptoki.tokenaccess import TokenAccess
from cardtwin.cryptoki.tokenobjects import packed
from cardtwin.cryptoki.values import Attribute
from cardtwin.iso7816 import Tlv, TlvFormatError
from cardtwin.middleware import Ckr, ObjectClass
from cardtwin.pkcs15 import KeyAlgorithm

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cardtwin.cryptoki.application import Application
    from cardtwin.cryptoki.mechanisms import MechanismSpec
    from cardtwin.cryptoki.publickeys import PublicNumbers
    from cardtwin.cryptoki.sessions import Session

__all__ = ["EXPONENT", "PairRequest", "generate_on_token", "read_pair"]

EXPONENT: Final = 65537
"""The public exponent of all RSA keys that are made here: cards take no other."""

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


def generate_on_token(application: Application, session: Session, pair: PairRequest) -> tuple[int, int]:
    """Have the card make a key pair and return the handles of the public and the private key.

    The public key is listed on the token, or the session's, as its template says.

    Raises:
        CryptokiError: CKR_KEY_SIZE_RANGE, CKR_CURVE_NOT_SUPPORTED; CKR_TEMPLATE_INCONSISTENT: the token
            cannot keep the keys as the templates say.
        MiddlewareError: As :class:`TokenStore` says; the token is as it was then.
    """
    access = TokenAccess(application, session)
    _require_place(access, pair)
    access.require_size(pair.algorithm, pair.size, Ckr.CKR_KEY_SIZE_RANGE)
    private = access.entries.private_key(pair.private, pair.algorithm, pair.size)
    public = access.entries.public_key(pair.public, pair.algorithm, pair.size) if pair.lists_public else None

    with access.store() as store:
        made = store.generate(private, public, access.use)

    handle = access.handle_of(made.private)

    if made.public is not None:
        return access.handle_of(made.public), handle

    key = read_public_key(made.half, pair.size)
    assert key is not None
    thing = pair.public_object(key, made.private.id)
    return application.handles.add_session_object(session.slot.slot_id, session.handle, thing), handle


def _require_place(access: TokenAccess, pair: PairRequest) -> None:
    """See that the token can keep what of a pair is to be on it."""
    require_keepable(pair.private)

    if pair.lists_public:
        require_keepable(pair.public)

    if identifier := pair.private[Cka.CKA_ID]:
        access.require_new(ObjectClass.PRIVATE_KEY, identifier)
        access.require_not_others(identifier)

        if pair.lists_public:
            access.require_new(ObjectClass.PUBLIC_KEY, identifier)
