"""The wiring: settings -> store, jobs, and what each stage is handed. The one place that knows them all."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as Overdue
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Event
from typing import IO, TYPE_CHECKING, Any

from core.domain.chat import Verdict
from core.domain.checkout import Checkout, CheckoutReport
from core.domain.identity import new_id, now
from core.domain.persona_file import read_persona
from core.domain.text import ReviewStatus
from core.domain.training import Model, Vote
from core.domain.voice_training import ServingPlace
from core.errors import ConflictError, InvalidInputError, MissingToolError, NotFoundError, ToolFailedError
from core.job_table import job_table
from core.jobs.curves import METRICS, curve
from core.jobs.execution import Execution, inline_worker
from core.jobs.queue import Jobs
from core.lending import (
    VOICE_TRAINER,
    asked_model,
    ears,
    guard_of,
    hub_named,
    own_servers,
    prices,
    sample_reader,
    speaking_addresses,
    voice_tool,
    voice_trainer,
    voice_trainer_at,
)
from core.settings import CONFIGS, Settings, load_settings, stage_defaults, validated
from core.stages.dialogues.settings import ExpansionSettings, KorSettings
from core.stages.evaluation.settings import EvaluationSettings
from core.stages.finetuning.bases.settings import BaseImport
from core.stages.finetuning.settings import FinetuneSettings
from core.stages.voice_training.settings import VoiceTrainingSettings
from core.store import Store
from core.translation import N_

if TYPE_CHECKING:
    from core.backends.tools.toolchains import ToolchainReport
    from core.domain.chat import Rating
    from core.domain.examination import Examination
    from core.domain.persona import Persona
    from core.domain.text import DatasetVersion
    from core.domain.voice import Sound
    from core.jobs.capacity import Capacity
    from core.stages.chat.choice import Choice
    from core.stages.chat.guard import Guard
    from core.stages.chat.limits import Limiter
    from core.stages.chat.mouth import PersonaMouth
    from core.stages.chat.settings import ChatSettings
    from core.stages.dialogues.estimate import Estimate
    from core.stages.evaluation.arena.duel import Answerer, Duel
    from core.stages.evaluation.benchmarks import BenchmarkReport
    from core.stages.finetuning.bases.planning import BasePlan
    from core.stages.finetuning.checking import Pace, WrittenTraining
    from core.stages.finetuning.preflight import Preflight
    from core.stages.voice_training.preflight import VoicePreflight

SAMPLES = CONFIGS / "samples"

_LATELY = 10
"""Seconds a look at the machine is good for."""
_SAY_SECONDS = 60.0
"""How long a page waits for words it has asked for."""


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a page or a command may use."""

    settings: Settings
    store: Store
    jobs: Jobs
    execution: Execution
    """Does runs in this process, for commands that wait for them."""

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

    def mouth(self, voice: str, persona: Persona) -> PersonaMouth | None:
        """Return what speaks for a persona: with a voice of the registry by its id, a backend, or None for silence."""
        from core.stages.chat.mouth import mouth_of
        from core.stages.chat.settings import ChatSettings

        settings = stage_defaults("chat", ChatSettings)
        servers = speaking_addresses(self.settings, self.store)
        return mouth_of(voice, persona, store=self.store, settings=settings, servers=servers)

    def voice_choices(self, persona: Persona) -> list[str]:
        """Return the voices a visitor may choose from, as `mouth` takes them, the usual one first."""
        from core.stages.chat.settings import ChatSettings
        from core.stages.chat.voices import voice_choices

        settings = stage_defaults("chat", ChatSettings)
        servers = speaking_addresses(self.settings, self.store)
        return list(voice_choices(persona.id, settings=settings, store=self.store, servers=servers))

    def prepare_voice(self, voice: str, persona: Persona) -> None:
        """Have a voice loaded in the background, so that the first words need not wait for it; returns at once."""
        if (mouth := self.mouth(voice, persona)) is not None:
            mouth.prepare()

    def say(self, model_id: str, text: str) -> Sound:
        """Return words spoken by a voice of the registry, drawn again where they come out spoiled.

        ConflictError where no server runs, another StudioError when it fails or takes more than a minute; what is
        spoken after that is kept for the next time it is asked for.
        """
        model = self.store.models.get(model_id)
        mouth = self.mouth(model_id, self.store.personas.get(model.persona_id))
        if mouth is None:
            raise NotFoundError(N_("There is no such voice."), remedy=N_("Choose another one."))
        return _spoken_in_time(mouth, text)

    def guard(self) -> Guard:
        """Return what watches the words of the chat; SettingsError for a filter that lacks what it needs."""
        from core.stages.chat.settings import ChatSettings

        return guard_of(stage_defaults("chat", ChatSettings))

    def admit(self, who: str) -> None:
        """Count a message of that person; TooManyError for one who sends too many a minute."""
        from core.stages.chat.settings import ChatSettings

        _limiter(stage_defaults("chat", ChatSettings)).take(who)

    def hear(self, wav: bytes, persona: Persona) -> str:
        """Return what a visitor said to the persona; InvalidInputError where nothing is heard.

        SettingsError, MissingToolError and the like where nobody can listen.
        """
        from core.domain.sounds import seconds_of
        from core.stages.voice_dataset.words.transcribing import ServedTranscription, names_of

        nothing = InvalidInputError(
            N_("Nothing was heard."), remedy=N_("Look whether the microphone is on, then say it again.")
        )
        if not seconds_of(wav):
            raise nothing
        settings = stage_defaults("transcription", ServedTranscription)
        prompt = settings.prompt or names_of(persona)
        words = ears().transcribe(wav, language=settings.language, prompt=prompt).text.strip()
        if not words:
            raise nothing
        return words

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

    def arena_choices(self, persona: Persona) -> tuple[Choice, ...]:
        """Return who may meet in the arena: her own lines, her text models, the configured server."""
        from core.stages.chat.choice import choices
        from core.stages.chat.settings import ChatSettings

        return choices(persona.id, settings=stage_defaults("chat", ChatSettings), store=self.store)

    def duel(self, persona: Persona, prompt: str, first: str, second: str) -> Duel:
        """Put the same words to two choices (their ids) with the same settings and return what both say.

        One that fails is told in its reply. InvalidInputError for no words or too many.
        """
        from core.stages.chat.settings import ChatSettings
        from core.stages.chat.talk import checked
        from core.stages.evaluation.arena.duel import held

        settings = stage_defaults("chat", ChatSettings)
        seed = random.randrange(2**31) if settings.seed is None else settings.seed
        settings = settings.model_copy(update={"seed": seed})
        words = checked(prompt, settings)
        asked = [(name, self._answerer(persona, name, settings)) for name in (first, second)]
        return held(words, *asked)

    def duel_sound(self, voice: str, persona: Persona, text: str) -> Sound | None:
        """Return a reply spoken by a voice as `mouth` takes it, None for silence; StudioError when that fails.

        Never her own recording, which would tell whose reply it is.
        """
        mouth = self.mouth(voice, persona)
        return _spoken_in_time(mouth, text) if mouth else None

    def arena_vote(self, persona: Persona, duel: Duel, winner: str | None, *, who: str) -> Vote:
        """Store and return what somebody preferred; InvalidInputError when that is neither, or one did not answer."""
        first, second = duel.first, duel.second
        if duel.failures or winner not in (None, first.name, second.name):
            raise InvalidInputError(N_("A vote is for one of the two."), remedy=N_("Vote again."))
        vote = Vote(
            new_id("vote"), persona.id, None, duel.prompt, first.name, second.name, winner, who, now(),
            first.text, second.text, first.line_id, second.line_id,
        )  # fmt: skip
        self.store.votes.add_to_arena(vote)
        return vote

    def flag_reply(self, vote_id: str, reply: str, reason: str, *, who: str) -> Vote:
        """Put a reply of a vote (`first` or `second`) before the curator and return the vote.

        A line of the book goes back into the queue of the review, whatever was decided about it; review can undo that.
        """
        vote = self.store.votes.get(vote_id)
        self._back_to_review(vote.first_line if reply == "first" else vote.second_line, who)
        return self.store.votes.flag(vote_id, reply, reason, who=who)

    def rate_reply(self, persona: Persona, message_id: str, value: Verdict, reason: str, *, who: str) -> Rating:
        """Store what somebody thinks of a reply of the chat and return it.

        A line of the book that is newly rated down goes back into the queue of the review. Where the same person rated
        another choice's reply to the same words the other way, that is a vote of the arena, once for each pair.
        NotFoundError when the message is gone or another persona's, InvalidInputError for the visitor's own words.
        """
        from core.stages.evaluation.arena.chat_votes import votes_of

        talks, ratings = self.store.talks, self.store.ratings
        reply = talks.message(message_id)
        if talks.conversation(reply.conversation_id).persona_id != persona.id:
            raise NotFoundError(N_("There is no message {id}."), remedy=N_("Open the chat again."), id=message_id)
        before = ratings.of_messages([message_id], who=who)
        rating = ratings.rate(message_id, value, reason, who=who)
        if rating.value is Verdict.DOWN and [rating] != [*before.get(message_id, ())]:
            self._back_to_review(reply.utterance_id, who)
        versions = talks.siblings(message_id)
        given = ratings.of_messages([one.id for one in versions], who=who)
        verdicts = {one: found[0].value for one, found in given.items()}
        said = talks.message(reply.parent_id) if reply.parent_id else None
        for vote in votes_of(reply, versions, verdicts, said=said, persona_id=persona.id, who=who):
            self.store.votes.add_to_arena(vote)
        return rating

    def curves(self, run_id: str) -> list[Mapping[str, float]]:
        """Return the points of a run's curves, thinned out where there are many."""
        return curve(self.settings.runs / run_id / METRICS)

    def _back_to_review(self, line_id: str | None, who: str) -> None:
        """Put a line of the book into the queue of the review again, whatever was decided about it."""
        # A text that was deleted has no lines to review; who changes a line this very moment is looking at it.
        with suppress(NotFoundError, ConflictError):
            line = self.store.utterances.get(line_id or "")
            if line.status not in (ReviewStatus.PENDING, ReviewStatus.MERGED):
                self.store.review.edit(line.id, line.revision, who=who, status=ReviewStatus.PENDING)

    def _answerer(self, persona: Persona, choice_id: str, settings: ChatSettings) -> Answerer:
        from core.stages.chat.choice import choice_of, model_for
        from core.stages.chat.prompt import composed
        from core.stages.evaluation.arena.duel import Answer

        def answer(prompt: str, stop: Event) -> Answer:
            choice = choice_of(choice_id, persona.id, settings=settings, store=self.store)
            model = model_for(choice, persona, settings=settings, store=self.store)
            shown = composed((), prompt, persona=persona, model=model, settings=settings, store=self.store)
            deltas = list(model.stream(shown.turns, settings=settings.generation, cancel=stop))
            line = next((one.utterance_id for one in deltas if one.utterance_id), None)
            return Answer("".join(one.text for one in deltas), line)

        return answer

    def _version(self, persona_id: str, wanted: FinetuneSettings) -> DatasetVersion:
        from core.stages.finetuning.run import inputs

        return self.store.datasets.get(inputs(wanted, self.store, persona_id)["dataset_version"])

    def close(self) -> None:
        """Let go of the databases."""
        self.jobs.close()
        self.store.close()


def _spoken_in_time(mouth: PersonaMouth, text: str) -> Sound:
    speaking = ThreadPoolExecutor(1, thread_name_prefix="say")
    try:
        return speaking.submit(mouth.of_text, text).result(_SAY_SECONDS)
    except Overdue:
        raise ToolFailedError(
            N_("The voice has not spoken within {seconds:.0f} seconds."),
            remedy=N_("Ask again in a moment, or with fewer words; the part “Server” says how the server is."),
            seconds=_SAY_SECONDS,
        ) from None
    finally:
        speaking.shutdown(wait=False)


@lru_cache(maxsize=1)
def _limiter(settings: ChatSettings) -> Limiter:
    from core.stages.chat.limits import message_limiter

    return message_limiter(settings)


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
