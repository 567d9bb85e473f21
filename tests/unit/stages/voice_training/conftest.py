"""A desk with a set of clips and the stand-in for GPT-SoVITS's checkout."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.backends.tools import VoiceTrainer
from core.domain.identity import now
from core.domain.run import Run, RunState
from core.domain.training import Model
from core.domain.voice_training import GptStage, SovitsStage
from core.jobs.context import RunContext
from core.jobs.door import processes_in
from core.jobs.machine import Machine
from core.settings import JobSettings
from core.stages.voice_training.run import inputs, run
from core.stages.voice_training.settings import VoiceTrainingSettings
from core.store import Store
from tests.little_clips import frozen_set
from tests.standins.gpt_sovits.layout import StandIn, lay_out
from tests.standins.gpt_sovits.world import trainer_on

PERSONA = "a-qing"
SHORT = {
    "version": "v2",
    "device": "cpu",
    "precision": "float32",
    "held_out": 2,
    "sovits": SovitsStage(epochs=2, save_every=1).model_dump(),
    "gpt": GptStage(epochs=2, save_every=1).model_dump(),
}
"""What the stand-in does in seconds."""


class Desk:
    """Trains voices on the stand-in, as a worker would."""

    def __init__(self, store: Store, stand_in: StandIn) -> None:
        self.store = store
        self.stand_in = stand_in
        self.trainer: VoiceTrainer = trainer_on(stand_in)
        self.clip_set = frozen_set(store, PERSONA)
        self.record: Run | None = None

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return self.store.workspace / "runs" / "run-0123456789"

    def train(self, *, on: tuple[str, ...] = (), **changes: Any) -> dict[str, Any]:
        """Train, on those GPUs; a second call is the same run's next attempt, the result is stored."""
        return self.go_on(self.begin(on=on, **changes))

    def go_on(self, context: RunContext) -> dict[str, Any]:
        """Do an attempt to its end."""
        settings = VoiceTrainingSettings.model_validate(dict(context.run.settings))
        result = run(settings, context=context, store=self.store, trainer=self.trainer)
        self.store.runs.end(context.run.id, RunState.SUCCEEDED, result=result)
        return result

    def begin(self, *, on: tuple[str, ...] = (), **changes: Any) -> RunContext:
        """Return the context of the run's next attempt."""
        settings = VoiceTrainingSettings(**{**SHORT, **changes})
        self.record = Run(
            id="run-0123456789",
            kind="voice_training",
            persona_id=PERSONA,
            queue="gpu",
            state=RunState.RUNNING,
            settings=settings.model_dump(mode="json"),
            inputs=self.record.inputs if self.record else inputs(settings, self.store, PERSONA),
            created_at=now(),
            created_by="test",
            attempt=self.record.attempt + 1 if self.record else 1,
        )
        if self.record.attempt == 1:
            self.store.runs.add(self.record)
        machine = Machine(JobSettings(host="here", gpus=on))
        return RunContext(self.record, store=self.store, folder=self.folder, poll=0.02, grace=1, machine=machine)

    def metrics(self) -> list[dict[str, float]]:
        """Return the run's curves."""
        return [json.loads(line) for line in (self.folder / "metrics.jsonl").read_text().splitlines()]

    def curve(self) -> str:
        """Return the run's curves as they are written."""
        file = self.folder / "metrics.jsonl"
        return file.read_text() if file.exists() else ""

    def log(self) -> str:
        """Return the run's log."""
        return (self.folder / "run.log").read_text(encoding="utf-8")

    def voices(self) -> list[Model]:
        """Return the persona's voices."""
        return self.store.models.all(PERSONA)


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Iterator[Desk]:
    """A desk with eight clips, of which two are kept back."""
    made = Desk(store, lay_out(tmp_path / "tool"))
    yield made
    for left in processes_in(made.folder, "here"):
        left.stop(grace=0)
