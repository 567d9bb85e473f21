"""A ranking on the stand-in: pairs speak once, are measured, and put in order; a server that is lost comes back."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest

from core.backends.asr import NoAnswerError, Transcript
from core.backends.rows import build
from core.backends.tools.gpt_sovits.checkout import SPEAKER_MODEL as SPEAKER_FILE
from core.backends.voiceprint import VOICEPRINTS, VoiceprintSource
from core.domain.identity import now
from core.domain.run import Run, RunState
from core.errors import MissingArtifactError, RunCancelledError, StudioError
from core.jobs.context import RunContext
from core.jobs.door import processes_in
from core.jobs.machine import Machine
from core.settings import JobSettings
from core.stages.voice_training.ranking import SENTENCES, SPEAKER_MODEL, RankingSettings, run
from tests.standins.gpt_sovits.world import pid_of, until
from tests.unit.stages.voice_training.conftest import PERSONA, Desk

RANKING = "run-ranking"
T = TypeVar("T")

pytestmark = pytest.mark.slow


class Ear:
    """Hears what it is told to."""

    name = "ear"
    label = "Ear 1"

    def __init__(self, *words: str) -> None:
        self.words, self.asked = words, 0

    def transcribe(self, wav: bytes | Path, *, language: str, prompt: str = "") -> Transcript:
        self.asked += 1
        if not self.words:
            raise NoAnswerError("busy", remedy="ask again")
        return Transcript(self.words[(self.asked - 1) % len(self.words)], None, language)

    def close(self) -> None: ...


class Jury:
    """Ranks the weights of a desk's training, as a worker would."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.store = desk, desk.store
        self.trained = desk.train()
        self.attempt = 0
        self.steps: dict[str, Any] = {}

    @property
    def folder(self) -> Path:
        return self.store.workspace / "runs" / RANKING

    def rank(self, ear: Ear | None = None, **settings: Any) -> dict[str, Any]:
        """Rank; a second call is the same run's next attempt."""
        return run(
            self.settings(**settings),
            context=self.context(**settings),
            store=self.store,
            trainer=self.desk.trainer,
            voiceprint=build(VOICEPRINTS, "mfcc", VoiceprintSource()),
            recogniser=ear,
        )

    def settings(self, **settings: Any) -> RankingSettings:
        assert self.desk.record is not None
        usual = {"run_id": self.desk.record.id, "device": "cpu", "precision": "float32", "pairs": 2}
        return RankingSettings.model_validate({**usual, "sentences": ("你来了", "雨停了么"), **settings})

    def context(self, **settings: Any) -> RunContext:
        self.attempt += 1
        record = Run(
            id=RANKING,
            kind="voice_ranking",
            persona_id=PERSONA,
            queue="gpu",
            state=RunState.RUNNING,
            settings=self.settings(**settings).model_dump(mode="json"),
            inputs={},
            created_at=now(),
            created_by="test",
            attempt=self.attempt,
        )
        if self.attempt == 1:
            self.store.runs.add(record)
        machine = Machine(JobSettings(host="here", gpus=()))
        return RunContext(
            record, store=self.store, folder=self.folder, durable=self._once, poll=0.02, grace=1, machine=machine
        )

    def _once(self, name: str, step: Callable[[], T]) -> T:
        if name not in self.steps:
            self.steps[name] = step()
        return cast(T, self.steps[name])

    def pid(self) -> int:
        """Return the server's process; 0 while it is being started."""
        try:
            return pid_of(self.folder / "commands" / "server")
        except FileNotFoundError:
            return 0

    def log(self) -> str:
        return (self.folder / "run.log").read_text(encoding="utf-8")


@pytest.fixture
def jury(desk: Desk) -> Any:
    made = Jury(desk)
    yield made
    for left in processes_in(made.folder, "here"):
        left.stop(grace=0)


def test_every_pair_says_every_sentence_and_is_measured(jury: Jury) -> None:
    result = jury.rank(Ear("你来了", "雨停了么"))

    assert [one["rank"] for one in result["pairs"]] == [1, 2]
    assert result["sentences"] == ["你来了", "雨停了么"]
    assert result["measure"]["recogniser"] == "Ear 1"
    assert result["measure"]["voiceprint"] == SPEAKER_MODEL
    assert 0 < result["ceiling"] <= 1
    for pair in result["pairs"]:
        assert [take["sentence"] for take in pair["takes"]] == [0, 1]
        assert all(jury.store.files.has(take["sha256"]) for take in pair["takes"])
        assert pair["scores"]["cer"] == 0
        assert 0 < pair["scores"]["similarity"] <= 1
        assert pair["scores"]["rtf"] > 0
        assert pair["scores"]["loudness"] < 0
        assert 0 < pair["total"] <= 1
    assert jury.desk.stand_in.git_status() == ""


def test_without_a_recogniser_wrong_words_are_unknown_and_not_absent(jury: Jury) -> None:
    result = jury.rank()

    assert result["measure"]["recogniser"] == ""
    assert {pair["scores"]["cer"] for pair in result["pairs"]} == {None}
    assert {pair["scores"]["swallowed"] for pair in result["pairs"]} == {None}


def test_a_recogniser_that_does_not_answer_leaves_the_words_unknown(jury: Jury) -> None:
    result = jury.rank(Ear(), pairs=1, sentences=("你来了",))

    assert result["pairs"][0]["takes"][0]["heard"] is None
    assert result["pairs"][0]["scores"]["cer"] is None


def test_without_the_speaker_model_other_ears_compare_and_are_named(jury: Jury) -> None:
    (jury.desk.stand_in.checkout / SPEAKER_FILE).unlink()

    result = jury.rank(pairs=1)

    assert "MFCC" in result["measure"]["voiceprint"]
    assert all(take["similarity"] is not None for take in result["pairs"][0]["takes"])


def test_a_speaker_model_that_dies_leaves_the_comparison_to_other_ears(jury: Jury) -> None:
    jury.desk.stand_in.behave(die={"2-get-sv": 1})

    result = jury.rank(pairs=1)

    assert "MFCC" in result["measure"]["voiceprint"]
    assert "did not listen" in jury.log()
    assert jury.desk.stand_in.git_status() == ""


def test_the_words_of_clips_kept_back_are_said_and_ours_where_they_are_few(jury: Jury) -> None:
    result = jury.rank(pairs=1, sentences=())

    kept = [one["text"] for one in jury.trained["held_out"]]
    assert result["sentences"] == [*kept, *SENTENCES[:2]]


def test_a_take_that_came_is_not_spoken_again_after_an_interruption(jury: Jury) -> None:
    jury.desk.stand_in.behave(tts_seconds=0.2)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(jury.rank)
        until(lambda: "take 2+2 0" in jury.steps or first.done())
        jury.store.runs.request_stop(RANKING)
        assert isinstance(first.exception(60), RunCancelledError)
    said = jury.steps["take 2+2 0"]
    jury.store.runs.end(RANKING, RunState.CANCELLED)
    jury.store.runs.reopen(RANKING)
    jury.desk.stand_in.behave()

    (pair,) = [one for one in jury.rank()["pairs"] if (one["sovits"], one["gpt"]) == (2, 2)]
    assert pair["takes"][0]["sha256"] == said["sha256"]
    assert pair["takes"][0]["took"] == said["took"]


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hanging"])
def test_a_server_that_is_lost_is_started_again_and_the_sentence_spoken(jury: Jury, end: signal.Signals) -> None:
    jury.desk.stand_in.behave(tts_seconds=1.0)
    with ThreadPoolExecutor(1) as pool:
        ranking = pool.submit(jury.rank)
        until(lambda: "take 2+2 0" in jury.steps or ranking.done())
        os.killpg(jury.pid(), end)
        jury.desk.stand_in.behave()
        result = ranking.result(120)

    assert all(take["sha256"] for pair in result["pairs"] for take in pair["takes"])
    assert "started again" in jury.log()


def test_a_server_that_does_not_start_ends_the_run_with_the_reason(jury: Jury) -> None:
    (jury.desk.stand_in.checkout / "api_v2.py").write_text("raise SystemExit('No module named \\'fastapi\\'')\n")

    with pytest.raises(StudioError, match="fastapi"):
        jury.rank()


def test_a_server_that_speaks_no_sentence_at_all_ends_the_run_and_a_resumed_one_asks_again(jury: Jury) -> None:
    jury.desk.stand_in.behave(tts="exception")
    with pytest.raises(StudioError):
        jury.rank()
    jury.desk.stand_in.behave()

    assert all(take["sha256"] for pair in jury.rank()["pairs"] for take in pair["takes"])


def test_a_training_without_weights_or_whose_weights_are_gone_is_refused(jury: Jury) -> None:
    for kept in jury.trained["weights"]:
        (jury.store.workspace / kept["file"]).unlink()

    with pytest.raises(MissingArtifactError, match="not there any more"):
        jury.rank()
