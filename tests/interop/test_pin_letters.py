"""PIN letters as somebody else's program reads them: poppler's pdftotext."""

from __future__ import annotations

import string
import subprocess
from typing import TYPE_CHECKING

import pytest

from cardtwin.plan import SecretName
from support.interop import TIMEOUT, program
from support.letters import letter_office, make_font

if TYPE_CHECKING:
    from pathlib import Path


def lines(path: Path) -> list[str]:
    command = (program("pdftotext"), "-layout", "-enc", "UTF-8", str(path), "-")
    done = subprocess.run(command, capture_output=True, timeout=TIMEOUT, check=False)
    assert (done.returncode, done.stderr) == (0, b""), done.stderr
    return [" ".join(line.split()) for line in done.stdout.decode().splitlines() if line.strip()]


@pytest.mark.parametrize(
    ("font", "holder"),
    [("", "Zo\u00eb M\u00fcller"), ("Times", "Zo\u00eb"), ("boxes.ttf", "\u0141ukasz \u65e5\u672c")],
)
def test_poppler_reads_what_the_letter_tells(tmp_path: Path, font: str, holder: str) -> None:
    make_font(tmp_path / "boxes.ttf", string.ascii_letters + string.digits + " ,.-\u0141\u65e5\u672c")

    for office in letter_office(fonts=tmp_path, font=font):
        token = office.issued(holder, Organisation="Acme")
        first, second = office.print(token.letter, folder=tmp_path)

    pin, puk = (token.secrets[name].reveal().decode() for name in (SecretName.PIN1, SecretName.PUK))
    assert lines(tmp_path / first.name) == [
        "The Card Office",
        "1 High Street",
        holder,
        "Acme",
        "2026-11-22",
        "Your card 1000",
        f"Dear {holder},",
        "here are your secrets.",
        "Card serial number 1000",
        f"Your PIN {pin}",
        "The Card Office",
        "Letter L-000001, 1 of 2",
    ]
    assert f"For unblocking {puk}" in lines(tmp_path / second.name)
    assert all(pin not in line for line in lines(tmp_path / second.name))
