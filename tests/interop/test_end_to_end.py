"""The scenario of one card and its two users, with OpenSSL at the card and above what came out of it."""

from __future__ import annotations

import ssl
from functools import partial
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from cardtwin.targets.access import HolderTemplate, certify_holder
from support.access import CURVE_KEY
from support.story import AGAIN, JOHN, MODELS, PINS, REFUSED, Scene, play
from support.tls import ENGINE, greeting, key_on_card, visit

if TYPE_CHECKING:
    from pathlib import Path

TOKEN, KEY = "cardtwin prepersonalised", "Digital Signature"
NUMBER = "10000"

TLS = {
    "cardos-5.3": ("-tls1_3",),
    "cardos-4.4": ("-tls1_2",),
    # A Cosmo pads by PKCS #1 v1.5 alone: it makes no PSS, which TLS 1.3 asks for.
    "cosmo-8.2": ("-tls1_2", "-sigalgs", "RSA+SHA256:ECDSA+SHA256"),
}


def pem(*certificates: x509.Certificate) -> str:
    return "".join(certificate.public_bytes(Encoding.PEM).decode() for certificate in certificates)


def off_the_card(scene: Scene, label: str = KEY) -> x509.Certificate:
    """Return a certificate as pkcs11-tool reads it from the card."""
    where = ("--module", scene.rig.library, "--token-label", TOKEN, "--type", "cert", "--label", label)
    scene.rig.run("pkcs11-tool", *where, "--read-object", "--output-file", "holder.der")
    return x509.load_der_x509_certificate((scene.rig.folder / "holder.der").read_bytes())


def server(scene: Scene) -> ssl.SSLContext:
    """Return a TLS server that trusts the CA of the token procedure."""
    site = scene.rig.bench.access.authority("Web")
    own = certify_holder(site, CURVE_KEY.public_key(), HolderTemplate("localhost"))
    key = CURVE_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    scene.rig.write("server.pem", pem(own, site.issuing))
    scene.rig.write("server.key", key)
    scene.rig.write("web.pem", pem(site.root))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(scene.rig.folder / "server.pem", scene.rig.folder / "server.key")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=pem(scene.authority.root, scene.authority.issuing))
    return context


def visited(scene: Scene, pin: str, *options: str) -> str:
    """Return the page that OpenSSL gets with the card at a server that asks Digital Access who it is."""
    holder = off_the_card(scene)
    scene.rig.write("holder.pem", pem(holder))
    greet = partial(greeting, scene.rig.bench.access.access, "Card")
    card = (*ENGINE, "-key", key_on_card(TOKEN, KEY, pin), "-cert", "holder.pem")
    page, presented = visit(scene.rig, server(scene), greet, *options, "-CAfile", "web.pem", *card)
    assert presented == holder.public_bytes(Encoding.DER)
    return page


@pytest.mark.parametrize("model", MODELS)
def test_the_card_logs_jane_in_by_tls_as_it_does_by_personal_desktop(tmp_path: Path, model: str) -> None:
    def act(scene: Scene) -> None:
        assert "Hello jane" in visited(scene, PINS[AGAIN], *TLS[model])

    play(tmp_path, model, AGAIN, act)


def test_a_revoked_card_gets_through_tls_and_is_nobody(tmp_path: Path) -> None:
    def act(scene: Scene) -> None:
        assert "No: REVOKED" in visited(scene, PINS[REFUSED])

    play(tmp_path, MODELS[0], REFUSED, act)


def test_the_card_s_next_user_is_john_by_tls_as_well(tmp_path: Path) -> None:
    def act(scene: Scene) -> None:
        assert "Hello john" in visited(scene, PINS[JOHN])

    play(tmp_path, MODELS[0], JOHN, act)


# What OpenSSL thinks of it all


def test_openssl_finds_everything_in_order_that_came_out_for_jane(tmp_path: Path) -> None:
    def act(scene: Scene) -> None:
        issued = scene.certificates(NUMBER)
        assert (off_the_card(scene), off_the_card(scene, "Jane")) == issued
        files(scene, *issued)
        requested(scene)
        delivered(scene)
        chained(scene)
        assert {status(scene, name) for name in HOLDERS} == {"good"}

    play(tmp_path, MODELS[0], AGAIN, act)


def test_openssl_sees_that_jane_s_certificates_are_revoked(tmp_path: Path) -> None:
    def act(scene: Scene) -> None:
        files(scene, *scene.certificates(NUMBER))
        told = scene.rig.run("openssl", "crl", "-in", "issuing.crl", "-noout", "-text")

        for name, certificate in zip(HOLDERS, scene.certificates(NUMBER), strict=True):
            assert f"{certificate.serial_number:X}" in told.replace(":", "")
            assert status(scene, name) == "revoked"
            assert "certificate revoked" in scene.rig.run("openssl", *VERIFY, name, succeeds=False)

    play(tmp_path, MODELS[0], REFUSED, act)


HOLDERS = ("login.pem", "encryption.pem")
CHAIN = ("-CAfile", "root.pem", "-untrusted", "issuing.pem")
VERIFY = ("verify", "-x509_strict", *CHAIN, "-crl_check_all", "-CRLfile", "lists.pem")


def files(scene: Scene, *holders: x509.Certificate) -> None:
    """Write certificates and lists, as they are now, into OpenSSL's folder."""
    authority, rig = scene.authority, scene.rig
    everything = dict(zip(HOLDERS, holders, strict=True))
    everything |= {"root.pem": authority.root, "issuing.pem": authority.issuing}

    for name, certificate in everything.items():
        rig.write(name, pem(certificate))

    for name, crl in (("root", authority.root_crl()), ("issuing", authority.crl())):
        (rig.folder / f"{name}.der").write_bytes(crl)
        told = rig.run(
            "openssl",
            *("crl", "-inform", "DER", "-in", f"{name}.der", "-CAfile", f"{name}.pem"),
            *("-out", f"{name}.crl"),
        )
        assert "verify OK" in told

    rig.write("lists.pem", "".join((rig.folder / f"{name}.crl").read_text() for name in ("root", "issuing")))


def requested(scene: Scene) -> None:
    """See that the request was signed by the key that is certified now."""
    (request,) = scene.requests
    (scene.rig.folder / "request").write_bytes(request)
    told = scene.rig.run("openssl", "req", "-inform", "DER", "-in", "request", "-verify", "-noout", "-pubkey")
    assert "verify OK" in told
    assert scene.rig.run("openssl", "x509", "-in", "login.pem", "-noout", "-pubkey").strip() in told


def delivered(scene: Scene) -> None:
    """See that the delivered file has the certificate that is on the card, and its key."""
    (content,) = scene.files
    (scene.rig.folder / "key.p12").write_bytes(content)
    read = ("pkcs12", "-in", "key.p12", "-passin", "pass:of the key file", "-nodes")
    told = scene.rig.run("openssl", *read)
    assert (scene.rig.folder / "encryption.pem").read_text() in told
    scene.rig.write("delivered.pem", told)
    public = scene.rig.run("openssl", "x509", "-in", "encryption.pem", "-noout", "-pubkey")
    assert scene.rig.run("openssl", "pkey", "-in", "delivered.pem", "-pubout") == public
    scene.rig.run("openssl", "pkcs12", "-in", "key.p12", "-passin", "pass:another", "-nodes", succeeds=False)


def chained(scene: Scene) -> None:
    """See that chain and lists are in order."""
    for name in HOLDERS:
        assert f"{name}: OK" in scene.rig.run("openssl", *VERIFY, name)


def status(scene: Scene, name: str) -> str:
    """Return what the CA answers OpenSSL about a certificate."""
    about = ("ocsp", "-sha256", "-issuer", "issuing.pem", "-cert", name)
    scene.rig.run("openssl", *about, "-reqout", "asked")
    answer = scene.authority.answer((scene.rig.folder / "asked").read_bytes())
    (scene.rig.folder / "answered").write_bytes(answer)
    trust = ("-CAfile", "root.pem", "-verify_other", "issuing.pem")
    told = scene.rig.run("openssl", "ocsp", "-reqin", "asked", "-respin", "answered", *trust)
    assert "Response verify OK" in told
    told = scene.rig.run("openssl", *about, "-no_nonce", "-respin", "answered", *trust)
    (line,) = (line for line in told.splitlines() if line.startswith(f"{name}: "))
    return line.removeprefix(f"{name}: ")
