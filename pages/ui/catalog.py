"""Keeps the translation catalogs equal to the code: `python -m pages.ui.catalog` updates them, `--check` only looks.

Besides the messages marked with `_`, `_n` and `N_` it collects what a settings form shows: each pydantic
field's name in words, or its title, and its description.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

PROJECT: Final = Path(__file__).resolve().parents[2]
LOCALES: Final = Path(__file__).parent / "locale"
FORMS: Final = (
    "core/stages/*/settings.py",
    "core/stages/evaluation/fidelity/settings.py",
    "core/stages/dataset/cleaning.py",
    "core/stages/dataset/near_duplicates/records.py",
    "core/stages/dataset/suspects.py",
    "core/stages/finetuning/bases/settings.py",
    "core/stages/voice_dataset/clip_sets.py",
    "core/stages/voice_dataset/sound/effect_chain.py",
    "core/stages/voice_dataset/sound/slicing.py",
    "core/stages/voice_dataset/words/transcribing.py",
    "core/stages/voice_training/ranking.py",
    "core/stages/voice_training/serving.py",
    "core/domain/recipe.py",
    "core/domain/voice_training.py",
    "core/job_table.py",
)
"""Where the settings stand that pages show as forms."""

_MARKS: Final = frozenset({"_", "_n", "N_"})

Message = str | tuple[str, ...]
"""A message, or its singular and plural."""


def messages_in(source: str, *, form: bool) -> Iterator[Message]:
    """Yield what a module says to people; of a module whose settings are shown as a form, their names too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _MARKS:
            texts = tuple(
                arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)
            )
            if texts:
                yield texts if len(texts) > 1 else texts[0]
        elif form and isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield from _setting(node, node.target.id)


def template() -> Catalog:
    """Return every message of the code, untranslated, with the files it stands in."""
    found = Catalog(project="chat-daiyu", charset="utf-8", fuzzy=False)
    for path in [*sorted(PROJECT.glob("core/**/*.py")), *sorted(PROJECT.glob("pages/**/*.py")), PROJECT / "Home.py"]:
        form = any(path.match(pattern) for pattern in FORMS)
        for message in messages_in(path.read_text(encoding="utf-8"), form=form):
            found.add(message, locations=[(path.relative_to(PROJECT).as_posix(), 0)])
    return found


def updated(path: Path) -> Catalog:
    """Return a language's catalog brought up to date: translations kept, new messages empty, old ones gone."""
    known = read(path)
    made = known.creation_date
    known.update(template(), no_fuzzy_matching=True)
    known.obsolete.clear()
    known.creation_date = known.revision_date = made  # git knows the dates; here they would only change every time
    known.msgid_bugs_address = known.last_translator = known.language_team = "chat-daiyu"
    return known


def read(path: Path) -> Catalog:
    """Read a catalog file `locale/<language>/LC_MESSAGES/messages.po`."""
    with path.open("rb") as file:
        return read_po(file, locale=path.parents[1].name)


def untranslated(catalog: Catalog) -> list[str]:
    """Return the messages without a translation, or with one nobody has confirmed."""
    return [str(one.id) for one in catalog if one.id and (one.fuzzy or not all(_forms(one.string)))]


def catalog_files() -> list[Path]:
    """Return the catalog file of every language."""
    return sorted(LOCALES.glob("*/LC_MESSAGES/messages.po"))


def main() -> int:
    """Update every catalog; with `--check` write nothing and return 1 when one is not complete or not up to date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args().check
    wrong = 0
    for path in catalog_files():
        fresh = updated(path)
        missing = untranslated(fresh)
        changed = _ids(read(path)) ^ _ids(fresh)
        sys.stdout.write(f"{path.parents[1].name}: {len(changed)} changed, {len(missing)} untranslated\n")
        sys.stdout.writelines(f"  {message}\n" for message in missing)
        wrong += bool(missing) + bool(changed)
        if not check:
            with path.open("wb") as file:
                write_po(file, fresh, width=100, sort_output=True, include_lineno=False)
    return int(check and wrong > 0)


def _ids(catalog: Catalog) -> set[Any]:
    return {one.id for one in catalog if one.id}


def _forms(string: Any) -> tuple[str, ...]:
    return string if isinstance(string, tuple) else (string,)


def _setting(node: ast.AnnAssign, name: str) -> Iterator[Message]:
    """Yield what a form shows of a field: description, title or name in words, and the options of a Literal."""
    call = node.value
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name)):
        return
    texts = {
        word.arg: word.value.value
        for word in call.keywords
        if word.arg in ("title", "description") and isinstance(word.value, ast.Constant)
    }
    nested = isinstance(node.annotation, ast.Name) and node.annotation.id == call.func.id
    if nested or (call.func.id == "Field" and "description" in texts):
        yield from (str(text) for text in texts.values())
        yield str(texts.get("title") or name.replace("_", " ").capitalize())
    for part in ast.walk(node.annotation):
        if isinstance(part, ast.Subscript) and isinstance(part.value, ast.Name) and part.value.id == "Literal":
            options = [one.value for one in ast.walk(part.slice) if isinstance(one, ast.Constant)]
            yield from (option for option in options if isinstance(option, str) and option)


if __name__ == "__main__":
    sys.exit(main())
