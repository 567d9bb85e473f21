"""What cannot be read is refused in plain words with a remedy, and nothing of it is kept."""

from __future__ import annotations

import io
import random
import zipfile
from pathlib import Path

import pytest

from tests.browser.conftest import House
from tests.browser.visitor import Visitor


def an_archive(path: Path, members: dict[str, bytes]) -> Path:
    """Write a zip."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    path.write_bytes(packed.getvalue())
    return path


def a_binary(path: Path) -> Path:
    """Write bytes that mean nothing as text."""
    path.write_bytes(random.Random(7).randbytes(20_000))
    return path


BAD_FILES = {
    "an empty file": (
        lambda folder: [(folder / "empty.txt").touch(), folder / "empty.txt"][1],
        "empty.txt is empty.",
        "Choose a file that holds text.",
    ),
    "a binary named .txt": (
        lambda folder: a_binary(folder / "binary.txt"),
        "binary.txt is not a text but binary data.",
        "Save it as plain text in UTF-8 and import it again.",
    ),
    "a zip bomb": (
        lambda folder: an_archive(folder / "bomb.zip", {"bomb.txt": b" " * 40_000_000}),
        "unpacks to more than 200 times its size, as zip bombs do.",
        "Pack only the texts into a plain zip, or import them one by one.",
    ),
    "a name that leaves the archive": (
        lambda folder: an_archive(folder / "escape.zip", {"../../escaped.txt": "第一回\n\n出去。".encode()}),
        "The archive holds a file that wants to lie outside of it: escaped.txt.",
        "Pack only the texts into a plain zip, or import them one by one.",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", BAD_FILES)
def test_a_bad_file_is_refused_with_a_remedy_and_leaves_nothing(
    house: House, visitor: Visitor, tmp_path: Path, case: str
) -> None:
    make, problem, remedy = BAD_FILES[case]
    before = what_is_kept(house)
    visitor.open("corpus")
    visitor.unfold("Import texts")

    visitor.give(make(tmp_path))
    visitor.press("Import")

    visitor.sees_problem(problem)
    visitor.sees_problem(remedy)
    assert what_is_kept(house) == before


@pytest.mark.slow
def test_a_name_that_leads_elsewhere_is_only_a_name(house: House, visitor: Visitor) -> None:
    visitor.open("corpus")
    visitor.unfold("Import texts")
    uploader = visitor.page.get_by_test_id("stFileUploader").locator("input[type=file]")

    uploader.set_input_files(
        {"name": "../../../elsewhere.txt", "mimeType": "text/plain", "buffer": "第一回\n\n外头来的。".encode()}
    )
    visitor.page.get_by_role("button", name="Remove ../../../elsewhere.txt").wait_for()
    visitor.settled()
    visitor.starts_and_sees_succeed("Import", "1 text received")

    newest = house.services.store.corpus.sources(house.persona)[0]
    assert newest.name == "elsewhere.txt"
    assert not list(house.app.workspace.rglob("elsewhere*"))
    assert not list(house.app.workspace.parent.glob("elsewhere*"))
    house.services.store.corpus.delete(newest.id, who="test")


def what_is_kept(house: House) -> tuple[object, ...]:
    """Return what an import could leave: sources, runs, and files."""
    store = house.services.store
    files = sorted(path.name for path in (house.app.workspace / "files").rglob("*") if path.is_file())
    return store.corpus.sources(house.persona), [run.id for run in store.runs.all(persona_id=house.persona)], files
