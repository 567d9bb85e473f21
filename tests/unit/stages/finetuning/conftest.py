"""A desk with a dataset version and a stand-in for XTuner's environment."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from core.domain.identity import now
from core.domain.run import Run, RunState
from core.domain.text import DatasetVersion, Sample, Split, Turn, TurnRole
from core.jobs.context import RunContext
from core.stages.finetuning.run import inputs, run
from core.stages.finetuning.settings import FinetuneSettings
from core.store import Store

STAND_IN = Path(__file__).with_name("stand_in_python.py")


class Desk:
    """Starts fine-tunings and tells what the stand-in was asked to do."""

    def __init__(self, store: Store, place: Path) -> None:
        self.store = store
        self.place = place
        place.mkdir()
        self.python = place / "python"
        self.python.write_text(f'#!/bin/sh\nSTAND_IN={place} exec {sys.executable} {STAND_IN} "$@"\n')
        self.python.chmod(0o755)
        self.record: Run | None = None

    def goes_wrong(self, **plan: dict[str, Any]) -> None:
        """Let the next start of the named programs go wrong."""
        (self.place / "behaviour.json").write_text(json.dumps(plan))

    def calls(self) -> list[list[str]]:
        """Return the argument lists of every start so far."""
        return [json.loads(line) for line in (self.place / "calls.jsonl").read_text().splitlines()]

    def started(self, program: str) -> list[list[str]]:
        """Return the starts of one program."""
        return [call for call in self.calls() if any(program in argument for argument in call)]

    def finetune(self, **changes: Any) -> dict[str, Any]:
        """Run a fine-tuning as a worker would; a second call is the same run's next attempt."""
        settings = FinetuneSettings(**{"max_steps": 100, "questions": ("你是谁？", "冷么？"), **changes})
        attempt = self.record.attempt + 1 if self.record else 1
        self.record = Run(
            id="run-0123456789",
            kind="finetuning",
            persona_id="a-qing",
            queue="gpu",
            state=RunState.RUNNING,
            settings=settings.model_dump(mode="json"),
            inputs=self.record.inputs if self.record else inputs(settings, self.store, "a-qing"),
            created_at=now(),
            created_by="test",
            attempt=attempt,
        )
        if attempt == 1:
            self.store.runs.add(self.record)
        context = RunContext(self.record, store=self.store, folder=self.folder, poll=0.02, grace=1)
        return run(settings, context=context, store=self.store, environment=lambda name: self.python)

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return self.store.workspace / "runs" / "run-0123456789"

    def metrics(self) -> list[dict[str, float]]:
        """Return the run's curves."""
        return [json.loads(line) for line in (self.folder / "metrics.jsonl").read_text().splitlines()]


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    """A desk whose persona has the dataset version `dsv-1`."""
    store.datasets.add(version(), [sample(0), sample(1), sample(2, Split.HELD_OUT)])
    return Desk(store, tmp_path / "environment")


def version(**changes: Any) -> DatasetVersion:
    """Return a dataset version of three samples."""
    values: dict[str, Any] = {
        "id": "dsv-1",
        "persona_id": "a-qing",
        "name": "第一版",
        "note": "",
        "fingerprint": "f" * 64,
        "system_prompt": "你是沈青。",
        "settings": {},
        "train_samples": 2,
        "held_out_samples": 1,
        "created_at": now(),
    }
    return DatasetVersion(**{**values, **changes})


def sample(ordinal: int, split: Split = Split.TRAIN) -> Sample:
    """Return a sample of one exchange."""
    turns = (
        Turn(TurnRole.COUNTERPART, "陆远", f"第{ordinal}问？"),
        Turn(TurnRole.PERSONA, "沈青", f"第{ordinal}答。"),
    )
    return Sample(ordinal, "src-1", 1, split, turns)
