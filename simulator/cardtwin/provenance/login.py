"""Decisions about Digital Access."""

from __future__ import annotations

from typing import Final

from cardtwin.provenance.rules import Basis, rule

__all__ = [
    "ATTRIBUTE_MATCHING",
    "ATTRIBUTE_NAMES",
    "CHALLENGE",
    "DISCRETION",
    "KEY_USAGE",
    "NO_CERTIFICATE",
    "OFFER",
    "OTHER_DEVICE",
    "PROFILE",
    "PROFILE_CERTIFICATE",
    "PUBLICATION",
    "REVOCATION",
    "REVOCATION_UNKNOWN",
    "SAME_DEVICE",
    "TLS",
    "TRUST",
]

CHALLENGE: Final = rule(
    "login.challenge",
    Basis.OURS,
    "DA-01",
    "A challenge is 32 random bytes, is answered once, within two minutes, and a wrong answer uses it "
    "up. What is signed is a header of ours, the server's name, the method, the user and those bytes, "
    "each with its length: a signature made for one server or method is worth nothing at another. The "
    "vendor's protocol is not public.",
)

OFFER: Final = rule(
    "login.offer",
    Basis.INFERRED,
    "DA-02",
    "Personal Desktop offers every certificate for which the token shows a private key. That those of "
    "every certificate authority are offered is stated.",
)

TRUST: Final = rule(
    "login.trust",
    Basis.OURS,
    "DA-01; RFC 5280, 6",
    "The selected certificate authority is trusted as it is, be it a root or an issuing CA. Chains are "
    "built by the library cryptography, whose rules for CA certificates are those of the web: RSA with "
    "2048 bits and more, the curves of NIST, SHA-256 and better.",
)

KEY_USAGE: Final = rule(
    "login.key-usage",
    Basis.INFERRED,
    "DA-01; RFC 5280, 4.2.1.3 and 4.2.1.12",
    "Where a certificate has a key usage, digitalSignature is in it; where it has extended key usages, "
    "clientAuth or anyExtendedKeyUsage is among them.",
)

REVOCATION: Final = rule(
    "login.revocation",
    Basis.OURS,
    "DA-01; RFC 5280, 6.3; RFC 6960",
    "Each certificate below the selected authority is looked up where the authority has a responder or "
    "lists: OCSP first, the lists where that tells nothing. Lists with a critical extension, deltas for "
    "one, are not used. An authority with neither has nothing revoked.",
)

REVOCATION_UNKNOWN: Final = rule(
    "login.revocation-unknown",
    Basis.OURS,
    "DA-01",
    "Where neither the responder nor a list tells whether a certificate is revoked, the login is refused.",
    choices=("refused", "accepted"),
    default="refused",
)

ATTRIBUTE_NAMES: Final = rule(
    "login.certificate-attributes",
    Basis.INFERRED,
    "DA-04",
    "subjectaltname-emailaddress is stated; the names of the other certificate attributes are made the "
    "same way. Names are compared without regard to case.",
)

ATTRIBUTE_MATCHING: Final = rule(
    "login.attribute-matching",
    Basis.INFERRED,
    "DA-04; RFC 4524, 2.16 (caseIgnoreIA5Match)",
    "The values of a user attribute and of a certificate attribute are compared without regard to case, "
    "as directories compare mail. A certificate that fits several accounts is refused.",
    choices=("ignore-case", "exact"),
    default="ignore-case",
)

NO_CERTIFICATE: Final = rule(
    "login.no-certificate-authority",
    Basis.OURS,
    "DA-01",
    "Without Personal Certificate Authentication no certificate is validated: the key has to be "
    "enrolled for the user account, by the administrator or by the activation of a profile. The source "
    "says only that validation against a CA is an option.",
)

DISCRETION: Final = rule(
    "login.discretion",
    Basis.OURS,
    "DA-05",
    "A challenge is given for every user name. That there is no such account, or that Personal is not "
    "enabled for it, shows in the refusal of a proven response only.",
)

PUBLICATION: Final = rule(
    "login.publication",
    Basis.OURS,
    "DA-03, DA-06, DA-08, DA-09",
    "A draft is published as a whole or not at all, and all its problems are told at once. That the two "
    "attributes are mandatory is stated; that Publish refuses a draft without them, and the other "
    "rules, are ours. What is asked for during a login is the configuration that is published at that "
    "moment.",
)

PROFILE: Final = rule(
    "login.activation-profile",
    Basis.OURS,
    "DA-07",
    "The QR code holds a URI of ours: the external address, the user, and a secret of 20 bytes that "
    "activates one phone, once, within seven days. A new profile takes the place of one that is not "
    "activated yet. The phone makes its own key, on the curve P-256, and proves it by a signature over "
    "the secret. A user account that is taken out takes its phones and profiles along: an account that "
    "gets its id later is another one.",
)

PROFILE_CERTIFICATE: Final = rule(
    "login.profile-certificate",
    Basis.OURS,
    "DA-03, DA-07",
    "Where a method for Personal Mobile validates certificates, the phone answers with one that a "
    "certificate authority has issued for its key at the activation.",
)

SAME_DEVICE: Final = rule(
    "login.same-device",
    Basis.INFERRED,
    "DA-06, DA-09",
    "On the same device the image is displayed for the seconds to wait; then the redirect text is "
    "shown, and Personal Mobile opens on that device and on no other. Enforced means that another "
    "device is refused.",
)

OTHER_DEVICE: Final = rule(
    "login.other-device",
    Basis.INFERRED,
    "DA-06",
    "On another device the image is a QR code, which Personal Mobile scans; there is no redirection. "
    "The device that shows the image cannot scan it.",
)

TLS: Final = rule(
    "login.tls",
    Basis.OURS,
    "DA-01, DA-04",
    "A certificate with which a TLS client has authenticated itself finds its user account by the same "
    "validation and the same mapping as a response.",
)
