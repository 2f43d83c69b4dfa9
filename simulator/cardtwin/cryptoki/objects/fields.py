"""Which attributes the objects of each class have, what their values are, and what holds without them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from cardtwin.cryptoki.constants import UNAVAILABLE_INFORMATION, Cka, Ckk, Cko

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "CHANGEABLE",
    "FIELDS",
    "NUMBERS",
    "ONE_WAY",
    "SECRET_TYPES",
    "UNCHANGED_IN_CERTIFICATES",
    "USES",
    "Field",
    "Form",
]


class Form(Enum):
    """What an attribute's value is."""

    BOOL = "CK_BBOOL"
    ULONG = "CK_ULONG"
    TEXT = "RFC 2279 string"
    BYTES = "bytes"
    DATE = "CK_DATE"


@dataclass(frozen=True, slots=True)
class Field:
    """An attribute of a class of objects.

    Attributes:
        form: What its value is.
        default: Its value where the template doesn't have it; None where the template must, or it follows.
        settable: Whether a template may have it.
        fixed: Whether a template may have it with its default alone.
    """

    form: Form
    default: bool | int | str | bytes | None = None
    settable: bool = True
    fixed: bool = False


_NO, _YES = Field(Form.BOOL, default=False), Field(Form.BOOL, default=True)
_BYTES, _TEXT, _DATE = (
    Field(Form.BYTES, default=b""),
    Field(Form.TEXT, default=""),
    Field(Form.DATE, default=""),
)
_NEEDED, _NUMBER = Field(Form.BYTES), Field(Form.ULONG)

_COMMON: Final[dict[int, Field]] = {
    Cka.CKA_CLASS: _NUMBER,
    Cka.CKA_TOKEN: _NO,
    Cka.CKA_PRIVATE: _NO,
    Cka.CKA_MODIFIABLE: _YES,
    Cka.CKA_LABEL: _TEXT,
    Cka.CKA_COPYABLE: _YES,
    Cka.CKA_DESTROYABLE: _YES,
}
_KEY: Final[dict[int, Field]] = _COMMON | {
    Cka.CKA_KEY_TYPE: _NUMBER,
    Cka.CKA_ID: _BYTES,
    Cka.CKA_START_DATE: _DATE,
    Cka.CKA_END_DATE: _DATE,
    Cka.CKA_DERIVE: _NO,
    Cka.CKA_LOCAL: Field(Form.BOOL, default=False, settable=False),
    Cka.CKA_KEY_GEN_MECHANISM: Field(Form.ULONG, UNAVAILABLE_INFORMATION, settable=False),
}
FIELDS: Final[Mapping[int, Mapping[int, Field]]] = {
    Cko.CKO_DATA: _COMMON | {Cka.CKA_APPLICATION: _TEXT, Cka.CKA_OBJECT_ID: _BYTES, Cka.CKA_VALUE: _BYTES},
    Cko.CKO_CERTIFICATE: _COMMON
    | {
        Cka.CKA_CERTIFICATE_TYPE: _NUMBER,
        Cka.CKA_TRUSTED: Field(Form.BOOL, default=False, fixed=True),
        Cka.CKA_CERTIFICATE_CATEGORY: Field(Form.ULONG, 0),
        Cka.CKA_START_DATE: _DATE,
        Cka.CKA_END_DATE: _DATE,
        Cka.CKA_SUBJECT: _BYTES,
        Cka.CKA_PUBLIC_KEY_INFO: _BYTES,
        Cka.CKA_ID: _BYTES,
        Cka.CKA_ISSUER: _BYTES,
        Cka.CKA_SERIAL_NUMBER: _BYTES,
        Cka.CKA_VALUE: _NEEDED,
        Cka.CKA_URL: _TEXT,
        Cka.CKA_HASH_OF_SUBJECT_PUBLIC_KEY: _BYTES,
        Cka.CKA_HASH_OF_ISSUER_PUBLIC_KEY: _BYTES,
        Cka.CKA_JAVA_MIDP_SECURITY_DOMAIN: Field(Form.ULONG, 0),
    },
    Cko.CKO_PUBLIC_KEY: _KEY
    | {
        Cka.CKA_SUBJECT: _BYTES,
        Cka.CKA_PUBLIC_KEY_INFO: _BYTES,
        Cka.CKA_ENCRYPT: _YES,
        Cka.CKA_VERIFY: _YES,
        Cka.CKA_VERIFY_RECOVER: _NO,
        Cka.CKA_WRAP: _NO,
        Cka.CKA_TRUSTED: Field(Form.BOOL, default=False, fixed=True),
    },
    Cko.CKO_PRIVATE_KEY: _KEY
    | {
        Cka.CKA_PRIVATE: _YES,
        Cka.CKA_SUBJECT: _BYTES,
        Cka.CKA_PUBLIC_KEY_INFO: _BYTES,
        Cka.CKA_SENSITIVE: _YES,
        Cka.CKA_EXTRACTABLE: _NO,
        Cka.CKA_DECRYPT: _NO,
        Cka.CKA_SIGN: _NO,
        Cka.CKA_SIGN_RECOVER: _NO,
        Cka.CKA_UNWRAP: _NO,
        Cka.CKA_ALWAYS_SENSITIVE: Field(Form.BOOL, default=False, settable=False),
        Cka.CKA_NEVER_EXTRACTABLE: Field(Form.BOOL, default=False, settable=False),
        Cka.CKA_WRAP_WITH_TRUSTED: _NO,
        Cka.CKA_ALWAYS_AUTHENTICATE: _NO,
    },
    Cko.CKO_SECRET_KEY: _KEY
    | {
        Cka.CKA_SENSITIVE: _NO,
        Cka.CKA_EXTRACTABLE: _YES,
        Cka.CKA_ENCRYPT: _NO,
        Cka.CKA_DECRYPT: _NO,
        Cka.CKA_SIGN: _NO,
        Cka.CKA_VERIFY: _NO,
        Cka.CKA_WRAP: _NO,
        Cka.CKA_UNWRAP: _NO,
        Cka.CKA_VALUE: _NEEDED,
        Cka.CKA_VALUE_LEN: _NUMBER,
        Cka.CKA_ALWAYS_SENSITIVE: Field(Form.BOOL, default=False, settable=False),
        Cka.CKA_NEVER_EXTRACTABLE: Field(Form.BOOL, default=False, settable=False),
        Cka.CKA_WRAP_WITH_TRUSTED: _NO,
    },
}
NUMBERS: Final[Mapping[tuple[int, int], Mapping[int, Field]]] = {
    (Cko.CKO_PUBLIC_KEY, Ckk.CKK_RSA): {
        Cka.CKA_MODULUS: _NEEDED,
        Cka.CKA_PUBLIC_EXPONENT: _NEEDED,
        Cka.CKA_MODULUS_BITS: Field(Form.ULONG, settable=False),
    },
    (Cko.CKO_PUBLIC_KEY, Ckk.CKK_EC): {
        Cka.CKA_EC_PARAMS: _NEEDED,
        Cka.CKA_EC_POINT: _NEEDED,
        Cka.CKA_ENCRYPT: _NO,
    },
    (Cko.CKO_PRIVATE_KEY, Ckk.CKK_RSA): {
        Cka.CKA_MODULUS: _NEEDED,
        Cka.CKA_PUBLIC_EXPONENT: _NEEDED,
        Cka.CKA_PRIVATE_EXPONENT: _NEEDED,
        Cka.CKA_PRIME_1: _NEEDED,
        Cka.CKA_PRIME_2: _NEEDED,
        Cka.CKA_EXPONENT_1: _NEEDED,
        Cka.CKA_EXPONENT_2: _NEEDED,
        Cka.CKA_COEFFICIENT: _NEEDED,
    },
    (Cko.CKO_PRIVATE_KEY, Ckk.CKK_EC): {Cka.CKA_EC_PARAMS: _NEEDED, Cka.CKA_VALUE: _NEEDED},
}
"""What keys of a class and type have beyond the others of the class."""

USES: Final[Mapping[tuple[int, int], tuple[Cka, ...]]] = {
    (Cko.CKO_PUBLIC_KEY, Ckk.CKK_RSA): (
        Cka.CKA_ENCRYPT,
        Cka.CKA_VERIFY,
        Cka.CKA_VERIFY_RECOVER,
        Cka.CKA_WRAP,
    ),
    (Cko.CKO_PUBLIC_KEY, Ckk.CKK_EC): (Cka.CKA_VERIFY, Cka.CKA_DERIVE),
    (Cko.CKO_PRIVATE_KEY, Ckk.CKK_RSA): (
        Cka.CKA_SIGN,
        Cka.CKA_DECRYPT,
        Cka.CKA_SIGN_RECOVER,
        Cka.CKA_UNWRAP,
    ),
    (Cko.CKO_PRIVATE_KEY, Ckk.CKK_EC): (Cka.CKA_SIGN, Cka.CKA_DERIVE),
}
"""What keys of a class and type can be for. Private ones that a template says nothing of: the first two."""

SECRET_TYPES: Final = {Ckk.CKK_GENERIC_SECRET: None, Ckk.CKK_AES: {16, 24, 32}}
"""The types of secret keys, and how many bytes they can have."""

CHANGEABLE: Final = frozenset(
    {
        Cka.CKA_LABEL,
        Cka.CKA_COPYABLE,
        Cka.CKA_ID,
        Cka.CKA_SUBJECT,
        Cka.CKA_APPLICATION,
        Cka.CKA_OBJECT_ID,
        Cka.CKA_START_DATE,
        Cka.CKA_END_DATE,
        Cka.CKA_DERIVE,
        Cka.CKA_ENCRYPT,
        Cka.CKA_DECRYPT,
        Cka.CKA_SIGN,
        Cka.CKA_VERIFY,
        Cka.CKA_VERIFY_RECOVER,
        Cka.CKA_WRAP,
        Cka.CKA_UNWRAP,
        Cka.CKA_SENSITIVE,
        Cka.CKA_EXTRACTABLE,
    }
)
"""What C_SetAttributeValue may change, of certificates less (see UNCHANGED_IN_CERTIFICATES)."""

ONE_WAY: Final[Mapping[int, bool]] = {
    Cka.CKA_SENSITIVE: True,
    Cka.CKA_EXTRACTABLE: False,
    Cka.CKA_COPYABLE: False,
}
"""What is changed to one value only, and never back (v2.40, 4.4.1, and footnotes 9 to 11 of 4)."""

UNCHANGED_IN_CERTIFICATES: Final = frozenset({Cka.CKA_SUBJECT, Cka.CKA_START_DATE, Cka.CKA_END_DATE})
"""What of a certificate is as it was made (v2.40, 4.6.3)."""
