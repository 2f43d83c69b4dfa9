"""Why an authentication ends without a login."""

from __future__ import annotations

from enum import Enum

__all__ = ["Refusal"]


class Refusal(Enum):
    """Why an authentication ends without a login; the value is a sentence without secrets."""

    UNKNOWN_CHALLENGE = "the response belongs to no challenge"
    CHALLENGE_USED = "the challenge was answered already"
    CHALLENGE_EXPIRED = "the challenge was answered too late"
    METHOD_GONE = "the authentication method is not published any more"
    NO_CERTIFICATE = "the method asks for a certificate, and the response has none"
    BROKEN_CERTIFICATE = "the certificate cannot be read"
    WRONG_SIGNATURE = "the signature is not the key's over the challenge"
    UNSUITABLE_KEY = "the certificate's key is not meant for signatures"
    OUTSIDE_VALIDITY = "the certificate is not valid now"
    UNTRUSTED = "the certificate does not lead to the selected certificate authority"
    REVOKED = "the certificate is revoked"
    REVOCATION_UNKNOWN = "it cannot be told whether the certificate is revoked"
    NO_CERTIFICATE_ATTRIBUTE = "the certificate has no value for the certificate attribute"
    NO_SUCH_USER = "no user account belongs to what was presented"
    AMBIGUOUS_USER = "several user accounts belong to what was presented"
    OTHER_USER = "what was presented belongs to another user account"
    PERSONAL_NOT_ENABLED = "Personal is not enabled for the user account"
    WRONG_DEVICE = "the method does not go with the device that the response comes from"
