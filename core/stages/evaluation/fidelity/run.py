"""The story of a persona test: scenes, replies, measures, a judge where one is asked, a scorecard with every reply."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean
from threading import Event
from typing import TYPE_CHECKING, Any, Final

from core.backends.llm import ChatModel, ChatRole, ChatTurn, Generation, ReadingModel
from core.backends.rows import build
from core.backends.style import STYLE_CLASSIFIERS, StyleClassifier, StyleSource
from core.domain.evaluation import Answer, Scorecard
from core.domain.identity import now
from core.domain.persona import Persona
from core.domain.text import DatasetVersion, TurnRole
from core.errors import MissingArtifactError, NotFoundError
from core.stages.evaluation.fidelity import judge as judging
from core.stages.evaluation.fidelity.measures import (
    RUN,
    Book,
    anachronisms,
    bundled,
    distinct,
    letters_in,
    separation,
    words_of_later_times,
)
from core.stages.evaluation.fidelity.probes import ProbeKind, probes_of, verdict
from core.stages.evaluation.fidelity.scenes import (
    Lines,
    Scene,
    held_out_scenes,
    letters,
    lines,
    masked,
    masking,
    passages,
)
from core.stages.evaluation.fidelity.settings import FidelitySettings
from core.stages.evaluation.fidelity.sheet import AREA, MARK, MARKS, NATS, SHARE, Sheet, percent
from core.translation import N_

if TYPE_CHECKING:
    from core.jobs.context import RunContext
    from core.store import Store

BUNDLE: Final = 10
"""Lines at a time for which the classifier's second figure is told."""
CANDIDATES: Final = 10
"""Replies among which the real one is to be found; each is real in its own scene."""
_ROLES: Final = {TurnRole.COUNTERPART: ChatRole.VISITOR, TurnRole.PERSONA: ChatRole.PERSONA}
_LEARNING, _ASKING, _READING, _JUDGING = 0.05, 0.5, 0.2, 0.2
"""Shares of the whole way."""


@dataclass(frozen=True, slots=True)
class Examined:
    """Who is tested: its name, its id in the registry where it has one, and itself."""

    name: str
    model_id: str | None
    model: ChatModel


def run(
    settings: FidelitySettings,
    *,
    context: RunContext,
    store: Store,
    examined: Examined,
    judge: ChatModel | None = None,
) -> dict[str, Any]:
    """Test a model and keep its scorecard with every reply; return its id.

    Raises MissingArtifactError without a dataset version that holds scenes out, and what the model raises.
    """
    persona = store.personas.get(context.run.persona_id)
    version = version_of(settings, persona.id, store)
    scenes = held_out_scenes(version, store, settings.scenes)
    context.progress(0.0, N_("Learning how she talks and others do"))
    known = _Known.of(settings, persona, version, store)
    test = _Test(settings, persona, version, context, examined.model, Sheet(examined.name, version.name))
    replies = test.replies(scenes)
    test.count(scenes, replies, known)
    if settings.probes:
        test.probe()
    if settings.ranked:
        test.read(scenes)
    if judge is not None:
        test.judge(judge, scenes, replies, store)
    card_id = context.step("keep", lambda: _keep(test.sheet, settings, examined, context, store))
    context.progress(1.0, N_("The scorecard is ready"))
    return {"scorecard_id": card_id, "scenes": len(scenes), "dataset_version": version.id}


def inputs(settings: FidelitySettings, store: Store, persona_id: str) -> dict[str, Any]:
    """Return what a run with those settings rests on; raises what stands in its way before it is queued."""
    version = version_of(settings, persona_id, store)
    scenes = held_out_scenes(version, store, settings.scenes)
    return {"dataset_version": version.id, "model": settings.who, "scenes": len(scenes)}


def version_of(settings: FidelitySettings, persona_id: str, store: Store) -> DatasetVersion:
    """Return the version whose held-out chapters are the scenes; MissingArtifactError where there is none."""
    chosen = settings.dataset_version_id
    if chosen is None:
        try:
            chosen = store.models.get(settings.who).dataset_version_id
        except NotFoundError:
            chosen = None  # a server or her own lines were not trained on a version
    if chosen is not None:
        return store.datasets.get(chosen)
    versions = store.datasets.versions(persona_id)
    if not versions:
        raise MissingArtifactError(
            N_("There is no dataset version to take scenes from."),
            remedy=N_("Build one on the dataset page, with a share of chapters kept out."),
        )
    return versions[0]


@dataclass(frozen=True, slots=True)
class _Known:
    """What replies are held against."""

    lines: Lines
    classifier: StyleClassifier | None
    """None where the book has too few lines of either side."""
    mask: Callable[[Sequence[str]], list[str]]
    trained: Book
    """Training chapters: what her real lines may have in common with them is natural."""
    whole: Book
    """All chapters: what a model may have copied."""
    later: tuple[str, ...]

    @classmethod
    def of(cls, settings: FidelitySettings, persona: Persona, version: DatasetVersion, store: Store) -> _Known:
        found, names = lines(version, persona, store), masking(persona)

        def mask(texts: Sequence[str]) -> list[str]:
            return masked(texts, names)

        trained, held = passages(version, persona.id, store)
        classifier = None
        if len(found.own) >= BUNDLE and len(found.others) >= BUNDLE:
            source = StyleSource(tuple(mask(found.own)), tuple(mask(found.others)))
            classifier = build(STYLE_CLASSIFIERS, settings.classifier, source)
        later = words_of_later_times(persona.id)
        return cls(found, classifier, mask, Book(trained), Book([*trained, *held]), later)

    def styles(self, texts: Sequence[str]) -> list[float]:
        """Return how like hers each text is; none without a classifier."""
        return self.classifier.scores(self.mask(texts)) if self.classifier else []


@dataclass(frozen=True, slots=True)
class _Test:
    """One test under way."""

    settings: FidelitySettings
    persona: Persona
    version: DatasetVersion
    context: RunContext
    model: ChatModel
    sheet: Sheet

    def replies(self, scenes: Sequence[Scene]) -> list[str]:
        """Put every scene to the model; a reply that is there from an earlier attempt is not asked for again."""
        return [self._answer(f"scene-{n}", self._turns(scene), n, len(scenes)) for n, scene in enumerate(scenes)]

    def count(self, scenes: Sequence[Scene], replies: Sequence[str], known: _Known) -> None:
        """Write what can be counted in the replies, beside her real lines and other people's."""
        held, others = known.lines.held_own, [line for _, line in known.lines.held_others]
        read = [(_said(scene), reply, scene.reply) for scene, reply in zip(scenes, replies, strict=True)]
        own_style, others_style = known.styles(held), known.styles(others)
        styles = known.styles(replies)
        middle = (fmean(own_style) + fmean(others_style)) / 2 if own_style and others_style else 0.0
        self.sheet.tell(
            "style",
            [
                Answer("style", n, said, reply, f"{style - middle:+.2f}", real, style > middle)
                for n, ((said, reply, real), style) in enumerate(zip(read, styles, strict=False))
            ],
            original=percent([one > middle for one in own_style]),
            others=percent([one > middle for one in others_style]),
            reason=N_("too few lines to learn her style from"),
        )
        copies = [known.whole.copying(reply) for reply in replies]
        real_copies = [known.trained.copying(line) for line in held]
        self.sheet.tell(
            "own-words",
            [
                Answer("own-words", n, said, reply, one.longest, real, not one.copied)
                for n, ((said, reply, real), one) in enumerate(zip(read, copies, strict=True))
                if len(letters(reply)) >= RUN
            ],
            original=percent([not one.copied for one in real_copies]),
            reason=N_("no reply is long enough to tell"),
        )
        overlaps, real_overlaps = (
            [100 * one.overlap for one in side if one.overlap is not None] for side in (copies, real_copies)
        )
        self.sheet.put(
            "overlap", SHARE, _mean(overlaps), original=_mean(real_overlaps), reason=N_("no reply is long enough")
        )
        self._variety(replies, held, others)
        if known.later:
            found = [anachronisms(reply, known.later) for reply in replies]
            self.sheet.tell(
                "period",
                [
                    Answer("period", n, said, reply, " ".join(words), real, not words and bool(letters(reply)))
                    for n, ((said, reply, real), words) in enumerate(zip(read, found, strict=True))
                ],
                original=percent([not anachronisms(line, known.later) for line in held]),
                others=percent([not anachronisms(line, known.later) for line in others]),
            )
        for measure, size in (("style-lines", 1), ("style-bundles", BUNDLE)):
            sides = bundled(own_style, size), _bundled_by_speaker(known, others_style, size)
            area = separation(*sides)
            few = N_("the held-out chapters have too few lines")
            self.sheet.put(measure, AREA, None if area is None else 100 * area, reason=few)

    def probe(self) -> None:
        """Ask what she must know, and what must not be had of her."""
        probes = probes_of(self.persona.id)
        replies = [
            self._answer(f"probe-{n}", self._opening(probe.question), n, len(probes)) for n, probe in enumerate(probes)
        ]
        decided = [(probe, reply, *verdict(probe, reply)) for probe, reply in zip(probes, replies, strict=True)]
        for kind in ProbeKind:
            of_kind = [one for one in decided if one[0].kind is kind]
            answers = [
                Answer(kind.value, n, probe.question, reply, word, " / ".join(probe.accept), right)
                for n, (probe, reply, right, word) in enumerate(of_kind)
            ]
            self.sheet.tell(kind.value, answers, reason=N_("nobody has written such questions about her"))

    def read(self, scenes: Sequence[Scene]) -> None:
        """Let the model read her real replies: how unlikely they are, and whether the right one fits its scene best."""
        model = self.model
        if not isinstance(model, ReadingModel):
            unread = N_("only a model that runs here tells how likely a reply is")
            self.sheet.put("ranking", SHARE, None, reason=unread)
            self.sheet.put("nats", NATS, None, reason=unread)
            return
        rounds = list(_rounds(scenes[: self.settings.ranked]))
        tables = [self._table(model, n, some, len(rounds)) for n, some in enumerate(rounds)]
        answers: list[Answer] = []
        own: list[float] = []
        for some, table in zip(rounds, tables, strict=True):
            for place, scene in enumerate(some):
                best = some[_likeliest(table, place)]
                said, found, real = _said(scene), best.reply, scene.reply
                answers.append(Answer("ranking", len(answers), said, found, found, real, best is scene))
                own.append(table[place][place] / (len(scene.reply) + 1))  # the end of a reply counts as a character
        unread = N_("fewer than ten held-out scenes")
        self.sheet.tell("ranking", answers, reason=unread)
        self.sheet.put("nats", NATS, _mean(own), reason=unread)

    def judge(self, judge: ChatModel, scenes: Sequence[Scene], replies: Sequence[str], store: Store) -> None:
        """Let a judge mark the replies, choose between them and her real ones, and decide votes of people again."""

        def ask(role: str, question: str) -> str:
            turns = (ChatTurn(ChatRole.SYSTEM, role), ChatTurn(ChatRole.VISITOR, question))
            wanted = Generation(max_tokens=512, temperature=0.0)
            return "".join(one.text for one in judge.stream(turns, settings=wanted, cancel=Event()))

        read = [(_said(scene), reply, scene.reply) for scene, reply in zip(scenes, replies, strict=True)]
        votes = store.votes.in_arena(self.persona.id, limit=self.settings.judged_votes or 1).rows
        decided = [one for one in votes if one.winner is not None][: self.settings.judged_votes]
        count = 2 * len(read) + len(decided)
        given: list[dict[str, int]] = []
        chosen: list[tuple[int, int | None]] = []
        for n, (said, reply, real) in enumerate(read):
            self._progress(N_("The judge reads: {done} of {count}"), 1 - _JUDGING, _JUDGING, 2 * n, count)
            found = self.context.step(f"mark-{n}", partial(judging.marks, ask, self.persona, said, reply))
            given += [found] if found else []
            first = self.context.step(f"choose-{n}", partial(judging.preferred, ask, self.persona, said, reply, real))
            chosen.append((n, first))
        for dimension in judging.DIMENSIONS:
            value = _mean([float(one[dimension]) for one in given])
            self.sheet.put(MARKS + dimension, MARK, value, reason=N_("the judge gave no marks that could be read"))
        self.sheet.tell(
            "judge-preferred",
            [
                Answer("judge-preferred", n, read[n][0], read[n][1], str(first), read[n][2], first == 1)
                for n, first in chosen
                if first
            ],
            reason=N_("the judge decided nothing in both orders"),
        )
        agreed: list[Answer] = []
        for n, vote in enumerate(decided):
            self._progress(N_("The judge reads: {done} of {count}"), 1 - _JUDGING, _JUDGING, 2 * len(read) + n, count)
            replies_to = vote.first_reply or "", vote.second_reply or ""
            picked = self.context.step(
                f"vote-{n}", partial(judging.preferred, ask, self.persona, vote.prompt, *replies_to)
            )
            if picked:
                people = 1 if vote.winner == vote.first else 2
                both = "1: {}\n2: {}".format(*replies_to)
                agreed.append(
                    Answer("judge-agreement", n, vote.prompt, both, str(picked), str(people), picked == people)
                )
        self.sheet.tell("judge-agreement", agreed, reason=N_("no vote of the arena was decided by the judge"))

    def _variety(self, replies: Sequence[str], held: Sequence[str], others: Sequence[str]) -> None:
        """Write how varied the words are, over as many letters in each column."""
        most = min(filter(None, map(letters_in, (replies, held, others))), default=0)
        for length in (1, 2):
            found = [distinct(texts, length, most) for texts in (replies, held, others)]
            value, original, of_others = (None if one is None else 100 * one for one in found)
            self.sheet.put(
                f"distinct-{length}",
                SHARE,
                value,
                original=original,
                others=of_others,
                reason=N_("the replies are empty"),
            )

    def _table(self, model: ReadingModel, number: int, scenes: Sequence[Scene], rounds: int) -> list[list[float]]:
        """Return, by scene and reply, how unlikely the reply is after the scene."""
        replies = [scene.reply for scene in scenes]
        table: list[list[float]] = []
        for place, scene in enumerate(scenes):
            begun = 1 - _JUDGING - _READING
            self._progress(
                N_("Reading her real replies: {done} of {count}"),
                begun,
                _READING,
                number * CANDIDATES + place,
                rounds * CANDIDATES,
            )
            turns = self._turns(scene)
            table.append(self.context.step(f"read-{number}-{place}", partial(model.nats, turns, replies)))
        return table

    def _turns(self, scene: Scene) -> tuple[ChatTurn, ...]:
        return (*self._system(), *(ChatTurn(_ROLES[turn.role], turn.text) for turn in scene.history))

    def _opening(self, said: str) -> tuple[ChatTurn, ...]:
        return (*self._system(), ChatTurn(ChatRole.VISITOR, said))

    def _system(self) -> tuple[ChatTurn, ...]:
        prompt = self.version.system_prompt or self.persona.system_prompt
        return (ChatTurn(ChatRole.SYSTEM, prompt),) if prompt else ()

    def _answer(self, name: str, turns: Sequence[ChatTurn], done: int, count: int) -> str:
        self._progress(N_("Asking her: {done} of {count}"), _LEARNING, _ASKING, done, count)
        wanted = Generation(
            max_tokens=self.settings.max_tokens,
            temperature=self.settings.temperature,
            repetition_penalty=self.settings.repetition_penalty,
            seed=self.settings.seed,
        )

        def ask() -> str:
            return "".join(one.text for one in self.model.stream(turns, settings=wanted, cancel=Event())).strip()

        return self.context.step(name, ask)

    def _progress(self, message: str, begun: float, part: float, done: int, count: int) -> None:
        self.context.progress(begun + part * done / max(count, 1), message, done=done, count=count)


def _bundled_by_speaker(known: _Known, scores: Sequence[float], size: int) -> list[float]:
    """Return the means of other people's scores, each of one person's lines."""
    by_speaker: dict[str, list[float]] = {}
    for (speaker, _line), score in zip(known.lines.held_others, scores, strict=False):
        by_speaker.setdefault(speaker, []).append(score)
    return [one for found in by_speaker.values() for one in bundled(found, size)]


def _rounds(scenes: Sequence[Scene]) -> Iterator[Sequence[Scene]]:
    """Yield ten scenes at a time, far apart from each other in the book; a rest is left out."""
    rounds = len(scenes) // CANDIDATES
    for first in range(rounds):
        yield scenes[first::rounds][:CANDIDATES]


def _likeliest(table: Sequence[Sequence[float]], scene: int) -> int:
    """Return the reply that the scene makes likelier than the other scenes do: a common reply fits everywhere."""
    count = len(table)
    usual = [fmean(table[other][reply] for other in range(count)) for reply in range(count)]
    return min(range(count), key=lambda reply: table[scene][reply] - usual[reply])


def _said(scene: Scene) -> str:
    return scene.history[-1].text


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None


def _keep(sheet: Sheet, settings: FidelitySettings, examined: Examined, context: RunContext, store: Store) -> str:
    card_id = f"card-{context.run.id.removeprefix('run-')}"
    try:
        return store.scorecards.get(card_id).id  # an earlier attempt came as far as this
    except NotFoundError:
        pass
    card = Scorecard(
        id=card_id,
        persona_id=context.run.persona_id,
        name=settings.name or examined.name,
        origin=context.run.id,
        sha256=store.files.put(sheet.summary()),
        created_at=now(),
        scores=tuple(sheet.scores),
        model_id=examined.model_id,
    )
    store.scorecards.add(card, sheet.answers)
    return card_id
