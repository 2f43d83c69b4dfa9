"""pkcs11-tool above a library: ours, or one that leads to ours."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from cardtwin.cryptoki.mechanisms import Scheme
from support.opinions import CURVES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.cryptoki.constants import Ckm
    from cardtwin.cryptoki.mechanisms import MechanismSpec
    from support.opinions import PublicKey
    from support.rig import Rig

PIN, SIGN_PIN, PUK = "1234", "4321", "12345678"
"""The PINs of the rig's cards."""


def tool_name(mechanism: Ckm) -> str:
    """Return what pkcs11-tool calls a mechanism."""
    name = mechanism.name.removeprefix("CKM_").replace("_", "-")
    return "ECDSA-KEY-PAIR-GEN" if name == "EC-KEY-PAIR-GEN" else name  # its name before PKCS #11 2.11


@dataclass
class Pkcs11Tool:
    """The program with a library; its PIN, and the label of the key that it uses."""

    rig: Rig
    module: str
    pin: str = PIN
    label: str = "Digital Signature"
    environment: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: str, succeeds: bool = True) -> str:
        """Run it."""
        return self.rig.run(
            "pkcs11-tool", "--module", self.module, *arguments, succeeds=succeeds, **self.environment
        )

    def as_user(self, *arguments: str, succeeds: bool = True, pin: str | None = None) -> str:
        """Run it logged in as the user."""
        return self("--login", "--pin", pin or self.pin, *arguments, succeeds=succeeds)

    def as_so(self, *arguments: str, succeeds: bool = True, puk: str = PUK) -> str:
        """Run it logged in as the security officer."""
        return self("--login", "--login-type", "so", "--so-pin", puk, *arguments, succeeds=succeeds)

    def flags(self, slot: int = 0) -> set[str]:
        """Return the flags of a token."""
        return set(re.findall(r"token flags +: (.*)", self("-L"))[slot].split(", "))

    def public_key(self) -> PublicKey:
        """Return the public key with the label."""
        listed = self("--list-objects", "--type", "pubkey")
        point = re.search(rf"EC_POINT: +04(?:81)?..(04\w+)\n.*\n  label: +{self.label}\n", listed)

        if (
            point is not None
        ):  # by --read-object the program's version 0.23 cannot write P-384, whatever the token
            raw = bytes.fromhex(point[1])
            curve = next(curve for bits, curve in CURVES.items() if len(raw) == 1 + 2 * ((bits + 7) // 8))
            return ec.EllipticCurvePublicKey.from_encoded_point(curve, raw)

        self("--read-object", "--type", "pubkey", "--label", self.label, "-o", "public.der")
        key = load_der_public_key((self.rig.folder / "public.der").read_bytes())
        assert isinstance(key, (rsa.RSAPublicKey, ec.EllipticCurvePublicKey))
        return key

    def sign(self, spec: MechanismSpec, data: bytes, *options: str) -> bytes:
        """Return the signature of data."""
        (self.rig.folder / "data").write_bytes(data)
        self.as_user(*options, "--sign", *_mechanism(spec), "-i", "data", "-o", "signature")
        return (self.rig.folder / "signature").read_bytes()

    def verifies(self, spec: MechanismSpec, data: bytes, signature: bytes) -> bool:
        """Whether the library finds a signature right."""
        (self.rig.folder / "data").write_bytes(data)
        (self.rig.folder / "signature").write_bytes(signature)
        how = ("--label", self.label, *_mechanism(spec), "-i", "data", "--signature-file", "signature")
        return "Signature is valid" in self("--verify", *how)


def _mechanism(spec: MechanismSpec) -> tuple[str, ...]:
    chosen = ("-m", tool_name(spec.type))

    if spec.scheme is Scheme.PSS and spec.hash is None:
        return *chosen, "--hash-algorithm", "SHA256", "--mgf", "MGF1-SHA256", "--salt-len", "32"

    return chosen
