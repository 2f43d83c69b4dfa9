"""The layout of Windows: a library that has it, and what the C compiler makes of both layouts."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from cardtwin.cryptoki.abi import UNIX, WINDOWS, here, layout_of
from cardtwin.cryptoki.constants import UNAVAILABLE_INFORMATION, Cka
from cardtwin.cryptoki.foreign import ForeignModule
from cardtwin.cryptoki.structures import RsaPkcsOaepParams
from cardtwin.cryptoki.values import Answer, Attribute, Buffer, Mechanism, Query, Reading
from cardtwin.middleware import Ckr
from cardtwin.plan import Secret
from support.cryptoki import needed_compiler

if TYPE_CHECKING:
    from cardtwin.cryptoki.abi import Abi

SOURCE: Final = Path(__file__).parents[3] / "support" / "windows_module.c"
LIST_FIRST: Final = 2
"""Where the functions begin in a packed list: right after CK_VERSION."""


def built(folder: Path, source: str) -> Path:
    library = folder / "module.so"
    subprocess.run(
        [*needed_compiler(), "-std=c11", "-shared", "-fPIC", "-xc", "-", "-o", str(library)],
        input=source,
        text=True,
        check=True,
    )
    return library


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> ForeignModule:
    """Return the library of that layout."""
    library = built(tmp_path_factory.mktemp("windows"), SOURCE.read_text())
    module = ForeignModule(library, WINDOWS)
    assert module.initialize().name == "CKR_OK"
    return module


def call(module: ForeignModule, name: str, arguments: tuple[object, ...]) -> Any:
    return module.call(name, arguments)


class Row(ctypes.Structure):
    """One row of the compiler's table."""

    _fields_ = (("type", ctypes.c_char_p), ("member", ctypes.c_char_p), ("value", ctypes.c_size_t))


def told_by_the_compiler(library: Path) -> dict[tuple[str, str], int]:
    """Return the sizes of structures, and where their members are."""
    rows = (Row * 99).in_dll(ctypes.CDLL(str(library)), "layout")
    found = {}

    for row in rows:
        if row.type is None:
            break

        found[row.type.decode(), row.member.decode()] = row.value

    return found


def told_by_ctypes(abi: Abi, structure: str, member: str) -> int:
    layout = layout_of(abi)
    named = {
        "CK_ATTRIBUTE": layout.attribute,
        "CK_MECHANISM": layout.mechanism,
        "CK_C_INITIALIZE_ARGS": layout.initialize_args,
        "CK_FUNCTION_LIST": layout.function_list,
        **layout.structures,
    }
    made = named[structure]
    return int(getattr(made, member).offset if member else ctypes.sizeof(made))


@pytest.mark.parametrize("abi", [WINDOWS, UNIX], ids=["windows", "unix"])
def test_structures_lie_as_the_compiler_lays_them(tmp_path: Path, abi: Abi) -> None:
    source = SOURCE.read_text()

    if abi is UNIX:
        source = source.replace("#pragma pack(push, 1)", "").replace("#pragma pack(pop)", "")
        source = source.replace("typedef uint32_t CK_ULONG", "typedef unsigned long CK_ULONG")

    told = told_by_the_compiler(built(tmp_path, source))
    assert {structure for structure, _ in told} >= set(layout_of(abi).structures)
    assert told == {key: told_by_ctypes(abi, *key) for key in told}


def test_a_packed_list_of_functions_has_no_gap() -> None:
    assert layout_of(WINDOWS).function_list.functions.offset == LIST_FIRST


def test_infos_are_read_where_they_are_packed(packed: ForeignModule) -> None:
    (info,) = call(packed, "C_GetInfo", ()).results
    (token,) = call(packed, "C_GetTokenInfo", (7,)).results
    assert (info.manufacturer_id, info.library_description) == ("Packed", "Nothing between")
    assert (info.library_version.major, info.library_version.minor) == (4, 5)
    assert (token.label, token.flags, token.min_pin_len) == ("Token", 7, 4)
    assert token.free_public_memory == UNAVAILABLE_INFORMATION
    assert (token.free_private_memory, token.firmware_version.minor) == (5, 4)


def test_numbers_and_lists_have_four_bytes_each(packed: ForeignModule) -> None:
    assert call(packed, "C_GetSlotList", (True, Buffer(None))).results == (Answer(2, None),)
    assert call(packed, "C_GetSlotList", (True, Buffer(4))).results == (Answer(2, (7, 8)),)
    assert call(packed, "C_OpenSession", (7, 6)).results == (0x706,)
    assert call(packed, "C_Login", (0x706, 1, Secret(b"1234"))).name == "CKR_OK"
    assert call(packed, "C_Login", (0x706, 1, Secret(b"1235"))).name == "CKR_PIN_INCORRECT"


def test_numbers_among_attributes_are_as_everywhere(packed: ForeignModule) -> None:
    template = (Attribute.of(Cka.CKA_CLASS, 3), Attribute.of(Cka.CKA_LABEL, "Key"))
    assert call(packed, "C_FindObjectsInit", (0x706, template)).name == "CKR_OK"
    assert call(packed, "C_FindObjects", (0x706, 4)).results == ((3, 0xFFFFFFFE),)
    asked = (Query(Cka.CKA_CLASS, 8), Query(Cka.CKA_LABEL, 8), Query(Cka.CKA_ALLOWED_MECHANISMS, None))
    ((kind, label, mechanisms),) = call(packed, "C_GetAttributeValue", (0x706, 3, asked)).results
    assert kind == Reading(8, (3).to_bytes(8, "little"))
    assert label == Reading(3, b"Key")
    assert mechanisms == Reading(16, None)
    ((listed,),) = call(
        packed, "C_GetAttributeValue", (1, 3, (Query(Cka.CKA_ALLOWED_MECHANISMS, 16),))
    ).results
    assert listed.value == (1).to_bytes(8, "little") + (0x40).to_bytes(8, "little")


def test_an_attribute_that_is_not_told_is_not_told(packed: ForeignModule) -> None:
    returned = call(packed, "C_GetAttributeValue", (1, 3, (Query(Cka.CKA_PRIVATE_EXPONENT, 99),)))
    assert returned.name == "CKR_ATTRIBUTE_SENSITIVE"
    assert returned.results == ([Reading(UNAVAILABLE_INFORMATION, None, Ckr.CKR_ATTRIBUTE_SENSITIVE)],)


def test_nothing_is_read_behind_a_buffer_that_was_too_small(packed: ForeignModule) -> None:
    for room in (None, 4):
        returned = call(packed, "C_GetAttributeValue", (1, 3, (Query(Cka.CKA_MODULUS, room),)))
        ((modulus,),) = returned.results
        assert (modulus.length, modulus.value) == (256, None)
        assert modulus.rv.name == returned.name == ("CKR_BUFFER_TOO_SMALL" if room else "CKR_OK")


def test_a_mechanism_s_parameter_is_packed(packed: ForeignModule) -> None:
    oaep = RsaPkcsOaepParams(hash_alg=1, mgf=2, source=4, source_data=b"label")
    assert call(packed, "C_SignInit", (1, Mechanism(9, oaep), 3)).name == "CKR_OK"
    assert call(packed, "C_Sign", (1, b"data", Buffer(9))).results == (Answer(4, b"data"),)
    assert call(packed, "C_Sign", (1, b"data", Buffer(3))).name == "CKR_BUFFER_TOO_SMALL"


def test_a_number_that_does_not_fit_is_refused_before_the_call(packed: ForeignModule) -> None:
    with pytest.raises(ValueError, match="0x100000000 is too large for a CK_ULONG of 4 bytes"):
        call(packed, "C_OpenSession", (1 << 32, 6))


@pytest.mark.parametrize(("platform", "abi"), [("win32", WINDOWS), ("linux", UNIX), ("darwin", UNIX)])
def test_the_layout_is_the_platform_s(monkeypatch: pytest.MonkeyPatch, platform: str, abi: Abi) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    assert here() is abi
