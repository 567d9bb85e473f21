"""Our own source files and what each does, read from its syntax tree; nothing is imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


@cache
def modules() -> dict[str, ast.Module]:
    """Return the syntax tree of each module of core and pages and of Home.py, by its path in the project."""
    files = [*PROJECT.glob("core/**/*.py"), *PROJECT.glob("pages/**/*.py"), *PROJECT.glob("Home.py")]
    return {file.relative_to(PROJECT).as_posix(): ast.parse(file.read_text(encoding="utf-8")) for file in sorted(files)}


def imports(tree: ast.Module) -> Iterator[str]:
    """Yield the dotted name of everything a module imports, wherever in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{name.name}" for name in node.names)


def attributes(tree: ast.Module) -> Iterator[str]:
    """Yield each `name.attribute` a module uses."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}"


def users(*names: str) -> set[str]:
    """Return the modules that import or use one of these names, or something below it."""
    return {
        path
        for path, tree in modules().items()
        if any(_is_below(used, names) for used in (*imports(tree), *attributes(tree)))
    }


def _is_below(used: str, names: tuple[str, ...]) -> bool:
    return any(used == name or used.startswith(f"{name}.") for name in names)
