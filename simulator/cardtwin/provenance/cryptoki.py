"""Decisions about the PKCS#11 functions."""

from __future__ import annotations

from typing import Final

from cardtwin.provenance.rules import Basis, rule

__all__ = [
    "CACHE_MOMENTS",
    "CERTIFICATE_PLACES",
    "COUNT_LOW",
    "KEPT_PIN",
    "KEY_ROOMS",
    "LIBRARY_NAME",
    "LOGGED_CALLS",
    "LOGIN_LOST",
    "LOGIN_SCOPE",
    "LOGOUT_AFTER_SIGN",
    "LOGOUT_OF_TWO",
    "ONE_KEY_PER_ID",
    "PROTECTED_PATH",
    "SESSION_KEYS",
    "SESSION_OBJECTS",
    "SIGNATURE_SLOT",
    "SIGN_AFTER_LOGOUT",
    "TOKEN_OBJECTS",
    "TRANSACTION_END",
]

LIBRARY_NAME: Final = rule(
    "cryptoki.library-name",
    Basis.OURS,
    "the description that was measured is the vendor's: Personal NG PKCS 11",
    "C_GetInfo describes the library as cardtwin's, unless a program under test looks for the vendor's text.",
    choices=("cardtwin PKCS 11", "Personal NG PKCS 11"),
    default="cardtwin PKCS 11",
)

SIGNATURE_SLOT: Final = rule(
    "cryptoki.signature-slot",
    Basis.OURS,
    "another vendor's client shows PINs as tokens; ENC-08",
    "A reader has a slot for the main PIN, with an odd number from 1 on, and the next one for the "
    "signature PIN once a card with one has been seen in it. The latter shows the keys that the signature "
    "PIN guards, with their certificates and public keys; its token's label is the main one's with the "
    "PIN's in brackets, and its SO credential is the PUK of that PIN.",
)

LOGGED_CALLS: Final = rule(
    "cryptoki.logged-calls",
    Basis.OURS,
    "no key of Personal.cfg for the amount of logging is public",
    "personal.log tells of calls that fail, with the reason, of those that change a login or the token, and "
    "of a login's end. With `all`, it tells of every call. The form of a line is ours.",
    choices=("notable", "all"),
    default="notable",
)

LOGIN_LOST: Final = rule(
    "cryptoki.login-lost",
    Basis.OURS,
    "NLI-03 to NLI-06, NLI-14",
    "Where the card has been reset, or refuses a private operation for want of a verified PIN, the "
    "program isn't logged in any more: that call and later ones end with CKR_USER_NOT_LOGGED_IN, and "
    "C_Login works again. The handles of private objects are good again then; those that the program itself "
    "has made invalid, by C_Logout or by P11_LogoutAfterSign, are not.",
)

LOGOUT_OF_TWO: Final = rule(
    "cryptoki.logout-of-two",
    Basis.OURS,
    "CardOS LOGOUT forgets all PINs",
    "C_Logout makes the card forget once the program is logged in to neither slot of the reader: the card "
    "cannot forget one PIN alone.",
)

CACHE_MOMENTS: Final = rule(
    "cryptoki.cache-moments",
    Basis.OURS,
    "MW-02",
    "Card content that is kept too long, or not at all (CacheValidity=0), is read anew by C_OpenSession, "
    "C_GetTokenInfo and C_FindObjectsInit, and after the program's own changes. A login has the program read "
    "what it could not read before, and its end forgets what was read since. Attributes are those that were "
    "read last.",
)

CERTIFICATE_PLACES: Final = rule(
    "cryptoki.certificate-places",
    Basis.OURS,
    "profiles name files for certificates before there are any",
    "A certificate goes into the file that a CDF entry with its CKA_ID names, or with that of the key with "
    "the same public half; the entry's label and identifier hold, whatever the template says of a label. A "
    "place that is taken has to be emptied first, which C_DestroyObject does: it fills the file with 00. A "
    "certificate that has no place, a private one and a copy get a file of their own, which goes with them.",
)

TOKEN_OBJECTS: Final = rule(
    "cryptoki.token-objects",
    Basis.OURS,
    "PKCS #15 v1.1, 6.1; what a client does by PKCS #11 on its cards is not public",
    "What the token's lists have no place for is refused: dates of keys, URLs, hashes, CKA_DESTROYABLE other "
    "than CKA_MODIFIABLE, private keys that are not private, not sensitive or extractable. CKA_SUBJECT of a "
    "key is what its template said, else its certificate's. Objects can be destroyed that are "
    "modifiable, and certificates with a file of their own. Of objects on the token, labels, identifiers, "
    "subjects of keys and what a data object holds can be changed. CKA_WRAP and CKA_UNWRAP are what the "
    "lists say of a key; that nothing is wrapped here, the mechanisms tell.",
)

ONE_KEY_PER_ID: Final = rule(
    "cryptoki.one-key-per-id",
    Basis.OURS,
    "PKCS #15 v1.1, 6.1.9: iD ties keys and certificates together",
    "A token has one private key and one public key of a CKA_ID; a second one is refused with "
    "CKR_TEMPLATE_INCONSISTENT. Where a template has none, it is the SHA-1 of the public key.",
)

KEY_ROOMS: Final = rule(
    "cryptoki.key-rooms",
    Basis.OURS,
    "X_Key generate=no",
    "A room for a key that the profile has made stays what it is for delivered keys: nothing on the "
    "card tells its number or its size. Keys that programs make or import are key objects of their own,"
    " with numbers that no other key has; a certificate with the room's CKA_ID goes into the place that"
    " the profile has for it.",
)

SESSION_KEYS: Final = rule(
    "cryptoki.session-keys",
    Basis.OURS,
    "PKCS #11 v2.40, 5.13; a card has no key that lives as long as a session",
    "Private keys with CKA_TOKEN=CK_FALSE are made, kept and used by the middleware, in the sizes of "
    "the card's own keys; the card sees nothing of them.",
)

COUNT_LOW: Final = rule(
    "cryptoki.count-low",
    Basis.OURS,
    "no card tells how many tries a PIN has at most",
    "CKF_USER_PIN_COUNT_LOW: the card tells less than 3 tries, or this program's last login failed; "
    "FINAL_TRY: the card tells 1; LOCKED: the card tells 0, or told so at the last login. Likewise for "
    "the SO.",
)

LOGIN_SCOPE: Final = rule(
    "cryptoki.login-scope",
    Basis.STATED,
    "PKCS #11 v2.40, 5.6; NLI-10",
    "A login holds for all sessions of the program with the token. Per session is a quirk.",
    choices=("token", "session"),
    default="token",
)

LOGOUT_AFTER_SIGN: Final = rule(
    "cryptoki.logout-after-sign",
    Basis.INFERRED,
    "MW-06",
    "P11_LogoutAfterSign=1 ends the program's login to the slot with each signature that was made: by C_Sign "
    "or C_SignFinal, with a private key. A length query, CKR_BUFFER_TOO_SMALL, a signature that failed, and "
    "deciphering don't. Afterwards C_FindObjects shows no private key, and C_SignInit and C_DecryptInit "
    "return CKR_USER_NOT_LOGGED_IN before they look at the handle.",
)

KEPT_PIN: Final = rule(
    "cryptoki.kept-pin",
    Basis.OURS,
    "the vendor's page on PIN caching, which says: per process and token; logged out after C_Login; each "
    "private operation logs in, and out again; forgotten with the last context",
    "With P11_EnableCachePIN=1 a kept PIN goes with the login: C_Logout, the last session, removal and "
    "P11_LogoutAfterSign forget it. C_SetPIN and unblocking by the program itself keep the new PIN. One that "
    "the card refuses costs a try, and ends the login: CKR_USER_NOT_LOGGED_IN. Files that cannot be read are "
    "read with it, too. CKU_CONTEXT_SPECIFIC is asked for all the same, where a key demands it.",
)

PROTECTED_PATH: Final = rule(
    "cryptoki.protected-path",
    Basis.OURS,
    "PKCS #11 v2.40, 5.5 and 5.6; whether the vendor's client uses PIN pads, its public pages don't say; "
    "OpenSC's return values",
    "In a reader whose PIN pad verifies and changes PINs, tokens have CKF_PROTECTED_AUTHENTICATION_PATH, and "
    "PINs that are NULL_PTR are entered there: all of C_SetPIN's or none; by C_InitPIN the new PIN, and the "
    "PUK again unless the SO has logged in with a typed one. Typed PINs work as ever. A cancelled entry and "
    "one that isn't made in time are CKR_FUNCTION_CANCELED, a repetition that differs is CKR_PIN_INVALID. "
    "Lengths are checked at the reader, and cost no try: CKR_PIN_INCORRECT for a login, else "
    "CKR_PIN_LEN_RANGE. P11_EnableCachePIN=1 cannot keep what is entered there: such a login lasts on the "
    "card, and a change at the reader ends one with a kept PIN. With `ignored`, PIN pads are.",
    choices=("used", "ignored"),
    default="used",
)

SESSION_OBJECTS: Final = rule(
    "cryptoki.session-objects",
    Basis.STATED,
    "PKCS #11 v2.40, 5.7; NLI-12",
    "Public session objects are created without a login. Demanding one is a quirk.",
    choices=("free", "login"),
    default="free",
)

SIGN_AFTER_LOGOUT: Final = rule(
    "cryptoki.logout",
    Basis.STATED,
    "PKCS #11 v2.40, 5.6; NLI-15",
    "C_Logout ends the login on the card, and private keys are of no use afterwards. With `kept`, a "
    "quirk, the card isn't told of the user's C_Logout, and handles of private keys go on working as far as "
    "the card lets them, until the last session is closed or somebody logs in. Other ends of a login are as "
    "ever.",
    choices=("ends", "kept"),
    default="ends",
)

TRANSACTION_END: Final = rule(
    "cryptoki.transaction-end",
    Basis.OURS,
    "NLI-05; OpenSC's setting transaction_end_action",
    "The program's PC/SC transactions, one for each call that needs the card, end with SCARD_LEAVE_CARD. "
    "With `reset`, a quirk, they end with SCARD_RESET_CARD, and the card forgets every login at the end of "
    "the call.",
    choices=("leave", "reset"),
    default="leave",
)
