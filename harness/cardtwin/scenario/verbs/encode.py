"""``encode``: run an encoding, as Identity Manager does it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    PlainValidator,
    Tag,
    WithJsonSchema,
)

from cardtwin.encoding import (
    CURRENT_VERSION,
    ERROR_MESSAGE,
    RESULT,
    DialogEntry,
    EncryptedField,
    FieldMapping,
    Job,
    Outcome,
    Package,
    PlainField,
    Process,
    ProcessVariable,
    is_package,
    parse,
    read_package,
)
from cardtwin.middleware import Version
from cardtwin.plan import Secret
from cardtwin.scenario.effects import REMAKES
from cardtwin.scenario.matchers import PrivateTextMatcher, TextListMatcher, TextMatcher
from cardtwin.scenario.serverkeys import server_keys
from cardtwin.scenario.step import Expectation, Observed, Refers, Step, verb
from cardtwin.scenario.texts import error_codes, source_text
from cardtwin.scenario.values import SCALAR, Flag, Name, NameList, Number, SecretText, Value
from cardtwin.source import Severity, SourceError
from cardtwin.targets import Capability

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardtwin.plan import DecryptionKey
    from cardtwin.scenario.run import Run

__all__ = ["Encode", "EncodeExpectation"]


class EncodeExpectation(Expectation):
    """What comes of an encoding.

    `result` is Meta_ProductionResult, or ``refused`` where the description, its mapping or its values were
    refused before the card was touched; then `codes` names the rules that refused it.
    """

    main: ClassVar[str] = "result"
    result: TextMatcher | None = None
    message: TextMatcher | None = None
    rv: TextMatcher | None = None
    codes: TextListMatcher | None = None
    warnings: TextListMatcher | None = None
    fields: dict[str, PrivateTextMatcher] = Field(default_factory=dict)
    variables: dict[str, TextMatcher] = Field(default_factory=dict)
    pool: dict[str, PrivateTextMatcher] = Field(default_factory=dict)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


def _target(text: str) -> str:
    FieldMapping.of(text)
    return text


class Mapped(_Part):
    """Where a field is mapped to: ``${DataPool_Field}`` or a process variable."""

    to: Annotated[str, AfterValidator(_target)]
    read: Flag = False
    write: Flag = True


def _parse_field(value: Any) -> str | Mapped:
    if isinstance(value, str):
        return value

    if isinstance(value, dict):
        return Mapped.model_validate(value)

    raise ValueError("a field has a value, or a mapping {to: ..., read: yes}")


FieldValue = Annotated[
    str | Mapped,
    PlainValidator(_parse_field),
    WithJsonSchema(
        {
            "oneOf": [
                {"type": SCALAR, "description": "a value, kept in a process variable of the field's name"},
                Mapped.model_json_schema(),
            ]
        }
    ),
]


class Plain(_Part):
    """A plain-text field of a data pool."""

    plain: str


class Encrypted(_Part):
    """An encrypted field of a data pool."""

    encrypted: SecretText


def _kind_of_field(value: Any) -> str:
    encrypted = isinstance(value, Encrypted) or (isinstance(value, dict) and "encrypted" in value)
    return "encrypted" if encrypted else "plain"


PoolField = Annotated[
    Annotated[Plain, Tag("plain")] | Annotated[Encrypted, Tag("encrypted")], Discriminator(_kind_of_field)
]


class Entry(_Part):
    """What the user enters in a dialog: the value, and what else the dialog asks for."""

    new: SecretText
    current: SecretText | None = None
    repeated: SecretText | None = None


def _parse_entry(value: Any) -> DialogEntry:
    if isinstance(value, str):
        return DialogEntry(Secret.of(value))

    if isinstance(value, dict):
        entry = Entry.model_validate(value)
        return DialogEntry(entry.new, entry.current, entry.repeated)

    raise ValueError("a dialog is answered by a value, or by {current: ..., new: ...}")


DialogAnswer = Annotated[
    DialogEntry,
    PlainValidator(_parse_entry),
    WithJsonSchema(
        {
            "oneOf": [
                {"type": SCALAR, "description": "a secret, shown nowhere"},
                Entry.model_json_schema(),
            ]
        }
    ),
]


def _parse_version(value: Any) -> Version:
    return Version.of(str(value))


VersionText = Annotated[
    Version,
    PlainValidator(_parse_version),
    WithJsonSchema({"type": SCALAR, "description": "numbers between dots, such as 21.04.3"}),
]


@verb("encode", needs={Capability.PERSONAL}, effects=REMAKES)
class Encode(Step):
    """Run an encoding description (.dsc, .dsz). Without `expect`, Meta_ProductionResult is ``success``.

    A field that has a value is mapped to a process variable of its own name, which holds the value. Without
    `on` the description says which of several cards is meant. `java` is the bitness of the JRE that JAVA_HOME
    names, or ``none``; `identity_manager` the version of Identity Manager. `messaging_servers` are those that
    can be reached, any without it.

    Private keys for encrypted PINs come from `descriptors` (engineSignEncrypt.xml) and `properties`
    (system.properties); ``classpath:`` stands for the scenario's own files. Instead of properties there may
    be a `container` (docker-compose.yml), of which SYSTEM_PROPERTIES and the volumes count. The keys are the
    server's: they stay for the following encodings of every `tenant`. Variables and pools are a tenant's own.
    """

    bound_result: ClassVar[str] = "message"
    addressed: ClassVar[frozenset[str]] = frozenset({"by"})

    encode: Annotated[Name, Refers("files")]
    attach: Annotated[NameList, Refers("files")] = ()
    fields: dict[str, FieldValue] = Field(default_factory=dict)
    pool: dict[str, PoolField] = Field(default_factory=dict)
    dialog: dict[Number, DialogAnswer] = Field(default_factory=dict)
    java: Literal["32", "64", "none"] = "32"
    identity_manager: VersionText = CURRENT_VERSION
    messaging_servers: NameList | None = None
    descriptors: Annotated[Name | None, Refers("files")] = None
    properties: Annotated[Name | None, Refers("files")] = None
    container: Annotated[Name | None, Refers("files")] = None
    tenant: Name = "default"
    expect: EncodeExpectation | None = None

    def run(self, run: Run) -> Observed:
        """Run it. The process's variables and pools are kept for the next encoding."""
        process = self._process(run.data.get(self.tenant, Process()))

        try:
            job = self._job(run, process)
            engine = run.bench.engine(run.process(self), self._keys(run))
            outcome = engine.run(job)
        except SourceError as error:
            return _refused(error, process)

        run.data[self.tenant] = outcome.process
        return _observed(outcome)

    def _job(self, run: Run, process: Process) -> Job:
        package = _package(run, self.encode)
        return Job(
            parse(package.description),
            {**package.attachments, **{name: source_text(run, name) for name in self.attach}},
            {name: _mapping(name, value) for name, value in self.fields.items()},
            process,
            dict(self.dialog),
            self.on,
            jre_bits=None if self.java == "none" else int(self.java),
            identity_manager=self.identity_manager,
            messaging_servers=None if self.messaging_servers is None else frozenset(self.messaging_servers),
        )

    def _process(self, process: Process) -> Process:
        values = {name: value for name, value in self.fields.items() if isinstance(value, str)}
        pools = {
            name: PlainField(entry.plain) if isinstance(entry, Plain) else EncryptedField(entry.encrypted)
            for name, entry in self.pool.items()
        }
        return Process({**process.variables, **values}, {**process.pools, **pools})

    def _keys(self, run: Run) -> Sequence[DecryptionKey]:
        """Return the server's keys; what a step configures holds for the following ones too."""
        if self.descriptors is not None and (self.properties or self.container):
            run.keys = server_keys(run, self.descriptors, self.properties, self.container)

        return run.keys


def _package(run: Run, name: str) -> Package:
    """Return a description and what is attached to it; zipped, both are in one file."""
    data = run.file(name)
    return read_package(f"{run.source}:{name}", data) if is_package(data) else Package(source_text(run, name))


def _mapping(name: str, value: str | Mapped) -> FieldMapping:
    if isinstance(value, Mapped):
        return FieldMapping.of(value.to, read=value.read, write=value.write)

    return FieldMapping(ProcessVariable(name), read=True)


def _refused(error: SourceError, process: Process) -> Observed:
    errors = tuple(found for found in error.diagnostics if found.severity is Severity.ERROR)
    return Observed(
        {
            "result": "refused",
            "message": "\n".join(found.message for found in errors),
            "codes": error_codes(error),
            **_values(process),
        },
        success=False,
        note=str(error),
    )


def _observed(outcome: Outcome) -> Observed:
    message = outcome.variables.get(ERROR_MESSAGE)
    rv = getattr(outcome.error, "rv", None)
    fields: dict[str, Value] = dict(outcome.fields)
    values: dict[str, Value] = {
        "result": outcome.variables[RESULT],
        "message": message,
        "rv": "CKR_OK" if outcome.error is None else getattr(rv, "name", None),
        "codes": error_codes(outcome.error),
        "warnings": tuple(warning.code for warning in outcome.warnings),
        "fields": fields,
        **_values(outcome.process),
    }
    return Observed(values, success=outcome.succeeded, note=message or "")


def _values(process: Process) -> dict[str, Value]:
    variables: dict[str, Value] = dict(process.variables)
    return {"variables": variables, "pool": {name: field.value for name, field in process.pools.items()}}
