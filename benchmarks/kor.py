"""How well asking a language model keeps many questions under way: wall time against the ideal, and the accounting.

    python -m benchmarks.kor --concurrency 16 --latency 0.5 --chunks 64 --json
    python -m benchmarks.kor --faults

A server of our own on loopback, in a process of its own, takes `--latency` seconds for each answer. The ideal is
chunks / concurrency rounds of that. The wall time is that of asking: sending, reading, parsing and storing each
answer. With `--faults` two thirds of the chunks go wrong once or twice first (429, 500, half a body, broken tables).
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core.backends.extraction import EXTRACTION_MODELS, ExtractionModel, ExtractionSource
from core.backends.llm import Endpoint
from core.backends.rows import build
from core.domain.identity import now
from core.domain.persona import Persona
from core.domain.run import Run, RunState
from core.domain.text import CallOutcome, Passage, PassageKind
from core.jobs.context import RunContext
from core.stages.dialogues.asking import ask_all, question
from core.stages.dialogues.chunks import Chunk, chunks
from core.stages.dialogues.placing import Casting, place, source_lines
from core.stages.dialogues.schemas import schema
from core.stages.dialogues.settings import KorSettings
from core.store import Store

SIZE = 1500


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--concurrency", type=int, default=16)
    parser.add_argument("--latency", type=float, default=0.5, help="seconds an answer takes")
    parser.add_argument("--chunks", type=int, default=64)
    parser.add_argument("--faults", action="store_true", help="let two thirds of the chunks go wrong first")
    parser.add_argument("--json", action="store_true", help="print one JSON object last")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, _server(arguments.latency, arguments.faults) as address:
        found = measured(Path(folder), address, arguments.concurrency, arguments.latency, arguments.chunks)
    if not arguments.faults:
        found["wall_ratio"] = round(found["wall_seconds"] / found["ideal_seconds"], 3)
    for name, value in found.items():
        print(f"{name:28} {value}")
    if arguments.json:
        print(json.dumps(found))


def measured(folder: Path, address: str, concurrency: int, latency: float, count: int) -> dict[str, Any]:
    """Ask about that many chunks and return what it took and whether the books agree."""
    store = Store(f"sqlite:///{folder / 'store.db'}", folder)
    persona = Persona("p", "沈青", "竹声", "s", "g")
    store.personas.put(persona)
    settings = KorSettings(
        base_url=address, model="m", concurrency=concurrency, chunk_characters=SIZE, backoff_seconds=latency
    )
    passages = _book(count)
    pieces = list(chunks(passages, size=SIZE, overlap=0))
    model = build(
        EXTRACTION_MODELS, "kor", ExtractionSource(schema("script"), Endpoint(address, "m"), connections=concurrency)
    )
    model.ask("沈青道：“热身。”")  # imports are paid once in the life of a worker
    before = _books(address)
    questions = [question(model, piece.subject, piece.text, expects=0) for piece in pieces]
    context = _context(store, folder)
    began = time.perf_counter()
    answers = ask_all(questions, model=model, settings=settings, context=context, store=store)
    wall = time.perf_counter() - began
    lines = _lines(passages, pieces, [answers.rows.get(one.request, ()) for one in questions], persona)
    told = _accounts(store, context.run.id, before, _books(address), [one.request for one in questions])
    _close(store, model)
    ideal = math.ceil(len(pieces) / concurrency) * latency
    return {
        "concurrency": concurrency,
        "chunks": len(pieces),
        "wall_seconds": round(wall, 3),
        "ideal_seconds": ideal,
        "unanswered": len(answers.retry),
        "lines": lines,
        **told,
    }


def _accounts(
    store: Store, run_id: str, before: dict[str, int], after: dict[str, int], requests: Sequence[str]
) -> dict[str, Any]:
    usage = store.calls.usage(run_id)
    calls = Counter(call.request for call in store.calls.of_run(run_id))
    good = Counter(call.request for call in store.calls.of_run(run_id) if call.outcome is CallOutcome.ANSWERED)
    return {
        "calls": usage.calls,
        "failed": usage.failed,
        "unreadable": usage.unreadable,
        "asked_once_more_than_failed": all(good[one] == 1 for one in requests),
        "most_calls_for_a_chunk": max(calls.values()),
        "calls_agree": usage.calls == after["asked"] - before["asked"],
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "tokens_agree": usage.prompt_tokens == after["prompt_tokens"] - before["prompt_tokens"]
        and usage.completion_tokens == after["completion_tokens"] - before["completion_tokens"],
    }


def _lines(passages: Sequence[Passage], pieces: Sequence[Chunk], answers: Sequence[Any], persona: Persona) -> int:
    lines, casting = source_lines(passages), Casting(persona)
    return sum(
        len(place(piece, rows, lines, casting, similarity=0.8).lines)
        for piece, rows in zip(pieces, answers, strict=True)
    )


def _book(count: int) -> list[Passage]:
    """Return paragraphs that fill that many chunks, each with a quotation every 75 characters or so."""
    passages = []
    for ordinal in range(count):
        number = "零一二三四五六七八九"
        name = "".join(number[int(digit)] for digit in str(ordinal))
        text = f"第{name}日，" + "窗外的竹子响了一夜，雨声也一直没有停过，" + "到天亮时两个人都还没有睡，"
        text += "".join(f"沈青道：“这雨下到第{name}日了，{'竹' * at}。”陆远听了，半日没有说话。" for at in range(15))
        text = (text * 3)[: SIZE - 10 - ordinal % 3].rpartition("。")[0] + "。"
        passages.append(Passage("src", ordinal, 1, ordinal, PassageKind.PARAGRAPH, 0, len(text), text))
    return passages


def _context(store: Store, folder: Path) -> RunContext:
    record = Run("run-1", "kor", "p", "llm", RunState.RUNNING, {}, {}, now(), "benchmark")
    store.runs.add(record)
    return RunContext(record, store=store, folder=folder / "run")


def _books(address: str) -> dict[str, int]:
    with urllib.request.urlopen(address) as answer:
        told: dict[str, int] = json.load(answer)
    return told


def _close(store: Store, model: ExtractionModel) -> None:
    model.close()
    store.close()


@contextmanager
def _server(latency: float, faults: bool) -> Iterator[str]:
    argv = [sys.executable, "-m", "tests.contract.script_server", "--latency", str(latency)]
    with subprocess.Popen(
        [*argv, *(["--faults"] if faults else [])], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
        server.terminate()


if __name__ == "__main__":
    main()
