"""The encrypted PINs: PERSINFO functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from cardtwin.plan import Content, KeyAlgorithm, PinBlob, PinBlobError, persinfo
from cardtwin.ppa import readers
from cardtwin.ppa.errors import RejectedError
from cardtwin.ppa.vocabulary import function, procedure
from cardtwin.source import Note

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from cardtwin.ppa.line import Arguments
    from cardtwin.ppa.run import Run


@procedure("PERSINFO_PUT_PROFILENAME", "profile name")
def put_profile_name(run: Run, arguments: Arguments) -> None:
    """Note the profile's name."""
    run.once("PERSINFO_PUT_PROFILENAME", arguments.span)
    _not_encrypted_yet(run, arguments)
    run.persinfo.profile_name = arguments.required(0, readers.text)


@procedure("PERSINFO_PUT_SEC", "secret")
def put_sec(run: Run, arguments: Arguments) -> None:
    """Note a secret that is to be encrypted."""
    _not_encrypted_yet(run, arguments)
    run.persinfo.attempted = True
    name, secret = arguments.required(0, readers.secret)

    if name in run.persinfo.secrets:
        _, first = run.persinfo.secrets[name]
        run.reject(
            "duplicate-secret",
            f"{name.variable} is put a second time",
            arguments.span,
            remedy="leave one of them out",
            notes=(Note("the first one", first),),
        )

    run.persinfo.secrets[name] = (secret, arguments.span)


def _not_encrypted_yet(run: Run, arguments: Arguments) -> None:
    if (encrypted := run.persinfo.encrypted) is not None:
        run.reject(
            "order",
            f"{arguments.call.name.text} stands behind PERSINFO_ENCRYPT_SEC()",
            arguments.span,
            remedy="put it before that line",
            notes=(Note("PERSINFO_ENCRYPT_SEC()", encrypted),),
        )


@procedure("PERSINFO_ENCRYPT_SEC")
def encrypt_sec(run: Run, arguments: Arguments) -> None:
    """Encrypt what has been put, to the PIN encryption certificate."""
    run.once("PERSINFO_ENCRYPT_SEC()", arguments.span)
    run.persinfo.encrypted = arguments.span
    certificate = _certificate(run, arguments)

    if not run.persinfo.secrets:
        if run.persinfo.attempted:
            raise RejectedError

        run.reject(
            "nothing-to-encrypt",
            "no secret has been put before this line",
            arguments.span,
            remedy="put one first, for example PERSINFO_PUT_SEC(SEC_PIN1)",
        )

    secrets = tuple((name, secret) for name, (secret, _) in run.persinfo.secrets.items())
    blob = PinBlob(secrets, run.persinfo.profile_name)

    try:
        run.persinfo.blob = run.environment.codec.encrypt(blob, certificate, run.environment.entropy)
    except PinBlobError as error:
        run.reject(
            "certificate", str(error), arguments.span, remedy="configure another PIN encryption certificate"
        )


def _certificate(run: Run, arguments: Arguments) -> Certificate:
    certificate = run.environment.certificate

    if certificate is None:
        run.reject(
            "no-certificate",
            "there is no PIN encryption certificate to encrypt to",
            arguments.span,
            remedy="name one in iD2ppa.cfg: [PIN Encryption] File=...",
        )

    if not isinstance(certificate.public_key(), RSAPublicKey):
        run.reject(
            "certificate",
            "the PIN encryption certificate has no RSA key",
            arguments.span,
            remedy="configure a certificate with an RSA key",
        )

    return certificate


@function("PERSINFO_SEC")
def sec(run: Run, arguments: Arguments) -> bytes:
    """Give the encrypted PINs."""
    if run.persinfo.encrypted is None:
        run.reject(
            "order",
            "nothing has been encrypted yet",
            arguments.span,
            remedy="call PERSINFO_ENCRYPT_SEC() before this line",
        )

    if run.persinfo.blob is None:
        raise RejectedError

    return run.persinfo.blob


@function("PERSINFO_PUT_PUBRSA_AND_SEC")
def put_pubrsa_and_sec(run: Run, arguments: Arguments) -> Content:
    """Give the encrypted PINs together with the public halves of the RSA keys that the profile makes."""
    blob = sec(run, arguments)
    keys = [key.plan for key in run.objects.keys.values()]
    names = [key.name for key in keys if key.algorithm is KeyAlgorithm.RSA and key.generate]

    if not names:
        run.reject(
            "no-public-keys",
            "the profile makes no RSA key whose public half could stand beside the encrypted PINs",
            arguments.span,
            remedy="make one with X_Key, or use PERSINFO_SEC()",
        )

    return persinfo.content(blob, names)
