"""A judge at work on the replies of a test and on votes of the arena; each question once, also after a crash."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Final

from core.backends.llm import ChatModel, ChatRole, ChatTurn, Generation
from core.domain.evaluation import Answer
from core.domain.persona import Persona
from core.domain.training import Vote
from core.stages.evaluation.fidelity.judge import DIMENSIONS, marks, preferred
from core.stages.evaluation.fidelity.scenes import Scene
from core.stages.evaluation.fidelity.sheet import MARK, MARKS, Sheet, mean
from core.translation import N_

if TYPE_CHECKING:
    from core.jobs.context import RunContext

_BEGUN, _PART = 0.75, 0.23
"""Where judging begins on the whole way, and how much of it it is."""
_ANSWER: Final = Generation(max_tokens=512, temperature=0.0)


def judged(
    sheet: Sheet,
    judge: ChatModel,
    persona: Persona,
    scenes: Sequence[Scene],
    replies: Sequence[str],
    votes: Sequence[Vote],
    *,
    context: RunContext,
) -> None:
    """Let a judge mark the replies, choose between them and her real ones, and decide votes of people again."""
    count = len(scenes) + len(votes)

    def ask(role: str, question: str) -> str:
        turns = (ChatTurn(ChatRole.SYSTEM, role), ChatTurn(ChatRole.VISITOR, question))
        return "".join(one.text for one in judge.stream(turns, settings=_ANSWER, cancel=Event()))

    def tell(done: int) -> None:
        message = N_("The judge reads: {done} of {count}")
        context.progress(_BEGUN + _PART * done / max(count, 1), message, done=done, count=count)

    given: list[dict[str, int]] = []
    chosen: list[Answer] = []
    for n, (scene, reply) in enumerate(zip(scenes, replies, strict=True)):
        tell(n)
        found = context.step(f"mark-{n}", partial(marks, ask, persona, scene.said, reply))
        given += [found] if found else []
        first = context.step(f"choose-{n}", partial(preferred, ask, persona, scene.said, reply, scene.reply))
        if first:
            chosen.append(Answer("judge-preferred", n, scene.said, reply, str(first), scene.reply, first == 1))
    for dimension in DIMENSIONS:
        value = mean([float(one[dimension]) for one in given])
        sheet.put(MARKS + dimension, MARK, value, reason=N_("the judge gave no marks that could be read"))
    sheet.tell("judge-preferred", chosen, reason=N_("the judge decided nothing in both orders"))
    agreed: list[Answer] = []
    for n, vote in enumerate(votes):
        tell(len(scenes) + n)
        both = vote.first_reply or "", vote.second_reply or ""
        picked = context.step(f"vote-{n}", partial(preferred, ask, persona, vote.prompt, *both))
        if picked:
            people = 1 if vote.winner == vote.first else 2
            read = "1: {}\n2: {}".format(*both)
            agreed.append(Answer("judge-agreement", n, vote.prompt, read, str(picked), str(people), picked == people))
    sheet.tell("judge-agreement", agreed, reason=N_("no vote of the arena was decided by the judge"))
