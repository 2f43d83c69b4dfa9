"""Digital Access and other people's programs: TLS with the card, signatures, revocation."""

from __future__ import annotations

import re
import ssl
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from cardtwin.cryptoki.constants import Cka, Ckc, Cko
from cardtwin.cryptoki.values import Attribute
from cardtwin.login import (
    Algorithm,
    HttpRevocationSource,
    LoginRefusedError,
    Refusal,
    Response,
    UnreachableError,
)
from cardtwin.targets.access import HolderTemplate, certify_holder
from support.access import CURVE_KEY, MAIL, METHOD, USER, World
from support.interop import TIMEOUT
from support.programs import Desk, encoded
from support.rig import SIGNING, opened_rig
from support.signers import Signer
from support.tls import ENGINE, greeting, key_on_card, openssl, visit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

    from support.rig import Rig

LISTS = """[ca]
default_ca = issuing
[issuing]
database = index.txt
default_md = sha256
default_crl_days = 1
"""


def pem(*certificates: x509.Certificate) -> str:
    return "".join(certificate.public_bytes(Encoding.PEM).decode() for certificate in certificates)


@dataclass
class Meeting:
    """A card with a user's certificate, OpenSSL's programs with it, and Digital Access."""

    rig: Rig
    world: World
    certificate: x509.Certificate

    def __post_init__(self) -> None:
        self.rig.write("root.pem", pem(self.world.company.root))
        self.rig.write("issuing.pem", pem(self.world.company.issuing))
        self.rig.write("both.pem", pem(self.world.company.issuing, self.world.company.root))
        self.rig.write("holder.pem", pem(self.certificate))
        self.rig.write("issuing.key", _key_text(self.world.company.ca().key))

    def openssl(self, *arguments: str, told: str = "", succeeds: bool = True) -> str:
        return openssl(self.rig, *arguments, told=told, succeeds=succeeds)

    @property
    def key(self) -> str:
        """The key on the card, with its PIN, as the engine calls it."""
        return key_on_card(self.rig.token(), SIGNING, "1234")


def _key_text(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@contextmanager
def opened(folder: Path, model: str, authority: str = "Company", mail: str = MAIL) -> Iterator[Meeting]:
    """Open a bench whose card has a certificate of an authority."""
    world = World(now=datetime.now(UTC).replace(microsecond=0))
    desk = Desk(model, image=encoded(model, ""))
    signer = Signer(desk)
    template = HolderTemplate("Anna", (mail,))
    certificate = certify_holder(world.site.authority(authority), signer.rsa, template)
    written = (
        Attribute.of(Cka.CKA_CLASS, int(Cko.CKO_CERTIFICATE)),
        Attribute.of(Cka.CKA_CERTIFICATE_TYPE, int(Ckc.CKC_X_509)),
        Attribute.of(Cka.CKA_TOKEN, value=True),
        Attribute(Cka.CKA_VALUE, certificate.public_bytes(Encoding.DER)),
    )
    signer.program("C_CreateObject", signer.session, written)
    signer.program.close()

    with opened_rig(folder, model, image=desk.card.image) as rig:
        yield Meeting(rig, world, certificate)


@pytest.fixture(params=["cardos-4.4", "cardos-5.3"])
def meeting(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Meeting]:
    with opened(tmp_path, request.param) as meeting:
        yield meeting


@pytest.fixture
def lone(tmp_path: Path) -> Iterator[Meeting]:
    with opened(tmp_path, "cardos-5.3") as meeting:
        yield meeting


# TLS


def visited(meeting: Meeting, version: str, *certificate: str) -> tuple[str, bytes]:
    """Return what s_client gets from a server that asks Digital Access, and the certificate it proved."""
    own = meeting.world.certify(HolderTemplate("localhost"), key=CURVE_KEY)
    meeting.rig.write("server.pem", pem(own, meeting.world.company.issuing))
    meeting.rig.write("server.key", _key_text(CURVE_KEY))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(meeting.rig.folder / "server.pem", meeting.rig.folder / "server.key")
    context.verify_mode = ssl.CERT_REQUIRED
    other = meeting.world.site.authority("Other")
    context.load_verify_locations(
        cadata=pem(meeting.world.company.root, meeting.world.company.issuing, other.root, other.issuing)
    )
    greet = partial(greeting, meeting.world.access, METHOD)
    return visit(meeting.rig, context, greet, f"-{version}", "-CAfile", "root.pem", *certificate)


def with_card(meeting: Meeting) -> tuple[str, ...]:
    return (*ENGINE, "-key", meeting.key, "-cert", "holder.pem")


@pytest.mark.parametrize("version", ["tls1_2", "tls1_3"])
def test_the_card_logs_its_user_in_at_a_tls_server(meeting: Meeting, version: str) -> None:
    page, presented = visited(meeting, version, *with_card(meeting))
    assert f"Hello {USER}" in page
    assert presented == meeting.certificate.public_bytes(Encoding.DER)


def test_the_tls_server_lets_nobody_in_without_a_certificate(lone: Meeting) -> None:
    with pytest.raises(ssl.SSLError) as refused:
        visited(lone, "tls1_2")

    assert refused.value.reason == "PEER_DID_NOT_RETURN_A_CERTIFICATE"


def test_a_card_of_another_authority_gets_through_tls_and_is_no_user(tmp_path: Path) -> None:
    with opened(tmp_path, "cardos-5.3", authority="Other") as meeting:
        page, _ = visited(meeting, "tls1_3", *with_card(meeting))

    assert "No: UNTRUSTED" in page


def test_a_card_of_nobody_gets_through_tls_and_is_no_user(tmp_path: Path) -> None:
    with opened(tmp_path, "cardos-5.3", mail="nobody@example.com") as meeting:
        page, _ = visited(meeting, "tls1_3", *with_card(meeting))

    assert "No: NO_SUCH_USER" in page


# Responses


@pytest.mark.parametrize(
    ("options", "algorithm"),
    [
        ((), Algorithm.RSA_PKCS1),
        (("-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"), Algorithm.RSA_PSS),
    ],
    ids=["PKCS1", "PSS"],
)
def test_a_response_that_openssl_has_the_card_sign_logs_in(
    meeting: Meeting, options: tuple[str, ...], algorithm: Algorithm
) -> None:
    challenge = meeting.world.access.begin(METHOD, USER)
    (meeting.rig.folder / "message").write_bytes(challenge.message)
    sign = ("dgst", "-sha256", *ENGINE, "-sign", meeting.key, *options)
    meeting.openssl(*sign, "-out", "signature", "message")
    signature = (meeting.rig.folder / "signature").read_bytes()
    certificate = meeting.certificate.public_bytes(Encoding.DER)
    login = meeting.world.access.finish(Response(challenge.id, algorithm, signature, certificate))
    assert login.user == USER


# What OpenSSL thinks of the authority


def test_openssl_finds_the_chain_and_the_lists_in_order(lone: Meeting) -> None:
    company = lone.world.company
    lists = [
        (lone.rig.folder / name, company.revocation.crl(issuer))
        for name, issuer in (("root.crl", company.root_name), ("issuing.crl", company.issuing_name))
    ]

    for path, content in lists:
        path.write_bytes(content)
        issuer = f"{path.stem}.pem"
        assert "verify OK" in lone.openssl(
            "crl", "-inform", "DER", "-in", path.name, "-CAfile", issuer, "-noout"
        )
        lone.openssl("crl", "-inform", "DER", "-in", path.name, "-out", f"{path.stem}.crl.pem")

    told = (lone.rig.folder / "root.crl.pem").read_text() + (lone.rig.folder / "issuing.crl.pem").read_text()
    lone.rig.write("lists.pem", told)
    verify = ("verify", "-x509_strict", "-CAfile", "root.pem", "-untrusted", "issuing.pem")
    crls = ("-crl_check_all", "-CRLfile", "lists.pem", "holder.pem")
    assert "holder.pem: OK" in lone.openssl(*verify, *crls)


def test_openssl_sees_the_revocation_in_the_list_and_in_the_answer(lone: Meeting) -> None:
    company = lone.world.company
    company.revocation.revoke(lone.certificate)
    (lone.rig.folder / "issuing.crl").write_bytes(company.revocation.crl())
    told = lone.openssl("crl", "-inform", "DER", "-in", "issuing.crl", "-noout", "-text")
    assert f"{lone.certificate.serial_number:X}" in told.replace(":", "")
    lone.openssl("ocsp", "-sha256", "-issuer", "issuing.pem", "-cert", "holder.pem", "-reqout", "question")
    answer = company.revocation.answer((lone.rig.folder / "question").read_bytes())
    (lone.rig.folder / "answer").write_bytes(answer)
    read = ("ocsp", "-respin", "answer", "-reqin", "question", "-no_nonce", "-CAfile", "both.pem")
    told = lone.openssl(*read, "-sha256", "-issuer", "issuing.pem", "-cert", "holder.pem")
    assert "Response verify OK" in told
    assert "holder.pem: revoked" in told


# OpenSSL's responder and lists, over HTTP


def index(meeting: Meeting, *, revoked: bool) -> None:
    """Write what OpenSSL's CA knows of the certificate."""
    end = f"{meeting.certificate.not_valid_after_utc:%y%m%d%H%M%SZ}"
    since = f"{meeting.world.now:%y%m%d%H%M%SZ}" if revoked else ""
    number = f"{meeting.certificate.serial_number:X}"
    number = number.zfill(len(number) + len(number) % 2)
    meeting.rig.write(
        "index.txt", f"{'R' if revoked else 'V'}\t{end}\t{since}\t{number}\tunknown\t/CN=Anna\n"
    )


def over_http(meeting: Meeting, monkeypatch: pytest.MonkeyPatch, *, crl: str = "", ocsp: str = "") -> None:
    """Let Digital Access ask at these addresses."""
    monkeypatch.setattr(meeting.world.access._revocation, "_source", HttpRevocationSource(TIMEOUT))
    meeting.world.trust(crls=(crl,) if crl else (), ocsp=ocsp)
    meeting.world.admin.publish()


def outcome(meeting: Meeting) -> str:
    try:
        certificate = meeting.certificate.public_bytes(Encoding.DER)
        return meeting.world.access.identify(METHOD, certificate).user
    except LoginRefusedError as error:
        return error.refusal.name


@pytest.mark.parametrize(("revoked", "expected"), [(False, USER), (True, "REVOKED")])
def test_openssls_responder_is_asked_and_believed(
    lone: Meeting, monkeypatch: pytest.MonkeyPatch, revoked: bool, expected: str
) -> None:
    index(lone, revoked=revoked)
    own = ("-rsigner", "issuing.pem", "-rkey", "issuing.key", "-CA", "issuing.pem", "-index", "index.txt")
    responder = lone.rig.start("openssl", "ocsp", "-port", "0", *own, "-nrequest", "1", "-ndays", "1")

    with responder:
        try:
            assert responder.stdout is not None
            found = (re.search(r"ACCEPT .*:(\d+)", line) for line in responder.stdout)
            port = next((match[1] for match in found if match), "")
            assert port, "the responder has ended"
            over_http(lone, monkeypatch, ocsp=f"http://127.0.0.1:{port}")
            assert outcome(lone) == expected
        finally:
            responder.kill()


@contextmanager
def web(answer: Callable[[str], bytes | None]) -> Iterator[str]:
    """Serve files over HTTP; return the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = answer(self.path)
            self.send_response(404 if content is None else 200)
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base's
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()

        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(("revoked", "expected"), [(False, USER), (True, "REVOKED")])
def test_a_list_that_openssl_has_made_is_fetched_and_believed(
    lone: Meeting, monkeypatch: pytest.MonkeyPatch, revoked: bool, expected: str
) -> None:
    index(lone, revoked=revoked)
    lone.rig.write("ca.cnf", LISTS)
    own = ("-keyfile", "issuing.key", "-cert", "issuing.pem")
    told = lone.rig.run("openssl", "ca", "-config", "ca.cnf", "-gencrl", *own, "-out", "crl.pem")
    assert "error" not in told
    lone.openssl("crl", "-in", "crl.pem", "-outform", "DER", "-out", "crl.der")
    files = {"/crl": (lone.rig.folder / "crl.der").read_bytes()}

    with web(files.get) as address:
        over_http(lone, monkeypatch, crl=f"{address}/crl")
        assert outcome(lone) == expected
        over_http(lone, monkeypatch, crl=f"{address}/nothing")
        assert outcome(lone) == Refusal.REVOCATION_UNKNOWN.name


@pytest.mark.parametrize(
    "address", ["https://localhost/crl", "file:///etc/hosts", "http://127.0.0.1:1/", "nonsense"]
)
def test_what_cannot_be_fetched_is_told(address: str) -> None:
    with pytest.raises(UnreachableError, match=re.escape(address)):
        HttpRevocationSource(TIMEOUT).crl(address)


def test_what_is_too_large_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cardtwin.login.http._LARGEST", 100)

    with web({"/large": bytes(101), "/fits": bytes(100)}.get) as address:
        assert HttpRevocationSource(TIMEOUT).crl(f"{address}/fits") == bytes(100)

        with pytest.raises(UnreachableError, match="more than 100 bytes"):
            HttpRevocationSource(TIMEOUT).crl(f"{address}/large")
