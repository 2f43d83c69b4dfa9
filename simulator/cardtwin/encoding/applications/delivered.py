"""Keys and certificates that come from elsewhere: P12, WriteCertificate, WriteCertKeyList."""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.serialization import Encoding

from cardtwin.encoding.applications.formats import (
    Delivered,
    encode,
    read_certificate,
    read_list,
    read_pkcs12,
)
from cardtwin.encoding.applications.objects import (
    identifier_of,
    taking_back,
    write_authorities,
    write_certificate,
    write_delivered,
)
from cardtwin.encoding.applications.registry import ApplicationRun, part
from cardtwin.encoding.applications.requests import DEFAULT_KEY_SIZE
from cardtwin.encoding.errors import ApplicationError, AuthorityError, FunctionFailedError
from cardtwin.encoding.values import FieldRef
from cardtwin.plan import Secret

__all__ = ["ANY_BUT_THE_FIRST"]

ANY_BUT_THE_FIRST: Final = "WRITE_ANY_BUT_MANDATORILY_THE_FIRST"
"""The mode of CertKeyListMode in which all pairs but the first may fail."""


@part("KeyArchivalRequest", lambda application: application.settings.flag("KeyArchivalRequest"))
def _request(run: ApplicationRun) -> None:
    """Have a key made and archived, where the field has no PKCS#12 file yet."""
    setting = run.setting("Certificate")
    assert setting is not None
    assert isinstance(setting.value, FieldRef)

    if run.run.value_of(setting):
        return

    authority = run.run.server.authority

    if authority is None:
        raise AuthorityError("no certificate authority is there to make and archive a key")

    bits = int(run.text("KeySize") or DEFAULT_KEY_SIZE)
    content = authority.issue_archived(run.text("CertTempl"), run.serial, _password(run), bits)
    run.run.fields[setting.value.name] = encode(content)


def _password(run: ApplicationRun) -> Secret:
    setting = run.setting("P12PASSWORD")
    return Secret(b"") if setting is None else run.run.job.secret(setting.value)


@part("WriteP12Data", lambda application: application.settings.flag("WriteP12Data"))
def _write_p12(run: ApplicationRun) -> None:
    setting = run.setting("Certificate")
    assert setting is not None

    try:
        delivered = read_pkcs12(run.run.value_of(setting), _password(run))
    except ValueError as error:
        raise ApplicationError(f"[Application_{run.application.name}] Certificate: {error}") from None

    with taking_back(run.session) as made:
        write_delivered(run.session, delivered, "", made)
        write_authorities(run.session, delivered.others, made)


@part("WriteCertificate", lambda application: application.settings.flag("WriteCertificate"))
def _write_certificate(run: ApplicationRun) -> None:
    delivered = read_certificate(run.text("Certificate"))
    session, certificate = run.session, delivered.certificate

    with taking_back(session) as made:
        write_certificate(session, certificate, "", made, identifier=identifier_of(session, certificate))


@part("WriteCertKeyList", lambda application: application.settings.flag("WriteCertKeyList"))
def _write_list(run: ApplicationRun) -> None:
    pairs = read_list(run.text("CertKeyList"))
    tolerant = run.text("CertKeyListMode").upper() == ANY_BUT_THE_FIRST
    written: list[Delivered] = []

    with taking_back(run.session) as made:
        for number, pair in enumerate(pairs):
            if _written(run, pair, made, must=not tolerant or number == 0):
                written.append(pair)

    setting = run.setting("CertKeyListReturnField")

    if setting is not None and isinstance(setting.value, FieldRef):
        run.run.fields[setting.value.name] = "".join(f"{_text(pair)},;" for pair in written)


def _written(run: ApplicationRun, pair: Delivered, made: list[int], *, must: bool) -> bool:
    """Write a pair and tell whether it is on the card."""
    try:
        with taking_back(run.session) as objects:
            write_delivered(run.session, pair, "", objects)
    except FunctionFailedError:
        if must:
            raise

        return False

    made += objects
    return True


def _text(pair: Delivered) -> str:
    return encode(pair.certificate.public_bytes(Encoding.DER))
