"""The table of all functions: PKCS#11 2.40's 68, and ours beside them.

Everything else is made from it: the C library's stubs and lists of functions, the codec of the server's side,
and the check of every Python function's arguments. Nothing but the standard library is needed.

The order is that of CK_FUNCTION_LIST (OASIS PKCS #11 v2.40, pkcs11f.h). A function's number on the socket is
its place in the table.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import Final

from cardtwin.cryptoki.parameters import Kind, Parameter
from cardtwin.cryptoki.structures import INFO_STRUCTURES, PARAMETER_STRUCTURES

__all__ = ["BY_NAME", "FUNCTIONS", "OWN", "STANDARD", "Function", "Kind", "Parameter", "sum_of_table"]


@dataclass(frozen=True, slots=True)
class Function:
    """One function.

    Attributes:
        name: Its name in C.
        parameters: In C's order.
        local: Its C code is written by hand: it starts, ends or describes the library itself.
        carried: Whether the server hears of it.
        waits: It may take as long as it likes: no time limit, and C_Finalize ends it.
        arguments: The parameters that the Python function has an argument for.
        results: The parameters that the Python function gives results for.
    """

    name: str
    parameters: tuple[Parameter, ...]
    local: bool = False
    carried: bool = True
    waits: bool = False
    arguments: tuple[Parameter, ...] = field(init=False, repr=False)
    results: tuple[Parameter, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        arguments = tuple(parameter for parameter in self.parameters if parameter.is_argument)
        results = tuple(parameter for parameter in self.parameters if parameter.is_result)
        object.__setattr__(self, "arguments", arguments)
        object.__setattr__(self, "results", results)

    @property
    def number(self) -> int:
        """Its number on the socket."""
        return _NUMBERS[self.name]


def _ulong(name: str, c_type: str = "CK_ULONG") -> Parameter:
    return Parameter(Kind.ULONG, (name,), c_type)


def _key(name: str = "hKey") -> Parameter:
    return _ulong(name, "CK_OBJECT_HANDLE")


def _data(pointer: str, length: str) -> Parameter:
    return Parameter(Kind.DATA, (pointer, length), "CK_BYTE_PTR")


def _pin(pointer: str, length: str) -> Parameter:
    return Parameter(Kind.PIN, (pointer, length), "CK_UTF8CHAR_PTR")


def _template(pointer: str = "pTemplate", count: str = "ulCount") -> Parameter:
    return Parameter(Kind.TEMPLATE, (pointer, count), "CK_ATTRIBUTE_PTR")


def _buffer(pointer: str, length: str) -> Parameter:
    return Parameter(Kind.BUFFER_OUT, (pointer, length), "CK_BYTE_PTR")


def _out(name: str, c_type: str = "CK_OBJECT_HANDLE_PTR") -> Parameter:
    return Parameter(Kind.ULONG_OUT, (name,), c_type)


def _info(c_type: str, name: str = "pInfo") -> Parameter:
    structure = next(each for each in INFO_STRUCTURES if each.name == c_type)
    return Parameter(Kind.STRUCTURE_OUT, (name,), f"{c_type}_PTR", structure)


_SESSION: Final = _ulong("hSession", "CK_SESSION_HANDLE")
_SLOT: Final = _ulong("slotID", "CK_SLOT_ID")
_MECHANISM: Final = Parameter(Kind.MECHANISM, ("pMechanism",), "CK_MECHANISM_PTR")
_DATA: Final = _data("pData", "ulDataLen")
_PART: Final = _data("pPart", "ulPartLen")
_ENCRYPTED_PART: Final = _data("pEncryptedPart", "ulEncryptedPartLen")
_SIGNATURE: Final = _data("pSignature", "ulSignatureLen")
_SIGNATURE_OUT: Final = _buffer("pSignature", "pulSignatureLen")
_DIGEST_OUT: Final = _buffer("pDigest", "pulDigestLen")
_PART_OUT: Final = _buffer("pPart", "pulPartLen")
_ENCRYPTED_PART_OUT: Final = _buffer("pEncryptedPart", "pulEncryptedPartLen")
_RESERVED: Final = Parameter(Kind.RESERVED, ("pReserved",), "CK_VOID_PTR")


def _f(name: str, *parameters: Parameter) -> Function:
    return Function(name, parameters)


_GENERAL: Final = (
    Function("C_Initialize", (Parameter(Kind.IGNORED, ("pInitArgs",), "CK_VOID_PTR"),), local=True),
    Function("C_Finalize", (_RESERVED,), local=True),
    _f("C_GetInfo", _info("CK_INFO")),
    Function(
        "C_GetFunctionList",
        (Parameter(Kind.IGNORED, ("ppFunctionList",), "CK_FUNCTION_LIST_PTR_PTR"),),
        local=True,
        carried=False,
    ),
)

_SLOTS: Final = (
    _f(
        "C_GetSlotList",
        Parameter(Kind.BOOL, ("tokenPresent",), "CK_BBOOL"),
        Parameter(Kind.LIST_OUT, ("pSlotList", "pulCount"), "CK_SLOT_ID_PTR"),
    ),
    _f("C_GetSlotInfo", _SLOT, _info("CK_SLOT_INFO")),
    _f("C_GetTokenInfo", _SLOT, _info("CK_TOKEN_INFO")),
    _f(
        "C_GetMechanismList",
        _SLOT,
        Parameter(Kind.LIST_OUT, ("pMechanismList", "pulCount"), "CK_MECHANISM_TYPE_PTR"),
    ),
    _f("C_GetMechanismInfo", _SLOT, _ulong("type", "CK_MECHANISM_TYPE"), _info("CK_MECHANISM_INFO")),
    _f(
        "C_InitToken",
        _SLOT,
        _pin("pPin", "ulPinLen"),
        Parameter(Kind.LABEL, ("pLabel",), "CK_UTF8CHAR_PTR"),
    ),
    _f("C_InitPIN", _SESSION, _pin("pPin", "ulPinLen")),
    _f("C_SetPIN", _SESSION, _pin("pOldPin", "ulOldLen"), _pin("pNewPin", "ulNewLen")),
)

_SESSIONS: Final = (
    _f(
        "C_OpenSession",
        _SLOT,
        _ulong("flags", "CK_FLAGS"),
        Parameter(Kind.IGNORED, ("pApplication",), "CK_VOID_PTR"),
        Parameter(Kind.IGNORED, ("Notify",), "CK_NOTIFY"),
        _out("phSession", "CK_SESSION_HANDLE_PTR"),
    ),
    _f("C_CloseSession", _SESSION),
    _f("C_CloseAllSessions", _SLOT),
    _f("C_GetSessionInfo", _SESSION, _info("CK_SESSION_INFO")),
    _f("C_GetOperationState", _SESSION, _buffer("pOperationState", "pulOperationStateLen")),
    _f(
        "C_SetOperationState",
        _SESSION,
        _data("pOperationState", "ulOperationStateLen"),
        _key("hEncryptionKey"),
        _key("hAuthenticationKey"),
    ),
    _f("C_Login", _SESSION, _ulong("userType", "CK_USER_TYPE"), _pin("pPin", "ulPinLen")),
    _f("C_Logout", _SESSION),
)

_OBJECTS: Final = (
    _f("C_CreateObject", _SESSION, _template(), _out("phObject")),
    _f("C_CopyObject", _SESSION, _key("hObject"), _template(), _out("phNewObject")),
    _f("C_DestroyObject", _SESSION, _key("hObject")),
    _f("C_GetObjectSize", _SESSION, _key("hObject"), _out("pulSize", "CK_ULONG_PTR")),
    _f(
        "C_GetAttributeValue",
        _SESSION,
        _key("hObject"),
        Parameter(Kind.QUERY, ("pTemplate", "ulCount"), "CK_ATTRIBUTE_PTR"),
    ),
    _f("C_SetAttributeValue", _SESSION, _key("hObject"), _template()),
    _f("C_FindObjectsInit", _SESSION, _template()),
    _f(
        "C_FindObjects",
        _SESSION,
        Parameter(Kind.FOUND_OUT, ("phObject", "ulMaxObjectCount", "pulObjectCount"), "CK_OBJECT_HANDLE_PTR"),
    ),
    _f("C_FindObjectsFinal", _SESSION),
)

_CIPHERS: Final = (
    _f("C_EncryptInit", _SESSION, _MECHANISM, _key()),
    _f("C_Encrypt", _SESSION, _DATA, _buffer("pEncryptedData", "pulEncryptedDataLen")),
    _f("C_EncryptUpdate", _SESSION, _PART, _ENCRYPTED_PART_OUT),
    _f("C_EncryptFinal", _SESSION, _buffer("pLastEncryptedPart", "pulLastEncryptedPartLen")),
    _f("C_DecryptInit", _SESSION, _MECHANISM, _key()),
    _f("C_Decrypt", _SESSION, _data("pEncryptedData", "ulEncryptedDataLen"), _buffer("pData", "pulDataLen")),
    _f("C_DecryptUpdate", _SESSION, _ENCRYPTED_PART, _PART_OUT),
    _f("C_DecryptFinal", _SESSION, _buffer("pLastPart", "pulLastPartLen")),
)

_DIGESTS: Final = (
    _f("C_DigestInit", _SESSION, _MECHANISM),
    _f("C_Digest", _SESSION, _DATA, _DIGEST_OUT),
    _f("C_DigestUpdate", _SESSION, _PART),
    _f("C_DigestKey", _SESSION, _key()),
    _f("C_DigestFinal", _SESSION, _DIGEST_OUT),
)

_SIGNATURES: Final = (
    _f("C_SignInit", _SESSION, _MECHANISM, _key()),
    _f("C_Sign", _SESSION, _DATA, _SIGNATURE_OUT),
    _f("C_SignUpdate", _SESSION, _PART),
    _f("C_SignFinal", _SESSION, _SIGNATURE_OUT),
    _f("C_SignRecoverInit", _SESSION, _MECHANISM, _key()),
    _f("C_SignRecover", _SESSION, _DATA, _SIGNATURE_OUT),
    _f("C_VerifyInit", _SESSION, _MECHANISM, _key()),
    _f("C_Verify", _SESSION, _DATA, _SIGNATURE),
    _f("C_VerifyUpdate", _SESSION, _PART),
    _f("C_VerifyFinal", _SESSION, _SIGNATURE),
    _f("C_VerifyRecoverInit", _SESSION, _MECHANISM, _key()),
    _f("C_VerifyRecover", _SESSION, _SIGNATURE, _buffer("pData", "pulDataLen")),
    _f("C_DigestEncryptUpdate", _SESSION, _PART, _ENCRYPTED_PART_OUT),
    _f("C_DecryptDigestUpdate", _SESSION, _ENCRYPTED_PART, _PART_OUT),
    _f("C_SignEncryptUpdate", _SESSION, _PART, _ENCRYPTED_PART_OUT),
    _f("C_DecryptVerifyUpdate", _SESSION, _ENCRYPTED_PART, _PART_OUT),
)

_KEYS: Final = (
    _f("C_GenerateKey", _SESSION, _MECHANISM, _template(), _out("phKey")),
    _f(
        "C_GenerateKeyPair",
        _SESSION,
        _MECHANISM,
        _template("pPublicKeyTemplate", "ulPublicKeyAttributeCount"),
        _template("pPrivateKeyTemplate", "ulPrivateKeyAttributeCount"),
        _out("phPublicKey"),
        _out("phPrivateKey"),
    ),
    _f(
        "C_WrapKey",
        _SESSION,
        _MECHANISM,
        _key("hWrappingKey"),
        _key(),
        _buffer("pWrappedKey", "pulWrappedKeyLen"),
    ),
    _f(
        "C_UnwrapKey",
        _SESSION,
        _MECHANISM,
        _key("hUnwrappingKey"),
        _data("pWrappedKey", "ulWrappedKeyLen"),
        _template("pTemplate", "ulAttributeCount"),
        _out("phKey"),
    ),
    _f(
        "C_DeriveKey",
        _SESSION,
        _MECHANISM,
        _key("hBaseKey"),
        _template("pTemplate", "ulAttributeCount"),
        _out("phKey"),
    ),
)

_REST: Final = (
    _f("C_SeedRandom", _SESSION, _data("pSeed", "ulSeedLen")),
    _f(
        "C_GenerateRandom",
        _SESSION,
        Parameter(Kind.FILL_OUT, ("pRandomData", "ulRandomLen"), "CK_BYTE_PTR"),
    ),
    _f("C_GetFunctionStatus", _SESSION),
    _f("C_CancelFunction", _SESSION),
    Function(
        "C_WaitForSlotEvent",
        (_ulong("flags", "CK_FLAGS"), _out("pSlot", "CK_SLOT_ID_PTR"), _RESERVED),
        waits=True,
    ),
)

STANDARD: Final = (
    *_GENERAL,
    *_SLOTS,
    *_SESSIONS,
    *_OBJECTS,
    *_CIPHERS,
    *_DIGESTS,
    *_SIGNATURES,
    *_KEYS,
    *_REST,
)
"""The functions of PKCS#11 2.40, in the order of CK_FUNCTION_LIST."""

OWN: Final = (
    _f(
        "cardtwin_InitTokenPPA",
        _SLOT,
        _data("pProfile", "ulProfileLen"),
        Parameter(Kind.VALUES, ("pParameters", "ulParameterCount"), "cardtwin_value_ptr"),
        Parameter(Kind.VALUES, ("pSecrets", "ulSecretCount"), "cardtwin_value_ptr"),
        _data("pLabel", "ulLabelLen"),
    ),
    _f(
        "cardtwin_GetProperty",
        _SLOT,
        _data("pName", "ulNameLen"),
        _buffer("pValue", "pulValueLen"),
    ),
    _f("cardtwin_UnblockPIN", _SLOT, _pin("pPuk", "ulPukLen"), _pin("pNewPin", "ulNewPinLen")),
    _f("cardtwin_LoginOperator", _SESSION, _pin("pPin", "ulPinLen")),
)
"""What the middleware can do and PKCS#11 has no function for; an interface of ours, not the vendor's."""

FUNCTIONS: Final = (*STANDARD, *OWN)

_NUMBERS: Final = {function.name: number for number, function in enumerate(FUNCTIONS)}
BY_NAME: Final = {function.name: function for function in FUNCTIONS}


def _line(function: Function) -> str:
    parts = [f"{each.kind.name}({', '.join(each.names)}: {each.c_type})" for each in function.parameters]
    return f"{function.name}({'; '.join(parts)})"


_TEXT: Final = "\n".join(
    (*map(_line, FUNCTIONS), *(f"{each.name}{each.fields}" for each in PARAMETER_STRUCTURES))
)
_SUM: Final = zlib.crc32(_TEXT.encode())


def sum_of_table() -> int:
    """Return a sum of the table, by which a library and a server see that they were made from the same."""
    return _SUM
