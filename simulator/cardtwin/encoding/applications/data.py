"""DataObject: bytes with a label and attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.cryptoki.constants import Cka, Cko
from cardtwin.cryptoki.objects.oids import encoded
from cardtwin.cryptoki.values import Attribute
from cardtwin.encoding.applications.formats import decode
from cardtwin.encoding.applications.registry import ApplicationRun, part
from cardtwin.encoding.values import Terms

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["DATA_ATTRIBUTES"]


def _flag(text: str) -> bool:
    if text.upper() not in {"TRUE", "FALSE"}:
        raise ValueError("TRUE or FALSE")

    return text.upper() == "TRUE"


def _oid(text: str) -> bytes:
    arcs = text.split(".")

    if len(arcs) < 2 or not all(arc.isdecimal() for arc in arcs) or not _begins_well(*map(int, arcs[:2])):
        raise ValueError("numbers between dots, such as 1.2.3.4.5")

    return encoded(text)


def _begins_well(first: int, second: int) -> bool:
    return (first < 2 and second < 40) or first == 2


DATA_ATTRIBUTES: Final[Mapping[str, Callable[[str], bool | str | bytes]]] = {
    "CKA_PRIVATE": _flag,
    "CKA_COPYABLE": _flag,
    "CKA_MODIFIABLE": _flag,
    "CKA_DESTROYABLE": _flag,
    "CKA_APPLICATION": str,
    "CKA_OBJECT_ID": _oid,
}
"""What AttributesDataObject may give, and what reads the values; ValueError says what is taken."""


@part("DataObject", lambda application: application.settings.get("DataObject") is not None)
def _write(run: ApplicationRun) -> None:
    setting = run.setting("AttributesDataObject")
    terms = setting.value if setting is not None and isinstance(setting.value, Terms) else Terms("", ())
    given = [
        Attribute.of(Cka[each.attribute.upper()], DATA_ATTRIBUTES[each.attribute.upper()](each.value))
        for each in terms.criteria
    ]
    run.session.create(
        (
            Attribute.of(Cka.CKA_CLASS, int(Cko.CKO_DATA)),
            Attribute.of(Cka.CKA_TOKEN, value=True),
            Attribute.of(Cka.CKA_LABEL, run.text("LabelExpressionDataObject")),
            Attribute(Cka.CKA_VALUE, decode(run.text("DataObject"))),
            *given,
        )
    )
