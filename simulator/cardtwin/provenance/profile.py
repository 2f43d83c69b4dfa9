"""Decisions about the card profile language."""

from __future__ import annotations

from typing import Final

from cardtwin.provenance.rules import Basis, rule

__all__ = [
    "ATTRIBUTES",
    "CARD_MODELS",
    "CASE",
    "CONDITIONS",
    "CONTENTS",
    "CREATE_FILES",
    "DUPLICATES",
    "DYNAMIC",
    "EXTENSIONS",
    "KEYWORDS",
    "NUMBERS",
    "ORDER",
    "PERSINFO",
    "SECRANDOM",
    "SECRETS",
    "UNKNOWN",
]

CASE: Final = rule(
    "profile.case",
    Basis.INFERRED,
    "PPA-05",
    "Names, keywords and attributes are compared without regard to case: the public example mixes "
    "Endfile, EndDF and CreateDf.",
)

NUMBERS: Final = rule(
    "profile.values",
    Basis.OURS,
    "PPA-02",
    "A text has no quote inside and ends on its line; a semicolon in it begins no comment. Digits of "
    "bytes stand in pairs. Text and bytes stand for one another as UTF-8.",
)

UNKNOWN: Final = rule(
    "profile.unknown",
    Basis.OURS,
    "PPA-13",
    "An unknown statement, function, attribute or word is an error. The vendor's manual has more than the "
    "public sources show, and a statement that is skipped makes another card.",
)

ATTRIBUTES: Final = rule(
    "profile.attributes",
    Basis.OURS,
    "PPA-05",
    "id, maxsize and the access conditions have to be there, since what holds without them is not public.",
)

CONDITIONS: Final = rule(
    "profile.conditions",
    Basis.OURS,
    "PPA-05",
    "Access conditions are always (the only one that is public), never, and the names of the eight "
    "secrets in lower case, each for a PIN that the profile makes.",
)

CARD_MODELS: Final = rule(
    "profile.card-models",
    Basis.INFERRED,
    "PPA-04",
    "SIEMENS50 stands for the CardOS 5 family; only the name is public. SIEMENS43B and SIEMENS44 for "
    "CardOS 4.3B and 4.4, X_COSMO for Cosmo and X_GEMALTO for IDClassic are ours. A program can add names.",
)

KEYWORDS: Final = rule(
    "profile.keywords",
    Basis.INFERRED,
    "ENC-07, PPA-03",
    "An encoding's PIN, SignPIN, InitialPUK and Operator_PIN are SEC_PIN1, SEC_PIN2, SEC_PUK and SEC_OP. "
    "A profile that assigns one of them as well is refused like any second assignment.",
)

SECRETS: Final = rule(
    "profile.secrets",
    Basis.OURS,
    "PPA-12",
    "SEC_ variables are the eight secrets and no others. What they hold cannot become a file's content or "
    "a label.",
)

SECRANDOM: Final = rule(
    "profile.secrandom",
    Basis.OURS,
    "PPA-09",
    "SECRANDOM takes a length and, if wanted, an alphabet; digits otherwise. Only its name is public.",
)

DYNAMIC: Final = rule(
    "profile.dynamic",
    Basis.INFERRED,
    "PPA-06, PPA-07",
    "File Static takes bytes or a text, File Dynamic any value, which is worked out at CreateFiles().",
)

CREATE_FILES: Final = rule(
    "profile.create-files",
    Basis.INFERRED,
    "PPA-07, PPA-13",
    "Files, PINs and keys are declared, and nothing reaches the card before CreateFiles(). A profile "
    "without it is refused, and so is one that declares anything behind it.",
)

ORDER: Final = rule(
    "profile.order",
    Basis.INFERRED,
    "PPA-08",
    "MakeCardEraseable() stands before everything but CardModel and assignments, BurnFuse() behind "
    "everything. The sources say 'at the start' and 'at the end', and not what happens otherwise: strict "
    "makes it an error, lenient a warning.",
    choices=("strict", "lenient"),
    default="strict",
)

DUPLICATES: Final = rule(
    "profile.duplicates",
    Basis.OURS,
    "PPA-05, PPA-06",
    "Two files of one name, two identifiers in one directory, two bodies of one file, contents longer "
    "than the file, files larger than their directory: errors. File headers don't count against a "
    "directory's size.",
)

PERSINFO: Final = rule(
    "profile.persinfo",
    Basis.OURS,
    "PPA-10, PPA-11",
    "Secrets are encrypted in the order of PERSINFO_PUT_SEC, together with the profile's name. Encrypting "
    "without a secret, without an RSA certificate, or noting anything afterwards is an error. "
    "PERSINFO_PUT_PUBRSA_AND_SEC() adds the public halves of all RSA keys that the profile makes.",
)

CONTENTS: Final = rule(
    "profile.contents",
    Basis.OURS,
    "PPA-06",
    "Statements and functions that begin with X_ are cardtwin's: PINs, keys, certificates, data, the "
    "token, and the PKCS#15 files that list them. The vendor's are not public. PINs lie in the master "
    "file; private keys are listed once they are there. For Cosmo and IDClassic, paths begin in the "
    "application's DF, since OpenSC goes to it by its name; Cosmo's EF.TokenInfo tells the algorithms' "
    "references. For CardOS 5 it names CKM_ECDSA, without which OpenSC does no ECDSA with such a card; "
    "and the file of a public key on a curve holds SubjectPublicKeyInfo, where OpenSC finds the curve.",
)

EXTENSIONS: Final = rule(
    "profile.extensions",
    Basis.OURS,
    "PPA-13",
    "Statements and functions can be added by the entry point group cardtwin.ppa, for those who own the "
    "vendor's manual.",
)
