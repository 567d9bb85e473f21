"""The kinds of runs: what each takes, where it queues, who does it, and what it is handed beyond its settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from core.domain.recipe import TINY
from core.domain.section import Section
from core.jobs.context import RunContext
from core.jobs.queue import Job
from core.lending import (
    VOICE_SERVER,
    asked_model,
    hub_named,
    judge_of,
    prices,
    ranking_ears,
    recogniser_for,
    sample_reader,
    tested_model,
    voice_trainer,
)
from core.settings import Settings, stage_defaults
from core.stages.corpus.settings import CorpusSettings
from core.stages.dataset.cleaning import CleaningSettings
from core.stages.dataset.importing import ImportSettings
from core.stages.dataset.settings import DatasetSettings
from core.stages.dialogues.settings import DialogueSettings, ExpansionSettings, KorSettings
from core.stages.evaluation.fidelity.settings import FidelitySettings
from core.stages.evaluation.settings import EvaluationSettings
from core.stages.finetuning.bases.settings import BaseImport, Hubs
from core.stages.finetuning.models.exporting import ModelExport
from core.stages.finetuning.models.quantising import QuantiseSettings
from core.stages.finetuning.settings import FinetuneSettings
from core.stages.voice_dataset.clip_sets import ClipSetSettings
from core.stages.voice_dataset.importing import RecordingImport
from core.stages.voice_dataset.planning import CuttingSettings
from core.stages.voice_dataset.processing import ProcessingSettings
from core.stages.voice_dataset.words.transcribing import TranscriptionSettings
from core.stages.voice_training.exchange import VoiceExport, VoiceImport
from core.stages.voice_training.ranking import RankingSettings
from core.stages.voice_training.serving import ServerSettings
from core.stages.voice_training.settings import VoiceTrainingSettings
from core.store import Store
from core.store.files import bytes_of
from core.translation import N_


class ToolchainRun(Section):
    """Which tool's environment to build."""

    name: str = Field(description="The tool: xtuner or opencompass.")


class _Stages:
    """What each kind of run does, and what it is handed beyond its settings."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._store = store

    def corpus(self, wanted: CorpusSettings, context: RunContext) -> Mapping[str, Any]:
        from core.stages.corpus.run import run

        return run(wanted, context=context, store=self._store)

    def dialogues(self, wanted: DialogueSettings, context: RunContext) -> Mapping[str, Any]:
        from core.stages.dialogues.run import run

        return run(wanted, context=context, store=self._store)

    def kor(self, wanted: KorSettings, context: RunContext) -> Mapping[str, Any]:
        from core.stages.dialogues.kor import run

        with asked_model(wanted, "script") as model:
            return run(wanted, context=context, store=self._store, model=model, prices=prices())

    def expansion(self, wanted: ExpansionSettings, context: RunContext) -> Mapping[str, Any]:
        from core.stages.dialogues.expansion import run

        with asked_model(wanted, "expansion") as model:
            return run(wanted, context=context, store=self._store, model=model, prices=prices())

    def dataset(self, wanted: DatasetSettings, context: RunContext) -> Mapping[str, Any]:
        from core.stages.dataset.run import run

        return run(wanted, context=context, store=self._store)

    def dataset_import(self, wanted: ImportSettings, context: RunContext) -> Mapping[str, Any]:
        from core.stages.dataset.importing import run

        return run(wanted, context=context, store=self._store)

    def cleaning(self, wanted: CleaningSettings, context: RunContext) -> Mapping[str, Any]:
        from core.stages.dataset.cleaning import run

        return run(wanted, context=context, store=self._store)

    def base_model(self, wanted: BaseImport, context: RunContext) -> Mapping[str, Any]:
        from core.stages.finetuning.bases.importing import run

        return run(
            wanted,
            context=context,
            store=self._store,
            environment=self._environments(context),
            hub=hub_named,
            hubs=stage_defaults("hubs", Hubs),
        )

    def finetuning(self, wanted: FinetuneSettings, context: RunContext) -> Mapping[str, Any]:
        from core.stages.finetuning.run import run

        context.step("preflight", lambda: self._ready_to_train(wanted, context))
        return run(wanted, context=context, store=self._store, environment=self._environments(context))

    def _ready_to_train(self, wanted: FinetuneSettings, context: RunContext) -> None:
        """Refuse what cannot succeed before anything is built; raises InvalidInputError with the remedy."""
        from core.jobs.capacity import capacity
        from core.stages.finetuning.checking import check
        from core.stages.finetuning.preflight import Surroundings, require

        version = self._store.datasets.get(context.run.inputs["dataset_version"])
        by_scheduler, written = wanted.launcher.scheduler == "slurm", bytes_of(context.folder)
        around = Surroundings(capacity(self._settings.workspace), elsewhere=by_scheduler, written=written)
        # The tiny base's tokenizer is learnt by the run itself; reading with one here would take as long again.
        read = None if wanted.base == TINY else sample_reader(wanted, self._store)
        require(check(wanted, version, store=self._store, read=read, around=around))

    def quantising(self, wanted: QuantiseSettings, context: RunContext) -> Mapping[str, Any]:
        from core.stages.finetuning.models.quantising import run

        return run(wanted, context=context, store=self._store, environment=self._environments(context))

    def model_export(self, wanted: ModelExport, context: RunContext) -> Mapping[str, Any]:
        from core.stages.finetuning.models.exporting import run

        return run(wanted, context=context, store=self._store)

    def _environments(self, context: RunContext) -> Callable[[str], Path]:
        """Return what gives the interpreter of a tool's environment, built first where it is missing."""
        from core.backends.tools.toolchains import ensure

        return lambda name: ensure(name, settings=self._settings, context=context)

    def finetuning_inputs(self, wanted: FinetuneSettings, persona_id: str) -> Mapping[str, Any]:
        from core.stages.finetuning.run import inputs

        return inputs(wanted, self._store, persona_id)

    def recording(self, wanted: RecordingImport, context: RunContext) -> Mapping[str, Any]:
        from core.stages.voice_dataset.importing import run

        return run(wanted, context=context, store=self._store)

    def voice_dataset(self, wanted: CuttingSettings, context: RunContext) -> Mapping[str, Any]:
        from core.stages.voice_dataset.cutting import run

        return run(wanted, context=context, store=self._store)

    def sound_effects(self, wanted: ProcessingSettings, context: RunContext) -> Mapping[str, Any]:
        from core.stages.voice_dataset.processing import run

        return run(wanted, context=context, store=self._store)

    def transcription(self, wanted: TranscriptionSettings, context: RunContext) -> Mapping[str, Any]:
        from core.stages.voice_dataset.words.transcribing import run

        with recogniser_for(wanted) as recogniser:
            return run(wanted, context=context, store=self._store, recogniser=recogniser)

    def clip_set(self, wanted: ClipSetSettings, context: RunContext) -> Mapping[str, Any]:
        from core.stages.voice_dataset.freezing import run

        return run(wanted, context=context, store=self._store)

    def voice_training(self, wanted: VoiceTrainingSettings, context: RunContext) -> Mapping[str, Any]:
        from core.stages.voice_training.run import run

        context.step("preflight", lambda: self._ready_to_train_a_voice(wanted, context))
        return run(wanted, context=context, store=self._store, trainer=voice_trainer(self._settings, self._store))

    def _ready_to_train_a_voice(self, wanted: VoiceTrainingSettings, context: RunContext) -> None:
        """Refuse what cannot succeed before anything is started; raises InvalidInputError with the remedy."""
        from core.stages.voice_training.checking import check
        from core.stages.voice_training.preflight import require

        found = check(
            wanted,
            context.run.inputs["clip_set"],
            store=self._store,
            trainer=lambda: voice_trainer(self._settings, self._store),
            gpus=context.gpus_here,
            written=bytes_of(context.folder),
        )
        require(found)

    def voice_training_inputs(self, wanted: VoiceTrainingSettings, persona_id: str) -> Mapping[str, Any]:
        from core.stages.voice_training.run import inputs

        return inputs(wanted, self._store, persona_id)

    def voice_server(self, wanted: ServerSettings, context: RunContext) -> Mapping[str, Any]:
        from core.stages.voice_training.serving import run

        return run(wanted, context=context, store=self._store, trainer=voice_trainer(self._settings, self._store))

    def voice_ranking(self, wanted: RankingSettings, context: RunContext) -> Mapping[str, Any]:
        from core.stages.voice_training.ranking import run

        with ranking_ears(wanted) as (voiceprint, recogniser):
            return run(
                wanted,
                context=context,
                store=self._store,
                trainer=voice_trainer(self._settings, self._store),
                voiceprint=voiceprint,
                recogniser=recogniser,
            )

    def voice_export(self, wanted: VoiceExport, context: RunContext) -> Mapping[str, Any]:
        from core.stages.voice_training.exchange import export

        return export(wanted, context=context, store=self._store)

    def voice_import(self, wanted: VoiceImport, context: RunContext) -> Mapping[str, Any]:
        from core.stages.voice_training.exchange import bring_in

        return bring_in(wanted, context=context, store=self._store)

    def evaluation(self, wanted: EvaluationSettings, context: RunContext) -> Mapping[str, Any]:
        from core.stages.evaluation.run import run

        return run(wanted, context=context, store=self._store, environment=self._environments(context))

    def evaluation_inputs(self, wanted: EvaluationSettings, persona_id: str) -> Mapping[str, Any]:
        from core.stages.evaluation.run import inputs

        return inputs(wanted, self._store, persona_id)

    def fidelity(self, wanted: FidelitySettings, context: RunContext) -> Mapping[str, Any]:
        from core.stages.evaluation.fidelity.run import run

        with tested_model(wanted, context.run.persona_id, self._store) as examined, judge_of(wanted) as judge:
            return run(wanted, context=context, store=self._store, examined=examined, judge=judge)

    def fidelity_inputs(self, wanted: FidelitySettings, persona_id: str) -> Mapping[str, Any]:
        from core.stages.evaluation.fidelity.run import inputs

        return inputs(wanted, self._store, persona_id)

    def toolchain(self, wanted: ToolchainRun, context: RunContext) -> Mapping[str, Any]:
        from core.backends.tools.toolchains import ensure

        return {"python": str(ensure(wanted.name, settings=self._settings, context=context, until=1.0))}


def job_table(settings: Settings, store: Store) -> dict[str, Job]:
    """Return the table of jobs: what may run, in which queue, and who does it."""
    stages = _Stages(settings, store)
    jobs = (
        Job("corpus", N_("Import"), "cpu", CorpusSettings, stages.corpus),
        Job("dialogues", N_("Extraction"), "cpu", DialogueSettings, stages.dialogues),
        Job("kor", N_("Extraction by a language model"), "llm", KorSettings, stages.kor),
        Job("expansion", N_("Lines before her quotes"), "llm", ExpansionSettings, stages.expansion),
        Job("dataset", N_("Dataset version"), "cpu", DatasetSettings, stages.dataset),
        Job("dataset_import", N_("Dataset import"), "cpu", ImportSettings, stages.dataset_import),
        Job("cleaning", N_("Search for duplicates"), "cpu", CleaningSettings, stages.cleaning),
        Job("base_model", N_("Base model"), "cpu", BaseImport, stages.base_model),
        Job("finetuning", N_("Fine-tuning"), "gpu", FinetuneSettings, stages.finetuning, stages.finetuning_inputs),
        Job("quantising", N_("4-bit copy"), "gpu", QuantiseSettings, stages.quantising),
        Job("model_export", N_("Export of a model"), "cpu", ModelExport, stages.model_export),
        Job("recording", N_("Import of a recording"), "cpu", RecordingImport, stages.recording),
        Job("voice_dataset", N_("Cutting clips"), "cpu", CuttingSettings, stages.voice_dataset),
        Job("sound_effects", N_("Sound of clips"), "cpu", ProcessingSettings, stages.sound_effects),
        Job("transcription", N_("Transcription"), "llm", TranscriptionSettings, stages.transcription),
        Job("clip_set", N_("Clip set"), "cpu", ClipSetSettings, stages.clip_set),
        Job(
            "voice_training",
            N_("Voice training"),
            "gpu",
            VoiceTrainingSettings,
            stages.voice_training,
            stages.voice_training_inputs,
        ),
        Job(VOICE_SERVER, N_("Voice server"), "servers", ServerSettings, stages.voice_server),
        Job("voice_ranking", N_("Comparison of weights"), "gpu", RankingSettings, stages.voice_ranking),
        Job("voice_export", N_("Export of a voice"), "cpu", VoiceExport, stages.voice_export),
        Job("voice_import", N_("Import of a voice"), "cpu", VoiceImport, stages.voice_import),
        Job("evaluation", N_("Examination"), "gpu", EvaluationSettings, stages.evaluation, stages.evaluation_inputs),
        Job("fidelity", N_("Persona test"), "gpu", FidelitySettings, stages.fidelity, stages.fidelity_inputs),
        Job("toolchain", N_("Tool environment"), "cpu", ToolchainRun, stages.toolchain),
    )
    return {job.kind: job for job in jobs}
