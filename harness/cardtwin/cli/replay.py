"""``cardtwin replay``."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import click

from cardtwin.cli import FOUND_WRONG, PASSED
from cardtwin.cli.card_options import (
    READERS_HELP,
    card_options,
    middleware_request,
    names_a_card,
    request_of,
)
from cardtwin.cli.command_line import run_or_tell, signals_forwarded
from cardtwin.cli.files import INPUT, fail
from cardtwin.cli.messages import tell
from cardtwin.cli.pairs import hidden_value, pairs
from cardtwin.hosting import HostingError
from cardtwin.hosting.host import Host
from cardtwin.pcsc import PcscError
from cardtwin.plan import Secret
from cardtwin.readers import ReaderError
from cardtwin.recording import (
    ANYTHING,
    READING,
    CardReplay,
    ClientReplay,
    HiddenSecrets,
    RecordingError,
    fetches_itself,
    is_secret_name,
    matched_readers,
    reader_to_pass,
)
from cardtwin.source import SourceError
from cardtwin.targets import TargetError
from cardtwin.targets.hardware import card_to_read
from cardtwin.trace import Trace, read_traces

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from cardtwin.recording import Replayed

__all__ = ["command"]

_EMULATED, _SYSTEM = "emulated", "pcsc"
_PROMPT: Final = "prompt"
_HEX: Final = "hex:"
_ELSEWHERE: Final = ("env:", "file:")

_EXAMPLES: Final = """\b
Examples:
  cardtwin replay trace.jsonl --image card.image --secret PIN:81=env:MY_PIN
  cardtwin replay trace.jsonl --target pcsc
  cardtwin replay trace.jsonl --as-card -- pkcs15-tool --dump
"""


@click.command(
    "replay", short_help="Replay a trace against a card, or as a card.", epilog=f"{_EXAMPLES}\n{READERS_HELP}"
)
@click.argument("recorded", metavar="TRACE", type=INPUT)
@card_options
@click.option(
    "--target",
    default=_EMULATED,
    show_default=True,
    metavar="emulated|pcsc[:READER]",
    help="The card: an emulated one, or that in one of the system's readers.",
)
@click.option("--title", metavar="TEXT", help="Which trace of the file, where it has several.")
@click.option(
    "--pad",
    default="00",
    show_default=True,
    metavar="HEX",
    help="The byte that pads secrets which are short.",
)
@click.option("--as-card", is_flag=True, help="Answer a command as the card of the trace did.")
@click.option("--strict", is_flag=True, help="As card: the same APDUs have to come in the same order.")
@click.option("--atr", metavar="HEX", help="As card: the ATR, where the trace has none.")
@click.argument("arguments", metavar="[-- COMMAND ...]", nargs=-1, type=click.UNPROCESSED)
def command(
    recorded: Path,
    arguments: tuple[str, ...],
    *,
    target: str,
    title: str | None,
    pad: str,
    as_card: bool,
    strict: bool,
    atr: str | None,
    **options: Any,
) -> None:
    """Send the commands of a trace to a card again, and tell in what the answers differ.

    A trace hides secrets; each is given by its name: --secret PIN:81=env:VARIABLE, =file:PATH, =prompt or
    the value itself, after hex: in hex. PIN is for VERIFY, CHANGE for CHANGE REFERENCE DATA, UNBLOCK for
    RESET RETRY COUNTER; the number is P2 in hex. Commands with secrets that aren't given are left out.

    To one of the system's readers, only commands are sent that read or select. What is left out is named.

    With --as-card, a command is run with readers and cards as the trace has them. An APDU is answered as it
    was in the same state: with the same current file, the same PINs verified, the same changes before it;
    hidden bytes are any. One that the trace has no answer to is answered 6F00, and named at the end.

    Exit status: 0 all is the same, 1 there are differences, 2 the trace can't be replayed so; with --as-card
    the command's, unless that is 0.
    """
    chosen = _chosen(recorded, title)

    if as_card != bool(arguments):
        raise click.UsageError("--as-card runs a command: --as-card -- COMMAND ...")

    if as_card:
        sys.exit(_as_card(_AsCard(chosen, strict, atr), arguments, options))

    if strict or atr is not None:
        raise click.UsageError("--strict and --atr are for --as-card")

    hidden, options["secrets"] = _parted(options["secrets"])

    try:
        replayed = _replayed(chosen, HiddenSecrets(_secrets(hidden), _byte(pad)), target, options)
    except (RecordingError, HostingError, PcscError, ReaderError, TargetError) as error:
        fail(str(error))

    _report(replayed)
    sys.exit(FOUND_WRONG if replayed.differences else PASSED)


@dataclass(frozen=True, slots=True)
class _AsCard:
    """What a card answers from, and how."""

    trace: Trace
    strict: bool
    atr: str | None


def _as_card(given: _AsCard, arguments: Sequence[str], options: dict[str, Any]) -> int:
    """Run a command with the cards of a trace, tell what was not as there, and return the status."""
    if names_a_card(options) or options["readers"]:
        raise click.UsageError("--as-card takes readers and cards from the trace")

    with signals_forwarded() as mask, ExitStack() as stack:
        try:
            atr = None if given.atr is None else _bytes(given.atr, "--atr")
            replay = CardReplay(given.trace, strict=given.strict, atr=atr)
            host = Host(middleware_request(options), lambda: None)
            host.open()
            stack.callback(host.close)
            replay.attach(host.bench.manager)
        except (RecordingError, HostingError) as error:
            fail(str(error))

        status = run_or_tell(arguments, {**os.environ, **host.environment}, mask)

    told = replay.told()
    tell(*told)
    return status or (FOUND_WRONG if told else PASSED)


def _chosen(path: Path, title: str | None) -> Trace:
    """Return the one trace that is meant."""
    try:
        traces = read_traces(path)
    except SourceError as error:
        fail(str(error))
    except OSError as error:
        fail(f"{path}: {error.strerror}")

    found = [trace for trace in traces if title in (None, trace.title)]

    if len(found) != 1:
        known = "; ".join(trace.title for trace in traces) or "none"
        fail(f"{path}: which trace? --title gives it; there are: {known}")

    if found[0].cut_at is not None:
        tell(f"{path}: this trace was cut at its limit: what came later is missing, and not replayed")

    return found[0]


def _replayed(trace: Trace, secrets: HiddenSecrets, target: str, options: dict[str, Any]) -> Replayed:
    kind, _, reader = target.partition(":")

    with ExitStack() as stack:
        if kind == _SYSTEM:
            name = reader_to_pass(reader or None)
            card = stack.enter_context(card_to_read(name, whole=not fetches_itself(trace)))
            replay = ClientReplay(trace, secrets, READING, card.objection)
            return replay.run(card.context, matched_readers(trace, (name,)))

        if target != _EMULATED:
            raise click.BadParameter(f"{target!r}: a trace is replayed on emulated or pcsc[:READER]")

        request = request_of(options)
        request.check()
        host = Host(request, lambda: None)
        ready = host.open()
        stack.callback(host.close)
        tell(*ready["warnings"])
        context = stack.enter_context(host.bench.manager.context())
        replay = ClientReplay(trace, secrets, ANYTHING)
        return replay.run(context, matched_readers(trace, context.readers()))


def _report(replayed: Replayed) -> None:
    for each in (*replayed.differences, *replayed.left_out):
        click.echo(str(each))

    left = f", {len(replayed.left_out)} left out" if replayed.left_out else ""
    number = len(replayed.differences)
    found = f"{number or 'no'} difference{'' if number == 1 else 's'}"
    click.echo(f"commands sent: {replayed.sent}{left}; {found}")


def _parted(texts: Iterable[str]) -> tuple[list[str], tuple[str, ...]]:
    """Return the secrets of commands, and those of a profile."""
    own = [text for text in texts if is_secret_name(text.partition("=")[0])]
    return own, tuple(text for text in texts if text not in own)


def _secrets(texts: Sequence[str]) -> Mapping[str, Secret]:
    """Return the values; those that stand on the command line itself are named, for others can read it."""
    given = pairs(texts, "--secret")

    if seen := [name for name, text in given if text != _PROMPT and not text.startswith(_ELSEWHERE)]:
        names = ", ".join(dict.fromkeys(seen))
        tell(f"others see the command line, and on it {names}: env:, file: and prompt show no value")

    return {name: Secret(_value(name, text)) for name, text in given}


def _value(name: str, text: str) -> bytes:
    if text == _PROMPT:
        return str(click.prompt(name, hide_input=True)).encode()

    found = hidden_value(text, "--secret", name)

    if not found.startswith(_HEX):
        return found.encode()

    try:
        return bytes.fromhex(found.removeprefix(_HEX))
    except ValueError:
        raise click.BadParameter(f"{name}: behind hex: stand hex digits", param_hint="--secret") from None


def _byte(text: str) -> int:
    if len(value := _bytes(text, "--pad")) != 1:
        raise click.BadParameter("one byte is expected", param_hint="--pad")

    return value[0]


def _bytes(text: str, option: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise click.BadParameter("hex is expected", param_hint=option) from None
