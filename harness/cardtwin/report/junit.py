"""Results as JUnit XML: one test case per instance, its steps as properties and as text."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

from cardtwin.report.text import explain_failure
from cardtwin.scenario import ScenarioResult, StepResult, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["step_line", "write_junit"]

_NOT_XML = re.compile(r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")


def write_junit(results: Sequence[ScenarioResult], seconds: float, path: Path) -> None:
    """Write the results to a file."""
    failures = sum(result.verdict is Verdict.FAILED for result in results)
    skipped = sum(result.verdict is Verdict.UNSUPPORTED for result in results)
    suite = ET.Element(
        "testsuite",
        name="cardtwin",
        tests=str(len(results)),
        failures=str(failures),
        errors="0",
        skipped=str(skipped),
        time=f"{seconds:.3f}",
    )
    suite.extend(_case(result) for result in results)
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    ET.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def step_line(step: StepResult) -> str:
    """Return one line about a step."""
    proves = f" proves {', '.join(step.proves)}" if step.proves else ""
    return f"{step.verdict.value}: {step.title} ({step.place}, {step.seconds:.3f} s){proves}"


def _case(result: ScenarioResult) -> ET.Element:
    folder = ".".join(part for part in result.path.parent.parts if part not in {"/", "."})
    case = ET.Element(
        "testcase", name=result.id, classname=folder or "scenarios", time=f"{result.seconds:.3f}"
    )
    case.set("file", str(result.path))
    properties = ET.SubElement(case, "properties")
    ET.SubElement(properties, "property", name="target", value=result.target)

    for step in result.steps:
        ET.SubElement(properties, "property", name=f"step {step.number}", value=_clean(step_line(step)))

    if result.verdict is Verdict.FAILED:
        failure = ET.SubElement(case, "failure", message=_clean(_message(result)))
        failure.text = _clean(explain_failure(result))
    elif result.verdict is Verdict.UNSUPPORTED:
        ET.SubElement(case, "skipped", message=_clean(result.message))

    out = ET.SubElement(case, "system-out")
    out.text = _clean("\n".join(f"{step.number}. {step_line(step)}" for step in result.steps))
    return case


def _message(result: ScenarioResult) -> str:
    step = result.failed_step

    if step is None or step.failure is None:
        return result.message

    return f"step {step.number} ({step.verb}): {step.failure.message}"


def _clean(text: str) -> str:
    """Return a text that XML can hold."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
