"""Decisions about encoding descriptions."""

from __future__ import annotations

from cardtwin.provenance.rules import Basis, rule

__all__ = [
    "ALL_TOKENS",
    "APPLICATION_LIST",
    "BLOCK_CARD",
    "BLOCK_ORDER",
    "CERTIFICATES_WRITTEN",
    "CERT_KEY_LIST",
    "CLEAR_FIELDS",
    "DELETE_AND_INIT",
    "DELETE_LOGIN",
    "DEVICE_8710",
    "EJECT",
    "EMPTY_VALUE",
    "ERROR_FRAME",
    "ICCSN_FORM",
    "LIBRARY_CHOICE",
    "LIBRARY_PATHS",
    "MESSAGING_SERVER",
    "MINIDRIVER",
    "NO_BLOB",
    "OUTPUTS_AFTER_ERROR",
    "P10",
    "P12",
    "POST_PROCESSOR",
    "READ_WRITE_FLAGS",
    "SECRET_NAMES",
    "SERIAL_LOGIN",
    "SERIAL_SOURCE",
    "SET_PIN",
    "SO_LOGIN",
    "SUCCESS_VALUE",
]

SECRET_NAMES = rule(
    "encoding.secret-names",
    Basis.INFERRED,
    "ENC-07",
    "PIN, SignPIN (PIN2), InitialPUK and Operator_PIN reach the profile as SEC_PIN1, SEC_PIN2, SEC_PUK "
    "and SEC_OP. That they reach it as SEC_ variables is stated, which as which is not.",
)

DEVICE_8710 = rule(
    "encoding.device-8710",
    Basis.INFERRED,
    "BLOB-12, MW-13",
    "Devices=8710 is JPKIEncoder, 8711 is Smart ID Desktop App. That JPKIEncoder does not decrypt PINs is "
    "stated, which number it has follows from the titles of templates; `warn` lets such an encoding run.",
    choices=("refuse", "warn"),
    default="refuse",
)

SO_LOGIN = rule(
    "encoding.so-login",
    Basis.INFERRED,
    "ENC-30, ENC-31",
    "After initialisation Identity Manager logs in once as security officer, with the credential that "
    "OperatorPinIsSOCredential names, if the token has a security officer at all. When it really does so "
    "is not public; `never` leaves the login out.",
    choices=("after-init", "never"),
    default="after-init",
)

BLOCK_ORDER = rule(
    "encoding.block-order",
    Basis.INFERRED,
    "BLOB-07",
    "An encoding runs in blocks: initialisation with the card serial number, PINs, applications, "
    "finalisation (ICCSN and ATR, then the encrypted PINs). Only the last block's name and contents are "
    "stated.",
)

DELETE_LOGIN = rule(
    "encoding.delete-login",
    Basis.INFERRED,
    "DEL-04",
    "The highest credential before DeleteProfile is the PUK (PUK or InitialPUK), presented as security "
    "officer, before the PIN, presented as user. If that login fails, nothing is deleted.",
)

DELETE_AND_INIT = rule(
    "encoding.delete-and-init",
    Basis.OURS,
    "DEL-01, ENC-03",
    "DeleteProfile and InitToken in one description are refused: which comes first is not public.",
)

EMPTY_VALUE = rule(
    "encoding.empty-value",
    Basis.OURS,
    "DEL-04, ENC-03",
    "A field whose value is empty counts as not given, for optional keywords.",
)

READ_WRITE_FLAGS = rule(
    "encoding.read-write-flags",
    Basis.INFERRED,
    "BLOB-06, BLOB-14",
    "A field's Read flag lets what was read from the card into its target, the Write flag lets the "
    "target's value into the encoding. Stated for encrypted PINs, taken to hold for every field.",
)

CLEAR_FIELDS = rule(
    "encoding.clear-fields",
    Basis.OURS,
    "ENC-01",
    "The targets of ClearFields are emptied after success and after failure, not after a refusal.",
)

SUCCESS_VALUE = rule(
    "encoding.success-value",
    Basis.OURS,
    "BLOB-10",
    "Meta_ProductionResult is `success` where nothing failed; only `error` is stated. "
    "ProductionResultErrorMsg is then gone.",
)

ERROR_FRAME = rule(
    "encoding.error-frame",
    Basis.OURS,
    "BLOB-10",
    "Failures other than a missing decryption key are told in the same frame, 'Error Accessing Smartcard "
    "( (PkiUtilsException): ...)', with cardtwin's own words in it.",
)

OUTPUTS_AFTER_ERROR = rule(
    "encoding.outputs-after-error",
    Basis.OURS,
    "BLOB-10",
    "An encoding that fails stores none of its outputs, the ICCSN included.",
)

NO_BLOB = rule(
    "encoding.no-blob",
    Basis.INFERRED,
    "BLOB-11",
    "A card without encrypted PINs gives no values, and the encoding succeeds. A blob of an unknown "
    "format counts as none.",
)

ICCSN_FORM = rule(
    "encoding.iccsn-form",
    Basis.INFERRED,
    "ENC-17, ENC-28",
    "The chip's serial number is written as upper-case hexadecimal, a number that overrides it as it was "
    "given; with UseICCSNwithATR the ATR follows after a hyphen, in hexadecimal, as the documentation's "
    "example shows. Criteria compare without regard to case.",
)

LIBRARY_CHOICE = rule(
    "encoding.library-choice",
    Basis.INFERRED,
    "ENC-02",
    "Where several are named, PKCS11LibraryWindows32 is loaded, else PKCS11Library, else "
    "PKCS11LibraryWindows64.",
)

LIBRARY_PATHS = rule(
    "encoding.library-paths",
    Basis.OURS,
    "MW-12, MW-14",
    "The library table: only personal.dll's path is stated. Version 5.17.0 and the paths of the 64-bit "
    "library and of other middlewares are cardtwin's; entries can be added and replaced.",
)

SET_PIN = rule(
    "encoding.set-pin",
    Basis.INFERRED,
    "Block and unblock card; Card initialization and credentials",
    "SetPIN means what stands beside it: with InitToken the profile sets the PIN and nothing more is done; "
    "with InitialPUK the PUK sets it; with dialog 3 the user changes it; PUK is the new PUK, written last. "
    "SignPIN and SignPUK are taken to do the same for the signature PIN. Combinations that say two things "
    "are refused.",
)

SERIAL_LOGIN = rule(
    "encoding.serial-login",
    Basis.INFERRED,
    "ENC-15",
    "CMSCardSerialNumber is written as security officer, by the credential that OperatorPinIsSOCredential "
    "names, where token and encoding have one; else without a login, and the card decides. That the "
    "administrative login is usually needed is stated.",
)

ALL_TOKENS = rule(
    "encoding.all-tokens",
    Basis.STATED,
    "ENC-20; Reader, card selection and information",
    "RetrieveAllTokens reads the ICCSNs of all cards, separated by commas, fails where there is no token, "
    "and skips all else. That cards which nobody knows are passed over is ours.",
)

APPLICATION_LIST = rule(
    "encoding.application-list",
    Basis.INFERRED,
    "ENC-24; Use signature slot",
    "ApplicationList and the field of ApplicationListField name applications by letters, in the order in "
    "which they run. That names can be separated by commas, that an empty list runs none, and that without "
    "a list all run by their names, is ours.",
)

P10 = rule(
    "encoding.p10",
    Basis.INFERRED,
    "ENC-22, ENC-25",
    "An application with CertTempl, and without a flag that gets the certificate otherwise, is a P10 "
    "request: the pair that ObjectCriteria finds, or a new RSA pair on the card, of KeySize or 2048 bits, "
    "where there are no criteria, or where they find none and KeySize is there. The request's subject is the "
    "template's name with the card serial number as serialNumber, and it is signed with SHA-256; both are "
    "ours.",
)

P12 = rule(
    "encoding.p12",
    Basis.INFERRED,
    "ENC-23",
    "WriteP12Data writes the PKCS#12 file that the field of Certificate holds, opened by P12PASSWORD. With "
    "KeyArchivalRequest an empty field is filled first, by a key that the authority makes and archives. "
    "Which of the two fills the field in the vendor's system is not public. Certificates of authorities in "
    "the file are written too; a key that the card has already stays.",
)

CERTIFICATES_WRITTEN = rule(
    "encoding.certificates-written",
    Basis.OURS,
    "ENC-22, ENC-23",
    "A certificate that is written takes the CKA_ID of its key on the token, and the place of the one that "
    "had it before. An application that fails takes back the objects that it has made.",
)

CERT_KEY_LIST = rule(
    "encoding.cert-key-list",
    Basis.INFERRED,
    "Certificates and keys",
    "Without CertKeyListMode every pair has to be written; WRITE_ANY_BUT_MANDATORILY_THE_FIRST, the only "
    "mode that is public, means what it says. CertKeyListReturnField gets the pairs that were written, with "
    "empty keys, which is ours.",
)

BLOCK_CARD = rule(
    "encoding.block-card",
    Basis.INFERRED,
    "Block and unblock card",
    "BlockCard blocks the PIN of the application's slot by wrong values, when all applications are done. "
    "That it is blocked right after personalisation is stated, how is not.",
)

SERIAL_SOURCE = rule(
    "encoding.serial-source",
    Basis.INFERRED,
    "ENC-14",
    "A card serial number that is needed and whose field is empty comes from the authority, once for all "
    "uses of the field. It stands in certificates as the subject's serialNumber, which is ours.",
)

POST_PROCESSOR = rule(
    "encoding.post-processor",
    Basis.INFERRED,
    "ENC-16",
    "After an encoding with InitToken and CMSCardSerialNumber that has succeeded, the secrets of its "
    "keywords are told under that number. That InitToken sets it off is stated, and that the number names "
    "the token; when it runs is not.",
)

EJECT = rule(
    "encoding.eject",
    Basis.INFERRED,
    "Structure of an encoding description",
    "At the end of an encoding, be it a failed one, a reader that can throws the card out, unless "
    "SkipEject=true keeps it in. Only the keyword is public. After a refusal and after RetrieveAllTokens no "
    "card is thrown out, which is ours; `stay` never throws one out.",
    choices=("eject", "stay"),
    default="eject",
)

MESSAGING_SERVER = rule(
    "encoding.messaging-server",
    Basis.INFERRED,
    "Structure of an encoding description",
    "MessagingServerField names the messaging server that leads to Smart ID Desktop App. Where one is named "
    "that cannot be reached, the encoding fails and no card gets a command. Only the keyword is public.",
)

MINIDRIVER = rule(
    "encoding.minidriver",
    Basis.OURS,
    "Structure of an encoding description",
    "MiniDriverLibrary names a minidriver in the place of a PKCS#11 library; known is the one that Windows "
    "has for cards of the Generic Identity Device Specification. An encoding by it reads the card's "
    "identifier as ICCSN and sets, changes and unblocks the PIN; InitialPUK and PUK are the admin key, in "
    "hexadecimal. Only the keyword is public, and that support is limited.",
)
