"""Scenarios above a card that is personalised already, for the tests of steps that call PKCS#11."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from cardtwin.card import image as images
from cardtwin.scenario import load, run
from cardtwin.targets import get
from support.programs import encoded

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cardtwin.events import Event
    from cardtwin.scenario import ScenarioResult

SIGN = "sign: Digital Signature, mechanism: CKM_SHA256_RSA_PKCS, data: 68 65"
OPENED = """\
- {pkcs11: C_Initialize}
- {pkcs11: C_GetSlotList, tokenPresent: yes, bind: {slots: pSlotList}}
- {pkcs11: C_OpenSession, slotID: $(slots.0), flags: [CKF_SERIAL_SESSION, CKF_RW_SESSION], bind: session}
"""
LOGGED_IN = OPENED + '- {pkcs11: C_Login, hSession: $(session), userType: CKU_USER, pPin: "1234"}\n'
FOUND = (
    LOGGED_IN
    + """\
- {pkcs11: C_FindObjectsInit, hSession: $(session), pTemplate: {CKA_CLASS: CKO_PRIVATE_KEY, CKA_SIGN: yes}}
- {pkcs11: C_FindObjects, hSession: $(session), bind: {keys: phObject}}
- {pkcs11: C_FindObjectsFinal, hSession: $(session)}
"""
)


def written(folder: Path, steps: str, *, processes: str = "", more: str = "", files: str = "") -> Path:
    """Write a scenario whose reader has an encoded CardOS 5.3 card."""
    images.save(encoded("cardos-5.3"), folder / "card.image")
    path = folder / "steps.scenario.yaml"
    indented = textwrap.indent(textwrap.dedent(steps).strip(), "  ")
    path.write_text(
        "format: 1\ntitle: Steps\n"
        f"files: {{card.image: {{path: card.image}}, some.txt: some text{files}}}\n"
        "cards: {C: {model: cardos-5.3, image: card.image}}\nreaders: {R1: C}\n"
        + (f"processes: {processes}\n" if processes else "")
        + more
        + f"steps:\n{indented}\n"
    )
    return path


def carried_out(
    folder: Path,
    steps: str,
    *,
    target: str = "emulated",
    observers: tuple[Callable[[Event], None], ...] = (),
    **keys: str,
) -> ScenarioResult:
    """Run such a scenario."""
    (instance,) = load(written(folder, steps, **keys))
    return run(instance, get(target), observers=observers)
