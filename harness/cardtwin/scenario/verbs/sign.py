"""``sign`` and ``decrypt``: what a program does with a private key."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import model_validator

from cardtwin.cryptoki.constants import Cku
from cardtwin.cryptoki.values import Buffer
from cardtwin.scenario.effects import PRESENTS
from cardtwin.scenario.errors import ScenarioError
from cardtwin.scenario.pkcs11.arguments import DataArgument, MechanismArgument, data_of, files_named
from cardtwin.scenario.pkcs11.publickeys import encrypted, is_right
from cardtwin.scenario.pkcs11.results import DataMatcher
from cardtwin.scenario.pkcs11.steps import KeyName, SlotStep, UseExpectation
from cardtwin.scenario.step import verb
from cardtwin.scenario.values import SecretText
from cardtwin.targets import Capability

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cardtwin.scenario.document import MapNode, TextNode
    from cardtwin.scenario.pkcs11.sessions import Key, TokenSession
    from cardtwin.scenario.run import Run
    from cardtwin.scenario.values import Value

__all__ = ["Decrypt", "Sign"]

_ENOUGH = 1 << 12


class SignExpectation(UseExpectation):
    """What comes of a signature."""

    signature: DataMatcher | None = None


class DecryptExpectation(UseExpectation):
    """What comes of a decryption."""

    data: DataMatcher | None = None


class _KeyStep(SlotStep):
    """A step that uses a private key of the token."""

    mechanism: MechanismArgument
    pin: SecretText | None = None

    def begin(self, session: TokenSession, name: str, key: Key) -> None:
        """Begin the operation, and give the PIN for it where the step has one (CKU_CONTEXT_SPECIFIC)."""
        session.in_session(name, self.mechanism, key.handle)

        if self.pin is not None:
            session.in_session("C_Login", int(Cku.CKU_CONTEXT_SPECIFIC), self.pin)

    @classmethod
    def refers(cls, written: MapNode) -> Iterator[tuple[str, TextNode]]:
        """Yield also the files that are given as data."""
        yield from super().refers(written)

        for name in files_named(written):
            yield "files", name


@verb("sign", needs={Capability.PKCS11}, effects=PRESENTS)
class Sign(_KeyStep):
    """Sign with a private key, called by its label or as ``{id: ...}``. Without `expect`, it succeeds.

    The key is looked for once, and its handle kept until the next login. The signature is checked with the
    public key or the certificate that the token shows: a wrong one fails the step. `pin` is for a key that
    asks for it again (CKU_CONTEXT_SPECIFIC).
    """

    bound_result: ClassVar[str] = "signature"

    sign: KeyName
    data: DataArgument
    expect: SignExpectation | None = None

    def use(self, session: TokenSession, run: Run) -> Mapping[str, Value]:
        """Sign, and check it."""
        data = data_of(self.data, run)
        key = session.key(self.sign.kind, self.sign.value)
        self.begin(session, "C_SignInit", key)
        (answer,) = session.in_session("C_Sign", data, Buffer(_ENOUGH))

        if not is_right(session.public_key(key), self.mechanism, data, answer.content):
            raise ScenarioError("C_Sign returns CKR_OK and a wrong signature")

        return {"call": "C_Sign", "signature": answer.content}


@verb("decrypt", needs={Capability.PKCS11}, effects=PRESENTS)
class Decrypt(_KeyStep):
    """Decrypt with a private key, called by its label or as ``{id: ...}``. Without `expect`, it succeeds.

    `data` is what is decrypted. Or else `plain` is encrypted for the key beforehand, with the public key or
    the certificate that the token shows, and has to come out again. `pin` is as with `sign`.
    """

    bound_result: ClassVar[str] = "data"

    decrypt: KeyName
    data: DataArgument = None
    plain: DataArgument = None
    expect: DecryptExpectation | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.data is None) is (self.plain is None):
            raise ValueError("either 'data' is decrypted, or 'plain' is encrypted and decrypted")

        return self

    def use(self, session: TokenSession, run: Run) -> Mapping[str, Value]:
        """Decrypt, and compare with the plain text if there is one."""
        key = session.key(self.decrypt.kind, self.decrypt.value)
        plain = None if self.plain is None else data_of(self.plain, run)
        data = (
            data_of(self.data, run)
            if plain is None
            else encrypted(session.public_key(key), self.mechanism, plain)
        )
        self.begin(session, "C_DecryptInit", key)
        (answer,) = session.in_session("C_Decrypt", data, Buffer(_ENOUGH))

        if plain is not None and answer.content != plain:
            raise ScenarioError("C_Decrypt returns CKR_OK and something else than was encrypted")

        return {"call": "C_Decrypt", "data": answer.content}
