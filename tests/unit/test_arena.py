"""Duels through the services: real models answer, votes are kept, and a reply goes back to the curator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from core.domain.persona import Persona
from core.domain.text import ReviewStatus
from core.errors import InvalidInputError
from core.services import Services
from core.stages.evaluation.arena.duel import Duel, prompts
from tests.contract.openai_server import OpenAIServer
from tests.served_studio import served_studio


@dataclass(frozen=True)
class Arena:
    """A workspace with a little book, and a chat server beside it."""

    services: Services
    server: OpenAIServer

    @property
    def persona(self) -> Persona:
        return self.services.store.personas.get(self.services.settings.persona)

    def meet(self, prompt: str = "外头冷不冷？") -> Duel:
        return self.services.chat.duel(self.persona, prompt, "retrieval", "openai")


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    with served_studio(tmp_path_factory.mktemp("arena"), "竹影摇窗，正好说话。") as (services, server):
        yield Arena(services, server)


@pytest.fixture
def arena(workplace: Arena) -> Arena:
    workplace.server.status = 200
    return workplace


def test_her_own_lines_and_a_server_answer_the_same_words_with_the_same_settings(arena: Arena) -> None:
    duel = arena.meet()

    assert duel.failures == ()
    assert duel.second.text == "竹影摇窗，正好说话。"
    assert duel.first.line_id is not None
    assert arena.services.store.utterances.get(duel.first.line_id).text == duel.first.text
    asked = arena.server.requests[-1]
    assert asked["messages"][-1]["content"] == "外头冷不冷？"
    assert isinstance(asked["seed"], int)


def test_a_server_that_refuses_is_told_and_cannot_be_voted_on(arena: Arena) -> None:
    arena.server.status = 500

    duel = arena.meet()

    assert [one.name for one in duel.failures] == ["openai"]
    assert duel.first.text
    with pytest.raises(InvalidInputError):
        arena.services.chat.arena_vote(arena.persona, duel, "retrieval", who="anna")


def test_a_vote_keeps_both_replies_and_is_for_one_of_the_two(arena: Arena) -> None:
    duel = arena.meet()

    vote = arena.services.chat.arena_vote(arena.persona, duel, "openai", who="anna")

    assert arena.services.store.votes.in_arena(arena.persona.id).rows[0] == vote
    assert (vote.first_reply, vote.second_reply, vote.first_line) == (
        duel.first.text,
        duel.second.text,
        duel.first.line_id,
    )
    with pytest.raises(InvalidInputError):
        arena.services.chat.arena_vote(arena.persona, duel, "somebody", who="anna")


def test_a_line_of_the_book_goes_back_into_the_review_and_undo_brings_the_decision_back(arena: Arena) -> None:
    store = arena.services.store
    duel = arena.meet()
    line = store.utterances.get(duel.first.line_id or "")
    store.review.edit(line.id, line.revision, who="bert", status=ReviewStatus.ACCEPTED)
    vote = arena.services.chat.arena_vote(arena.persona, duel, "openai", who="anna")

    arena.services.chat.flag_reply(vote.id, "first", "这句不是她说的", who="anna")

    assert store.utterances.get(line.id).status is ReviewStatus.PENDING
    assert store.votes.in_arena(arena.persona.id, flagged=True).rows[0].reason == "这句不是她说的"
    store.review.undo("anna", arena.persona.id)
    assert store.utterances.get(line.id).status is ReviewStatus.ACCEPTED


def test_a_reply_a_model_wrote_touches_no_line_and_waits_on_the_list(arena: Arena) -> None:
    vote = arena.services.chat.arena_vote(arena.persona, arena.meet(), None, who="anna")
    before = arena.services.store.utterances.get(vote.first_line or "")

    flagged = arena.services.chat.flag_reply(vote.id, "second", "太文", who="anna")

    assert (flagged.flagged, flagged.reason) == ("second", "太文")
    assert arena.services.store.utterances.get(before.id) == before


def test_a_line_that_was_deleted_meanwhile_is_still_put_on_the_list(arena: Arena) -> None:
    duel = arena.meet()
    gone = replace(duel, first=replace(duel.first, line_id="src-gone.1.0"))
    vote = arena.services.chat.arena_vote(arena.persona, gone, None, who="anna")

    assert arena.services.chat.flag_reply(vote.id, "first", "", who="anna").flagged == "first"


def test_prompts_are_her_questions_and_what_is_said_to_her_in_scenes_held_out(arena: Arena) -> None:
    asked = prompts(arena.persona, arena.services.store)

    assert set(arena.persona.facts) <= set(asked)
    assert len(asked) == len(set(asked))


def test_a_reply_is_spoken_and_silence_is_silent(arena: Arena) -> None:
    sound = arena.services.chat.duel_sound("formant", arena.persona, "竹影摇窗。")

    assert sound is not None
    assert sound.wav[:4] == b"RIFF"
    assert arena.services.chat.duel_sound("", arena.persona, "竹影摇窗。") is None
