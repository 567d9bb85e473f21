"""A worker that asks a model and is killed half-way: nothing is paid for twice, nothing is lost."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from core.domain.run import RunState
from core.domain.text import CallOutcome, SourceKind
from core.services import Services
from core.store.utterances import UtteranceFilter
from tests.contract.script_server import Manner, ScriptServer
from tests.unit.stages.dialogues.kor_workers import open_studio
from tests.unit.stages.dialogues.test_run import imported

PROJECT = Path(__file__).resolve().parents[4]
WORKER = Path(__file__).with_name("kor_workers.py")
PARAGRAPHS = 24
BOOK = "第一回　雨\n" + "".join(
    f"{'雨下了一夜，' * 12}这是第{number}段，沈青道：“竹{'子' * number}响了。”陆远道：“是第{number}声。”\n"
    for number in range(PARAGRAPHS)
)
TROUBLES = (Manner.BUSY, Manner.DOWN, Manner.HALF, Manner.PIPES, Manner.HEADERLESS)
KEY = "sk-killed-but-not-told"


def manner(text: str, nth: int) -> Manner:
    """Some pieces go wrong once, some twice; some are held the first time that they would be answered."""
    number = text.count("子")
    wrong = number % 3
    if nth <= wrong:
        return TROUBLES[(number + nth) % len(TROUBLES)]
    return Manner.HELD if number % 4 == 3 and nth == wrong + 1 else Manner.GOOD


def start(workspace: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "OPENAI_API_KEY": KEY}
    return subprocess.Popen([sys.executable, str(WORKER), str(workspace)], env=environment)


def until(condition: Callable[[], object], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited too long for {what}"
        time.sleep(0.05)


def answered(studio: Services, run_id: str) -> int:
    return sum(call.outcome is CallOutcome.ANSWERED for call in studio.store.calls.of_run(run_id))


@pytest.mark.slow
def test_a_killed_run_asks_every_piece_once_more_than_it_failed_and_loses_nothing(tmp_path: Path) -> None:
    studio = open_studio(tmp_path)
    persona = studio.store.personas.get(studio.settings.persona)
    imported_for(studio, persona.id)
    workers: list[subprocess.Popen[bytes]] = []
    with ScriptServer(manner=manner) as server:
        asking = {"base_url": server.base_url, "model": "m", "concurrency": 16, "backoff_seconds": 0.01}
        cutting = {"chunk_characters": 100, "overlap_paragraphs": 0}
        run = studio.jobs.submit("kor", persona.id, {**asking, **cutting}, who="test")
        try:
            workers.append(start(tmp_path))
            pieces = len([one for one in studio.store.corpus.passages("src-1") if one.para >= 0])
            held = sum(number % 4 == 3 for number in range(PARAGRAPHS))
            for _ in range(held):
                assert server.held.acquire(timeout=60)
            until(lambda: answered(studio, run.id) == pieces - held, "the others to be answered")

            workers[0].kill()
            workers[0].wait()
            server.release.set()
            until(lambda: server.under_way == 0, "the server to notice")
            workers.append(start(tmp_path))
            until(lambda: studio.store.runs.get(run.id).state.over, "the run to end")
        finally:
            for worker in workers:
                worker.kill()
                worker.wait()
        books = server.books

    ended = studio.store.runs.get(run.id)
    usage = studio.store.calls.usage(run.id)
    lines = list(studio.store.utterances.iterate(UtteranceFilter(persona.id)))
    calls = studio.store.calls.of_run(run.id)
    assert ended.state is RunState.SUCCEEDED, ended.error
    assert ended.result["retry"] == []
    assert {text: books.asked[text] - books.failed(text) for text in books.asked} == dict.fromkeys(books.asked, 1)
    assert len(books.asked) == pieces == PARAGRAPHS
    assert Counter(call.request for call in calls if call.outcome is CallOutcome.ANSWERED).most_common(1)[0][1] == 1
    assert len(calls) + held == sum(books.asked.values())  # those under way when it was killed left no record
    assert (usage.prompt_tokens, usage.completion_tokens) == (books.prompt_tokens, books.completion_tokens)
    assert len(lines) == 2 * PARAGRAPHS
    assert {line.reason for line in lines} == {"verbatim"}
    assert not any(KEY.encode() in file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    studio.close()


def imported_for(studio: Services, persona_id: str) -> None:
    """Put the book into the corpus of that persona."""
    imported(studio.store, BOOK, SourceKind.NOVEL, persona_id=persona_id)
