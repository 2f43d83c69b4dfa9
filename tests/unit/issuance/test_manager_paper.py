"""PIN letters on paper: every character of a secret is on the page, beside or below its label."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO

import pytest
from pypdf import PdfReader

from cardtwin.issuance.manager.lettertext import LetterText
from cardtwin.issuance.manager.paper import on_paper

RIGHT_EDGE = (210 - 25) / 25.4 * 72
NOW = datetime(2026, 11, 22, tzinfo=UTC)


def letter(lines: int, *rows: tuple[str, str]) -> LetterText:
    text = tuple(f"line {number}" for number in range(lines))
    return LetterText(
        "L-1", 1, 1, "Helvetica", "2026-11-22", (), ("Jane",), "Your card", text, (), rows, "foot"
    )


def test_the_longest_secret_ends_before_the_margin() -> None:
    secret = "0123456789ABCDEF" * 4
    ends: list[float] = []

    def seen(text: str, _cm: object, matrix: list[float], _font: object, size: float) -> None:
        if secret in text:
            ends.append(matrix[4] + len(secret) * 0.6 * size)

    PdfReader(BytesIO(on_paper(letter(1, ("PIN1", secret)), NOW, None))).pages[0].extract_text(
        visitor_text=seen
    )
    assert ends
    assert max(ends) <= RIGHT_EDGE


@pytest.mark.parametrize("lines", range(14, 20))
def test_a_secret_is_on_the_page_of_its_label(lines: int) -> None:
    rows = (("Your PIN", "111111"), ("For unblocking", "222222"))
    pages = [
        page.extract_text() for page in PdfReader(BytesIO(on_paper(letter(lines, *rows), NOW, None))).pages
    ]

    for label, secret in rows:
        assert [label in page for page in pages] == [secret in page for page in pages]
