"""The card profile language (PPA): from the text of a .cpf file to a :class:`cardtwin.plan.Plan`."""

from cardtwin.ppa import card_models
from cardtwin.ppa.describe import describe
from cardtwin.ppa.environment import KEYWORDS, RESERVED, Environment
from cardtwin.ppa.errors import PpaError, RegistrationError, UnknownCardModelError
from cardtwin.ppa.interpreter import check, evaluate
from cardtwin.ppa.parser import parse
from cardtwin.ppa.syntax import Profile
from cardtwin.ppa.vocabulary import function, procedure, statement

__all__ = [
    "KEYWORDS",
    "RESERVED",
    "Environment",
    "PpaError",
    "Profile",
    "RegistrationError",
    "UnknownCardModelError",
    "card_models",
    "check",
    "describe",
    "evaluate",
    "function",
    "parse",
    "procedure",
    "statement",
]
