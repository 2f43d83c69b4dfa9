"""Running an instance: step by step, until one fails."""

from __future__ import annotations

import signal
import threading
import time
import traceback
from collections import defaultdict
from contextlib import closing, contextmanager
from contextvars import copy_context
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from cardtwin.events import CallEnded, Hub, because
from cardtwin.pcsc import PcscError
from cardtwin.scenario.comparing import binds, compare
from cardtwin.scenario.errors import ScenarioError, TimedOutError
from cardtwin.scenario.result import Failure, ScenarioResult, StepResult, Verdict
from cardtwin.scenario.run import Run, StepLog
from cardtwin.source import SourceError
from cardtwin.targets import Capability, TargetError, UnseenError
from cardtwin.trace import masked_exchanges

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from cardtwin.events import Event
    from cardtwin.scenario.instance import Instance, StepSpec
    from cardtwin.scenario.step import Observed, Step
    from cardtwin.targets import Bench, Target

__all__ = ["KEPT_EXCHANGES", "Progress", "run", "unsupported", "waiting"]

KEPT_EXCHANGES = 8
"""How many of the last APDUs a failed step keeps."""


class Progress(Protocol):
    """Is told how a run gets on."""

    def __call__(self, instance: Instance, step: StepResult) -> None:
        """A step has ended."""


def run(
    instance: Instance,
    target: Target,
    *,
    timeout: float | None = None,
    observers: Sequence[Callable[[Event], None]] = (),
    progress: Progress | None = None,
    begun: Callable[[Run], None] | None = None,
) -> ScenarioResult:
    """Run an instance and return what came of it; raises nothing for what a scenario does.

    Args:
        instance: What to run.
        target: What to run it against.
        timeout: Seconds that it may take. Held in the main thread, by a signal; elsewhere between steps.
        observers: Told of every event on the bench.
        progress: Told of every step's end.
        begun: Told of the run before the first step; with a TargetError, none is run.
    """
    # In a context of its own: where the clock strikes in between, a step's cause may stay in force.
    return copy_context().run(_result_of, instance, target, timeout, observers, progress, begun)


def _result_of(
    instance: Instance,
    target: Target,
    timeout: float | None,
    observers: Sequence[Callable[[Event], None]],
    progress: Progress | None,
    begun: Callable[[Run], None] | None,
) -> ScenarioResult:
    began = time.perf_counter()
    not_run = tuple(waiting(spec) for spec in instance.steps)
    lacking = unsupported(instance, target)

    if lacking:
        return _result(instance, target, Verdict.UNSUPPORTED, began, not_run, lacking)

    hub = Hub()
    done: list[StepResult] = []
    message, unseen = "", ""

    try:
        for observer in observers:
            hub.subscribe(observer)

        # The bench is taken down when the clock has stopped: nothing interrupts that.
        with target.open(instance.setup, hub) as bench, _deadline(timeout):
            for step in _steps(instance, bench, hub, begun):
                done.append(step)

                if progress is not None:
                    progress(instance, step)

                _check_time(began, timeout)
    except UnseenError as error:
        unseen = str(error)
    except (_TimeIsUp, TimedOutError, TargetError) as error:
        message = str(error)

    steps = (*done, *not_run[len(done) :])

    if unseen:
        return _result(
            instance, target, Verdict.UNSUPPORTED, began, steps, f"{unseen}; not run from there on"
        )

    passed = not message and all(step.verdict is Verdict.PASSED for step in steps)
    return _result(instance, target, Verdict.PASSED if passed else Verdict.FAILED, began, steps, message)


class _TimeIsUp(BaseException):
    """Raised by the clock, wherever a step is. No Exception: who handles those would take it for a defect."""

    def __init__(self, seconds: float) -> None:
        super().__init__(str(TimedOutError(seconds)))


def _check_time(began: float, timeout: float | None) -> None:
    if timeout is not None and time.perf_counter() - began > timeout:
        raise TimedOutError(timeout)


def _result(
    instance: Instance,
    target: Target,
    verdict: Verdict,
    began: float,
    steps: tuple[StepResult, ...],
    message: str,
) -> ScenarioResult:
    seconds = time.perf_counter() - began
    return ScenarioResult(
        instance.id, instance.path, instance.title, target.name, verdict, seconds, steps, message
    )


def waiting(spec: StepSpec) -> StepResult:
    """Return the result of a step that was not run."""
    return StepResult(spec.number, spec.kind.verb, spec.title, str(spec.span), spec.id, spec.proves)


def unsupported(instance: Instance, target: Target) -> str:
    """Return what a target lacks for an instance, all of it; empty where it can run it."""
    needs = {"the scenario": instance.needs}
    needs |= {f"step {spec.number} ({spec.kind.verb})": spec.needs for spec in instance.steps}
    missing: defaultdict[str, list[str]] = defaultdict(list)

    for who, each in needs.items():
        for need in each - target.capabilities:
            missing[need.value].append(who)

    lacking = [
        f"{', '.join(who)} need{'s' if len(who) == 1 else ''} {what}, which the target {target.name!r} lacks"
        for what, who in sorted(missing.items())
    ]
    whole = target.unsupported(instance.setup, frozenset[Capability]().union(*needs.values()))
    return "; ".join((*lacking, whole) if whole else lacking)


def _steps(
    instance: Instance, bench: Bench, hub: Hub, begun: Callable[[Run], None] | None
) -> Iterator[StepResult]:
    """Yield the steps' results; the last one is the first that failed."""
    state = Run(instance.path.name, instance.setup, instance.values, bench)
    hub.subscribe(state.hear)

    for secret in instance.secrets:
        state.keep_secret(secret)

    with closing(state):
        if begun is not None:
            begun(state)

        for spec in instance.steps:
            result = _step(state, spec)
            yield result

            if result.verdict is not Verdict.PASSED:
                return


def _step(state: Run, spec: StepSpec) -> StepResult:
    log = state.begin(spec.id)
    began = time.perf_counter()

    with because(spec.cause):
        failure = _defect(log, _refused(log, _failure(state, spec)))

    result = replace(
        waiting(spec),
        verdict=Verdict.FAILED if failure else Verdict.PASSED,
        seconds=time.perf_counter() - began,
        apdus=len(log.exchanges),
    )

    if failure is None:
        return result

    failure = _explained(log, failure)
    return replace(
        result,
        failure=replace(failure, **{name: state.masked(text) for name, text in _texts(failure)}),
        exchanges=masked_exchanges(log.events)[-KEPT_EXCHANGES:],
    )


def _explained(log: StepLog, failure: Failure) -> Failure:
    """Return the failure with the reason that the step's last call of PKCS#11 gave, if it gave one."""
    call = next((event for event in reversed(log.events) if isinstance(event, CallEnded)), None)

    if call is None or not call.reason:
        return failure

    reason = f"{call.call.what}: {call.reason}"
    return replace(failure, detail="\n".join(filter(None, (failure.detail, reason))))


def _texts(failure: Failure) -> Iterator[tuple[str, str]]:
    for name in ("message", "expected", "actual", "detail"):
        yield name, getattr(failure, name)


def _failure(state: Run, spec: StepSpec) -> Failure | None:
    step: Step | None = None

    try:
        state.bench.declare(spec.effects)
        step = spec.complete(state.values)
        state.keep_secret(step)
        observed = step.run(state)
        return _judge(state, spec, step, observed)
    except _TimeIsUp as error:
        return Failure(str(error))
    except UnseenError as error:
        raise UnseenError(f"step {spec.number} ({spec.kind.verb}), {spec.span}: {error}") from None
    except (ScenarioError, TargetError, PcscError) as error:
        return Failure(str(error))
    except SourceError as error:
        broken = "with the values bound so far, this is no step" if step is None else "a file is broken"
        return Failure(broken, detail=str(error))
    except Exception as error:  # noqa: BLE001  # whatever a step's code does ends this scenario alone
        return Failure(f"the step broke: {type(error).__name__}: {error}", detail=traceback.format_exc())


def _judge(state: Run, spec: StepSpec, step: Step, observed: Observed) -> Failure | None:
    for value in observed.values.values():
        state.keep_secret(value)

    expectation = step.expectation()
    failure = compare(expectation, observed)

    if failure is not None:
        return failure

    named: Mapping[str, str] = step.binds()

    for name, result in named.items():
        if observed.values.get(result) is None:
            have = ", ".join(observed.values)
            return Failure(f"there is no {result!r} to call {name!r}", f"a result among {have}", "absent")

        state.bind(name, observed.values[result], spec.span)

    for name, value in binds(expectation.matchers() if expectation is not None else {}, observed.values):
        state.bind(name, value, spec.span)

    return None


def _refused(log: StepLog, failure: Failure | None) -> Failure | None:
    """Return the failure of a step in which something was not sent, whatever was made of that further up."""
    if not log.refusals:
        return failure

    refused = log.refusals[0]
    what = f"{refused.command}  {refused.meaning}".strip()
    return Failure(
        f"not sent to the card in {refused.reader}: {refused.reason}", detail=f"{what}\n{refused.remedy}"
    )


def _defect(log: StepLog, failure: Failure | None) -> Failure | None:
    """Return the failure of a step in which a bug of cardtwin may have shown: the bug comes first."""
    if not log.defects:
        return failure

    defect = log.defects[0]
    message = f"a defect of cardtwin showed in {defect.where}"

    if failure is None:
        return Failure(message, detail=defect.detail)

    return replace(failure, message=f"{message}; {failure.message}", detail=defect.detail)


@contextmanager
def _deadline(seconds: float | None) -> Iterator[None]:
    """Raise _TimeIsUp in the block when the time is over, where a signal can do that."""
    if seconds is None or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_number: int, _frame: object) -> None:
        raise _TimeIsUp(seconds)

    before = signal.signal(signal.SIGALRM, stop)

    try:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        yield
    finally:
        try:
            signal.setitimer(signal.ITIMER_REAL, 0)
        finally:
            signal.signal(signal.SIGALRM, before)
