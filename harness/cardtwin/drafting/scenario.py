"""A trace becomes a scenario file."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from cardtwin.card import models
from cardtwin.drafting.apdus import ApduDrafter
from cardtwin.drafting.calls import CallDrafter, CallStep
from cardtwin.drafting.desk import is_carried_out, reader_step, who
from cardtwin.drafting.errors import NoSuchProfileError, NothingToDraftError
from cardtwin.drafting.layout import Entry, escaped, file_text
from cardtwin.drafting.making import CERTIFICATE, MAKER, PROFILE, made_cards
from cardtwin.drafting.names import AXIS, DEFAULTS, ROW, Handles, Secrets
from cardtwin.drafting.omitted import is_told, left_out
from cardtwin.drafting.pinpad import enter_step, with_pads
from cardtwin.drafting.presence import Presence
from cardtwin.drafting.recorded import CLIENT, RecordedCall, happenings
from cardtwin.events import PowerChange, ReaderChanged
from cardtwin.ppa.shipped import shipped_profile, shipped_profiles
from cardtwin.trace import MaskedExchange

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cardtwin.drafting.layout import Tree
    from cardtwin.drafting.recorded import Happening
    from cardtwin.trace import Trace

__all__ = ["Circumstances", "draft"]

_READER: Final = "R1"
_PROGRAM: Final = "program"
_NO_NAME: Final = re.compile(r"[^A-Za-z0-9_.\-]+")
_NO_READER_NAME: Final = re.compile(r"[^A-Za-z0-9_.\-()\[\]:/, ]+")
_PROCESS: Final = re.compile(r"process \d+")
_IMAGE, _CONFIG = "token.image", "Personal.cfg"
_USUAL_PROFILE: Final = "full"
_DEFAULT_MODEL: Final = "cardos-5.3"


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a trace doesn't tell, and its draft needs.

    Attributes:
        card: The card's model; None takes the one that the trace shows by its ATR, or else CardOS 5.3.
        profile: The profile that makes the token, of those that are shipped; None leaves the card blank.
        image: A file with the card's memory, in the place of a profile.
        config: A Personal.cfg for all programs.
        program: What the program is called, where there is one.
        quirks: The card's.
        switches: Which rules hold.
        secrets: PINs and PUKs, by the names in DEFAULTS.
        fault: The return value that is wrong: the draft ends with the first call that has it, which is
            expected to succeed.
        proves: Ids of requirements, or of bug reports: the last step gets them.
    """

    card: str | None = None
    profile: str | None = _USUAL_PROFILE
    image: Path | None = None
    config: Path | None = None
    program: str | None = None
    quirks: tuple[str, ...] = ()
    switches: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    fault: str | None = None
    proves: tuple[str, ...] = ()


def draft(trace: Trace, folder: Path, circumstances: Circumstances | None = None) -> str:
    """Return a scenario file that does again what a trace tells, and expects what came of it.

    It is made of the calls of PKCS#11 functions, and of what others did to the card meanwhile; where there
    are no calls, of the APDUs. Comments that begin with LOOK say where a person should.

    Args:
        trace: The trace; it has no secrets, and so the draft has none but those that are given.
        folder: Where the file is going to be.
        circumstances: What the trace doesn't tell.

    Raises:
        NothingToDraftError: There is nothing in it that could be done again, or no such fault.
        NoSuchProfileError: No such profile is shipped for the card.
    """
    return _Draft(trace, folder, circumstances or Circumstances()).text()


class _Draft:
    """A scenario in the making."""

    def __init__(self, trace: Trace, folder: Path, circumstances: Circumstances) -> None:
        self._trace = trace
        self._folder = folder
        self._given = circumstances
        self._handles, self._secrets = Handles(), Secrets()
        self._calls = CallDrafter(self._handles, self._secrets)
        self._apdus = ApduDrafter(self._secrets, self._value, made=self._profile() is not None)
        self._presence = Presence()
        self._steps: list[CallStep | Entry] = []
        self._programs: dict[str, str] = {}
        self._callers: dict[str, str] = {}
        self._begun: set[str] = set()
        self._certificates = False
        self._has_cards = any(isinstance(event, MaskedExchange | ReaderChanged) for event in trace.events)
        self._notes: list[str] = []

    def text(self) -> str:
        """Return the file."""
        self._take(list(happenings(self._trace)))
        steps = [
            step.entry(self._handles.used) if isinstance(step, CallStep) else step for step in self._steps
        ]
        steps[-1] = self._ended(self._cut(self._proving(steps[-1])))
        before = self._before()  # needs secrets: the head comes after it
        return file_text(self._head(), [*before, *steps], self._tail())

    def _proving(self, step: Entry) -> Entry:
        if not self._given.proves or not isinstance(step.value, dict):
            return step

        return Entry({**step.value, "proves": [*self._given.proves]}, step.notes)

    def _cut(self, step: Entry) -> Entry:
        if self._trace.cut_at is None or self._given.fault is not None:
            return step

        return Entry(step.value, (*step.notes, "LOOK: the trace was cut behind this, at its limit"))

    def _ended(self, step: Entry) -> Entry:
        """Tell of what was left out behind the last step."""
        behind = (note.replace("left out", "left out behind this") for note in self._told())
        return Entry(step.value, (*step.notes, *behind))

    # Steps

    def _take(self, found: list[Happening]) -> None:
        calls = [each for each in found if isinstance(each, RecordedCall)]
        self._callers = {call.process: call.program for call in reversed(calls) if call.process}
        began = found.index(calls[0]) if calls else 0

        for each in found[began:]:
            if isinstance(each, RecordedCall):
                if self._call(each):
                    return
            elif is_carried_out(each):
                self._other(each, alone=not calls)

        if not self._steps:
            raise NothingToDraftError("the trace tells of no call and no APDU that a scenario could do again")

        if self._given.fault is not None:
            raise NothingToDraftError(f"no call in the trace returns {self._given.fault}")

    def _call(self, call: RecordedCall) -> bool:
        """Add the steps of a call; return whether it was the fault, after which nothing comes."""
        why = left_out(call)

        if why:
            self._notes.append(f"LOOK: left out: {call.name}, {why}")

        if why or not is_told(call):
            return False

        by = self._program(call.program)
        self._begin(call, by)
        self._enter(call)
        self._move_card(call)
        fault = call.result == self._given.fault
        lost = self._has_lost_login(call)
        step = self._calls.step(call, by, fault=fault)
        step.notes[:0] = [*self._told(), *([_ABOUT_LOGIN] if lost else [])]
        self._steps.append(step)
        self._note_certificates(step)
        return fault

    def _move_card(self, call: RecordedCall) -> None:
        """Let the card be taken out or put in where the trace shows it by what a call returns alone."""
        if not self._has_cards and call.result != self._given.fault:
            step = self._presence.step(call, "token")
            self._steps += [] if step is None else [step]

    def _has_lost_login(self, call: RecordedCall) -> bool:
        """Whether a login has ended by something that neither the trace nor anybody tells of."""
        told = self._given.config is not None or self._given.quirks or self._given.switches
        return (
            call.result == "CKR_USER_NOT_LOGGED_IN"
            and not (told or self._has_cards)
            and self._calls.pins.is_logged_in(call)
        )

    def _begin(self, call: RecordedCall, by: str) -> None:
        """Let the program call C_Initialize, where the trace begins after that."""
        if by not in self._begun and call.name not in {"C_Initialize", "C_Finalize"}:
            note = "the trace begins after this"
            self._steps.append(Entry({"pkcs11": "C_Initialize", "by": by}, (note,)))

        self._begun.add(by)

    def _enter(self, call: RecordedCall) -> None:
        """Let somebody enter at the PIN pad what the call is going to ask for."""
        if call.asked:
            step = enter_step(
                call, self._calls.pins.current(call), self._secrets, self._on(call.asked[0].reader)
            )
            self._steps += [] if step is None else [step]

    def _on(self, reader: str) -> dict[str, Tree]:
        """Return the key that says which reader is meant, where there are several."""
        return {"on": _reader_name(reader)} if len(self._readers()) > 1 else {}

    def _note_certificates(self, step: CallStep) -> None:
        kind = step.call.results.get("phObject", "none")
        self._certificates |= kind != "none" and any(name.startswith("certificates") for name in step.binds)

    def _other(self, event: MaskedExchange | ReaderChanged, *, alone: bool) -> None:
        program = who(event)
        on = self._on(event.reader)

        match event:
            case MaskedExchange():
                by = self._program(program or ("" if alone else "other"))
                self._steps.append(self._apdus.step(event, {"by": by, **on}))
            case ReaderChanged() if self._steps:
                card = self._readers().get(event.reader) or "token"
                step = reader_step(event, self._program(program) if program else "", on, card)
                self._steps += [] if step is None else [step]
            case _:
                pass

    def _told(self) -> list[str]:
        notes, self._notes = self._notes, []
        return notes

    def _program(self, recorded: str) -> str:
        """Return what the scenario calls a program: the same for all that a process does."""
        recorded = self._callers.get(recorded, recorded)

        if recorded not in self._programs:
            wish = _NO_NAME.sub("-", CLIENT.sub("", recorded)).strip("-.") or _PROGRAM
            wish = _PROGRAM if _PROCESS.fullmatch(recorded) else wish
            wish = self._given.program if self._given.program and not self._programs else wish
            taken = self._programs.values()
            numbered = (f"{wish}-{number}" for number in range(2, len(self._programs) + 3))
            self._programs[recorded] = next(name for name in (wish, *numbered) if name not in {*taken, MAKER})

        return self._programs[recorded]

    # What there is before the steps

    def _readers(self) -> dict[str, str]:
        """Return the card in each reader; empty where there is none at first."""
        found: dict[str, str] = {}
        steps = 0

        for event in self._trace.events:
            if isinstance(event, ReaderChanged) and event.reader not in found:
                there = event.change is not PowerChange.INSERTED or event.cause is None
                steps += there
                found[event.reader] = ("token" if steps == 1 else f"token_{steps}") if there else ""

        return found

    def _model(self) -> tuple[str, tuple[str, ...]]:
        """Return the card's model, and what is to be said of it."""
        if self._given.card is not None:
            return self._given.card, ()

        atrs = {e.atr for e in self._trace.events if isinstance(e, ReaderChanged) and e.atr}
        found = [name for name in models.names() if models.get(name).atr in atrs]

        if len(found) == 1:
            return found[0], ()

        if found:
            return found[0], (f"LOOK: the ATR is that of several models: {', '.join(found)}",)

        why = (
            "the ATR in the trace is no known model's" if atrs else "the trace doesn't tell which card it was"
        )
        return _DEFAULT_MODEL, (f"LOOK: {why}",)

    def _profile(self) -> str | None:
        profile = None if self._given.image is not None else self._given.profile
        model = self._model()[0]
        shipped = shipped_profiles(model)

        if profile in {None, *shipped}:
            return profile

        if profile == _USUAL_PROFILE:
            return None

        names = (
            f"there are {', '.join(shipped)}" if shipped else "there are none; --image gives what is on it"
        )
        raise NoSuchProfileError(f"no profile {profile!r} for {model} comes with cardtwin: {names}")

    def _has_no_profile(self) -> bool:
        return self._given.profile == _USUAL_PROFILE and self._given.image is None and self._profile() is None

    def _before(self) -> list[Entry]:
        """Return the steps that make the tokens."""
        if self._profile() is None:
            return []

        places = [self._on(name) for name, card in self._readers().items() if card] or [self._on(_READER)]
        spent = self._calls.pins.spent if len(places) == 1 else {}
        return made_cards(self._secrets, places, certificates=self._certificates, spent=spent)

    # Keys of the file

    def _head(self) -> dict[str, Entry]:
        model, notes = self._model()
        notes += (_ABOUT_PROFILE,) if self._has_no_profile() else ()
        card: dict[str, Tree] = {"model": model}
        card |= {"quirks": [*self._given.quirks]} if self._given.quirks else {}
        card |= {"image": _IMAGE} if self._given.image is not None else {}
        readers = self._readers() or {_READER: "token"}
        head: dict[str, Entry] = {
            "format": Entry("1"),
            "title": Entry(escaped(f"Drafted from {self._trace.title}")),
            "tags": Entry(["drafted"]),
        }

        if self._secrets.needed:
            row: dict[str, Tree] = {
                "id": ROW,
                **{name: escaped(self._value(name)) for name in self._secrets.needed},
            }
            head["matrix"] = Entry({AXIS: [row]}, (_ABOUT_SECRETS,))

        if self._given.switches:
            head["switches"] = Entry(dict(self._given.switches))

        head["cards"] = Entry({name: dict(card) for name in readers.values() if name}, notes)
        head["readers"] = Entry({_reader_name(name): self._reader(name, c) for name, c in readers.items()})
        head["processes"] = Entry(self._processes())
        return head

    def _reader(self, name: str, card: str) -> Tree:
        if name not in with_pads(self._trace):
            return card or "empty"

        return {"card": card, "pinpad": "yes"} if card else {"pinpad": "yes"}

    def _value(self, name: str) -> str:
        return self._given.secrets.get(name, DEFAULTS[name])

    def _processes(self) -> dict[str, Tree]:
        config: dict[str, Tree] = {"config": _CONFIG} if self._given.config is not None else {}
        maker: dict[str, Tree] = {MAKER: {}} if self._profile() is not None else {}
        return {**maker, **{name: dict(config) for name in self._programs.values()}}

    def _tail(self) -> dict[str, Entry]:
        """Return the files, which may be long: they come last."""
        found: dict[str, Tree] = {}
        profile = self._profile()

        for name, path in ((_CONFIG, self._given.config), (_IMAGE, self._given.image)):
            if path is not None:
                found[name] = {"path": os.path.relpath(path, self._folder)}

        if profile is not None:
            content = shipped_profile(self._model()[0], profile).read_text(encoding="utf-8")
            found[PROFILE] = escaped(content)
            found[CERTIFICATE] = files("cardtwin.hosting").joinpath("test-pin-certificate.crt").read_text()

        return {"files": Entry(found)} if found else {}


_ABOUT_SECRETS: Final = (
    "LOOK: a trace has no secrets. A card that this file makes takes any; another one needs its own here."
)

_ABOUT_PROFILE: Final = (
    "LOOK: no profile for this card comes with cardtwin: it is as delivered. --image gives what is on it"
)
_ABOUT_LOGIN: Final = (
    "LOOK: this program was logged in, and the trace doesn't tell what has ended that: "
    "docs/not-logged-in.md has the causes. --config, --quirk and --switch bring some of them; others are a "
    "step before this, such as {card: reset}"
)


def _reader_name(recorded: str) -> str:
    """Return what the scenario calls a reader."""
    return _NO_READER_NAME.sub("-", recorded)[:127].strip(" ,:(/-.[") or _READER
