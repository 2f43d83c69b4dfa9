"""The structures of PKCS#11 that calls carry: how C lays them out, and what they are in Python.

One table per structure: from it come the C type, the code that puts it on the socket, and the Python side's
codec. Nothing but the standard library is needed here: the build runs this before anything is installed.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

from cardtwin.cryptoki.constants import Ckm

__all__ = [
    "INFO_STRUCTURES",
    "PARAMETER_STRUCTURES",
    "CcmParams",
    "Data",
    "Ecdh1DeriveParams",
    "Field",
    "GcmParams",
    "Info",
    "MechanismInfo",
    "MechanismParams",
    "RsaPkcsOaepParams",
    "RsaPkcsPssParams",
    "SessionInfo",
    "SlotInfo",
    "Structure",
    "Text",
    "TokenInfo",
    "Ulong",
    "Version",
    "VersionField",
    "cut",
    "structure_of",
]


@dataclass(frozen=True, slots=True)
class Version:
    """CK_VERSION."""

    major: int
    minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Info:
    """CK_INFO: the library. Texts are padded with spaces, or cut, to their length in C."""

    cryptoki_version: Version = Version(2, 40)
    manufacturer_id: str
    flags: int = 0
    library_description: str
    library_version: Version


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotInfo:
    """CK_SLOT_INFO."""

    slot_description: str
    manufacturer_id: str
    flags: int
    hardware_version: Version = Version(0, 0)
    firmware_version: Version = Version(0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenInfo:
    """CK_TOKEN_INFO. Memory that isn't told is UNAVAILABLE_INFORMATION; 0 sessions at most means no limit."""

    label: str
    manufacturer_id: str
    model: str
    serial_number: str
    flags: int
    max_session_count: int
    session_count: int
    max_rw_session_count: int
    rw_session_count: int
    max_pin_len: int
    min_pin_len: int
    total_public_memory: int
    free_public_memory: int
    total_private_memory: int
    free_private_memory: int
    hardware_version: Version = Version(0, 0)
    firmware_version: Version = Version(0, 0)
    utc_time: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MechanismInfo:
    """CK_MECHANISM_INFO."""

    min_key_size: int
    max_key_size: int
    flags: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionInfo:
    """CK_SESSION_INFO."""

    slot_id: int
    state: int
    flags: int
    device_error: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RsaPkcsPssParams:
    """CK_RSA_PKCS_PSS_PARAMS."""

    hash_alg: int
    mgf: int
    salt_len: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RsaPkcsOaepParams:
    """CK_RSA_PKCS_OAEP_PARAMS."""

    hash_alg: int
    mgf: int
    source: int
    source_data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Ecdh1DeriveParams:
    """CK_ECDH1_DERIVE_PARAMS."""

    kdf: int
    shared_data: bytes
    public_data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class GcmParams:
    """CK_GCM_PARAMS."""

    iv: bytes
    iv_bits: int
    aad: bytes
    tag_bits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CcmParams:
    """CK_CCM_PARAMS."""

    data_len: int
    nonce: bytes
    aad: bytes
    mac_len: int


def cut(text: str, size: int) -> str:
    """Return as much of a text as takes at most `size` bytes of UTF-8, cut between characters."""
    return text.encode()[:size].decode(errors="ignore")


MechanismParams = RsaPkcsPssParams | RsaPkcsOaepParams | Ecdh1DeriveParams | GcmParams | CcmParams
"""The mechanism parameters that are structures."""


@dataclass(frozen=True, slots=True)
class Ulong:
    """A CK_ULONG."""

    name: str


@dataclass(frozen=True, slots=True)
class Text:
    """A text of `size` bytes of UTF-8, padded with spaces, without a zero at its end."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class VersionField:
    """A CK_VERSION."""

    name: str


@dataclass(frozen=True, slots=True)
class Data:
    """A pointer and a length: two members in C, `bytes` in Python. NULL and empty are the same here."""

    pointer: str
    length: str
    length_first: bool = False


Field = Ulong | Text | VersionField | Data


@dataclass(frozen=True, slots=True)
class Structure:
    """One structure.

    Attributes:
        name: Its name in C.
        python: The class that has the same fields in the same order.
        fields: The members, in C's order; a Data stands for two of them that follow one another.
        mechanisms: Whose parameter it is.
    """

    name: str
    python: type
    fields: tuple[Field, ...]
    mechanisms: tuple[Ckm, ...] = ()

    def __post_init__(self) -> None:
        if len(fields(self.python)) != len(self.fields):
            raise TypeError(f"{self.name} and {self.python.__name__} have not as many fields as one another")


_VERSIONS: Final = (VersionField("hardwareVersion"), VersionField("firmwareVersion"))

INFO_STRUCTURES: Final = (
    Structure(
        "CK_INFO",
        Info,
        (
            VersionField("cryptokiVersion"),
            Text("manufacturerID", 32),
            Ulong("flags"),
            Text("libraryDescription", 32),
            VersionField("libraryVersion"),
        ),
    ),
    Structure(
        "CK_SLOT_INFO",
        SlotInfo,
        (Text("slotDescription", 64), Text("manufacturerID", 32), Ulong("flags"), *_VERSIONS),
    ),
    Structure(
        "CK_TOKEN_INFO",
        TokenInfo,
        (
            Text("label", 32),
            Text("manufacturerID", 32),
            Text("model", 16),
            Text("serialNumber", 16),
            Ulong("flags"),
            Ulong("ulMaxSessionCount"),
            Ulong("ulSessionCount"),
            Ulong("ulMaxRwSessionCount"),
            Ulong("ulRwSessionCount"),
            Ulong("ulMaxPinLen"),
            Ulong("ulMinPinLen"),
            Ulong("ulTotalPublicMemory"),
            Ulong("ulFreePublicMemory"),
            Ulong("ulTotalPrivateMemory"),
            Ulong("ulFreePrivateMemory"),
            *_VERSIONS,
            Text("utcTime", 16),
        ),
    ),
    Structure(
        "CK_MECHANISM_INFO", MechanismInfo, (Ulong("ulMinKeySize"), Ulong("ulMaxKeySize"), Ulong("flags"))
    ),
    Structure(
        "CK_SESSION_INFO",
        SessionInfo,
        (Ulong("slotID"), Ulong("state"), Ulong("flags"), Ulong("ulDeviceError")),
    ),
)

PARAMETER_STRUCTURES: Final = (
    Structure(
        "CK_RSA_PKCS_PSS_PARAMS",
        RsaPkcsPssParams,
        (Ulong("hashAlg"), Ulong("mgf"), Ulong("sLen")),
        tuple(mechanism for mechanism in Ckm if mechanism.name.endswith("RSA_PKCS_PSS")),
    ),
    Structure(
        "CK_RSA_PKCS_OAEP_PARAMS",
        RsaPkcsOaepParams,
        (Ulong("hashAlg"), Ulong("mgf"), Ulong("source"), Data("pSourceData", "ulSourceDataLen")),
        (Ckm.CKM_RSA_PKCS_OAEP,),
    ),
    Structure(
        "CK_ECDH1_DERIVE_PARAMS",
        Ecdh1DeriveParams,
        (
            Ulong("kdf"),
            Data("pSharedData", "ulSharedDataLen", length_first=True),
            Data("pPublicData", "ulPublicDataLen", length_first=True),
        ),
        (Ckm.CKM_ECDH1_DERIVE, Ckm.CKM_ECDH1_COFACTOR_DERIVE),
    ),
    Structure(
        "CK_GCM_PARAMS",
        GcmParams,
        (Data("pIv", "ulIvLen"), Ulong("ulIvBits"), Data("pAAD", "ulAADLen"), Ulong("ulTagBits")),
        (Ckm.CKM_AES_GCM,),
    ),
    Structure(
        "CK_CCM_PARAMS",
        CcmParams,
        (Ulong("ulDataLen"), Data("pNonce", "ulNonceLen"), Data("pAAD", "ulAADLen"), Ulong("ulMACLen")),
        (Ckm.CKM_AES_CCM,),
    ),
)

_BY_MECHANISM: Final = {
    int(mechanism): structure for structure in PARAMETER_STRUCTURES for mechanism in structure.mechanisms
}


def structure_of(mechanism: int) -> Structure | None:
    """Return the structure that is the mechanism's parameter; None where that is plain bytes, or unknown."""
    return _BY_MECHANISM.get(mechanism)
