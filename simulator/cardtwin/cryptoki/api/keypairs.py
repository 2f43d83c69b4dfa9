"""C_GenerateKeyPair: on the card, or in a session (OASIS PKCS #11 v2.40, 5.13)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.cryptoki.api.changes import require_rights
from cardtwin.cryptoki.api.keys import spec_for
from cardtwin.cryptoki.calls import function
from cardtwin.cryptoki.constants import MechanismFlag
from cardtwin.cryptoki.keeping.generation import generate_in_session, generate_on_token
from cardtwin.cryptoki.keeping.pairs import read_pair
from cardtwin.cryptoki.objects.model import CryptokiObject

if TYPE_CHECKING:
    from cardtwin.cryptoki.application import Application
    from cardtwin.cryptoki.values import Attribute, Mechanism

__all__ = ["generate_key_pair"]


@function("C_GenerateKeyPair")
def generate_key_pair(
    application: Application,
    session: int,
    mechanism: Mechanism,
    public: tuple[Attribute, ...],
    private: tuple[Attribute, ...],
) -> tuple[int, int]:
    """Make a key pair, and return the handles of its public and its private key."""
    found = application.session(session)
    spec = spec_for(found, mechanism, MechanismFlag.CKF_GENERATE_KEY_PAIR)
    pair = read_pair(spec, public, private)

    for attributes in (pair.public, pair.private):
        require_rights(application, found, CryptokiObject(attributes=attributes))

    make = generate_on_token if pair.on_card else generate_in_session
    return make(application, found, pair)
