"""Where a training goes on: at a checkpoint that is whole, whatever a kill or a full disk left beside it."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from core.backends.tools.xtuner import XTuner
from core.domain.recipe import FineTuning, Recipe

Work = tuple[FineTuning, Path]


@pytest.fixture
def work(tmp_path: Path) -> Work:
    """A training and the folder of its checkpoints; torch writes them as zip archives, their index at the end."""
    folder = tmp_path / "work"
    folder.mkdir()
    for step in (20, 40):
        with zipfile.ZipFile(folder / f"iter_{step}.pth", "w") as archive:
            archive.writestr("data", bytes(100_000))
    (folder / "last_checkpoint").write_text("/moved/since/iter_40.pth")
    return FineTuning(folder=tmp_path, base=Path("base"), recipe=Recipe()), folder


def last(work: Work) -> int | None:
    checkpoint = XTuner(Path("python")).last_checkpoint(work[0])
    return checkpoint.step if checkpoint else None


def half(folder: Path, step: int) -> None:
    whole = (folder / "iter_40.pth").read_bytes()
    (folder / f"iter_{step}.pth").write_bytes(whole[: len(whole) // 2])


def test_half_a_checkpoint_that_was_not_named_yet_is_not_used(work: Work) -> None:
    half(work[1], 60)

    assert last(work) == 40


def test_where_the_disk_had_no_room_for_the_name_the_newest_whole_one_is_used(work: Work) -> None:
    half(work[1], 60)
    (work[1] / "last_checkpoint").write_text("")

    assert last(work) == 40


def test_where_the_first_was_not_whole_the_training_begins_anew(work: Work) -> None:
    half(work[1], 20)
    (work[1] / "iter_40.pth").unlink()
    (work[1] / "last_checkpoint").unlink()

    assert last(work) is None
