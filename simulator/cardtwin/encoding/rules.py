"""The rules that descriptions and jobs are checked by: whose each of them is.

What the documentation calls wrong is one thing, what follows from it another, and what is only ours a third;
whoever is told of a finding shall see which it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cardtwin.provenance import Basis

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["RULES", "CheckRule"]


@dataclass(frozen=True, slots=True)
class CheckRule:
    """A rule.

    Attributes:
        code: Its name, as findings have it.
        basis: Whether the documentation states it.
        source: The title of the public page that it is stated on or follows from; empty where it is ours.
        lenient: What becomes of it where a description is read leniently; empty where that changes nothing.
    """

    code: str
    basis: Basis
    source: str = ""
    lenient: str = ""


_PERSONAL: Final = "Encodings using Personal Desktop Client middleware"
_STRUCTURE: Final = "Structure of an encoding description"
_CREDENTIALS: Final = "Card initialization and credentials"
_UNBLOCK: Final = "Block and unblock card"
_READER: Final = "Reader, card selection and information"
_CERTIFICATES: Final = "Certificates and keys"
_OBJECTS: Final = "Write data objects to smart cards"
_SIGNATURE: Final = "Use signature slot"

_STATED: Final[Mapping[str, str]] = {
    _PERSONAL: """
        missing-profile profile-not-attached profile-name reserved-parameter not-base64 initial-sign-puk
        delete-on-other-middleware operator-pin-not-used serial-without-login puk-change-blocked
        decryption-with-application decryption-with-login decrypted-pin-in-plain-text
        decrypted-pin-as-credential no-read-flag no-java-home java-bits
    """,
    _STRUCTURE: "several-devices subtype-of-chip",
    _CREDENTIALS: "missing-initial-puk",
    _READER: "skipped-parts",
    _OBJECTS: "bad-attribute",
    _SIGNATURE: "keyword-too-new",
}

_INFERRED: Final[Mapping[str, str]] = {
    _PERSONAL: """
        library-keyword library-bits missing-operator-pin bad-flag-value another-serial unknown-device
        decryption-by-jpki-encoder label-too-long flag-with-hash value-without-hash
    """,
    _STRUCTURE: """
        missing-section missing-type missing-devices missing-library undeclared-field bad-value no-effect
    """,
    _UNBLOCK: """
        set-pin-without-pin missing-sign-puk change-and-unblock change-of-new-token dialog-for-login
    """,
    _READER: "missing-output missing-criterion",
    _CERTIFICATES: "incomplete-application bad-criteria unknown-mode unusable-value",
}

_OURS: Final = """
    bad-line bad-section outside-section too-many-errors no-description bad-package left-out unknown-keyword
    unknown-section duplicate-section duplicate-keyword duplicate-field duplicate-parameter field-with-value
    unknown-library other-middleware no-minidriver two-middlewares minidriver-limits bad-admin-key
    delete-and-init delete-with-others two-lists unknown-application empty-application application-without-pin
    bad-key-size output-twice unknown-pool-field unknown-mapped-field missing-value empty-value unused-keyword
    nothing-to-do not-supported
"""

_LENIENT: Final[Mapping[str, str]] = {
    "left-out": "a warning; what is left out counts as not written",
    "unknown-keyword": "a warning",
    "unknown-section": "a warning",
    "bad-value": "`flag-with-hash` where only the # is too much",
    "undeclared-field": "`value-without-hash` where only the # is missing",
    "flag-with-hash": "only there",
    "value-without-hash": "only there",
}


def _rules() -> dict[str, CheckRule]:
    stated = ((Basis.STATED, page, codes) for page, codes in _STATED.items())
    inferred = ((Basis.INFERRED, page, codes) for page, codes in _INFERRED.items())
    return {
        code: CheckRule(code, basis, page, _LENIENT.get(code, ""))
        for basis, page, codes in (*stated, *inferred, (Basis.OURS, "", _OURS))
        for code in codes.split()
    }


RULES: Final[Mapping[str, CheckRule]] = _rules()
"""The rules by their codes."""
