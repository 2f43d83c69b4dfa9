"""Kinds of objects, keys, certificates and users, and the states of a session (OASIS PKCS #11 v2.40)."""

from __future__ import annotations

from enum import IntEnum, unique

__all__ = ["Ckc", "CkcCategory", "Ckd", "Ckg", "Ckk", "Cko", "Cks", "Cku", "Ckz"]


@unique
class Cko(IntEnum):
    """CK_OBJECT_CLASS, under the standard's own names."""

    CKO_DATA = 0
    CKO_CERTIFICATE = 1
    CKO_PUBLIC_KEY = 2
    CKO_PRIVATE_KEY = 3
    CKO_SECRET_KEY = 4
    CKO_HW_FEATURE = 5
    CKO_DOMAIN_PARAMETERS = 6
    CKO_MECHANISM = 7
    CKO_OTP_KEY = 8
    CKO_PROFILE = 9
    CKO_VENDOR_DEFINED = 0x80000000


@unique
class Ckk(IntEnum):
    """CK_KEY_TYPE, under the standard's own names."""

    CKK_RSA = 0x00
    CKK_DSA = 0x01
    CKK_DH = 0x02
    CKK_EC = 0x03
    CKK_X9_42_DH = 0x04
    CKK_KEA = 0x05
    CKK_GENERIC_SECRET = 0x10
    CKK_RC2 = 0x11
    CKK_RC4 = 0x12
    CKK_DES = 0x13
    CKK_DES2 = 0x14
    CKK_DES3 = 0x15
    CKK_CAST = 0x16
    CKK_CAST3 = 0x17
    CKK_CAST128 = 0x18
    CKK_RC5 = 0x19
    CKK_IDEA = 0x1A
    CKK_SKIPJACK = 0x1B
    CKK_BATON = 0x1C
    CKK_JUNIPER = 0x1D
    CKK_CDMF = 0x1E
    CKK_AES = 0x1F
    CKK_BLOWFISH = 0x20
    CKK_TWOFISH = 0x21
    CKK_SECURID = 0x22
    CKK_HOTP = 0x23
    CKK_ACTI = 0x24
    CKK_CAMELLIA = 0x25
    CKK_ARIA = 0x26
    CKK_MD5_HMAC = 0x27
    CKK_SHA_1_HMAC = 0x28
    CKK_RIPEMD128_HMAC = 0x29
    CKK_RIPEMD160_HMAC = 0x2A
    CKK_SHA256_HMAC = 0x2B
    CKK_SHA384_HMAC = 0x2C
    CKK_SHA512_HMAC = 0x2D
    CKK_SHA224_HMAC = 0x2E
    CKK_SEED = 0x2F
    CKK_GOSTR3410 = 0x30
    CKK_GOSTR3411 = 0x31
    CKK_GOST28147 = 0x32
    CKK_SHA3_224_HMAC = 0x36
    CKK_SHA3_256_HMAC = 0x37
    CKK_SHA3_384_HMAC = 0x38
    CKK_SHA3_512_HMAC = 0x39
    CKK_EC_EDWARDS = 0x40
    CKK_VENDOR_DEFINED = 0x80000000


@unique
class Ckc(IntEnum):
    """CK_CERTIFICATE_TYPE, under the standard's own names."""

    CKC_X_509 = 0
    CKC_X_509_ATTR_CERT = 1
    CKC_WTLS = 2
    CKC_VENDOR_DEFINED = 0x80000000


@unique
class CkcCategory(IntEnum):
    """CK_CERTIFICATE_CATEGORY, the values of CKA_CERTIFICATE_CATEGORY."""

    CK_CERTIFICATE_CATEGORY_UNSPECIFIED = 0
    CK_CERTIFICATE_CATEGORY_TOKEN_USER = 1
    CK_CERTIFICATE_CATEGORY_AUTHORITY = 2
    CK_CERTIFICATE_CATEGORY_OTHER_ENTITY = 3


@unique
class Cku(IntEnum):
    """CK_USER_TYPE, under the standard's own names."""

    CKU_SO = 0
    CKU_USER = 1
    CKU_CONTEXT_SPECIFIC = 2


@unique
class Cks(IntEnum):
    """CK_STATE, the state of a session."""

    CKS_RO_PUBLIC_SESSION = 0
    CKS_RO_USER_FUNCTIONS = 1
    CKS_RW_PUBLIC_SESSION = 2
    CKS_RW_USER_FUNCTIONS = 3
    CKS_RW_SO_FUNCTIONS = 4


@unique
class Ckg(IntEnum):
    """CK_RSA_PKCS_MGF_TYPE, the mask generation functions of PSS and OAEP."""

    CKG_MGF1_SHA1 = 1
    CKG_MGF1_SHA256 = 2
    CKG_MGF1_SHA384 = 3
    CKG_MGF1_SHA512 = 4
    CKG_MGF1_SHA224 = 5


@unique
class Ckz(IntEnum):
    """CK_RSA_PKCS_OAEP_SOURCE_TYPE, where OAEP's label comes from."""

    CKZ_DATA_SPECIFIED = 1


@unique
class Ckd(IntEnum):
    """CK_EC_KDF_TYPE, the key derivation functions of ECDH."""

    CKD_NULL = 1
    CKD_SHA1_KDF = 2
    CKD_SHA1_KDF_ASN1 = 3
    CKD_SHA1_KDF_CONCATENATE = 4
    CKD_SHA224_KDF = 5
    CKD_SHA256_KDF = 6
    CKD_SHA384_KDF = 7
    CKD_SHA512_KDF = 8
    CKD_CPDIVERSIFY_KDF = 9
