"""The real XTuner: what the tiny model learns beyond the counting of characters, measured on replies it never met."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.domain.identity import now
from core.domain.run import Run, RunState
from core.domain.text import DatasetVersion, Passage, PassageKind, Sample, Source, SourceKind, Split, Turn, TurnRole
from core.jobs.context import RunContext
from core.settings import load_settings
from core.stages.finetuning.run import inputs, run
from core.stages.finetuning.settings import FinetuneSettings, preset_values
from core.store import Store
from tests.tools.little_world import exchanges

pytestmark = [pytest.mark.slow, pytest.mark.tools, pytest.mark.timeout(1800)]

HELD_OUT = 16


@pytest.fixture
def book(store: Store) -> list[tuple[str, str]]:
    """A book of two chapters in the store, and a dataset version that keeps the second one out of training."""
    told = exchanges(136, seed=7)
    passages = [
        Passage("src-1", number, 2 if number < HELD_OUT else 1, number, PassageKind.PARAGRAPH, 0, 1, "".join(words))
        for number, words in enumerate(told)
    ]
    sha256 = store.files.put(b"the little world")
    source = Source("src-1", "a-qing", "world.txt", SourceKind.NOVEL, sha256, 1, "utf-8", 1, 2, now())
    store.corpus.add(source, passages)
    samples = [_sample(number, *words) for number, words in enumerate(told)]
    count = len(samples) - HELD_OUT
    store.datasets.add(
        DatasetVersion("dsv-1", "a-qing", "v1", "", "f" * 64, "你是沈青。", {}, count, HELD_OUT, now()), samples
    )
    return told


def _sample(number: int, asked: str, answered: str) -> Sample:
    turns = (Turn(TurnRole.COUNTERPART, "陆远", asked), Turn(TurnRole.PERSONA, "沈青", answered))
    split, chapter = (Split.HELD_OUT, 2) if number < HELD_OUT else (Split.TRAIN, 1)
    return Sample(number, "src-1", chapter, split, turns)


def _finetune(store: Store, **changes: Any) -> tuple[dict[str, Any], Path]:
    from core.backends.tools.toolchains import ensure

    settings = FinetuneSettings.model_validate({**preset_values("tiny-cpu"), **changes})
    record = Run(
        id="run-0123456789",
        kind="finetuning",
        persona_id="a-qing",
        queue="gpu",
        state=RunState.RUNNING,
        settings=settings.model_dump(mode="json"),
        inputs=inputs(settings, store, "a-qing"),
        created_at=now(),
        created_by="test",
    )
    store.runs.add(record)
    context = RunContext(record, store=store, folder=store.workspace / "runs" / record.id, poll=0.2)
    python = ensure("xtuner", settings=load_settings(), context=context)
    return run(settings, context=context, store=store, environment=lambda name: python), context.folder


def test_a_model_that_listens_foresees_replies_better_than_one_that_counts_characters(store, book):
    result, folder = _finetune(
        store,
        method="full",
        max_steps=60,
        learning_rate=2e-3,
        questions=["傍晚，小满在桥头做什么？"],
        tiny={"steps": 80, "hidden": 64, "layers": 2, "vocabulary": 512},
        intervals={"save_every": 60, "probe_every": 60},
    )

    read = (folder / "book.txt").read_text(encoding="utf-8").split("\n")
    assert read == ["".join(words) for words in book[HELD_OUT:]]
    surprise = result["held_out_nats_per_character"]
    assert surprise["bigram"] < surprise["unigram"]
    assert surprise["merged"] < surprise["bigram"] - 0.2  # who, where and when stand in the question
    assert result["answers"]["base"] != result["answers"]["merged"]
