"""Puts a token on the card before others see it: by a card profile, or by an encoding description."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from cardtwin.encoding import (
    EncryptedField,
    Engine,
    FieldMapping,
    Job,
    Package,
    Process,
    is_package,
    parse,
    read_package,
)
from cardtwin.encoding.keys import KeyConfiguration, decryption_keys, parse_key_table, parse_properties
from cardtwin.encoding.process import PoolField
from cardtwin.encoding.values import Text
from cardtwin.hosting.errors import CardRefusedError
from cardtwin.hosting.preparation import ENCODER, refusals
from cardtwin.hosting.request import is_shipped
from cardtwin.plan import Secret, SecretName
from cardtwin.ppa.shipped import shipped_profile, shipped_profiles
from cardtwin.provenance import Switches
from cardtwin.source import SourceText
from cardtwin.targets.programs import EmulatedProgram

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cardtwin.encoding import Description, LibraryEntry
    from cardtwin.encoding.token import TokenMiddleware
    from cardtwin.hosting.request import CardRequest
    from cardtwin.middleware import PersonalDesktopClient
    from cardtwin.plan import DecryptionKey, Plan
    from cardtwin.targets.emulated import EmulatedBench

__all__ = ["TokenMaker"]


class TokenMaker:
    """Does to a card what a request asks for.

    Args:
        request: The request.
        model: The card's model.
        bench: Where the card is.
        reader: The reader that it is in.
        switches: Which of several possible behaviours holds.
    """

    def __init__(
        self,
        request: CardRequest,
        model: str,
        bench: EmulatedBench,
        *,
        reader: str,
        switches: Mapping[str, str],
    ) -> None:
        self._request = request
        self._model = model
        self._bench = bench
        self._switches = switches
        self._reader = reader
        self._pins: dict[str, Secret] = {}
        self.warnings: list[str] = []

    def make(self) -> Mapping[str, Secret]:
        """Make the token, and return its PINs and PUKs by the names that the profile has for them.

        Raises:
            CardRefusedError: A file cannot be read or is wrong, or the card refused.
        """
        with refusals():
            if self._request.profile is not None:
                self._personalise(self._request.profile)
            elif self._request.encoding is not None:
                self._encode(Path(self._request.encoding))

        return self._pins

    def _personalise(self, profile: str) -> None:
        request = self._request
        client = self._bench.client(ENCODER)
        plan = client.init_token(
            self._reader,
            SourceText.read(self._profile(profile)),
            parameters={name: bytes.fromhex(digits) for name, digits in request.parameters.items()},
            secrets={_secret_name(name): Secret.of(text) for name, text in request.secrets.items()},
            label=request.label,
        )
        self._note(plan)

    def _profile(self, name: str) -> Path:
        """Return the file of a profile: a name without folder and ending is one of those that are shipped."""
        if not is_shipped(name):
            return Path(name)

        try:
            return shipped_profile(self._model, name)
        except KeyError:
            known = ", ".join(shipped_profiles(self._model)) or "none"
            raise CardRefusedError(
                f"no profile {name!r} for {self._model} comes with cardtwin: there are {known}; "
                "a file of yours has a path, or a name that ends in .cpf"
            ) from None

    def _note(self, plan: Plan) -> None:
        self._pins = {pin.role.value: pin.value for pin in plan.pins}

    def _encode(self, path: Path) -> None:
        data = path.read_bytes()
        package = read_package(str(path), data) if is_package(data) else Package(SourceText.read(path))
        description = parse(package.description)
        engine = Engine(
            self._opened,
            keys=self._keys(path.parent),
            switches=Switches(self._switches),
            programs=lambda _: EmulatedProgram(
                lambda: self._bench.application(ENCODER), self._bench.hub, ENCODER
            ),
            server=self._bench.certificate_manager.server_side,
        )
        outcome = engine.run(self._job(description, package, path.parent))
        self.warnings += [warning.render() for warning in outcome.warnings]

        if outcome.error is not None:
            raise CardRefusedError(f"{path}: the encoding failed: {outcome.error}")

    def _job(self, description: Description, package: Package, folder: Path) -> Job:
        """Return the job. All values lie in encrypted fields of a data pool: any of them may be a PIN."""
        given = self._request.fields
        return Job(
            description,
            {**package.attachments, **self._attachments(description, folder)},
            {name: FieldMapping(PoolField(name), read=True) for name in given},
            Process(pools={name: EncryptedField(Secret.of(text)) for name, text in given.items()}),
            {int(number): Secret.of(text) for number, text in self._request.answers.items()},
            self._reader,
        )

    def _attachments(self, description: Description, folder: Path) -> Mapping[str, SourceText]:
        """Return the files that are attached, and those that the description names and that lie beside it."""
        named = [setting.value.text for setting in description if isinstance(setting.value, Text)]
        beside = [folder / name for name in named if Path(name).name == name and (folder / name).is_file()]
        paths = [*beside, *map(Path, self._request.attached)]
        return {path.name: SourceText.read(path) for path in paths}

    def _keys(self, folder: Path) -> Sequence[DecryptionKey]:
        descriptors, properties = self._request.key_descriptors, self._request.key_properties

        if descriptors is None or properties is None:
            return ()

        table = parse_key_table(SourceText.read(Path(descriptors)))
        chosen = parse_properties(SourceText.read(Path(properties)))
        return decryption_keys(KeyConfiguration(table, chosen, (folder, Path(descriptors).parent)))

    def _opened(self, library: LibraryEntry) -> TokenMiddleware:
        client = self._bench.client(ENCODER)

        if library.bits != client.installation.bits:
            client = client.with_installation(replace(client.installation, bits=library.bits))

        return cast("TokenMiddleware", _Noting(client, self._note))


class _Noting:
    """A client that tells what profiles amount to; all else is the client's."""

    def __init__(self, client: PersonalDesktopClient, note: Callable[[Plan], object]) -> None:
        self._client = client
        self._note = note

    def init_token(self, *arguments: Any, **keywords: Any) -> Plan:
        plan = self._client.init_token(*arguments, **keywords)
        self._note(plan)
        return plan

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


def _secret_name(name: str) -> SecretName:
    try:
        return SecretName(name)
    except ValueError:
        raise CardRefusedError(f"there is no secret {name!r}: there are {', '.join(SecretName)}") from None
