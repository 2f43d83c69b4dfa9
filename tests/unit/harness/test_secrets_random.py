"""Whatever PINs a scenario has, no output shows them, whether a step passes, fails or is refused."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from cardtwin.cli import main

ROOT = Path(__file__).parents[3]
SCENARIO: Final = """\
format: 1
title: Secrets
files:
  token.cpf: {path: %(root)s/profiles/cardos-5.3-full.cpf}
  pin.crt: {path: %(root)s/scenarios/keys/pin-a.crt}
readers: {R1: cardos-5.3}
steps:
  - {personalise: token.cpf, certificate: pin.crt, secrets: {PIN1: "%(pin)s", PUK: "%(puk)s"}}
  - {change_pin: user, old: "%(pin)s", new: "%(new)s"}
  - %(last)s
"""
LAST: Final = (
    '{verify_pin: user, pin: "%(wrong)s"}',
    '{verify_pin: nobody, pin: "%(wrong)s"}',
    '{unblock_pin: user, puk: "%(wrong)s", new: "%(pin)s"}',
    '{login: user, pin: "%(new)s", expect: {call: "%(new)s"}}',
    '{login: user, pin: "%(wrong)s"}',
    '{pkcs11: C_Login, hSession: 1, userType: CKU_USER, pPin: "%(wrong)s"}',
    '{pkcs11: C_SetPIN, hSession: 1, pOldPin: "%(wrong)s", pNewPin: "%(new)s", pNewPn: 1}',
    '{pkcs11: C_CreateObject, hSession: 1, pTemplate: {CKA_PRIVATE_EXPONENT: "%(wrong)sx"}}',
    '{erase: operator, pin: "%(wrong)s"}',
    '{verify_pin: user, pin: "%(wrong)s", expekt: CKR_OK}',
    '{verify_pin: user, pni: "%(wrong)s"}',
    '{verify_pin: "%(wrong)s"}',
    '{verify_pin: user, pin: "%(wrong)s": x}',
    "{apdu: 00 20 00 01 08 %(hex)s, expect: 6F00}",
    "{apdu: 10 20 00 01 08 %(hex)s, expect: 6F00}",
    "{apdu: 00 20 00 01 09 %(hex)s}",
    "{apdu: 80 DA 01 6E 08 %(hex)s}",
)
PINS: Final = st.lists(st.from_regex(r"[1-9]{8}", fullmatch=True), min_size=4, max_size=4, unique=True)


@settings(max_examples=30, deadline=None)
@given(PINS, st.sampled_from(LAST))
def test_no_output_shows_a_pin(pins: list[str], last: str) -> None:
    given = dict(zip(("pin", "puk", "new", "wrong"), pins, strict=True))
    given["hex"] = given["wrong"].encode().hex(" ")
    text = SCENARIO % {**given, "root": ROOT, "last": last % given}

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "secrets.scenario.yaml").write_text(text)
        reports = [f"--{kind}={folder / kind}" for kind in ("junit", "json", "trace")]
        result = CliRunner().invoke(main, ["run", name, *reports], env={"COLUMNS": "400"})
        written = [path.read_text() for path in folder.iterdir() if path.suffix != ".yaml"]

    assert result.exit_code in {1, 2}, result.output
    shown = "".join((result.output, *written)).upper()

    for pin in pins:
        assert pin not in shown
        assert pin.encode().hex().upper() not in shown
        assert pin.encode().hex(" ").upper() not in shown
