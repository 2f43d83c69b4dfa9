"""Golden traces: what scenarios are to do, byte for byte, in files that are read in review."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from cardtwin.trace.recorder import Trace

__all__ = ["GoldenFile"]

_TITLE: Final = "## "
_CONTEXT: Final = 3
_SHOWN: Final = 8
"""How many places that differ are shown of a trace: what follows from the first ones says little."""

_ROW: Final = 48
"""Bytes in a row; a row with its indentation is as long as reviews show without wrapping."""

_BYTE: Final = r"(?:[0-9A-F]{2}|\*\*)(?:\{\d+\})?"
_LONG: Final = re.compile(rf"(?<!\S){_BYTE}(?: {_BYTE}){{{_ROW},}}(?!\S)")
_ROW_OF_BYTES: Final = re.compile(rf"{_BYTE}(?: {_BYTE})*")
_REPEATED: Final = 24
"""How long an answer is, in characters, that isn't written again."""

_AS_BEFORE: Final = "as before"
_COMMAND, _ANSWER, _SELECT = "> ", "< ", "  SELECT "
_CAUSE: Final = re.compile(r"# (?P<cause>.+)|(?P<call>\[\d+\] [^(]+)\(")
_CALL_ENDS: Final = re.compile(r"(\[\d+\] )-> ")


class GoldenFile:
    """The golden traces of one scenario file: a text for people, with a part for each instance.

    It is the text of the traces, with long data in rows. An answer that is the same as the last one to the
    same command, behind the same SELECT, is ``as before``: what changes once is one change in the file.

    Args:
        path: The file; it need not be there yet.

    Raises:
        OSError: The file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._parts = _parts(path.read_text(encoding="utf-8")) if path.exists() else {}

    def differences(self, traces: Sequence[Trace]) -> Mapping[str, str]:
        """Return how traces differ from the golden ones, by title: where, what is expected, and what came."""
        found = {}

        for trace in traces:
            text = _golden(trace)
            golden = self._parts.get(trace.title)

            if golden is None:
                found[trace.title] = f"{self._path} has none of {trace.title}: --update writes it"
            elif text != golden:
                found[trace.title] = "\n".join(
                    self._told(trace.title, golden.splitlines(), text.splitlines())
                )

        return found

    def update(self, traces: Sequence[Trace], titles: Sequence[str]) -> None:
        """Make these the golden traces.

        Args:
            traces: Of the instances that ran.
            titles: Of all instances that there are: the traces of others are dropped.

        Raises:
            OSError: The file cannot be written.
        """
        parts = self._parts | {trace.title: _golden(trace) for trace in traces}
        self._parts = {title: parts[title] for title in titles if title in parts}
        self._path.write_text("\n".join(self._parts.values()), encoding="utf-8")

    def _told(self, title: str, golden: Sequence[str], came: Sequence[str]) -> Iterator[str]:
        """Yield the places that differ: the cause of what is there, and lines that are expected or came."""
        yield f"{self._path}, {title}: - is expected, + came"
        groups = list(SequenceMatcher(None, golden, came, autojunk=False).get_grouped_opcodes(_CONTEXT))

        for group in groups[:_SHOWN]:
            changed = next(code[1] for code in group if code[0] != "equal")
            yield f"@@ {_place(golden, changed)}"

            for tag, *ends in group:
                yield from _marked(tag, golden[ends[0] : ends[1]], came[ends[2] : ends[3]])

        if len(groups) > _SHOWN:
            yield f"@@ and {len(groups) - _SHOWN} more places"


def _marked(tag: str, golden: Iterable[str], came: Iterable[str]) -> Iterator[str]:
    if tag == "equal":
        yield from (f" {line}" for line in golden)
        return

    yield from (f"-{line}" for line in golden)
    yield from (f"+{line}" for line in came)


def _place(lines: Sequence[str], at: int) -> str:
    """Return what has caused what stands in a line, and the command that it belongs to."""
    if at == len(lines):
        return "behind the end"

    own = lines[at].strip()
    names = [_command_before(lines, at)] if own.startswith(_ANSWER) or _ROW_OF_BYTES.fullmatch(own) else []
    ends = _CALL_ENDS.match(own)
    depth = _depth(lines[at])

    for line in reversed(lines[: at + 1]):
        found = _CAUSE.match(line.strip())
        is_own = line is lines[at] or (ends and depth == _depth(line) and line.strip().startswith(ends[1]))

        if found and (is_own or _depth(line) < depth):
            names.insert(0, found["cause"] or found["call"])
            depth, ends = _depth(line), None

    return ", ".join(names) or "before any step"


def _command_before(lines: Sequence[str], at: int) -> str:
    """Return what the last command before a line means."""
    command = next(line for line in reversed(lines[:at]) if line.strip().startswith(_COMMAND))
    return command.rpartition("  ")[2].strip()


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def _golden(trace: Trace) -> str:
    return "".join(f"{row}\n" for line in _once(trace.text().splitlines()) for row in _rows(line))


def _once(lines: Iterable[str]) -> Iterator[str]:
    """Yield lines; an answer that is again the last one to the same command is told to be that.

    Commands are the same where they follow the same SELECT.
    """
    known: dict[tuple[str, str], str] = {}
    command = selected = ""

    for line in lines:
        own = line.lstrip()

        if own.startswith(_COMMAND):
            command = own
            selected = own if _SELECT in own else selected
        elif own.startswith(_ANSWER):
            if len(own) > _REPEATED and known.get((selected, command)) == own:
                yield f"{line[: -len(own)]}{own[: own.index(': ')]}: {_AS_BEFORE}"
                continue

            known[selected, command] = own

        yield line


def _rows(line: str) -> Iterator[str]:
    """Yield a line, and below it the rows of a long run of bytes that it has."""
    found = _LONG.search(line)

    if found is None:
        yield line
        return

    data = found[0].split()
    indent = " " * (_depth(line) + 4)
    yield line[: found.start()] + " ".join(data[:_ROW]) + line[found.end() :]

    for begin in range(_ROW, len(data), _ROW):
        yield indent + " ".join(data[begin : begin + _ROW])


def _parts(text: str) -> dict[str, str]:
    """Return the parts of a file by their titles; blank lines are between them alone."""
    parts: dict[str, str] = {}

    for part in text.split(f"\n\n{_TITLE}"):
        lines = part.removeprefix(_TITLE).rstrip("\n")
        parts[lines.partition("\n")[0]] = f"{_TITLE}{lines}\n"

    return parts
