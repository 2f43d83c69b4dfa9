"""No secret of a run stands in its evidence: as text, as hex, or as the hash of what holds it."""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from click.testing import CliRunner
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from cardtwin.cli import main
from cardtwin.evidence.masking import Mask

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parents[3]
SCENARIO: Final = """\
format: 1
title: "Secrets such as %(new)s"
files:
  token.cpf: {path: %(root)s/profiles/cardos-5.3-full.cpf}
  pin.crt: {path: %(root)s/scenarios/keys/pin-a.crt}
matrix: {row: [{id: "x%(pin)s", pin: "%(pin)s"}]}
readers: {R1: cardos-5.3, R2: cardos-5.3}
steps:
  - {personalise: token.cpf, certificate: pin.crt, secrets: {PIN1: $(row.pin), PUK: "%(puk)s"}, on: R1}
  - {change_pin: user, old: "%(pin)s", new: "%(new)s", on: R1}
  - {apdu: 00A40000023F0000, on: R2}
  - {apdu: %(create)s, on: R2}
  - {apdu: 00A40000020101, on: R2}
  - {apdu: 00D60000 08 %(held)s, on: R2}
  - %(last)s
"""
CREATE: Final = "00E00000 19 62 17 80020008 820101 83020101 AB0A 8001019000 8001069000"
LAST: Final = (
    '{verify_pin: user, pin: "%(wrong)s", on: R1}',
    '{unblock_pin: user, puk: "%(wrong)s", new: "%(pin)s", on: R1}',
    '{login: user, pin: "%(new)s", expect: {call: "%(new)s"}, on: R1}',
    '{login: user, pin: "%(wrong)s", on: R1}',
    '{erase: operator, pin: "%(wrong)s", on: R1}',
    '{apdu: 00 20 00 01 08 %(hex)s, expect: {sw: {match: "63.*"}}, on: R1}',
    "{apdu: 00 24 00 01 10 %(hex)s %(hex)s, on: R1}",
    "{apdu: 10 20 00 01 08 %(hex)s, expect: 6F00, on: R1}",
    "{apdu: 00 20 00 01 09 %(hex)s, on: R1}",
)
PINS: Final = st.lists(st.from_regex(r"[1-9]{8}", fullmatch=True), min_size=4, max_size=4, unique=True)


def forms(secret: str) -> Iterator[str]:
    """Yield how a secret may stand in a text."""
    value = secret.encode()
    yield from (secret, value.hex(), value.hex(" "), *(hash_(value).hexdigest() for hash_ in HASHES))


HASHES: Final = (hashlib.sha256, hashlib.sha1, hashlib.sha512)


@settings(max_examples=15, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(PINS, st.sampled_from(LAST), st.sampled_from(["pin", "puk", "new"]))
def test_evidence_holds_no_secret_in_any_form(pins: list[str], last: str, held: str) -> None:
    check(pins, last, held)


@pytest.mark.parametrize("last", [last for last in LAST if "apdu: 00 20 00 01 08" in last or "00 24" in last])
def test_what_an_apdu_presents_is_a_secret_too(last: str) -> None:
    check(["39113381", "76673124", "62982733", "67243652"], last, "wrong")


def check(pins: list[str], last: str, held: str) -> None:
    """Run a scenario with a file that holds a secret and that anybody may read, and search its evidence."""
    given = dict(zip(("pin", "puk", "new", "wrong"), pins, strict=True))
    given["hex"] = given["wrong"].encode().hex()
    more = {"root": str(ROOT), "create": CREATE, "held": given[held].encode().hex(), "last": last % given}

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "evidence").mkdir()
        (folder / "secrets.scenario.yaml").write_text(SCENARIO % {**given, **more})
        result = CliRunner().invoke(main, ["run", name, "--evidence", str(folder / "evidence")])
        (path,) = (folder / "evidence").iterdir()
        shown = (path.name + path.read_text()).lower()
        found = json.loads(path.read_text())

    assert result.exit_code in {0, 1}, result.output
    # The file that holds a secret was made, whatever became of the last step.
    assert [step["verdict"] for step in found["steps"][:6]] == ["passed"] * 6
    (file,) = (each for each in found["readers"][1]["changed"]["files"] if each["path"] == "3F00/0101")
    assert (file["after"]["read"], file["after"]["sha256"]) == ("whole", None)

    for pin in pins:
        assert not [form for form in forms(pin) if form in shown]


@given(st.binary(min_size=4, max_size=16), st.binary(max_size=8), st.binary(max_size=8))
def test_what_holds_a_secret_is_known_by_its_bytes_and_by_its_hex(
    key: bytes, before: bytes, after: bytes
) -> None:
    mask = Mask([key])
    assert mask.holds(before + key + after)
    assert mask.holds(before + key.hex().encode() + after)
    assert key.hex(" ").upper() not in mask.text(f"UPDATE {key.hex(' ').upper()}: 9000")
    assert mask.value({"sha256": key.hex(), "note": [key.hex()]}) == {"sha256": key.hex(), "note": ["***"]}
