"""OpenSC lists what every kind of shipped profile makes, on one model of each card family."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final

import pytest

from cardtwin.ppa.shipped import shipped_profile
from support.programs import encoded

if TYPE_CHECKING:
    from support.interop import Desk

MODELS: Final = ("cardos-4.3b", "cardos-4.4", "cardos-5.3-di", "cosmo-7")
OBJECT: Final = re.compile(
    r"^(PIN|Private RSA Key|Public RSA Key|X.509 Certificate|Data object)\b", re.MULTILINE
)

_FULL: Final = {
    "PIN": 6,
    "Private RSA Key": 2,
    "Public RSA Key": 2,
    "X.509 Certificate": 4,
    "Data object": 1,
}
LISTED: Final = {
    "full": _FULL,
    "operator": _FULL,
    "prepersonalised": {"PIN": 8, "Private RSA Key": 1, "X.509 Certificate": 1, "Data object": 1},
    "signature": {
        "PIN": 4,
        "Private RSA Key": 1,
        "Public RSA Key": 1,
        "X.509 Certificate": 1,
        "Data object": 1,
    },
    "erasable": {"PIN": 2},
    "locked": {"PIN": 2},
}
"""How many objects of which kind a profile makes."""


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("kind", LISTED)
def test_the_token_of_a_shipped_profile_is_listed_whole(desk: Desk, model: str, kind: str) -> None:
    desk.insert(model, encoded(model, shipped_profile(model, kind).read_text()))
    dump = desk.run("pkcs15-tool", "-D")
    assert re.search(r"^PKCS#15 Card \[cardtwin ", dump, re.MULTILINE)
    assert Counter(OBJECT.findall(dump)) == LISTED[kind]
