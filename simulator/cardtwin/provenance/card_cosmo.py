"""What Cosmo cards do as eID cards and with AuthentIC, and is known from their clients alone."""

from __future__ import annotations

from typing import Final

from cardtwin.provenance.rules import Basis, Rule, rule

__all__ = ["AUTHENTIC_DIGESTS"]

_EID: Final = "OpenSC, driver esteid2018; other clients of Estonian and Latvian eID cards"
_AWP: Final = "OpenSC 0.23, drivers oberthur and pkcs15-oberthur"
_AUTHENTIC: Final = "OpenSC 0.23, drivers authentic and pkcs15-authentic"

rule(
    "card.eid-application",
    Basis.CLIENT,
    _EID,
    "On an eID card on Cosmo 8.1, SELECT by AID forgets every PIN's verification: clients log out by it.",
)
rule(
    "card.eid-digest-length",
    Basis.INFERRED,
    f"{_EID}: all fill shorter digests up from the left",
    "On an eID card on Cosmo 8.1, a digest to be signed has 48 bytes, as long as a coordinate of P-384: any "
    "other length is answered 6700.",
)
rule(
    "card.eid-pin-parameters",
    Basis.CLIENT,
    "OpenSC, driver esteid2018, which quotes a card's answer",
    "On an eID card on Cosmo 8.1, GET DATA 3FFF tells a PIN's tries at all and left, and access rules that "
    "are the same for each: of other data objects nothing is told.",
)
rule(
    "card.eid-consent",
    Basis.INFERRED,
    "OpenSC, driver esteid2018, which asks for PIN2 before each signature",
    "On an eID card on Cosmo 8.1, a verification of PIN2 serves for one signature.",
)
rule(
    "card.eid-issued",
    Basis.OURS,
    "identifiers, references, lengths: the clients of such cards; how they are personalised isn't public",
    "An eID card is issued with its memory written, by no command. Its files are read by everybody and "
    "written by nobody, the PUK resets both PINs, and its holder is invented.",
)
rule(
    "card.authentic-conditions",
    Basis.CLIENT,
    _AUTHENTIC,
    "On AuthentIC, a condition is two bytes: 0000 always, FFnn never, 00 with a bit for a PIN from 1 to 7. "
    "OpenSC writes `never` as 0000: of the keys that it makes, signatures ask for no PIN. Conditions with "
    "several PINs, and by secure messaging, are refused with 6A80.",
)
rule(
    "card.authentic-keys",
    Basis.CLIENT,
    _AUTHENTIC,
    "On AuthentIC, PUT DATA 3FFF with A1 creates an RSA key of 1024 to 2048 bits in the current DF (86: the "
    "conditions), stores a pair into it (A5) or deletes it. A pair that is none is refused with 6A80.",
)
AUTHENTIC_DIGESTS: Final[Rule] = rule(
    "card.authentic-digests",
    Basis.INFERRED,
    f"{_AUTHENTIC}: they send bare digests for SHA1-RSA-PKCS and SHA256-RSA-PKCS, and name no hash",
    "On AuthentIC, data of 20 or 32 bytes to be signed are digests of SHA-1 and SHA-256, which the card "
    "makes a DigestInfo of. With `bare` it pads them as they are.",
    choices=("completed", "bare"),
    default="completed",
)
rule(
    "card.authentic-production-data",
    Basis.OURS,
    f"place of the serial number: {_AUTHENTIC}",
    "On AuthentIC, the card production life cycle has the chip's serial number, and zeros for all else.",
)
rule(
    "card.authentic-application",
    Basis.INFERRED,
    "OpenSC, driver authentic, logs out by selecting the application",
    "On AuthentIC, SELECT by AID forgets every PIN's verification.",
)
rule(
    "card.authentic-issued",
    Basis.OURS,
    f"identifiers of files: {_AUTHENTIC}, which make neither DFs nor PINs",
    "An AuthentIC card is issued with PIN 1, which PUK 2 resets, the application's DF, its lists and a first "
    "key, by no command. PIN 1 creates files and objects, and writes the lists.",
)
rule(
    "card.awp-conditions",
    Basis.CLIENT,
    _AWP,
    "On AuthentIC V2, a condition is one byte: 00 always, FF never, 21 the user's PIN, 22 the one for single "
    "use, 24 the security officer's, and for the reset of a PIN the PUK. Others are refused with 6A80.",
)
rule(
    "card.awp-pins",
    Basis.INFERRED,
    f"{_AWP}: they say that the PUK's value is the security officer's PIN",
    "On AuthentIC V2, a DF has its own PIN 81 and perhaps a PUK 84; where it has none, the security "
    "officer's PIN 04 of the MF is meant. A PIN's reset takes a code of 16 bytes that came with the PIN, and "
    "the DF's condition for it as well.",
)
rule(
    "card.awp-keys",
    Basis.INFERRED,
    _AWP,
    "On AuthentIC V2, a key is behind a file: created with it, deleted with it, chosen by selecting it. What "
    "makes keys needs the DF's condition for it and the files' for update. Sizes are 512, 1024, 2048 bits.",
)
rule(
    "card.awp-deletion",
    Basis.INFERRED,
    f"{_AWP}: they meet the condition of the DF that a file is in, empty DFs before they delete them",
    "On AuthentIC V2, a file is deleted where the condition DELETE of its DF is met, and a DF where its own "
    "is met too and nothing is in it any more (6985).",
)
rule(
    "card.awp-records",
    Basis.OURS,
    f"creation gives a number of records, and no length: {_AWP}",
    "On AuthentIC V2, a file of records has room for as many as were asked for, of 255 bytes each. Its "
    "control parameters tell the longest record's length and the number of records that are there.",
)
rule(
    "card.awp-card-manager",
    Basis.OURS,
    f"{_AWP}: they select it first; GlobalPlatform is not emulated",
    "On AuthentIC V2, the card manager's AID is answered 9000 and the application stays selected, with no "
    "PIN verified.",
)
rule(
    "card.awp-issued",
    Basis.OURS,
    f"conditions of the MF: the profile of {_AWP}",
    "An AuthentIC V2 card is issued empty, for pkcs15-init to initialise: with the security officer's PIN, "
    "who creates and deletes files in the MF.",
)
