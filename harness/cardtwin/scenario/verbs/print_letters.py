"""``print_letters``: PIN letters, as an officer has them printed."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from cardtwin.issuance import IssuanceError
from cardtwin.plan import Secret
from cardtwin.scenario.effects import PRESENTS
from cardtwin.scenario.errors import UsageError
from cardtwin.scenario.managing import officer_signature
from cardtwin.scenario.matchers import PrivateTextMatcher, TextListMatcher, TextMatcher
from cardtwin.scenario.pkcs11.sessions import AbsentError, RefusedError
from cardtwin.scenario.pkcs11.steps import KeyName
from cardtwin.scenario.step import Expectation, Observed, Step, verb
from cardtwin.scenario.values import Name
from cardtwin.targets import Capability

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardtwin.issuance.manager import PinLetter
    from cardtwin.scenario.run import Run
    from cardtwin.scenario.values import Value

__all__ = ["PrintLetters"]


class LetterExpectation(Expectation):
    """What comes of it: ``printed``, or ``refused`` with a code.

    `files` are the names of the letters' files. `holds` tells which secrets of the token stand in the text of
    each, such as ``PL-000001-1.pdf: PIN1``; `text` is that text, by the name of the file, its lines joined by
    blanks. `prints` are the copies that were printed so far, such as ``PL-000001 1 carl``.
    """

    main: ClassVar[str] = "result"
    result: TextMatcher | None = None
    code: TextMatcher | None = None
    message: TextMatcher | None = None
    files: TextListMatcher | None = None
    holds: TextListMatcher | None = None
    text: dict[str, PrivateTextMatcher] = Field(default_factory=dict)
    prints: TextListMatcher | None = None


@verb("print_letters", needs={Capability.PKCS11}, effects=PRESENTS)
class PrintLetters(Step):
    """Have PIN letters printed as PDF, by IDs. Without `expect`, it isn't refused.

    The officer `signer` signs the order by the `key` on the card. With `order`, what was signed is an order
    for other letters. What stands in the letters is read from the PDF.
    """

    print_letters: list[str]
    signer: Name
    key: KeyName
    slot: Literal["main", "signature"] = "main"
    order: list[str] | None = None
    expect: LetterExpectation | None = None

    def run(self, run: Run) -> Observed:
        """Sign, print and read."""
        letters = run.managing.manager.letters
        session = run.token_session(self, self.slot)

        try:
            order = letters.order(self.print_letters if self.order is None else self.order)
            message = officer_signature(run, self.signer, session, self.key, order)
            printed = letters.print(self.print_letters, self.signer, message)
        except (RefusedError, AbsentError) as error:
            raise UsageError(f"the token refuses: {error}") from None
        except IssuanceError as error:
            values: dict[str, Value] = {"result": "refused", "code": error.code, "message": str(error)}
            return Observed({**values, "prints": self._prints(run)}, success=False, note=str(error))

        return Observed({"result": "printed", "prints": self._prints(run), **_read(printed, run)})

    def _prints(self, run: Run) -> tuple[str, ...]:
        letters = run.managing.manager.letters
        return tuple(
            f"{id_} {copy} {officer}"
            for id_ in self.print_letters
            for copy, officer, _ in letters.prints(id_)
        )


def _read(printed: Sequence[PinLetter], run: Run) -> dict[str, Value]:
    # Loading the library takes its time, which only those who print pay.
    from pypdf import PdfReader  # noqa: PLC0415

    manager = run.managing.manager
    texts: dict[str, Value] = {}
    holds: list[str] = []

    for letter in printed:
        pages = PdfReader(BytesIO(letter.content)).pages
        text = " ".join(" ".join(page.extract_text().split()) for page in pages)
        secrets = manager.archive.secrets(manager.letters.letter(letter.id).token)
        inside = [name.value for name, secret in secrets.items() if secret.reveal().decode() in text]
        texts[letter.name] = Secret.of(text)
        holds.append(f"{letter.name}: {' '.join(inside)}")

    return {"files": tuple(letter.name for letter in printed), "holds": tuple(holds), "text": texts}
