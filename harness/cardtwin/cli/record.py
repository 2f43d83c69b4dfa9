"""``cardtwin record``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from cardtwin.cli.card_options import (
    READERS_HELP,
    middleware_request,
    names_a_card,
    request_of,
    untraced_card_options,
)
from cardtwin.cli.command_line import end_without_program, run_or_tell, signals_forwarded
from cardtwin.cli.files import OUTPUT, in_a_folder
from cardtwin.cli.messages import tell
from cardtwin.cli.pin_variables import check_names, pin_variables
from cardtwin.hosting import HostingError, HostRequest
from cardtwin.recording import Recording, RecordingError, TraceOutput, reader_to_pass

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["command"]

NOT_READY: Final = 125
"""Nothing can be recorded, so the command wasn't run; the number that env and timeout have for that."""

_EXAMPLES: Final = """\b
Examples:
  cardtwin record -- pkcs15-tool --dump
  cardtwin record --module /usr/lib/libvendor.so --times -- \\
      sh -c 'pkcs11-tool --module $CARDTWIN_MODULE --login -O'
  cardtwin record --card cardos-5.3 --profile full -o full.jsonl -- pkcs15-tool --dump
"""


@click.command(
    "record",
    short_help="Run a command, and record what it does with a card.",
    epilog=f"{_EXAMPLES}\n{READERS_HELP}",
    context_settings={"allow_interspersed_args": False},
)
@untraced_card_options
@click.option("--module", "library", metavar="PATH", help="The PKCS#11 library to call through ours.")
@click.option(
    "-o",
    "--output",
    type=OUTPUT,
    callback=in_a_folder,
    default=Path("trace.jsonl"),
    show_default=True,
    help="Where the trace goes.",
)
@click.option("--times", is_flag=True, help="Write when things happened: seconds since the beginning.")
@click.option("--limit", type=click.IntRange(min=1), metavar="BYTES", help="End the trace at this length.")
@click.argument("arguments", metavar="COMMAND ...", nargs=-1, required=True, type=click.UNPROCESSED)
def command(
    arguments: tuple[str, ...],
    library: str | None,
    output: Path,
    *,
    times: bool,
    limit: int | None,
    **options: Any,
) -> None:
    """Run a command, and write what it does with a card while it does it, without secrets.

    Without a card, the system's reader is passed on, the one that --reader names where there are several:
    nobody else gets at its card meanwhile, and what the command sends reaches it as it is, wrong PINs and
    all. With --card, --image and so on, the card is an emulated one.

    The command finds the reader by PC/SC, and the PKCS#11 library at $CARDTWIN_MODULE: our own middleware, or
    what --module names, called through ours. PINs and PUKs that a profile has put on an emulated card are in
    $CARDTWIN_PIN1 and so on, as with `exec`.

    Exit status: the command's; 128 and its number if a signal has ended it; 127 if there is no such command,
    126 if it can't be run, 125 if nothing can be recorded.
    """
    end_without_program(arguments)

    with signals_forwarded() as mask:
        try:
            recording = _recording(
                options, library, TraceOutput(output, Path(arguments[0]).name, times, limit)
            )

            with recording:
                tell(*recording.warnings)
                own = {**recording.environment, **pin_variables(recording.pins)}
                status = run_or_tell(arguments, {**os.environ, **own}, mask)
        except (RecordingError, HostingError) as error:
            tell(str(error))
            sys.exit(NOT_READY)

    tell(*recording.problems)
    sys.exit(status)


def _recording(options: Mapping[str, Any], library: str | None, output: TraceOutput) -> Recording:
    if library is not None and os.sep in library and not Path(library).is_file():
        raise RecordingError(f"there is no PKCS#11 library {library}")

    if options["pcscd"] is not None:
        raise click.UsageError(
            "--pcscd: what goes by in the system's pcscd is recorded as that of a real reader"
        )

    if names_a_card(options):
        request = request_of(options)
        request.check()
        check_names(request.cards)
        return Recording(request, output, library=library)

    request, reader = _around_a_reader(dict(options))
    return Recording(request, output, reader=reader, library=library)


def _around_a_reader(options: dict[str, Any]) -> tuple[HostRequest, str]:
    """Return the request for no card of ours, and the system's reader."""
    names = options["readers"]

    if options["pinpad"] or options["speed"] != "instant":
        raise click.UsageError(
            "--pinpad and --speed are for emulated cards: give one, such as --card cardos-5.3"
        )

    if len(names) > 1:
        raise click.UsageError("one of the system's readers is recorded: give --reader once")

    return middleware_request(options), reader_to_pass(names[0] if names else None)
