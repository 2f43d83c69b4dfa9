"""Compiles the PKCS#11 library into the wheel, where there is a C compiler."""

from __future__ import annotations

import importlib
import shutil
import sys
import sysconfig
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE = "simulator/cardtwin/cryptoki"


class NativeBuildHook(BuildHookInterface[Any]):
    """Makes wheels ``py3-none-PLATFORM`` with the library, and ``py3-none-any`` without a compiler."""

    PLUGIN_NAME = "custom"

    folder: str | None = None
    """Where the library waits to be packed."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile the library; into the source tree for an editable installation."""
        native = _builder(Path(self.root))
        command = native.compiler()

        if command is None:
            self._warn(native.LIBRARY_NAME, "no C compiler was found")
            return

        if version == "editable":
            folder = Path(self.root, PACKAGE, "native")
        else:
            self.folder = tempfile.mkdtemp()
            folder = Path(self.folder)

        try:
            library = native.build(folder, command)
        except native.CompilerError as error:
            self._warn(native.LIBRARY_NAME, str(error))
            return

        if version != "editable":
            build_data["force_include"][str(library)] = f"cardtwin/cryptoki/native/{library.name}"

        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{_platform()}"

    def finalize(self, *_: Any) -> None:
        """Take the compiled library away; it is in the wheel."""
        if self.folder is not None:
            shutil.rmtree(self.folder)

    def _warn(self, library: str, reason: str) -> None:
        self.app.display_warning(
            f"{reason}\nThis installation has no {library}, the PKCS#11 library for other programs. "
            "Everything else works."
        )


def _platform() -> str:
    return sysconfig.get_platform().replace("-", "_").replace(".", "_")


def _builder(root: Path) -> Any:
    """Import the code that builds the library, without the packages that are not installed yet.

    It needs the standard library alone, but lies in a package that needs more; so that package's own
    ``__init__`` is left out.
    """
    package = ModuleType("cardtwin.cryptoki")
    package.__path__ = [str(root / PACKAGE)]
    sys.path.insert(0, str(root / "simulator"))
    sys.modules[package.__name__] = package

    try:
        return importlib.import_module("cardtwin.cryptoki.native.build")
    finally:
        sys.path.remove(str(root / "simulator"))
