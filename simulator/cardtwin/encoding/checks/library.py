"""Whether the named library is one that can do what the description wants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.encoding.checks.registry import LIBRARY_KEYWORDS, MINIDRIVER, Scope, checked_by
from cardtwin.encoding.checks.structure import JPKI_ENCODER

if TYPE_CHECKING:
    from cardtwin.encoding.description import Setting
    from cardtwin.encoding.library import LibraryEntry

__all__ = ["chosen_library"]


def chosen_library(scope: Scope) -> LibraryEntry | None:
    """Return the library that the description's first library keyword names; None if unknown."""
    setting = next((found for name in LIBRARY_KEYWORDS if (found := scope.setting(name))), None)
    return scope.libraries.find(scope.text(setting)) if setting is not None else None


@checked_by
def _named(scope: Scope) -> None:
    found = [setting for name in LIBRARY_KEYWORDS if (setting := scope.setting(name))]

    if not found:
        scope.diagnostics.error(
            "missing-library",
            "no library is named",
            scope.description.settings.span,
            expected="PKCS11LibraryWindows32=C:/Program Files (x86)/Personal/bin/personal.dll",
        )

    for setting in found:
        _known(scope, setting)


def _known(scope: Scope, setting: Setting) -> None:
    path = scope.text(setting)
    entry = scope.libraries.find(path)

    if entry is None:
        scope.diagnostics.error(
            "unknown-library",
            f"no library lies at {path}: InitTokenPPA and all else would fail",
            setting.value_span,
            remedy=scope.libraries.remedy(path),
        )
    elif setting.name == MINIDRIVER:
        _minidriver(scope, setting, entry)
    elif not entry.is_personal:
        if scope.flag("DeleteProfile"):
            scope.diagnostics.error(
                "delete-on-other-middleware",
                f"DeleteProfile is not supported on {entry.product}",
                setting.value_span,
                remedy="name the library of Personal Desktop Client",
            )

        scope.diagnostics.error(
            "other-middleware",
            f"this is the library of {entry.product}, and not of Personal Desktop Client",
            setting.value_span,
            remedy="name the library of Personal Desktop Client",
        )


def _minidriver(scope: Scope, setting: Setting, entry: LibraryEntry) -> None:
    if not entry.is_minidriver:
        scope.diagnostics.error(
            "no-minidriver",
            f"this is the library of {entry.product}, and no minidriver that is known",
            setting.value_span,
            expected="C:/Windows/System32/msclmd.dll",
            remedy="name a PKCS#11 library by PKCS11LibraryWindows32",
        )

    others = [found for name in LIBRARY_KEYWORDS if name != MINIDRIVER and (found := scope.setting(name))]

    for other in others:
        scope.diagnostics.error(
            "two-middlewares",
            f"{other.name} and {MINIDRIVER} both name what the card is reached by",
            other.span,
            remedy="take one of them away",
        )


@checked_by
def _for_initialisation(scope: Scope) -> None:
    if not scope.flag("InitToken"):
        return

    for name in ("PKCS11Library", "PKCS11LibraryWindows64"):
        if (setting := scope.setting(name)) is not None:
            scope.diagnostics.error(
                "library-keyword",
                f"{name} must not be set where a token is initialised: only the 32-bit library can do it",
                setting.span,
                remedy="set PKCS11LibraryWindows32, and nothing else",
            )


_BITS: Final = {"PKCS11LibraryWindows32": 32, "PKCS11LibraryWindows64": 64}


@checked_by
def _bits(scope: Scope) -> None:
    for name, bits in _BITS.items():
        setting = scope.setting(name)
        entry = None if setting is None else scope.libraries.find(scope.text(setting))

        if setting is not None and entry is not None and entry.bits != bits:
            scope.diagnostics.warning(
                "library-bits",
                f"{name} names a {entry.bits}-bit library"
                + (", which cannot initialise cards" if scope.flag("InitToken") and entry.bits == 64 else ""),
                setting.value_span,
                remedy=f"name the {bits}-bit library",
            )


@checked_by
def _java(scope: Scope) -> None:
    if scope.job is None or JPKI_ENCODER not in scope.devices:
        return

    setting = scope.description.encoding.get("Devices")
    assert setting is not None
    entry = chosen_library(scope)

    if scope.job.jre_bits is None:
        scope.diagnostics.error(
            "no-java-home",
            "JPKIEncoder needs JAVA_HOME, and it is not set",
            setting.span,
            remedy="set JAVA_HOME to a 32-bit JRE, or write Devices=8711",
        )
    elif entry is not None and entry.bits != scope.job.jre_bits:
        scope.diagnostics.error(
            "java-bits",
            f"a {scope.job.jre_bits}-bit JRE cannot load the {entry.bits}-bit library",
            setting.span,
            remedy=f"set JAVA_HOME to a {entry.bits}-bit JRE",
        )
