"""Which applications of a description run, and in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.encoding.errors import MissingValueError
from cardtwin.encoding.values import Text

if TYPE_CHECKING:
    from cardtwin.encoding.description import Application, Description
    from cardtwin.encoding.job import Job

__all__ = ["chosen_applications", "listed_applications"]


def listed_applications(description: Description, job: Job | None) -> str | None:
    """Return the list that ApplicationListField or ApplicationList gives; None where neither is there.

    Raises:
        MissingValueError: The field has no value.
    """
    field, text = (description.settings.get(name) for name in ("ApplicationListField", "ApplicationList"))

    if field is not None and job is not None:
        return job.text(field.value)

    return text.value.text if text is not None and isinstance(text.value, Text) else None


def chosen_applications(description: Description, job: Job | None) -> tuple[Application, ...]:
    """Return the applications that run, in the list's order; without a list all, by their names.

    A list names applications by letters one after the other, or separated by commas.

    Raises:
        MissingValueError: The field has no value, or names an application that isn't there.
    """
    listed = listed_applications(description, job)

    if listed is None:
        return tuple(sorted(description.applications, key=lambda each: each.name.casefold()))

    names = [name.strip() for name in (listed.split(",") if "," in listed else _letters(description, listed))]
    return tuple(_named(description, name) for name in names if name)


def _letters(description: Description, listed: str) -> list[str]:
    whole = listed.strip().casefold()
    return (
        [listed] if any(each.name.casefold() == whole for each in description.applications) else list(listed)
    )


def _named(description: Description, name: str) -> Application:
    folded = name.casefold()
    found = next((each for each in description.applications if each.name.casefold() == folded), None)

    if found is None:
        raise MissingValueError(
            f"there is no [Application_{name}] to run", "list the applications that the description has"
        )

    return found
