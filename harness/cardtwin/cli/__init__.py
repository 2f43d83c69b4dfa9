"""The command line. Commands are imported when they are called: ``--version`` and ``--help`` are quick."""

from __future__ import annotations

from importlib import import_module

import click

from cardtwin.interrupts import Terminated, terminable, undisturbed

__all__ = ["FOUND_WRONG", "INTERRUPTED", "PASSED", "SCENARIO_FAILED", "TERMINATED", "WRONG_USAGE", "main"]

PASSED = 0
SCENARIO_FAILED = FOUND_WRONG = 1
WRONG_USAGE = 2
INTERRUPTED = 130
"""What shells give a program that was ended by Ctrl-C."""

TERMINATED = 143
"""The same after SIGTERM."""

_COMMANDS = {
    "run": ("cardtwin.cli.run", "Run scenario files."),
    "compare": ("cardtwin.cli.compare", "Run scenarios on two targets, and tell where they differ."),
    "plan": ("cardtwin.cli.plan", "Tell what scenarios would do to cards."),
    "scenario": ("cardtwin.cli.scenario", "Make scenarios of traces, and of failures."),
    "schema": ("cardtwin.cli.schema", "Print the JSON Schema of scenario files, for editors."),
    "coverage": ("cardtwin.cli.coverage", "Tell which requirements the scenarios prove."),
    "ppa": ("cardtwin.cli.ppa", "Check and evaluate card profiles."),
    "dsc": ("cardtwin.cli.dsc", "Check encoding descriptions."),
    "config": ("cardtwin.cli.config", "Explain Personal.cfg."),
    "image": ("cardtwin.cli.image", "Show, compare, read and issue card memories."),
    "trace": ("cardtwin.cli.trace", "Show, compare, import and export traces."),
    "record": ("cardtwin.cli.record", "Run a command, and record what it does with a card."),
    "replay": ("cardtwin.cli.replay", "Replay a trace against a card, or as a card."),
    "ledger": ("cardtwin.cli.ledger", "Show and correct what is kept of the tries of physical cards."),
    "keygen": ("cardtwin.cli.keygen", "Pre-personalise a batch of cards from one profile."),
    "exec": ("cardtwin.cli.exec", "Run a command with a card in a reader."),
    "serve": ("cardtwin.cli.serve", "Have a card in a reader for a while."),
    "ctl": ("cardtwin.cli.ctl", "Take a served card out, put it in, look at it."),
    "module": ("cardtwin.cli.module", "Print where the PKCS#11 library is."),
}


class _Lazy(click.Group):
    """A group that knows its commands by name and imports the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # as above
        if cmd_name not in _COMMANDS:
            return None

        module, _ = _COMMANDS[cmd_name]

        # An interrupt in the midst of an import comes out as any error of what is being made there.
        with undisturbed():
            command: click.Command = import_module(module).command

        return command

    def invoke(self, ctx: click.Context) -> object:
        """Call the command; an interrupt and SIGTERM end it, each with a status of its own."""
        try:
            with terminable():
                return super().invoke(ctx)
        except KeyboardInterrupt as error:
            terminated = isinstance(error, Terminated)
            click.echo(f"cardtwin: {'terminated' if terminated else 'interrupted'}", err=True)

            # In what state it has left physical cards.
            for note in getattr(error, "__notes__", ()):
                click.echo(note, err=True)

            ctx.exit(TERMINATED if terminated else INTERRUPTED)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="cardtwin", prog_name="cardtwin")
def main() -> None:
    """The twin of a smart card in its reader.

    Runs scenario files against emulated cards, readers and middleware; checks card profiles and encoding
    descriptions. Exit status: 0 all well, 1 a scenario failed or a file was found wrong, 2 wrong usage or a
    file that cannot be read, 130 interrupted, 143 terminated.
    """
