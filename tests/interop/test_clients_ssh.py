"""OpenSSH's programs use the keys on the card, above the PKCS#11 library."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    SSHCertificate,
    load_ssh_public_identity,
    load_ssh_public_key,
)

from support.profiles import rsa_key
from support.rig import CONSENTING, SIGNING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.rig import Rig

ASKPASS = """#!/bin/sh
echo "$1" >> asked
echo "$PIN"
"""
MESSAGE = "what is signed"


@dataclass
class Ssh:
    """The programs, perhaps with an agent, and a program that gives them a PIN."""

    rig: Rig

    def __post_init__(self) -> None:
        askpass = self.rig.folder / self.rig.write("askpass", ASKPASS)
        askpass.chmod(0o700)
        self._environment = {
            "SSH_ASKPASS": str(askpass),
            "SSH_ASKPASS_REQUIRE": "force",
            "SSH_AUTH_SOCK": "agent",  # relative, for sockets' paths may not be long
        }

    def __call__(
        self, name: str, *arguments: str, pin: str = "1234", told: str = "", succeeds: bool = True
    ) -> str:
        """Run a program."""
        return self.rig.run(name, *arguments, told=told, succeeds=succeeds, PIN=pin, **self._environment)

    @contextmanager
    def agent(self) -> Iterator[None]:
        """Start an agent that may load the library."""
        allowed = str(Path(self.rig.library).resolve())

        with self.rig.start("ssh-agent", "-D", "-a", "agent", "-P", allowed) as process:
            try:
                assert process.stdout is not None
                assert any("Agent pid" in line for line in process.stdout)
                yield
            finally:
                process.terminate()

    def add(self, pin: str = "1234", *, succeeds: bool = True) -> str:
        """Let the agent load the library."""
        return self("ssh-add", "-s", self.rig.library, pin=pin, succeeds=succeeds)

    def sign(self, public: str, *, succeeds: bool = True) -> str:
        """Let the agent sign the message."""
        self.rig.write("key.pub", public)
        self.rig.write("message", MESSAGE)
        return self("ssh-keygen", "-Y", "sign", "-n", "file", "-f", "key.pub", "message", succeeds=succeeds)

    def verify(self, public: str, message: str = MESSAGE, *, succeeds: bool = True) -> str:
        """Verify the agent's signature without the card."""
        self.rig.write("allowed", f"holder {public}")
        given = ("-f", "allowed", "-I", "holder", "-n", "file", "-s", "message.sig")
        return self("ssh-keygen", "-Y", "verify", *given, told=message, succeeds=succeeds)

    def certified(self, label: str = SIGNING) -> str:
        """Return the public key of one of the card's certificates, as OpenSSH writes it."""
        pem = (self.rig.folder / self.rig.save_certificate(label)).read_bytes()
        public = x509.load_pem_x509_certificate(pem).public_key()
        return public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


@pytest.fixture
def ssh(rig: Rig) -> Ssh:
    return Ssh(rig)


@pytest.fixture
def curve_ssh(curve_rig: Rig) -> Ssh:
    return Ssh(curve_rig)


# Keys


def test_the_keys_of_both_slots_are_listed_without_a_pin(ssh: Ssh) -> None:
    listed = ssh("ssh-keygen", "-D", ssh.rig.library).splitlines()
    assert listed == [f"{ssh.certified(label)} {label}" for label in (SIGNING, CONSENTING)]
    assert not (ssh.rig.folder / "asked").exists()


def test_a_key_on_a_curve_is_listed(curve_ssh: Ssh) -> None:
    listed = curve_ssh("ssh-keygen", "-D", curve_ssh.rig.library).splitlines()
    assert listed[0].startswith("ecdsa-sha2-nistp256 ")
    assert listed[0] == f"{curve_ssh.certified()} {SIGNING}"


# Signatures


def test_the_agent_signs_with_the_card(ssh: Ssh) -> None:
    with ssh.agent():
        assert "Card added" in ssh.add()
        assert ssh("ssh-add", "-L").strip() == f"{ssh.certified()} {SIGNING}"
        ssh.sign(ssh.certified())

    assert 'Good "file" signature for holder' in ssh.verify(ssh.certified())
    assert "incorrect signature" in ssh.verify(ssh.certified(), "something else", succeeds=False)


def test_the_agent_signs_with_a_key_on_a_curve(curve_ssh: Ssh) -> None:
    with curve_ssh.agent():
        curve_ssh.add()
        curve_ssh.sign(curve_ssh.certified())

    assert 'Good "file" signature for holder' in curve_ssh.verify(curve_ssh.certified())


def test_an_authority_on_the_card_certifies_somebody_s_key(ssh: Ssh) -> None:
    somebody = rsa_key().public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    ssh.rig.write("somebody.pub", somebody)
    ssh.rig.write("authority.pub", ssh.certified())
    authority = ("-s", "authority.pub", "-D", ssh.rig.library)
    ssh("ssh-keygen", *authority, "-I", "somebody", "-n", "somebody", "somebody.pub")

    certificate = load_ssh_public_identity((ssh.rig.folder / "somebody-cert.pub").read_bytes())
    assert isinstance(certificate, SSHCertificate)
    certificate.verify_cert_signature()
    assert certificate.signature_key() == load_ssh_public_key(ssh.certified().encode())


# PINs


def test_the_agent_refuses_a_wrong_pin_that_costs_one_try(ssh: Ssh) -> None:
    left = ssh.rig.tries()

    with ssh.agent():
        assert "agent refused operation" in ssh.add("9999", succeeds=False)
        assert "no identities" in ssh("ssh-add", "-L", succeeds=False)
        assert ssh.rig.tries() == left - 1
        ssh.add()

    assert ssh.rig.tries() == left


def test_the_agent_lets_the_card_go(ssh: Ssh) -> None:
    with ssh.agent():
        ssh.add()
        assert "Card removed" in ssh("ssh-add", "-e", ssh.rig.library)
        assert "No private key found" in ssh.sign(ssh.certified(), succeeds=False)
        ssh.add()
        ssh.sign(ssh.certified())

    ssh.verify(ssh.certified())


def test_the_agent_cannot_ask_again_for_a_key_that_wants_its_pin_each_time(ssh: Ssh) -> None:
    with ssh.agent():
        ssh.add("4321")
        assert ssh("ssh-add", "-L").strip() == f"{ssh.certified(CONSENTING)} {CONSENTING}"
        assert "agent refused operation" in ssh.sign(ssh.certified(CONSENTING), succeeds=False)

    assert ssh.rig.results("C_SignInit") == ["CKR_OK"]
    assert not ssh.rig.results("C_Sign"), "it has seen CKA_ALWAYS_AUTHENTICATE, and does not try"
