"""What stays on the card without power, as immutable values, and the changes of it.

`image` holds the whole memory as one value, `files` and `objects` what is in it; `access` says what condition
bytes mean, `lifecycle` which phases there are. A change is a value too: `writes`.
"""

from cardtwin.card.memory.files import MF, Df, Ef, File, FileKind, climb, parent, path_text
from cardtwin.card.memory.image import CardImage
from cardtwin.card.memory.lifecycle import LifeCycle
from cardtwin.card.memory.objects import ObjectKey, SecurityEnvironment, SecurityObject, StartKey

__all__ = [
    "MF",
    "CardImage",
    "Df",
    "Ef",
    "File",
    "FileKind",
    "LifeCycle",
    "ObjectKey",
    "SecurityEnvironment",
    "SecurityObject",
    "StartKey",
    "climb",
    "parent",
    "path_text",
]
