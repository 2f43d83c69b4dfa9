"""C_DeriveKey: a secret shared with a peer by ECDH, as a session's secret key."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from cardtwin.cryptoki.api.changes import add_object
from cardtwin.cryptoki.api.keys import card_key, key_bits, key_for, require_no_consent
from cardtwin.cryptoki.calls import function
from cardtwin.cryptoki.constants import Cka, Ckd, Ckk, Cko, MechanismFlag
from cardtwin.cryptoki.errors import CryptokiError
from cardtwin.cryptoki.keys.public import curve_of_size, read_public_key
from cardtwin.cryptoki.mechanisms import is_offered, mechanism_for
from cardtwin.cryptoki.objects.shown import packed
from cardtwin.cryptoki.objects.templates import completed, given
from cardtwin.cryptoki.structures import Ecdh1DeriveParams
from cardtwin.cryptoki.values import Attribute
from cardtwin.iso7816 import Tlv
from cardtwin.middleware import Ckr

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.cryptoki.application import Application
    from cardtwin.cryptoki.objects.model import CryptokiObject
    from cardtwin.cryptoki.values import Mechanism

__all__ = ["derive_key"]

_HASHES: Final = {
    Ckd.CKD_SHA1_KDF: "sha1",
    Ckd.CKD_SHA224_KDF: "sha224",
    Ckd.CKD_SHA256_KDF: "sha256",
    Ckd.CKD_SHA384_KDF: "sha384",
    Ckd.CKD_SHA512_KDF: "sha512",
}
_MOST: Final = 1024  # bytes of a key


@function("C_DeriveKey")
def derive_key(
    application: Application, session: int, mechanism: Mechanism, base: int, template: tuple[Attribute, ...]
) -> int:
    """Agree on a key with the peer whose public key is in the parameter."""
    found = application.session(session)
    spec = mechanism_for(mechanism.type, MechanismFlag.CKF_DERIVE)

    if not is_offered(mechanism.type, found.slot.view()):
        raise CryptokiError(Ckr.CKR_MECHANISM_INVALID, f"the card does not offer {mechanism.name}")

    params = mechanism.params(Ecdh1DeriveParams)
    thing = key_for(application, found, base, spec, Cko.CKO_PRIVATE_KEY, Cka.CKA_DERIVE)
    point = _point(params.public_data, key_bits(thing))
    length = _length(template, params, (key_bits(thing) + 7) // 8)
    require_no_consent(thing)

    with card_key(application, found, thing) as key:
        shared = key.agree(point)

    value = Attribute(Cka.CKA_VALUE, _derived(shared, params, length))
    attributes = completed((*_described(template), value))
    return add_object(application, found, attributes | _history(attributes, thing))


def _history(attributes: Mapping[int, bytes], base: CryptokiObject) -> dict[int, bytes]:
    """Return what a derived key has always been, which its base key has to have been too (2.3.8)."""
    sensitive, extractable = (attributes[kind] != b"\0" for kind in (Cka.CKA_SENSITIVE, Cka.CKA_EXTRACTABLE))
    return packed(
        {
            Cka.CKA_ALWAYS_SENSITIVE: sensitive and base.true(Cka.CKA_ALWAYS_SENSITIVE),
            Cka.CKA_NEVER_EXTRACTABLE: not extractable and base.true(Cka.CKA_NEVER_EXTRACTABLE),
        }
    )


def _described(template: tuple[Attribute, ...]) -> tuple[Attribute, ...]:
    """Return the template of the key, whose class and type may be left out.

    Raises:
        CryptokiError: CKR_TEMPLATE_INCONSISTENT: it has a value, or is no session's secret key.
    """
    found = given(template)

    if Cka.CKA_VALUE in found:
        raise CryptokiError(Ckr.CKR_TEMPLATE_INCONSISTENT, "the value is what is derived")

    object_class = found.get(Cka.CKA_CLASS, Attribute.of(Cka.CKA_CLASS, int(Cko.CKO_SECRET_KEY)))

    if object_class.ulong != Cko.CKO_SECRET_KEY:
        raise CryptokiError(Ckr.CKR_TEMPLATE_INCONSISTENT, "secret keys are derived")

    kind = found.get(Cka.CKA_KEY_TYPE, Attribute.of(Cka.CKA_KEY_TYPE, int(Ckk.CKK_GENERIC_SECRET)))
    rest = (each for each in template if each.type not in {Cka.CKA_CLASS, Cka.CKA_KEY_TYPE})
    return (object_class, kind, *rest)


def _point(data: bytes, bits: int) -> bytes:
    """Return X || Y of a peer's point, given raw or as an OCTET STRING (v2.40, 2.3.5)."""
    raw = data if data[:1] == b"\x04" and len(data) == 1 + 2 * ((bits + 7) // 8) else b""
    key = read_public_key(Tlv(0x04, raw).encode() if raw else data, bits)

    if curve_of_size(bits) is None or key is None or not hasattr(key, "point"):
        raise CryptokiError(Ckr.CKR_MECHANISM_PARAM_INVALID, "the peer's key is no point on the key's curve")

    return key.point[1:]


def _length(template: tuple[Attribute, ...], params: Ecdh1DeriveParams, field: int) -> int:
    """Return how long the key is to be; the shared secret's length where nothing says it."""
    told = given(template).get(Cka.CKA_VALUE_LEN)
    length = told.ulong if told else field

    if not 0 < length <= (field if params.kdf == Ckd.CKD_NULL else _MOST):
        raise CryptokiError(Ckr.CKR_KEY_SIZE_RANGE, f"no key of {length} bytes comes of this")

    if params.kdf != Ckd.CKD_NULL and params.kdf not in set(_HASHES):
        raise CryptokiError(
            Ckr.CKR_MECHANISM_PARAM_INVALID, f"key derivation function {params.kdf} is not known"
        )

    if params.kdf == Ckd.CKD_NULL and params.shared_data:
        raise CryptokiError(Ckr.CKR_MECHANISM_PARAM_INVALID, "CKD_NULL takes no shared data")

    return length


def _derived(shared: bytes, params: Ecdh1DeriveParams, length: int) -> bytes:
    """Return the key: the secret's last bytes, or ANSI X9.63's derivation of it (SEC 1, 3.6.1)."""
    if params.kdf == Ckd.CKD_NULL:
        return shared[-length:]

    name, found, counter = _HASHES[Ckd(params.kdf)], b"", 1

    while len(found) < length:
        found += hashlib.new(name, shared + counter.to_bytes(4) + params.shared_data).digest()
        counter += 1

    return found[:length]
