"""Files are written whole or not at all, on a disk that is really full."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.domain.identity import now
from core.domain.run import Command, Run, RunState
from core.errors import DiskFullError
from core.full_disk import full_disk
from core.jobs.context import RunContext
from core.jobs.door import Process
from core.jobs.whole import append_lines, json_lines, write_whole
from core.store import Store
from tests.conftest import persona_a_qing
from tests.kill_rounds import disk_of, fill


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of four MB; skips where nobody may mount one."""
    with disk_of("4m", tmp_path) as mounted:
        if not mounted:
            pytest.skip("no disk can be mounted here")
        yield tmp_path


def write_much(store: Store) -> None:
    """Write more than the room that a database still has in its own files."""
    for _ in range(200):
        store.events.add(who="anna", entity="persona", entity_id="a-qing", action="look")


def test_what_a_file_held_stays_when_it_cannot_be_written_anew(disk: Path) -> None:
    write_whole(disk / "settings.json", "before")
    fill(disk / "ballast")

    with pytest.raises(OSError, match="No space left"):
        write_whole(disk / "settings.json", "after")

    assert (disk / "settings.json").read_text() == "before"
    assert sorted(file.name for file in disk.iterdir()) == ["ballast", "settings.json"]


def test_lines_are_added_all_or_none(disk: Path) -> None:
    file = disk / "metrics.jsonl"
    append_lines(file, ['{"step": 1}'])
    fill(disk / "ballast")

    with pytest.raises(OSError, match="No space left"):
        append_lines(file, [f'{{"step": {step}}}' for step in range(2, 1000)])
    (disk / "ballast").unlink()
    append_lines(file, ['{"step": 2}', '{"step": 3}'])

    assert file.read_text() == '{"step": 1}\n{"step": 2}\n{"step": 3}\n'


def test_half_a_line_that_somebody_left_is_cut_off(tmp_path: Path) -> None:
    file = tmp_path / "metrics.jsonl"
    file.write_text('{"step": 1}\n{"st')

    assert json_lines(file) == [{"step": 1}]
    append_lines(file, ['{"step": 2}'])

    assert json_lines(file) == [{"step": 1}, {"step": 2}]


def test_the_store_names_the_full_disk_with_a_remedy_and_works_again_when_there_is_room(disk: Path) -> None:
    store = Store(f"sqlite:///{disk / 'store.db'}", disk)
    fill(disk / "ballast")

    with pytest.raises(DiskFullError, match="Free some space"):
        write_much(store)
    with pytest.raises(DiskFullError, match="Free some space"):
        store.files.put(bytes(1 << 20))
    (disk / "ballast").unlink()
    store.personas.put(persona_a_qing())

    assert store.personas.get("a-qing").name == "沈青"
    store.close()


def test_other_failures_are_no_full_disk() -> None:
    assert full_disk(PermissionError(13, "Permission denied")) is None
    assert full_disk(ValueError("no")) is None


def test_a_program_that_cannot_be_watched_on_a_full_disk_is_not_started(
    disk: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    seen = tmp_path_factory.mktemp("seen") / "started"
    process = Process(disk / "commands" / "train")
    command = Command((sys.executable, "-c", f"open({str(seen)!r}, 'w')"), disk)
    log = disk / "log"
    log.touch()
    (disk / "commands" / "train").mkdir(parents=True)
    (disk / "commands" / "train" / "command.json").write_text(" " * 4000)  # the page is there: what starts it fits in
    fill(disk / "ballast")

    process.start(command, log=log)

    assert (process.alive(), process.result(), seen.exists()) == (False, None, False)
    assert process.room() == 0


def test_a_program_that_needs_no_room_goes_on_while_the_disk_is_full_and_no_point_is_lost(disk: Path) -> None:
    store = Store(f"sqlite:///{disk / 'store.db'}", disk)
    store.personas.put(persona_a_qing())
    run = Run("run-1", "finetuning", "a-qing", "gpu", RunState.RUNNING, {}, {}, now(), "anna")
    store.runs.add(run)
    context = RunContext(run, store=store, folder=disk / "run-1", poll=0.05)
    polls = 0

    def tell() -> None:
        nonlocal polls
        polls += 1
        if polls == 2:
            fill(disk / "ballast")
        for step in range(polls * 100, polls * 100 + 100):
            context.metric(step, {"loss": 1.0})
        context.log("x" * 5000)
        context.progress(None, "x" * 5000)
        if polls == 15:
            (disk / "ballast").unlink()
        if polls == 20:
            (disk / "enough").touch()

    wait = "until [ -e enough ]; do sleep 0.1; done"
    context.execute("wait", lambda: Command(("sh", "-c", wait), disk), on_poll=tell)

    steps = [row["step"] for row in json_lines(disk / "run-1" / "metrics.jsonl")]
    assert steps == list(range(100, polls * 100 + 100))
    store.close()
