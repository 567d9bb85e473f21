"""Puts scenes and probes to a model, and lets it read her real replies; each step once, also after a crash."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean
from threading import Event
from typing import TYPE_CHECKING, Final

from core.backends.llm import ChatModel, ChatRole, ChatTurn, Generation, ReadingModel
from core.domain.evaluation import Answer
from core.domain.persona import Persona
from core.domain.text import DatasetVersion, TurnRole
from core.stages.evaluation.fidelity.probes import ProbeKind, probes_of, verdict
from core.stages.evaluation.fidelity.scenes import Scene
from core.stages.evaluation.fidelity.settings import FidelitySettings
from core.stages.evaluation.fidelity.sheet import NATS, SHARE, Sheet, mean
from core.translation import N_

if TYPE_CHECKING:
    from core.jobs.context import RunContext

CANDIDATES: Final = 10
"""Replies among which the real one is to be found; each is real in its own scene."""
_ROLES: Final = {TurnRole.COUNTERPART: ChatRole.VISITOR, TurnRole.PERSONA: ChatRole.PERSONA}
_SCENES, _PROBES, _READING = (0.05, 0.3), (0.35, 0.2), (0.55, 0.2)
"""Where each part begins on the whole way, and how much of it it is."""


@dataclass(frozen=True, slots=True)
class Interview:
    """One model being asked."""

    settings: FidelitySettings
    persona: Persona
    version: DatasetVersion
    context: RunContext
    model: ChatModel

    def replies(self, scenes: Sequence[Scene]) -> list[str]:
        """Put every scene to the model; a reply that is there from an earlier attempt is not asked for again."""
        return [
            self._answer(f"scene-{n}", self._turns(scene), _SCENES, n, len(scenes)) for n, scene in enumerate(scenes)
        ]

    def probe(self, sheet: Sheet) -> None:
        """Ask what she must know and what must not be had of her, and write how many answers are right."""
        probes = probes_of(self.persona.id)
        replies = [
            self._answer(f"probe-{n}", self._opening(probe.question), _PROBES, n, len(probes))
            for n, probe in enumerate(probes)
        ]
        decided = [(probe, reply, *verdict(probe, reply)) for probe, reply in zip(probes, replies, strict=True)]
        for kind in ProbeKind:
            of_kind = [one for one in decided if one[0].kind is kind]
            answers = [
                Answer(kind.value, n, probe.question, reply, word, " / ".join(probe.accept), right)
                for n, (probe, reply, right, word) in enumerate(of_kind)
            ]
            sheet.tell(kind.value, answers, reason=N_("nobody has written such questions about her"))

    def read(self, sheet: Sheet, scenes: Sequence[Scene]) -> None:
        """Let the model read her real replies: how unlikely they are, and whether the right one fits its scene best."""
        model = self.model
        if not isinstance(model, ReadingModel):
            unread = N_("only a model that runs here tells how likely a reply is")
            sheet.put("ranking", SHARE, None, reason=unread)
            sheet.put("nats", NATS, None, reason=unread)
            return
        rounds = list(_rounds(scenes))
        tables = [self._table(model, n, some, len(rounds)) for n, some in enumerate(rounds)]
        answers: list[Answer] = []
        own: list[float] = []
        for some, table in zip(rounds, tables, strict=True):
            for place, scene in enumerate(some):
                best = some[_likeliest(table, place)]
                said, found, real = scene.said, best.reply, scene.reply
                answers.append(Answer("ranking", len(answers), said, found, found, real, best is scene))
                own.append(table[place][place] / (len(scene.reply) + 1))  # the end of a reply counts as a character
        unread = N_("fewer than ten held-out scenes")
        sheet.tell("ranking", answers, reason=unread)
        sheet.put("nats", NATS, mean(own), reason=unread)

    def _table(self, model: ReadingModel, number: int, scenes: Sequence[Scene], rounds: int) -> list[list[float]]:
        """Return, by scene and reply, how unlikely the reply is after the scene."""
        replies = [scene.reply for scene in scenes]
        table: list[list[float]] = []
        for place, scene in enumerate(scenes):
            done, count = number * CANDIDATES + place, rounds * CANDIDATES
            self._progress(N_("Reading her real replies: {done} of {count}"), _READING, done, count)
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

    def _answer(self, name: str, turns: Sequence[ChatTurn], part: tuple[float, float], done: int, count: int) -> str:
        self._progress(N_("Asking her: {done} of {count}"), part, done, count)
        wanted = Generation(
            max_tokens=self.settings.max_tokens,
            temperature=self.settings.temperature,
            repetition_penalty=self.settings.repetition_penalty,
            seed=self.settings.seed,
        )

        def ask() -> str:
            return "".join(one.text for one in self.model.stream(turns, settings=wanted, cancel=Event())).strip()

        return self.context.step(name, ask)

    def _progress(self, message: str, part: tuple[float, float], done: int, count: int) -> None:
        begun, share = part
        self.context.progress(begun + share * done / max(count, 1), message, done=done, count=count)


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
