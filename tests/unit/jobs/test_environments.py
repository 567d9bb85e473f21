from __future__ import annotations

import fcntl
import json
from pathlib import Path

import pytest

from core.jobs import environments
from core.jobs.environments import STAMP, Step, build, fingerprint, is_current, link_mode, python_in


@pytest.fixture
def locks(tmp_path: Path) -> list[Step]:
    steps = []
    for name in ("app.lock", "dev.lock"):
        (tmp_path / name).write_text(f"{name}==1\n", encoding="utf-8")
        steps.append(Step(tmp_path / name))
    return steps


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An environment's folder, with a space in its name, and something that stands for its interpreter."""
    place = tmp_path / "an environment"
    python_in(place).parent.mkdir(parents=True)
    python_in(place).touch()
    return place


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> list[list[Step]]:
    """What was installed, call by call, instead of installing it."""
    calls: list[list[Step]] = []
    monkeypatch.setattr(environments, "_install", lambda folder, steps, python: calls.append(list(steps)))
    return calls


def test_an_environment_is_built_once_and_then_left_alone(folder, locks, installed):
    build(folder, locks)
    build(folder, locks)

    assert installed == [locks]
    assert is_current(folder, locks)


def test_a_changed_lock_makes_the_environment_stale(folder, locks, installed):
    build(folder, locks[:1])
    locks[0].lock.write_text("app.lock==2\n", encoding="utf-8")

    assert not is_current(folder, locks[:1])


def test_running_the_app_leaves_the_developers_tools_in(folder, locks, installed):
    build(folder, locks)
    locks[0].lock.write_text("app.lock==2\n", encoding="utf-8")
    build(folder, locks[:1])

    assert installed[-1] == locks


def test_adding_the_developers_tools_keeps_the_app(folder, locks, installed):
    build(folder, locks[:1])
    build(folder, locks)

    assert installed[-1] == locks
    assert is_current(folder, locks[:1])


def test_a_build_that_fails_leaves_no_stamp(folder, locks, monkeypatch):
    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(environments, "_install", fail)
    with pytest.raises(OSError, match="disk full"):
        build(folder, locks)

    assert not is_current(folder, locks)


def test_an_environment_without_its_interpreter_is_not_current(folder, locks, installed):
    build(folder, locks)
    python_in(folder).unlink()

    assert not is_current(folder, locks)


def test_a_damaged_stamp_counts_as_none(folder, locks, installed):
    build(folder, locks)
    (folder / STAMP).write_text("{", encoding="utf-8")

    assert not is_current(folder, locks)


def test_whoever_waited_for_another_builder_finds_the_work_done(folder, locks, installed, capsys, monkeypatch):
    def finish_while_we_wait(handle: object, operation: int) -> None:
        if operation & fcntl.LOCK_NB:
            raise BlockingIOError
        entries = [{"lock": str(s.lock), "dependencies": s.dependencies, "digest": s.digest} for s in locks]
        (folder / STAMP).write_text(json.dumps(entries), encoding="utf-8")

    monkeypatch.setattr(fcntl, "flock", finish_while_we_wait)
    build(folder, locks)

    assert installed == []
    assert "waiting" in capsys.readouterr().out


def test_a_fingerprint_tells_locks_python_and_dependencies_apart(locks):
    alone = [Step(step.lock, dependencies=False) for step in locks]
    prints = {
        fingerprint(locks, "3.11"),
        fingerprint(locks, "3.12"),
        fingerprint(alone, "3.11"),
        fingerprint(locks[:1], "3.11"),
    }

    assert len(prints) == 4


def test_the_same_lock_elsewhere_has_the_same_fingerprint(locks, tmp_path):
    elsewhere = tmp_path / "moved.lock"
    elsewhere.write_bytes(locks[0].lock.read_bytes())

    assert fingerprint([Step(elsewhere)], "3.11") == fingerprint(locks[:1], "3.11")


def test_files_are_hard_linked_where_cache_and_environment_share_a_filesystem(tmp_path):
    assert link_mode(tmp_path / "cache not made yet", tmp_path / "environment") == "hardlink"
