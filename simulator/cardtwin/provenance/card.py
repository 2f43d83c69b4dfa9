"""Decisions about the emulated card: transmission, files, PINs, keys, life cycle, erasing."""

from __future__ import annotations

from typing import Final

from cardtwin.provenance.rules import Basis, Rule, rule

__all__ = ["BLOCKING_TRY", "IASECC_APPLICATION", "LONG_RESPONSE", "PHASE_REFUSAL", "VERIFIED_STATUS"]

_ISO: Final = "ISO/IEC 7816-4:2020"
_OPENSC: Final = "OpenSC 0.23, drivers cardos and pkcs15-cardos"

LONG_RESPONSE: Final[Rule] = rule(
    "card.long-response",
    Basis.INFERRED,
    f"{_ISO}, 5.3.4",
    "A response longer than a short Le is sent up to Le with 61xx, and GET RESPONSE brings the rest; with an "
    "extended Le, or with `cut`, the rest is dropped. Without Le no data are sent.",
    choices=("get-response", "cut"),
    default="get-response",
)
PHASE_REFUSAL: Final[Rule] = rule(
    "card.phase-refusal",
    Basis.INFERRED,
    "OpenSC's table of status words; a report of a V4.2B in manufacturing",
    "A command that isn't allowed in the present phase of life is answered 6985, or as chosen. In "
    "manufacturing it is 6D00 always: that much is reported.",
    choices=("6985", "6A81", "6D00"),
    default="6985",
)
BLOCKING_TRY: Final[Rule] = rule(
    "card.blocking-try",
    Basis.INFERRED,
    f"{_ISO}, 11.5.6",
    "The wrong PIN that spends the last try is answered as any wrong PIN, and only the next try is told "
    "6983; with `blocked` it's told 6983 itself.",
    choices=("wrong", "blocked"),
    default="wrong",
)
VERIFIED_STATUS: Final[Rule] = rule(
    "card.verified-status",
    Basis.INFERRED,
    f"{_ISO}, 11.5.6; GnuPG and OpenSC take 9000 so",
    "CardOS 5 answers VERIFY without data with 9000 where the PIN is verified already, or with the tries "
    "left as chosen. CardOS M4 tells no tries: 6700.",
    choices=("success", "tries"),
    default="success",
)
IASECC_APPLICATION: Final[Rule] = rule(
    "card.iasecc-application",
    Basis.INFERRED,
    "OpenSC 0.23, driver iasecc, selects applications between a PUK's verification and the reset of a PIN; "
    "drivers of eID cards on Cosmo 8 know the contrary",
    "On Cosmo, SELECT by AID forgets the verification of PINs that are in a DF, and keeps that of the MF's; "
    "with `all` it forgets every one, as between applications that don't belong together.",
    choices=("local", "all"),
    default="local",
)
DEACTIVATED_DF: Final[Rule] = rule(
    "card.deactivated-df",
    Basis.INFERRED,
    "ISO/IEC 7816-9:2017, DEACTIVATE FILE, which is for DFs as for EFs",
    "What is in a deactivated DF, at whatever depth, is as if it were deactivated itself: files and private "
    "keys are refused with 6283, and SELECT warns. PINs there are still verified: who activates the DF may "
    "have to. With `itself`, only the DF is deactivated, and nothing is made in it.",
    choices=("subtree", "itself"),
    default="subtree",
)

rule(
    "card.chaining",
    Basis.INFERRED,
    f"{_ISO}, 5.3.3",
    "Commands of PERFORM SECURITY OPERATION may be chained, as OpenSC does. Any other is answered 6884. A "
    "command that interrupts a chain ends it, is answered 6883 and not carried out.",
)
rule(
    "card.refused-forms",
    Basis.INFERRED,
    "no public client",
    "Secure messaging by ISO (CLA 0C), logical channels, short EF identifiers in READ BINARY, "
    "INCREASE, DECREASE, ACCUMULATE OBJECT DATA, and LOAD EXECUTABLE but on V4.3B are refused: 6882, 6881, "
    "6A86, 6D00.",
)
rule(
    "card.environment-on-select",
    Basis.CLIENT,
    _OPENSC,
    "Where another DF becomes the current one, its security environment 01 comes into force, or an empty "
    "one. PINs that were verified stay verified, unless the quirk drop_pin_on_select says otherwise.",
)
rule(
    "card.quirks",
    Basis.OURS,
    "NLI-03, NLI-06, NLI-08; reports of such cards by other makers",
    "drop_pin_on_select, one_signature_per_verify and unknown_aid_resets are deviations that programs have "
    "met on some cards. No CardOS is known to have them; each is switched on for a single card, and off by "
    "default.",
)
rule(
    "card.shared-status",
    Basis.INFERRED,
    f"{_ISO}, 9: a security status for each logical channel, and these cards have one channel",
    "All programs that are connected share the card's one security status: what one verifies holds for the "
    "others, and LOGOUT by one forgets it for all (NLI-14).",
)
rule(
    "card.environment-components",
    Basis.INFERRED,
    "javasign, a client of CardOS M4",
    "The fourth component byte of a stored security environment names the key for every operation; what the "
    "other five name isn't public, and they are kept only.",
)
rule(
    "card.delete-condition",
    Basis.INFERRED,
    _OPENSC,
    "Who may delete a file is said by the condition DELETE of the file itself. With a DF its files, objects "
    "and security environments are deleted.",
)
rule(
    "card.object-conditions",
    Basis.INFERRED,
    "a comment in OpenSC's profile for CardOS",
    "Storing a new object needs the DF's condition APPEND; overwriting, changing conditions and deleting "
    "need its condition UPDATE.",
)
rule(
    "card.object-deletion",
    Basis.OURS,
    "needed to erase PINs in the MF; no public client deletes objects",
    "PUT DATA OCI with `83 02 class id 8F 00` and nothing else deletes the object.",
)
rule(
    "card.administration-only",
    Basis.INFERRED,
    "OpenSC goes to administration before these commands",
    "CREATE FILE, DELETE FILE, PUT DATA OCI and PUT DATA SECI are not carried out in the operational "
    "phase. PUT DATA FCI and GENERATE KEY PAIR are, where the conditions allow.",
)
rule(
    "card.production-phases",
    Basis.INFERRED,
    "the order of the phases 34, 26, 24 or 23, 20",
    "PHASE CONTROL leads from initialisation to personalisation, and from both kinds of it to "
    "administration. FORMAT leads to administration with P2=01; other values of P2 are refused.",
)
rule(
    "card.record-file",
    Basis.INFERRED,
    f"{_ISO}, 7.3.4",
    "A file of records is created empty; records come by APPEND RECORD. In a cyclic file the newest has "
    "number 1 and takes the place of the oldest. UPDATE RECORD is there as in the standard.",
)
rule(
    "card.memory-accounting",
    Basis.OURS,
    "the cards' own bookkeeping isn't public",
    "A file takes its size and 32 bytes, an object its body and 24 bytes. The size of a DF is told back, "
    "and is no limit for what is in it. What is known of the sizes of memories stands at the models.",
)
rule(
    "card.directory-pages",
    Basis.INFERRED,
    _OPENSC,
    "DIRECTORY gives 40 entries at a time; P2 is the page's number, and tag 8A in the last entry names the "
    "next.",
)
rule(
    "card.master-file",
    Basis.INFERRED,
    "the ten condition bytes that FORMAT takes",
    "The control information of the MF shows its ten condition bytes, and the size that FORMAT gave it.",
)
rule(
    "card.pin-search",
    Basis.INFERRED,
    "OpenSC, GnuPG and clients of CNS cards",
    "A PIN reference with bit 80 is looked for from the current DF up to the MF; one without it in the "
    "current DF and in the MF. A condition's test object is looked for from the DF upwards that holds the "
    "condition.",
)
rule(
    "card.pin-length",
    Basis.INFERRED,
    _OPENSC,
    "A PIN is presented as long as it is stored, filled up by the client. Another length is answered 6700 "
    "and costs no try. A new PIN is measured for the minimum length without 00 and FF at its end.",
)
rule(
    "card.pin-change-status",
    Basis.INFERRED,
    f"{_ISO}, 11.5.7",
    "CHANGE REFERENCE DATA verifies no PIN, and leaves one verified that is; a wrong old PIN ends that. "
    "RESET RETRY COUNTER with a PUK ends it too, and needs the PUK's own condition USE. A condition CHANGE "
    "that names the PIN itself is met by the old PIN.",
)
rule(
    "card.second-option-byte",
    Basis.INFERRED,
    _OPENSC,
    "A parameter block of nine bytes is taken whether or not a package for it is loaded; with bit 2 of its "
    "second byte a failed verification tells the tries left.",
)
rule(
    "card.consent",
    Basis.CLIENT,
    _OPENSC,
    "The seventh parameter byte of a test object is how often a condition may rest on one verification.",
)
rule(
    "card.key-generation",
    Basis.INFERRED,
    _OPENSC,
    "GENERATE KEY PAIR needs the object's condition CHANGE, its seventh condition byte where there is one, "
    "and UPDATE of the EF. The exponent is 65537 always; the rounds and the difference of the primes are "
    "ignored.",
)
rule(
    "card.key-purpose",
    Basis.INFERRED,
    "OpenSC; clients that sign with keys for deciphering on V5",
    "On M4 the algorithm byte says whether a key signs or deciphers. On V5 every key signs, and those whose "
    "algorithm byte has bit 80 don't decipher.",
)
rule(
    "card.sha1-on-card",
    Basis.INFERRED,
    "OpenSC's names of algorithms C8 and CC",
    "For algorithms C8 and CC the input is the message: the card makes the SHA-1 digest and pads the "
    "DigestInfo.",
)
rule(
    "card.v5-signature-input",
    Basis.INFERRED,
    "OpenSC and GnuPG send different inputs to V5 cards",
    "On V5, algorithm 10 or a key of algorithm 08 or 88 has the card pad. With neither, an input as long "
    "as the modulus is taken as it is, and a shorter one is padded.",
)
rule(
    "card.v5-personalisation",
    Basis.OURS,
    "how V5 cards are personalised isn't public",
    "CardOS V5 takes V4.4's commands for files, objects, keys and erasing, and V4.4's condition bytes. "
    "Its control information shows them as access rules in AB: read and write of an EF, delete and create "
    "of a DF.",
)
rule(
    "card.access-rules",
    Basis.INFERRED,
    f"{_ISO}, 9.3.3; control information of recorded CardOS V5.3 cards",
    "In place of condition bytes, CREATE FILE of V5 takes what its control information shows: rules in AB, "
    "or in 8B the identifier of an EF of access rules and a record's number. The EF is looked for from the "
    "file's DF upwards. Rules are always, never, and one test object; others are refused at creation with "
    "6A80. Usage 08 is a PIN and 80 a key: a rule with the wrong one of them is never met. An operation "
    "that no access mode is for is never allowed.",
)
rule(
    "card.elliptic-curves",
    Basis.OURS,
    "how EC keys are stored isn't public",
    "On V5 a key object of algorithm 0E (agreement) or 8E (signature) has the body `06 n curve 04 n number`; "
    "GENERATE KEY PAIR writes its public point as `7F49 { 86 }`. Signatures are r || s.",
)
rule(
    "card.external-authentication",
    Basis.OURS,
    "the algorithm bytes of symmetric test objects aren't public",
    "A test object of algorithm 02 holds a triple DES key, and is passed with the encrypted challenge.",
)
rule(
    "card.start-key",
    Basis.INFERRED,
    "a vendor's erase script; OpenSC's cardos-tool",
    "Each use of the StartKey costs a try that comes back when the message was right: else 6988, without "
    "tries 6983, and no way to erase is left. A new StartKey is 16 bytes under the old one, and has "
    "version FF.",
)
rule(
    "card.factory",
    Basis.OURS,
    "reports of cards from the factory; the vendor's StartKey isn't public",
    "A card from the factory is in manufacturing, without files and packages, and its StartKey has version "
    "00 and ten tries. The key itself is ours, so that the vendor's own message that changes it fails here.",
)
rule(
    "card.package-load",
    Basis.OURS,
    "a vendor's erase script for CardOS V4.3B",
    "V4.3B knows the one package that the script loads, and by two lengths alone: 442 bytes of code in an EF "
    "of kind 21, and 23 bytes of data in LOAD EXECUTABLE, whose form and key aren't public. Other lengths "
    "are answered 6988. It needs the MF's condition EXECUTE, and costs no try of the PackageLoadKey. What is "
    "loaded is told by GET DATA 88 and does nothing.",
)
rule(
    "card.production-data",
    Basis.OURS,
    "only its length is public",
    "GET DATA 8B of V5 is the serial number, filled up with 00 to 76 bytes.",
)
rule(
    "card.fuse",
    Basis.INFERRED,
    "DEL-04 to DEL-13",
    "Fuse and erasability are access conditions and phases, and nothing else: the fuse is intact while the "
    "MF's conditions LCYCLE, UPDATE, APPEND, DELETE and CREATE are always and the card isn't operational.",
)
rule(
    "card.value-not-known",
    Basis.OURS,
    "no card has such objects; images of cards that were read do",
    "A PIN, key or StartKey whose value isn't known is refused with 6984 whatever is done with it, which "
    "costs no try and no use. A PIN without tries is told 6983, and VERIFY without data is answered as ever.",
)
rule(
    "card.read-card",
    Basis.OURS,
    "what reading commands tell of a card",
    "In the image of a card that was read, what the card doesn't tell is never allowed: on CardOS 5 every "
    "condition of a DF but CREATE and DELETE. A PIN that doesn't tell its tries has three; a test object "
    "that only conditions name lies in the MF, and is a PIN unless a rule says that it is a key.",
)

_IASECC: Final = "OpenSC 0.23, driver iasecc"

rule(
    "card.iasecc-conditions",
    Basis.OURS,
    f"security condition bytes: {_IASECC}; security environments can't be read from a Cosmo (6A88)",
    "On Cosmo, the security condition byte 1n, user authentication by security environment n, asks for the "
    "PIN of reference n. Conditions by secure messaging or by a key are never met: the card has neither.",
)
rule(
    "card.iasecc-unnamed-operations",
    Basis.OURS,
    "access mode bytes have no bit for them",
    "On Cosmo, who may delete a file may change its access rules, and who may create files in a DF may "
    "create and delete the data objects in it.",
)
rule(
    "card.iasecc-change-of-rules",
    Basis.OURS,
    "needed to write a file and to close it afterwards; no public client changes rules",
    "On Cosmo, PUT DATA 3FFF with `62 {A1 {8C}}` gives the current file other access rules; control "
    "parameters with rules alone do so for a data object that is there, for whoever may delete it.",
)
rule(
    "card.iasecc-pins",
    Basis.OURS,
    "parts of the data object: OpenSC 0.23, driver iasecc, which reads PINs and makes none",
    "On Cosmo, PUT DATA 3FFF creates a PIN from its control parameters (9A tries, 9B tries left, A1 rules) "
    "and values (7F41: 81 least length, 82 the value as it is stored) in one command.",
)
rule(
    "card.iasecc-keys",
    Basis.INFERRED,
    _IASECC,
    "On Cosmo, a key pair is two data objects of one number. The tag 80 in their values, compulsory usage, "
    "is taken and nothing comes of it. A private key has no values to tell: asking is answered 6A80.",
)
rule(
    "card.iasecc-reading",
    Basis.CLIENT,
    _IASECC,
    "On Cosmo, READ BINARY gives 231 bytes at most. The short identifiers 1C, 1D, 1E are those of the serial "
    "number, of EF.ATR and of EF.DIR.",
)
rule(
    "card.iasecc-serial",
    Basis.OURS,
    "the form 5A: OpenSC 0.23, driver iasecc; a card number begins with an issuer's, which we have none of",
    "On Cosmo, the file of short identifier 1C has the chip's serial number alone, with no issuer before it.",
)
rule(
    "card.iasecc-no-card-manager",
    Basis.OURS,
    "GlobalPlatform is not emulated",
    "On Cosmo, the card manager's AIDs are answered 6A82, and the card production life cycle is not told.",
)
