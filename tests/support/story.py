"""The scenario of one card and its two users, stopped at a step, with other programs at the card."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cardtwin.scenario import Verdict, load, run
from cardtwin.targets.emulated import EmulatedTarget
from cardtwin.targets.outlets import Outlets
from support.rig import Rig
from support.sabotage import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cryptography import x509

    from cardtwin.events import Hub
    from cardtwin.issuance.authority import PublishedCa
    from cardtwin.plan import Secret
    from cardtwin.scenario import Instance, StepResult
    from cardtwin.targets import Setup
    from cardtwin.targets.emulated import EmulatedBench

STORY = SCENARIOS / "end-to-end" / "card-of-two-users.scenario.yaml"
MODELS = ("cardos-5.3", "cardos-4.4", "cosmo-8.2")
AGAIN, REFUSED, JOHN = "jane-logs-in-again", "jane-is-refused", "john-logs-in"
"""Steps at which the story may be stopped."""

PINS = {AGAIN: "271828", REFUSED: "271828", JOHN: "314159"}
"""The PIN of the card's user then."""


@dataclass
class Scene:
    """The story at the step at which it was stopped.

    Attributes:
        rig: The programs above the bench.
        requests: The certificate requests that Certificate Manager got so far, in DER.
        files: The PKCS #12 files that it gave.
    """

    rig: Rig
    requests: list[bytes] = field(default_factory=list)
    files: list[bytes] = field(default_factory=list)

    @property
    def authority(self) -> PublishedCa:
        """The CA that Digital Access trusts."""
        return self.rig.bench.access.published("Employees")

    def certificates(self, serial: str) -> tuple[x509.Certificate, ...]:
        """Return the certificates of a card serial number's token."""
        return self.rig.bench.certificate_manager.certificates(serial)


class _StoppedError(Exception):
    """The scenario was stopped."""


class _Stage(EmulatedTarget):
    """The emulated target, whose bench others may have as well."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.files: list[bytes] = []

    def open(self, setup: Setup, hub: Hub) -> EmulatedBench:
        self.bench = super().open(setup, hub)
        manager = self.bench.certificate_manager
        issue, issue_archived = manager.issue, manager.issue_archived

        def noting(request: bytes, template: str, serial: str) -> bytes:
            self.requests.append(request)
            return issue(request, template, serial)

        def noting_archived(template: str, serial: str, password: Secret, bits: int) -> bytes:
            self.files.append(issue_archived(template, serial, password, bits))
            return self.files[-1]

        manager.issue = noting  # type: ignore[method-assign]  # this one is listened to
        manager.issue_archived = noting_archived  # type: ignore[method-assign]
        return self.bench


@contextmanager
def _scene(folder: Path, stage: _Stage) -> Iterator[Scene]:
    with Outlets(stage.bench) as outlets:
        yield Scene(Rig(folder, stage.bench, outlets), stage.requests, stage.files)


def play(folder: Path, model: str, until: str, act: Callable[[Scene], None]) -> None:
    """Run the scenario on a card model, today, until a step has passed, and then act; it ends there.

    Raises:
        AssertionError: A step failed before.
    """
    stage = _Stage()

    def progress(instance: Instance, step: StepResult) -> None:
        assert step.verdict is Verdict.PASSED, step.failure

        if step.id == until:
            with _scene(folder, stage) as scene:
                act(scene)

            raise _StoppedError

    (written,) = (found for found in load(STORY) if found.id.endswith(f"[{model}]"))
    today = replace(written, setup=replace(written.setup, seed=None))

    try:
        run(today, stage, progress=progress)
    except _StoppedError:
        return

    raise AssertionError(f"the scenario has no step {until!r}")
