"""Identity Manager's part: carries out a job, and tells the process what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.encoding import (  # noqa: F401  # they register their commands
    applications,
    credentials,
    finalisation,
    initialisation,
    production,
)
from cardtwin.encoding.authority import ServerSide
from cardtwin.encoding.checks import Scope, check_job
from cardtwin.encoding.checks.library import chosen_library
from cardtwin.encoding.errors import EncodingError
from cardtwin.encoding.library import LibraryTable
from cardtwin.encoding.messaging import check_messaging_server
from cardtwin.encoding.outcome import ERROR_MESSAGE, RESULT, Outcome
from cardtwin.encoding.run import COMMANDS, Run
from cardtwin.encoding.selection import all_card_numbers, select_reader
from cardtwin.encoding.values import FieldList
from cardtwin.events import because
from cardtwin.middleware import MiddlewareError
from cardtwin.pcsc import PcscError
from cardtwin.plan import NoMatchingKeyError, PinBlobError
from cardtwin.plan.cms import CmsPinBlobCodec
from cardtwin.provenance import Switches
from cardtwin.provenance.encoding import EJECT
from cardtwin.source import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from cardtwin.encoding.applications import Program
    from cardtwin.encoding.job import Job
    from cardtwin.encoding.library import LibraryEntry
    from cardtwin.encoding.process import Process
    from cardtwin.encoding.token import TokenMiddleware
    from cardtwin.middleware import LogFile
    from cardtwin.plan import DecryptionKey, PinBlobCodec, Secret
    from cardtwin.source import Diagnostic, Diagnostics

__all__ = ["Engine"]

_FAILURES = (EncodingError, MiddlewareError, PcscError, PinBlobError, SourceError)


class Engine:
    """Runs encodings, one after the other."""

    def __init__(  # noqa: PLR0913  # by name, and each may be missing
        self,
        middleware: Callable[[LibraryEntry], TokenMiddleware],
        *,
        keys: Sequence[DecryptionKey] = (),
        codec: PinBlobCodec | None = None,
        libraries: LibraryTable | None = None,
        switches: Switches | None = None,
        log: LogFile | None = None,
        programs: Callable[[LibraryEntry], Program] | None = None,
        server: ServerSide | None = None,
        eject: Callable[[str], object] | None = None,
    ) -> None:
        """Take what encodings run with.

        Args:
            middleware: Opens the middleware that a library stands for.
            keys: Private keys for encrypted PINs.
            codec: The format of encrypted PINs; None takes cardtwin's.
            libraries: The library table; None takes the one that cardtwin ships.
            switches: Chosen behaviour; None takes the defaults.
            log: The encoder's log; None writes none.
            programs: Starts a program that calls a library's PKCS#11 functions, which applications need.
            server: Issues certificates for applications, and is told of cards that are produced.
            eject: Lets a reader throw its card out, if it can; None leaves cards where they are.
        """
        self._middleware = middleware
        self._keys = tuple(keys)
        self._codec = codec or CmsPinBlobCodec()
        self._libraries = libraries or LibraryTable.default()
        self._switches = switches or Switches()
        self._log = log
        self._programs = programs
        self._server = server or ServerSide()
        self._eject = eject

    def run(self, job: Job) -> Outcome:
        """Carry out a job. What fails at the card is told by the outcome.

        Raises:
            SourceError: The description, its mapping or its values are wrong. The card wasn't touched, and
                the process is as it was.
        """
        findings = check_job(job, libraries=self._libraries, switches=self._switches)
        self._write(f"check {job.description.source.name}", _verdict(findings), detail=_codes(findings))
        findings.raise_errors()
        scope = Scope(job.description, self._libraries, self._switches, tuple(job.attachments), job)
        reader, fields = "", {}

        try:
            check_messaging_server(scope)

            if scope.retrieves_all:
                fields = self._retrieve_all(scope)
            else:
                run = self._open(job, scope)
                reader, fields = run.reader, run.fields

                try:
                    self._carry_out(run)
                finally:
                    self._end(run)
        except _FAILURES as error:
            self._write("encoding", "error", reader=reader, detail=_reason(error))
            failed = job.process.with_variable(RESULT, "error").with_variable(ERROR_MESSAGE, _message(error))
            return Outcome(_cleared(failed, scope), {}, error, reader, findings.warnings)

        self._write("encoding", "success", reader=reader)
        done, read = _stored(job, fields)
        return Outcome(_cleared(done, scope), read, None, reader, findings.warnings)

    def _retrieve_all(self, scope: Scope) -> dict[str, str | Secret]:
        """Read the ICCSNs of all cards: a single operation beside which nothing else is done."""
        target = scope.all_tokens_target
        assert target is not None, "the checks refuse RetrieveAllTokens without AllTokensIccsnsField"
        found = all_card_numbers(scope, self._middleware(self._library(scope)))
        self._write("RetrieveAllTokens", "success")
        return {target.name: found}

    def _open(self, job: Job, scope: Scope) -> Run:
        library, programs = self._library(scope), self._programs
        middleware = self._middleware(library)
        reader = select_reader(job, scope, middleware)
        return Run(
            job,
            scope,
            middleware,
            reader,
            self._keys,
            self._codec,
            self._switches,
            open_program=None if programs is None else lambda: programs(library),
            server=self._server,
        )

    def _library(self, scope: Scope) -> LibraryEntry:
        library = chosen_library(scope)
        assert library is not None, "the checks refuse a library that isn't known"
        return library

    def _carry_out(self, run: Run) -> None:
        for entry in sorted(COMMANDS, key=lambda entry: entry.block.value):
            if entry.applies(run):
                with because(entry.name):
                    entry.carry_out(run)

                self._write(entry.name, "success", reader=run.reader)

    def _end(self, run: Run) -> None:
        """Have the card thrown out, unless SkipEject keeps it in; that it is stuck is no failure."""
        stays = run.scope.description.encoding.flag("SkipEject") or self._switches[EJECT] == "stay"

        if self._eject is None or stays:
            return

        try:
            with because("end of the encoding"):
                self._eject(run.reader)
        except PcscError as error:
            self._write("eject", "error", reader=run.reader, detail=str(error))

    def _write(self, operation: str, result: str, *, reader: str = "", detail: str = "") -> None:
        if self._log is not None:
            self._log.write(operation, result, reader=reader, detail=detail)


def _verdict(findings: Diagnostics) -> str:
    return "refused" if findings.errors else "success"


def _codes(findings: Iterable[Diagnostic]) -> str:
    """Return what a log may say of findings: which and where, and nothing of the text."""
    return ", ".join(f"{found.code} at {found.span}" for found in findings)


def _reason(error: Exception) -> str:
    return _codes(error.diagnostics) if isinstance(error, SourceError) else str(error)


def _stored(job: Job, fields: Mapping[str, str | Secret]) -> tuple[Process, dict[str, str | Secret]]:
    """Return the process with what was read, as far as fields have the Read flag, and that."""
    done = job.process.with_variable(RESULT, "success").without_variable(ERROR_MESSAGE)
    read = {name: value for name, value in fields.items() if _is_read(job, name)}

    for name, value in read.items():
        if (mapping := job.mapped(name)) is not None:
            done = done.with_value(mapping.target, value)

    return done, read


def _is_read(job: Job, field: str) -> bool:
    mapping = job.mapped(field)
    return mapping is not None and mapping.read


def _message(error: Exception) -> str:
    """Word a failure as Identity Manager words the one that is known (BLOB-10)."""
    if isinstance(error, NoMatchingKeyError):
        return (
            f"Error Accessing Smartcard ( (PkiUtilsException): java.lang.IllegalArgumentException: {error})"
        )

    return f"Error Accessing Smartcard ( (PkiUtilsException): {error})"


def _cleared(process: Process, scope: Scope) -> Process:
    setting = scope.setting("ClearFields")
    fields = setting.value.fields if setting is not None and isinstance(setting.value, FieldList) else ()

    for field in fields:
        mapping = scope.job.mapped(field.name) if scope.job is not None else None

        if mapping is not None and process.value(mapping.target) is not None:
            process = process.with_value(mapping.target, "")

    return process
