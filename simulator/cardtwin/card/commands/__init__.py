"""What cards do: one module for each family of commands, with a handler for each command.

A handler gets the chip and the command, checks, and says what the command comes to: data, status word and
writes. `form` is how a card system enters handlers in its table, `transmission` finds the form for commands
that are not complete in themselves.
"""

from cardtwin.card.commands.form import ANY, DONE, CommandForm, Handler, Outcome, Route, Routes, build_routes

__all__ = ["ANY", "DONE", "CommandForm", "Handler", "Outcome", "Route", "Routes", "build_routes"]
