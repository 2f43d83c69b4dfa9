"""Decisions about the middleware."""

from __future__ import annotations

from typing import Final

from cardtwin.provenance.rules import Basis, rule

__all__ = [
    "ANONYMOUS_CREDENTIALS",
    "CACHED_CONTENT",
    "CACHE_VALIDITY_UNIT",
    "CARD_ERASER_OBJECT",
    "CONFIGURATION_DEFAULTS",
    "CONFIGURATION_MISTAKES",
    "ERASE_CONDITION",
    "ERASE_REFUSED",
    "FIVE_PERSONALISATION",
    "FUSE_AT_END",
    "INIT_ON_INITIALISED",
    "LIBRARY_BITS",
    "LIST_WRITES",
    "LOG_FILES",
    "NEW_LISTS",
    "NEW_OBJECTS",
    "OPERATOR_ERASES",
    "PIN_BLOB_PLACE",
    "PIN_CERTIFICATE_DATES",
    "PIN_KINDS",
    "PROGRAM_OVER_USER",
    "PROGRAM_SECTIONS",
    "PROPERTIES",
    "PUK_CHANGE",
    "SKIP_READER_MATCH",
    "TOKEN_SERIAL",
    "UNFINISHED_MARK",
    "UNNAMED_OPERATIONS",
    "USER_OVER_SYSTEM",
    "VIRTUAL_READERS",
]

PIN_CERTIFICATE_DATES: Final = rule(
    "middleware.pin-certificate-dates",
    Basis.OURS,
    "MW-01",
    "Any valid PIN encryption certificate lets a token be initialised. Valid means here that the file "
    "holds an X.509 certificate; whether its dates count isn't stated.",
    choices=("ignored", "checked"),
    default="ignored",
)

LIBRARY_BITS: Final = rule(
    "middleware.library-bits",
    Basis.STATED,
    "MW-10",
    "The 64-bit library cannot initialise cards; InitTokenPPA fails before any command goes to the card. "
    "That CKR_FUNCTION_NOT_SUPPORTED is what it returns is ours.",
)

INIT_ON_INITIALISED: Final = rule(
    "middleware.init-on-initialised",
    Basis.OURS,
    "ENC-03",
    "InitTokenPPA on a card that is not empty: it is erased first where anybody may erase it, and refused "
    "otherwise; or it is always refused.",
    choices=("erase", "refuse"),
    default="erase",
)

FUSE_AT_END: Final = rule(
    "middleware.fuse-at-end",
    Basis.INFERRED,
    "DEL-07 to DEL-10",
    "Until BurnFuse, anybody may change the MF's conditions, create, delete and go to another phase: the "
    "fuse is intact. BurnFuse goes to the operational phase and writes the erase condition into those of "
    "the MF and of the files in it. Those on deletion, on the phase and on conditions are the last to be "
    "written, so that a card lost in the middle can be erased.",
)

ERASE_CONDITION: Final = rule(
    "middleware.erase-condition",
    Basis.INFERRED,
    "DEL-06 to DEL-09",
    "The erase condition is: anybody, where MakeCardEraseable was called; else the operator PIN, where the "
    "profile has one; else nobody. A CardOS 5 card tells of DFs only who may delete them and who may "
    "create in them; the erase condition is read from the former.",
)

OPERATOR_ERASES: Final = rule(
    "middleware.operator-erases",
    Basis.INFERRED,
    "DEL-06",
    "A verified operator PIN erases a card whose fuse is burnt and that isn't erasable by anybody.",
)

ANONYMOUS_CREDENTIALS: Final = rule(
    "middleware.pin-and-puk-do-not-erase",
    Basis.STATED,
    "DEL-05",
    "PIN and PUK let nobody erase what anybody may not.",
)

CARD_ERASER_OBJECT: Final = rule(
    "middleware.card-eraser",
    Basis.OURS,
    "DEL-02, DEL-11",
    "The object 'Card Eraser' is there on certain models, CardOS 4.4 and 5.x among them; DeleteProfile fails "
    "where it isn't. Which models lack it isn't public: Cosmo does here, `hidden` takes it away from any.",
    choices=("shown", "hidden"),
    default="shown",
)

ERASE_REFUSED: Final = rule(
    "middleware.erase-refused",
    Basis.OURS,
    "DEL-09",
    "What the Card Eraser returns where the card's conditions refuse; nothing has changed then.",
    choices=("CKR_USER_NOT_LOGGED_IN", "CKR_ACTION_PROHIBITED", "CKR_FUNCTION_FAILED", "CKR_GENERAL_ERROR"),
    default="CKR_USER_NOT_LOGGED_IN",
)

PIN_KINDS: Final = rule(
    "middleware.pin-kinds",
    Basis.OURS,
    "ENC-08, DEL-06",
    "PKCS#15 doesn't say which PIN is the operator's. It is the one that the card's erase condition "
    "names; else the one that is the SO credential and resets nothing; else the first one that nothing "
    "resets, beside the user's. The user's PIN is the first one that a PUK resets, or the first one, and a "
    "local one only where there is no other; the signature PIN is the first other local one.",
)

UNNAMED_OPERATIONS: Final = rule(
    "middleware.unnamed-operations",
    Basis.OURS,
    "PPA-04",
    "Operations that a profile doesn't name for a file are for nobody, or for anybody. Deleting and "
    "changing conditions follow the erase condition in any case.",
    choices=("never", "always"),
    default="never",
)

UNFINISHED_MARK: Final = rule(
    "middleware.unfinished-mark",
    Basis.OURS,
    "PPA-13",
    "While a card is initialised or erased, an EF 7EAE of one byte stands in the MF, made first and "
    "deleted last: a card that was lost in the middle is known by it.",
)

FIVE_PERSONALISATION: Final = rule(
    "middleware.cardos-5-personalisation",
    Basis.OURS,
    "CardOS M4 clients",
    "How CardOS 5.x cards are personalised is not public; the driver takes CardOS M4's commands for files, "
    "PINs, keys and conditions.",
)

NEW_OBJECTS: Final = rule(
    "middleware.new-objects",
    Basis.OURS,
    "the layout of OpenSC's pkcs15-init",
    "What programs make goes into the application's DF, or the first DF in it whose CREATE condition "
    "whoever is logged in meets. Files are numbered 30nn (public keys), 31nn (certificates), 33nn "
    "(data), 34nn (private data), 35nn (the public half of the key nn: its modulus is read there, and the "
    "public key that was made with it is listed with that file); they are changed and deleted by the "
    "credential that made them, private ones read by it too. Keys have numbers of 10 to 1F (CardOS 4.4) or "
    "01 to 0F (5.x), and are used by the PIN of their slot. A card in the operational phase is in "
    "administration for the time of it; where the MF's conditions don't allow that, neither files nor keys "
    "are made. For Cosmo, the lists say paths from the application's DF on, as the profiles do. "
    "A new certificate is listed before the places that are still empty, since OpenSC's PKCS#11 looks no "
    "further than the first certificate that it cannot read.",
)

NEW_LISTS: Final = rule(
    "middleware.new-lists",
    Basis.OURS,
    "the layout of OpenSC's pkcs15-init",
    "A token that has no list for objects of a class gets one of 1024 bytes with the first of them, numbered "
    "44nn as in the shipped profiles, where the conditions of EF.ODF and of the DF for new files let "
    "whoever is logged in: pkcs15-init makes the lists one by one.",
)

LIST_WRITES: Final = rule(
    "middleware.list-writes",
    Basis.OURS,
    "UPDATE BINARY writes one piece, whole or not at all",
    "Values are written before the lists that name them, and deleted after; what fails is taken back. A"
    " list's change that fits into one command is one. A longer one ends the list before the first "
    "entry that changes, and writes the beginning of that entry last: a card that is lost in between "
    "has a list that ends sooner.",
)

PIN_BLOB_PLACE: Final = rule(
    "middleware.pin-blob-place",
    Basis.INFERRED,
    "BLOB-01",
    "The data object 'Encrypted PINs' is a file that a CDF or DODF entry names and that begins with a "
    "blob. Once a certificate is written over it, the object is gone.",
)

USER_OVER_SYSTEM: Final = rule(
    "middleware.user-over-system",
    Basis.STATED,
    "MW-03",
    "Personal.cfg exists system-wide and per user; a key that both set has the user's value. Of a key with "
    "several lines, such as SkipReader, the user's lines take the place of all of the system's.",
)

PROGRAM_SECTIONS: Final = rule(
    "middleware.program-sections",
    Basis.INFERRED,
    "MW-07, MW-08",
    "A section named like a program holds for it if Sections lists it, in either file. The name of the "
    "program's file is compared, without folders and without regard to case. Only keys of [CSP_PKCS11] count "
    "in it.",
)

PROGRAM_OVER_USER: Final = rule(
    "middleware.program-over-user",
    Basis.OURS,
    "MW-03, MW-07",
    "Whether the system's section of a program wins over the user's setting for all programs isn't stated. "
    "`program`: it does; `user`: the user's file wins, whatever section a key stands in.",
    choices=("program", "user"),
    default="program",
)

CONFIGURATION_DEFAULTS: Final = rule(
    "middleware.configuration-defaults",
    Basis.OURS,
    "MW-02, MW-06",
    "The vendor's defaults are not public. Here no card content is kept, no reader is skipped, nothing logs "
    "out after a signature and no PIN is kept, unless Personal.cfg says so.",
)

CONFIGURATION_MISTAKES: Final = rule(
    "middleware.configuration-mistakes",
    Basis.OURS,
    "MW-02 to MW-08",
    "What isn't known in Personal.cfg has no effect, and is told. A value that a known key doesn't take is "
    "an error: nothing runs with it.",
)

CACHE_VALIDITY_UNIT: Final = rule(
    "middleware.cache-validity-unit",
    Basis.OURS,
    "MW-02",
    "The unit of CacheValidity is not public. Minutes, because a relative of the client comes with 10080, "
    "which is a week then.",
    choices=("minutes", "seconds"),
    default="minutes",
)

CACHED_CONTENT: Final = rule(
    "middleware.cached-content",
    Basis.OURS,
    "MW-02",
    "With CacheValidity above 0, a client keeps what it has read to show a token, through PKCS#11 or for an "
    "encoding: the files, the free memory, and whether the card is empty. It is kept for a reader's card "
    "(ATR, chip serial number and insertion), from the first reading until the time is over, the card is "
    "taken out, or this client changes it. What other programs write isn't seen until then. What only a "
    "login lets be read is forgotten when the login ends. Initialising and erasing themselves, the state of "
    "the card and a single file that is asked for are always read anew.",
)

SKIP_READER_MATCH: Final = rule(
    "middleware.skip-reader-match",
    Basis.INFERRED,
    "MW-04",
    "SkipReader has to match the whole of a reader's name, or a part of it; case counts. The vendor's "
    "example ends in `.*`, which only the former needs.",
    choices=("whole", "part"),
    default="whole",
)

VIRTUAL_READERS: Final = rule(
    "middleware.virtual-readers",
    Basis.STATED,
    "MW-05",
    "While a reader is in sight whose name begins with 'Microsoft Virtual Smart Card ', C_GetProperty "
    "returns CKR_GENERAL_ERROR, for whichever reader it is called. That the name alone tells such a reader "
    "is inferred from the vendor's example for SkipReader.",
    choices=("fail", "harmless"),
    default="fail",
)

rule(
    "middleware.virtual-smart-card",
    Basis.INFERRED,
    "MW-05; the vendor's list of supported cards has none, and its Desktop App uses them as Windows does, by "
    "a minidriver",
    "To the middleware a virtual smart card is a card that it doesn't know: its reader is a slot whose token "
    "isn't recognised. Programs that use it by a minidriver go on all the while.",
)

PROPERTIES: Final = rule(
    "middleware.properties",
    Basis.OURS,
    "MW-05",
    "Of C_GetProperty only the name is public. Here it gives a text by name: chip_serial, family, "
    "profile_name, token_label or token_serial. An encoding asks it for the chip's serial number, the ICCSN.",
)

LOG_FILES: Final = rule(
    "middleware.log-files",
    Basis.STATED,
    "MW-09",
    "The client writes a log file into its log folder, and the encoder writes jpki_encoder's log beside it. "
    "Their names, personal.log and jpki_encoder.log, and their form are cardtwin's: time, program, "
    "operation, reader, result. cardtwin has no folder by default.",
)

rule(
    "middleware.cosmo-conditions",
    Basis.OURS,
    "OpenSC 0.23, driver iasecc, for the form; security environments can't be read from a Cosmo",
    "On Cosmo, a condition on a PIN is written as user authentication by the security environment of the "
    "PIN's own reference; so the emulated card reads it.",
)
rule(
    "middleware.cosmo-personalisation",
    Basis.OURS,
    "no public client stores PINs on a Cosmo, or changes access rules",
    "A Cosmo is recognised by its ATR alone. PINs, access rules and the conditions of keys are written in "
    "forms of ours. There is no phase of life: the conditions of the MF tell whether the fuse is burnt.",
)
rule(
    "middleware.cosmo-untold",
    Basis.OURS,
    "no public client asks a Cosmo for these",
    "A Cosmo is asked for its files in a form of ours, so that erasing finds all of them. It tells no free "
    "memory: 64 KiB are taken for free until the card refuses.",
)
rule(
    "middleware.cosmo-padding",
    Basis.INFERRED,
    "OpenSC 0.23, driver iasecc",
    "A Cosmo puts PKCS#1 v1.5 padding on and takes it off itself: signatures padded otherwise are refused, "
    "and of a cryptogram's padding only its length is known above the card.",
)

PUK_CHANGE: Final = rule(
    "middleware.puk-change",
    Basis.STATED,
    "ENC-11, ENC-12",
    "Personal Desktop Client up to 5.7.1 changes the PUK on no card, later ones on Cosmo 7 and Cosmo 8.2 "
    "alone. That it answers CKR_FUNCTION_NOT_SUPPORTED, before the card is asked, is ours, and so is that "
    "C_SetPIN of a security officer whose credential is the PUK is meant too; `any` lets every card decide.",
    choices=("by-version", "any"),
    default="by-version",
)

TOKEN_SERIAL: Final = rule(
    "middleware.token-serial",
    Basis.OURS,
    "ENC-14, ENC-17; ISO/IEC 7816-15, 8.9",
    "A serial number that overrides the chip's is the serialNumber in TokenInfo: hexadecimal digits in pairs "
    "are packed, as the chip's are, any other text of up to 32 printable ASCII characters stands there as it "
    "is. CK_TOKEN_INFO shows the last 16 characters. Where the vendor keeps the number is not public.",
)
