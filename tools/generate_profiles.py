"""Writes the card profiles in profiles/, a set for each card family; a test fails when one is out of date.

A profile is one file, since an encoding attaches one; so what they have in common stands in tools/profiles/,
one template for each kind, and is written out for every family. ``$name`` in a template stands for a field of
the family or of the kind. A line that is nothing but a name goes, with the empty line behind it, where it
stands for nothing.

Usage: ``python tools/generate_profiles.py``.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT: Final = Path(__file__).resolve().parent.parent
TEMPLATES: Final = ROOT / "tools" / "profiles"
PROFILES: Final = ROOT / "profiles"

_LONE_NAME: Final = re.compile(r"^\$(\w+)\n(\n?)", re.MULTILINE)

_NO_ERASER: Final = "; There is no Card Eraser for such cards."
_SMALL_KEYS: Final = "; key references below 16: OpenSC takes the upper half of a larger one for an algorithm"

_USER_DIRECTORY: Final = """\
; the user's own keys, certificates and data: what programs make with the PIN
CreateDf DFUSER id=0x5055 maxsize=6000 update=pin1 create=pin1
EndDF  ; DFUSER"""

_DIRECTORY_FILE: Final = "CreateEf EFDIR id=0x2F00 maxsize=auto read=always update=puk"

_DIRECTORY_43B: Final = """\
File Static EFDIR
data = 0x{
61 23                                             ; one application
   4F 0C A0 00 00 00 63 50 4B 43 53 2D 31 35      ; its identifier: PKCS-15
   50 0D 63 61 72 64 74 77 69 6E 20 34 2E 33 42   ; label: cardtwin 4.3B
   51 04 3F 00 50 15                              ; path
}
Endfile"""

_DIRECTORY_44: Final = """\
File Static EFDIR
data = 0x{
61 22                                             ; one application
   4F 0C A0 00 00 00 63 50 4B 43 53 2D 31 35      ; its identifier: PKCS-15
   50 0C 63 61 72 64 74 77 69 6E 20 34 2E 34      ; label: cardtwin 4.4
   51 04 3F 00 50 15                              ; path
}
Endfile"""

_NAMED_DIRECTORY_FILE: Final = """\
; where programs find the token: by its name, with paths that begin in its DF
CreateEf EFDIR id=0x2F00 maxsize=auto read=always update=never"""

_NAMED_DIRECTORY: Final = """\
File Static EFDIR
data = 0x{61 0E 4F 0C A0 00 00 00 63 50 4B 43 53 2D 31 35}
Endfile"""


@dataclass(frozen=True, slots=True)
class Family:
    """What the profiles of one card family have of their own.

    Attributes:
        owner: What their files' names begin with: a model of the family.
        title: What their comments call the cards.
        short: The same in the names of profiles.
        card_model: What CardModel takes.
        sign_key: The reference of the first key.
        nonrep_key: Of the key of the signature PIN.
        enc_key: Of the room for a key.
        key_note: A comment on these.
        open_start: What lets anybody erase a full token.
        fuse_note: A comment on that, where it needs one.
        erase_note: A comment on how an erasable one is erased.
        room: Who may make objects in the token's DF; by default the security officer.
        user_directory: A DF for what users make.
        directory_file: How EF.DIR is made; nothing where programs find the token without.
        directory_content: What it holds.
    """

    owner: str
    title: str
    short: str
    card_model: str
    sign_key: str = "1"
    nonrep_key: str = "3"
    enc_key: str = "4"
    key_note: str = ""
    open_start: str = "MakeCardEraseable()"
    fuse_note: str = ""
    erase_note: str = "; The Card Eraser erases it, whoever is logged in."
    room: str = ""
    user_directory: str = _USER_DIRECTORY
    directory_file: str = ""
    directory_content: str = ""


FAMILIES: Final = (
    Family(
        "cardos-4.3b",
        "CardOS 4.3B",
        "CardOS43B",
        "SIEMENS43B",
        sign_key="0x10",
        nonrep_key="0x11",
        enc_key="0x12",
        directory_file=_DIRECTORY_FILE,
        directory_content=_DIRECTORY_43B,
    ),
    Family(
        "cardos-4.4",
        "CardOS 4.4",
        "CardOS44",
        "SIEMENS44",
        sign_key="0x10",
        nonrep_key="0x11",
        enc_key="0x12",
        directory_file=_DIRECTORY_FILE,
        directory_content=_DIRECTORY_44,
    ),
    Family("cardos-5.3", "CardOS 5.3", "CardOS53", "SIEMENS50", key_note=_SMALL_KEYS),
    Family(
        "cosmo-8.2",
        "Cosmo 8.2",
        "Cosmo82",
        "X_COSMO",
        open_start="",
        fuse_note=_NO_ERASER,
        erase_note=f"{_NO_ERASER} What erases it is a new initialisation.",
        room="pin1",
        user_directory="",
        directory_file=_NAMED_DIRECTORY_FILE,
        directory_content=_NAMED_DIRECTORY,
    ),
    Family(
        "idclassic-340",
        "IDClassic 340",
        "IDClassic340",
        "X_GEMALTO",
        room="pin1",
        user_directory="",
        directory_file=_NAMED_DIRECTORY_FILE,
        directory_content=_NAMED_DIRECTORY,
    ),
)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of profile.

    Attributes:
        name: What the files' names end with.
        template: The template's name.
        officer: Who is the security officer of a full token.
        officer_note: A comment on that.
        puk_officer: What makes the PUK it.
        operator_officer: What makes the operator PIN it.
    """

    name: str
    template: str
    officer: str = "puk"
    officer_note: str = "the PUK as security officer"
    puk_officer: str = " so=yes"
    operator_officer: str = ""


KINDS: Final = (
    Kind("full", "full"),
    Kind(
        "operator",
        "full",
        officer="op",
        officer_note="the operator PIN as security officer: the PUK unblocks, and no longer logs in",
        puk_officer="",
        operator_officer=" so=yes",
    ),
    Kind("prepersonalised", "prepersonalised"),
    Kind("signature", "signature"),
    Kind("erasable", "erasable"),
    Kind("locked", "locked"),
)


def texts() -> dict[str, str]:
    """Return the profiles by the names of their files."""
    return {f"{family.owner}-{kind.name}.cpf": _text(family, kind) for family in FAMILIES for kind in KINDS}


def _text(family: Family, kind: Kind) -> str:
    template = (TEMPLATES / f"{kind.template}.template").read_text(encoding="utf-8")
    values: dict[str, str] = {**asdict(kind), **asdict(family), "kind": kind.name}
    values["room"] = family.room or kind.officer
    return Template(_LONE_NAME.sub(lambda found: _line(found, values), template)).substitute(values)


def _line(found: re.Match[str], values: Mapping[str, str]) -> str:
    value = values[found[1]]
    return f"{value}\n{found[2]}" if value else ""


def stale() -> list[str]:
    """Return the names of the profiles that are not what the templates say."""
    return [name for name, text in texts().items() if _written(PROFILES / name) != text]


def _written(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def main() -> None:
    """Write what is out of date."""
    for name in stale():
        (PROFILES / name).write_text(texts()[name], encoding="utf-8")
        print(f"profiles/{name}: written")


if __name__ == "__main__":
    main()
