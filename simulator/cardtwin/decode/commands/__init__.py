"""The known command forms, one module per family."""

from cardtwin.decode.commands import contents, credentials, files, keys, lifecycle, objects, selection

__all__ = ["FORMS"]

FORMS = (
    *selection.FORMS,
    *contents.FORMS,
    *files.FORMS,
    *credentials.FORMS,
    *objects.FORMS,
    *keys.FORMS,
    *lifecycle.FORMS,
)
