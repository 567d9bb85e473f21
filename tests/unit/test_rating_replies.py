"""A rated reply reaches everybody it concerns: the curator, the review of the book, the arena."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from core.domain.chat import Message, Speaker, Verdict
from core.domain.identity import new_id, now
from core.domain.persona import Persona
from core.domain.text import ReviewStatus, Utterance
from core.domain.training import Vote
from core.errors import InvalidInputError, NotFoundError
from core.services import Services
from core.stages.evaluation.arena.ratings import ratings
from core.store.utterances import UtteranceFilter
from tests.conftest import persona_a_qing
from tests.served_studio import served_studio

UP, DOWN = Verdict.UP, Verdict.DOWN


@dataclass
class Chat:
    """A conversation in which the visitor has asked something."""

    services: Services
    asked: Message

    @property
    def persona(self) -> Persona:
        return self.services.store.personas.get(self.services.settings.persona)

    @property
    def line(self) -> Utterance:
        """A line of hers."""
        return next(iter(self.services.store.utterances.iterate(UtteranceFilter(self.persona.id))))

    def reply(self, text: str, backend: str | None, line: str | None = None) -> str:
        """Have her answer, and return the reply's id."""
        said = Message(
            new_id("msg"), self.asked.conversation_id, 0, Speaker.PERSONA, text, now(), backend,
            utterance_id=line, parent_id=self.asked.id,
        )  # fmt: skip
        return self.services.store.talks.say(said).id

    def rate(self, reply: str, value: Verdict, who: str = "anna", reason: str = "") -> None:
        self.services.chat.rate_reply(self.persona, reply, value, reason, who=who)

    def votes(self) -> list[Vote]:
        """Return the votes on this conversation's words, as the arena has them."""
        every = self.services.store.votes.in_arena(self.persona.id, limit=None).rows
        return [one for one in every if one.prompt == self.asked.text]


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    with served_studio(tmp_path_factory.mktemp("chat"), "好。") as (services, _server):
        yield services


@pytest.fixture
def chat(workplace: Services) -> Chat:
    talk = workplace.store.talks.start(workplace.settings.persona, "雨天")
    said = Message(new_id("msg"), talk.id, 0, Speaker.VISITOR, f"外头冷么？{talk.id}", now())
    return Chat(workplace, workplace.store.talks.say(said))


def test_two_choices_rated_apart_meet_in_the_arena(chat: Chat) -> None:
    hers = chat.reply("不冷。", "retrieval", chat.line.id)
    served = chat.reply("冷得很。", "openai")

    chat.rate(served, DOWN)
    assert chat.votes() == []
    chat.rate(hers, UP)

    (vote,) = chat.votes()
    assert (vote.first, vote.second, vote.winner, vote.voted_by) == ("retrieval", "openai", "retrieval", "anna")
    assert (vote.first_reply, vote.second_reply) == ("不冷。", "冷得很。")
    assert (vote.first_line, vote.second_line) == (chat.line.id, None)
    best, other = ratings(chat.votes())
    assert (best.name, best.wins, other.name, other.losses) == ("retrieval", 1, "openai", 1)


def test_who_changes_his_mind_votes_only_once_and_others_have_their_own_vote(chat: Chat) -> None:
    hers, served = chat.reply("不冷。", "retrieval"), chat.reply("冷得很。", "openai")
    for who, value in (("anna", UP), ("anna", DOWN), ("anna", UP), ("bert", DOWN)):
        chat.rate(hers, value, who)
        chat.rate(served, DOWN if value is UP else UP, who)

    assert sorted((one.voted_by, one.winner) for one in chat.votes()) == [("anna", "retrieval"), ("bert", "openai")]


def test_what_cannot_be_compared_is_no_vote(chat: Chat) -> None:
    first, second = chat.reply("不冷。", "retrieval"), chat.reply("冷么？不冷。", "retrieval")
    nobodys, served = chat.reply("谁说的。", None), chat.reply("冷。", "openai")

    chat.rate(first, UP)
    chat.rate(second, DOWN)  # of the same choice
    chat.rate(nobodys, DOWN)  # of none
    chat.rate(served, UP)  # rated the same way
    chat.rate(served, DOWN, who="bert")  # by somebody else

    assert [(one.winner, one.voted_by) for one in chat.votes()] == [("openai", "anna")]  # beside the second


def test_a_line_of_the_book_that_is_rated_down_goes_back_into_the_review(chat: Chat) -> None:
    store, line = chat.services.store, chat.line
    reply = chat.reply(line.text, "retrieval", line.id)
    store.review.edit(line.id, line.revision, who="bert", status=ReviewStatus.ACCEPTED)

    chat.rate(reply, UP)
    assert store.utterances.get(line.id).status is ReviewStatus.ACCEPTED
    chat.rate(reply, DOWN, reason="这句不是她说的")
    assert store.utterances.get(line.id).status is ReviewStatus.PENDING

    pending = store.utterances.get(line.id)
    store.review.edit(line.id, pending.revision, who="bert", status=ReviewStatus.ACCEPTED)
    chat.rate(reply, DOWN, reason="这句不是她说的")  # nothing new
    assert store.utterances.get(line.id).status is ReviewStatus.ACCEPTED
    assert store.ratings.for_curator(chat.persona.id).rows[0].rating.reason == "这句不是她说的"


def test_a_line_that_was_deleted_meanwhile_is_rated_all_the_same(chat: Chat) -> None:
    reply = chat.reply("不冷。", "retrieval", "src-gone.1.0")

    chat.rate(reply, DOWN)

    assert chat.services.store.ratings.of_messages([reply])[reply][0].value is DOWN


def test_only_her_own_replies_are_rated(chat: Chat) -> None:
    reply = chat.reply("不冷。", "retrieval")

    with pytest.raises(InvalidInputError):
        chat.rate(chat.asked.id, UP)
    with pytest.raises(NotFoundError):
        chat.services.chat.rate_reply(persona_a_qing(), reply, UP, "", who="anna")
    with pytest.raises(NotFoundError):
        chat.rate("msg-9", UP)
