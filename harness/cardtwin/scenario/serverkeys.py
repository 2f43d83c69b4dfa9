"""Identity Manager's private keys for encrypted PINs, as a scenario's files configure them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from cardtwin.encoding.keys import (
    KeyConfiguration,
    container_properties,
    decryption_keys,
    mounted_files,
    parse_key_table,
    parse_properties,
)
from cardtwin.scenario.errors import UsageError
from cardtwin.scenario.texts import source_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cardtwin.plan import DecryptionKey
    from cardtwin.scenario.run import Run

__all__ = ["server_keys"]


def server_keys(
    run: Run, descriptors: str, properties: str | None, container: str | None
) -> Sequence[DecryptionKey]:
    """Return the keys that the named files configure.

    Args:
        run: The scenario.
        descriptors: The file that is engineSignEncrypt.xml.
        properties: The file that is system.properties.
        container: The file that is docker-compose.yml, instead: SYSTEM_PROPERTIES and the volumes count, and
            no other file is in the class path. Of a path on the host the last part names a file.

    Raises:
        SourceError: A configuration is wrong.
        UsageError: The compose file is none.
    """
    table = parse_key_table(source_text(run, descriptors))

    if container is None:
        assert properties is not None, "the step's model asks for one of the two"
        chosen = parse_properties(source_text(run, properties))
        return decryption_keys(KeyConfiguration(table, chosen, (run.bench.folder,)))

    environment, volumes = _composed(container, source_text(run, container).text)

    try:
        mounted = mounted_files(volumes)
    except ValueError as error:
        raise UsageError(f"{container}: {error}") from None

    places = {name: run.bench.folder / host.name for name, host in mounted.items()}
    return decryption_keys(KeyConfiguration(table, container_properties(environment), mounted=places))


def _composed(name: str, text: str) -> tuple[Mapping[str, str], Sequence[str]]:
    """Return the environment and the volumes of a compose file's services, taken together."""
    try:
        document = yaml.safe_load(text)
        services = list(document["services"].values())
    except (yaml.YAMLError, TypeError, KeyError, AttributeError):
        raise UsageError(f"{name} is no docker-compose.yml: it has no services") from None

    environment = dict(pair for service in services for pair in _pairs(service.get("environment") or ()))
    volumes = [str(each) for service in services for each in service.get("volumes") or ()]
    return environment, volumes


def _pairs(environment: Any) -> Iterator[tuple[str, str]]:
    """Yield variables, which compose files write as a mapping or as a list of ``NAME=VALUE``."""
    if isinstance(environment, dict):
        yield from ((str(name), str(value)) for name, value in environment.items())
        return

    for entry in environment:
        name, _, value = str(entry).partition("=")
        yield name, value
