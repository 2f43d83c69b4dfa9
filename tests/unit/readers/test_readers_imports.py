"""The modules of the readers stand in an order: none needs, be it for types, what needs it."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import cardtwin.readers

FOLDER = Path(cardtwin.readers.__file__).parent


def imported(path: Path) -> set[str]:
    nodes = ast.walk(ast.parse(path.read_text("utf-8")))
    return {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}


def test_no_module_of_the_readers_imports_what_imports_it() -> None:
    modules = {
        ".".join(("cardtwin.readers", *path.relative_to(FOLDER).with_suffix("").parts)): imported(path)
        for path in FOLDER.rglob("*.py")
        if path.stem != "__init__"
    }
    order = [*TopologicalSorter(modules).static_order()]
    assert order.index("cardtwin.readers.context") < order.index("cardtwin.readers.manager")
