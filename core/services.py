"""The wiring: settings -> store, jobs, and what each stage is handed. The one place that knows them all."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from core.chat_services import ChatServices
from core.domain.checkout import Checkout, CheckoutReport
from core.domain.identity import new_id, now
from core.domain.persona_file import read_persona
from core.domain.training import Model, Vote
from core.domain.voice_training import ServingPlace
from core.errors import InvalidInputError, MissingToolError
from core.job_table import job_table
from core.jobs.curves import METRICS, curve
from core.jobs.execution import Execution, inline_worker
from core.jobs.queue import Jobs
from core.lending import (
    VOICE_TRAINER,
    asked_model,
    hub_named,
    own_servers,
    prices,
    sample_reader,
    voice_tool,
    voice_trainer,
    voice_trainer_at,
)
from core.settings import CONFIGS, Settings, load_settings, validated
from core.stages.dialogues.settings import ExpansionSettings, KorSettings
from core.stages.evaluation.settings import EvaluationSettings
from core.stages.finetuning.bases.settings import BaseImport
from core.stages.finetuning.settings import FinetuneSettings
from core.stages.voice_training.settings import VoiceTrainingSettings
from core.store import Store
from core.translation import N_

if TYPE_CHECKING:
    from core.backends.tools.toolchains import ToolchainReport
    from core.domain.examination import Examination
    from core.domain.text import DatasetVersion
    from core.jobs.capacity import Capacity
    from core.stages.dialogues.estimate import Estimate
    from core.stages.evaluation.benchmarks import BenchmarkReport
    from core.stages.finetuning.bases.planning import BasePlan
    from core.stages.finetuning.checking import Pace, WrittenTraining
    from core.stages.finetuning.preflight import Preflight
    from core.stages.voice_training.preflight import VoicePreflight

SAMPLES = CONFIGS / "samples"

_LATELY = 10
"""Seconds a look at the machine is good for."""


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a page or a command may use."""

    settings: Settings
    store: Store
    jobs: Jobs
    execution: Execution
    """Does runs in this process, for commands that wait for them."""

    @property
    def chat(self) -> ChatServices:
        """The verbs of the talk and of the arena."""
        return ChatServices(self.settings, self.store)

    def receive_texts(self, stream: IO[bytes], name: str) -> list[dict[str, Any]]:
        """Take in an upload and return what the corpus stage wants to know of it; InvalidInputError when refused."""
        from core.stages.corpus.upload import UploadLimits, receive

        uploads = self.settings.uploads
        limits = UploadLimits(uploads.max_text_mb, uploads.max_archive_members)
        received = receive(stream, name, files=self.store.files, limits=limits)
        return [one.model_dump(mode="json") for one in received]

    def receive_recording(
        self, stream: IO[bytes], name: str, subtitles: IO[bytes] | None = None, subtitles_name: str = ""
    ) -> dict[str, str]:
        """Take in a sound or video and the subtitles beside it; return what the import run wants to know of them.

        InvalidInputError for what is no sound, too large or empty, and for subtitles that cannot be read.
        """
        from core.stages.voice_dataset.recordings import receive

        limit = self.settings.uploads.max_audio_mb
        received = receive(stream, name, files=self.store.files, max_megabytes=limit)
        wanted = {"name": received.name, "sha256": received.sha256}
        if subtitles is not None:
            wanted |= self.receive_subtitles(subtitles, subtitles_name)
        return wanted

    def receive_subtitles(self, stream: IO[bytes], name: str) -> dict[str, str]:
        """Take in subtitles and return how a recording names them; InvalidInputError where no words have times."""
        from core.stages.voice_dataset.recordings import shown_name
        from core.stages.voice_dataset.words.subtitles import LARGEST, read_cues

        words = stream.read(LARGEST + 1)
        read_cues(words, shown_name(name))
        return {"subtitles_name": shown_name(name), "subtitles_sha256": self.store.files.put(words)}

    def estimate(self, kind: str, persona_id: str, settings: Mapping[str, Any]) -> Estimate:
        """Return what a run of the kind kor or expansion would ask and cost; sends nothing."""
        from core.stages.dialogues import expansion, kor

        wanted = validated(self.jobs.job(kind).settings, dict(settings), kind)
        persona = self.store.personas.get(persona_id)
        if isinstance(wanted, KorSettings):
            with asked_model(wanted, "script") as model:
                works = kor.plan(wanted, persona, store=self.store, model=model)
                return kor.estimated(wanted, works, store=self.store, model=model, prices=prices())
        if not isinstance(wanted, ExpansionSettings):
            raise TypeError(f"{kind} asks no model")
        with asked_model(wanted, "expansion") as model:
            work = expansion.plan(wanted, persona, store=self.store, model=model)
            return expansion.estimated(wanted, work, store=self.store, model=model, prices=prices())

    def look_at_base(self, settings: Mapping[str, Any]) -> BasePlan:
        """Return what an import of a base model would bring, and what stands in its way; fetches no weights.

        SettingsError when the settings are not right; another StudioError where there is no such model to see.
        """
        from core.stages.finetuning.bases.planning import plan_import

        wanted = validated(BaseImport, dict(settings), "base_model")
        return plan_import(wanted, workspace=self.settings.workspace, hub=hub_named)

    def remove_base(self, base_id: str, *, who: str) -> None:
        """Remove a base model and its folder; ConflictError while a fine-tuning that is not over needs it."""
        from core.stages.finetuning.bases.removing import remove_base

        remove_base(base_id, store=self.store, who=who)

    def toolchain(self, name: str, *, imports: bool = False) -> ToolchainReport:
        """Look at a tool's environment; with `imports` import the tool too, which may take half a minute."""
        from core.backends.tools.toolchains import check

        return check(name, self.settings, imports=imports)

    def benchmarks(self, names: Sequence[str], folder: str = "") -> list[BenchmarkReport]:
        """Look for the files of published benchmarks; `folder` is where they lie if not in the workspace."""
        from core.stages.evaluation.benchmarks import look

        data = Path(folder) if folder else self.settings.workspace / "benchmarks"
        return [look(name, data) for name in names]

    def examination(self, persona_id: str, settings: Mapping[str, Any]) -> Examination:
        """Return what an evaluation with those settings would ask.

        SettingsError when they are not right, MissingArtifactError and InvalidInputError with what is missing.
        """
        from core.stages.evaluation.run import examination

        wanted = validated(EvaluationSettings, dict(settings), "evaluation")
        nowhere = self.settings.workspace / "unwritten"
        return examination(wanted, nowhere, store=self.store, persona_id=persona_id, write=False)

    def receive_questions(self, stream: IO[bytes], name: str) -> dict[str, str]:
        """Take in a set of questions and return what the evaluation wants to know of it; InvalidInputError if wrong."""
        from core.stages.evaluation.questions import MOST_BYTES, read_questions

        content = stream.read(MOST_BYTES + 1)
        read_questions(content, name)
        return {"name": name, "sha256": self.store.files.put(content)}

    def check_training(self, persona_id: str, settings: Mapping[str, Any]) -> Preflight:
        """Return what stands in the way of a fine-tuning and what it will need; the first look at a version is slow.

        SettingsError when the settings are not right, MissingArtifactError without a version or the base model.
        """
        from core.stages.finetuning.checking import check
        from core.stages.finetuning.preflight import Surroundings

        wanted = validated(FinetuneSettings, dict(settings), "finetuning")
        hosts = {worker.host for worker in self.jobs.workers()}
        around = Surroundings(
            _capacity(self.settings.workspace, int(time.monotonic() // _LATELY)),
            elsewhere=wanted.launcher.scheduler == "slurm" or not hosts <= {self.execution.machine.name},
        )
        version = self._version(persona_id, wanted)
        return check(wanted, version, store=self.store, read=sample_reader(wanted, self.store), around=around)

    def write_training(self, persona_id: str, settings: Mapping[str, Any]) -> WrittenTraining:
        """Return the configuration a fine-tuning would hand to its trainer, and the command to run it by hand."""
        from core.backends.tools.toolchains import python_of
        from core.stages.finetuning.checking import written

        wanted = validated(FinetuneSettings, dict(settings), "finetuning")
        python = python_of(wanted.trainer, self.settings) or Path("python")
        return written(wanted, self._version(persona_id, wanted), store=self.store, python=python)

    def training_pace(self, settings: Mapping[str, Any]) -> Pace | None:
        """Return how long a step took in the last fine-tuning that cost the same; None where there was none."""
        from core.stages.finetuning.checking import pace_of

        wanted = validated(FinetuneSettings, dict(settings), "finetuning")
        return pace_of(wanted, self.store.runs.all(kind="finetuning"), self.curves)

    def voice_tool_place(self) -> Checkout | None:
        """Return where GPT-SoVITS is, as the settings or somebody said; None where nobody has."""
        try:
            return voice_tool(self.settings, self.store)
        except MissingToolError:
            return None

    def look_at_voice_tool(self) -> CheckoutReport:
        """Look at GPT-SoVITS's checkout, environment and pretrained files; takes some seconds.

        MissingToolError where nobody has said where it is.
        """
        return voice_trainer(self.settings, self.store).examine()

    def place_voice_tool(self, folder: Path, python: Path, *, who: str) -> CheckoutReport:
        """Say where GPT-SoVITS is; refused, with the first problem found, where it would not start from there."""
        place = Checkout(folder.absolute(), python.absolute())
        found = voice_trainer_at(place).examine()
        for problem in found.problems:
            raise problem
        self.store.checkouts.put(VOICE_TRAINER, place.folder, place.python, who=who)
        return found

    def check_voice_training(self, persona_id: str, settings: Mapping[str, Any]) -> VoicePreflight:
        """Return what stands in the way of a voice's training and what it will need.

        SettingsError when the settings are not right, MissingArtifactError without a set of clips.
        """
        from core.stages.voice_training.checking import check
        from core.stages.voice_training.run import set_of

        wanted = validated(VoiceTrainingSettings, dict(settings), "voice_training")
        others = {worker.host for worker in self.jobs.workers()} - {self.execution.machine.name}
        return check(
            wanted,
            set_of(wanted, self.store, persona_id).id,
            store=self.store,
            trainer=lambda: voice_trainer(self.settings, self.store),
            gpus=wanted.gpus if others else len(self.execution.machine.gpus),
        )

    def voice_servers(self) -> list[ServingPlace]:
        """Return the servers of trained voices: our own runs, and those configured, which are looked at."""
        from core.backends.tts import state_of

        others = [ServingPlace(one, state_of(one).value, "") for one in self.settings.voice.servers]
        return [*own_servers(self.store), *others]

    def make_voice(self, settings: Mapping[str, Any], *, who: str) -> Model:
        """Make a voice of a training's weights and return it; the same choice gives the same voice, named anew.

        SettingsError when the settings are not right, MissingArtifactError where there are no such weights.
        """
        from core.stages.voice_training.cards import CardChoice, make_card

        return make_card(validated(CardChoice, dict(settings), "voice"), store=self.store, who=who)

    def receive_voice(self, stream: IO[bytes], name: str) -> dict[str, str]:
        """Take in an exported voice and return what the import run wants to know of it.

        InvalidInputError for what is no zip or too large.
        """
        from core.stages.voice_training.exchange import receive

        received = receive(stream, name, files=self.store.files)
        return {"name": received.name, "sha256": received.sha256}

    def remove_voice(self, model_id: str, *, who: str) -> None:
        """Remove a voice and its files; ConflictError while something speaks with it."""
        from core.store.model_folders import remove

        remove(model_id, store=self.store, who=who)

    def vote(self, run_id: str, prompt: str, first: str, second: str, winner: str | None, *, who: str) -> None:
        """Store what somebody preferred of two that a run made; InvalidInputError when the winner is neither."""
        if winner not in (None, first, second):
            raise InvalidInputError(N_("A vote is for one of the two."), remedy=N_("Vote again."))
        run = self.store.runs.get(run_id)
        self.store.votes.add(Vote(new_id("vote"), run.persona_id, run.id, prompt, first, second, winner, who, now()))

    def curves(self, run_id: str) -> list[Mapping[str, float]]:
        """Return the points of a run's curves, thinned out where there are many."""
        return curve(self.settings.runs / run_id / METRICS)

    def _version(self, persona_id: str, wanted: FinetuneSettings) -> DatasetVersion:
        from core.stages.finetuning.run import inputs

        return self.store.datasets.get(inputs(wanted, self.store, persona_id)["dataset_version"])

    def close(self) -> None:
        """Let go of the databases."""
        self.jobs.close()
        self.store.close()


@lru_cache(maxsize=2)
def _capacity(folder: Path, tick: int) -> Capacity:
    """Look at the machine, once for each tick of the clock: the driver of a GPU takes its time to answer."""
    from core.jobs.capacity import capacity

    return capacity(folder)


@lru_cache(maxsize=1)
def services() -> Services:
    """Return this process's services, opened at the first call."""
    return open_services()


def open_services(settings: Settings | None = None) -> Services:
    """Open the workspace: migrate the store, make the personas of `configs/personas` known."""
    settings = settings or load_settings()
    settings.workspace.mkdir(parents=True, exist_ok=True)
    store = Store(settings.store_url, settings.workspace)
    for file in sorted((CONFIGS / "personas").glob("*.yaml")):
        store.personas.put(read_persona(file))
    jobs = Jobs(settings, store, job_table(settings, store))
    return Services(settings, store, jobs, Execution(settings, store, jobs, worker=inline_worker()))


def seed(opened: Services) -> bool:
    """Give a new workspace the sample corpus, lines extracted; False when it has been given before."""
    persona = opened.store.personas.get(opened.settings.persona)
    if opened.store.events.of("persona", persona.id):
        return False
    for file in sorted(SAMPLES.glob("*.txt")):
        with file.open("rb") as stream:
            uploads = opened.receive_texts(stream, file.name)
        opened.execution.here("corpus", persona.id, {"uploads": uploads}, who="app")
    opened.execution.here("dialogues", persona.id, {}, who="app")
    opened.store.events.add(who="app", entity="persona", entity_id=persona.id, action="seed")
    return True
