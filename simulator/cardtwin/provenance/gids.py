"""Decisions about cards of the Generic Identity Device Specification: Microsoft's virtual smart card."""

from __future__ import annotations

from typing import Final

from cardtwin.provenance.rules import Basis, rule

__all__: list[str] = []

_ISO: Final = "ISO/IEC 7816-4:2020"
_APPLET: Final = "GidsApplet, an applet for Java Card, and its tests"
_OPENSC: Final = "OpenSC 0.23, driver gids"

rule(
    "gids.status-words",
    Basis.CLIENT,
    f"{_APPLET}; what Microsoft's own card answers isn't published",
    "On a virtual smart card, data that a command can't read are answered 6984, a data object that isn't "
    "there 6A88, a file that isn't there 6A82, a file that isn't activated 6985, and GENERAL AUTHENTICATE "
    "before the application is activated 6986.",
)
rule(
    "gids.initialisation",
    Basis.CLIENT,
    f"{_APPLET}; {_OPENSC}",
    "A virtual smart card is delivered without files, PIN and admin key. Until ACTIVATE FILE of the "
    "application every condition but never counts as met, CHANGE REFERENCE DATA sets the first PIN, and "
    "nothing can be signed in. From then on files are created with the PIN or the admin key.",
)
rule(
    "gids.conditions",
    Basis.INFERRED,
    f"{_ISO}, 9.3.3; {_APPLET}",
    "On a virtual smart card, a security condition byte 1n asks for the PIN, 2n for the admin key, 3n for "
    "either (shown as objects 10, 20 and 30). With bit 80 all of them are asked for: B0, and what needs the "
    "antenna or secure messaging, is never met. What an access mode byte doesn't name is always allowed, but "
    "deletion of a file: that needs PIN or admin key, and the admin key's file stays.",
)
rule(
    "gids.pin",
    Basis.INFERRED,
    "documentation of tpmvscmgr: a PIN has 4 to 127 characters; tries: GidsApplet, since how a TPM counts "
    "them is its maker's",
    "The PIN of a virtual smart card has 4 to 127 bytes, is presented as it is, and has three tries. Another "
    "length costs none. In CHANGE REFERENCE DATA the old PIN ends where the stored one is long, and "
    "the new one counts as verified.",
)
rule(
    "gids.pin-state",
    Basis.CLIENT,
    _APPLET,
    "On a virtual smart card, VERIFY without data tells the tries left, whether or not the PIN is verified. "
    "There is no PUK: GET DATA 7F73 is answered 6A88.",
)
rule(
    "gids.admin-key",
    Basis.INFERRED,
    f"{_APPLET}; {_OPENSC}",
    "The admin key of a virtual smart card is 24 bytes of triple DES, and is proved by an encrypted "
    "challenge of 8 bytes or in mutual authentication. A wrong response is answered 6982 and costs no try. "
    "The check value beside a new key isn't looked at: OpenSC sends that of one key with every key. The "
    "shares of a session key come to nothing: there is no secure messaging.",
)
rule(
    "gids.selection",
    Basis.INFERRED,
    "GidsApplet: an applet is deselected by any selection of an applet",
    "On a virtual smart card, SELECT by AID forgets that PIN and admin key were verified; so does VERIFY "
    "with P2=82. A reset selects the application.",
)
rule(
    "gids.keys",
    Basis.INFERRED,
    f"{_OPENSC}; {_APPLET}; keys of TPMs",
    "A virtual smart card has RSA keys of 1024 and 2048 bits in files B081 and up. Key and padding are "
    "chosen among the uses that the key's file was created with; each use needs the key's condition anew. A "
    "cryptogram has no padding indicator before it. OAEP is with SHA-1.",
)
rule(
    "gids.data-objects",
    Basis.CLIENT,
    _APPLET,
    "On a virtual smart card, PUT DATA of an empty data object empties the one of its tag, or makes an empty "
    "one; in the place of an empty one it deletes.",
)
rule(
    "gids.card-data",
    Basis.OURS,
    f"form: {_APPLET}",
    "GET DATA 2F01 of a virtual smart card tells GidsApplet's card services and capabilities, and a name of "
    "ours in tag 46.",
)
