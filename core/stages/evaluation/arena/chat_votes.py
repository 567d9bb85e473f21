"""Votes given in the chat: of two replies to the same words by different choices, one rated up and one down. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from core.domain.chat import Message, Speaker, Verdict
from core.domain.identity import fingerprint, now
from core.domain.training import Vote


def votes_of(
    reply: Message,
    others: Iterable[Message],
    verdicts: Mapping[str, Verdict],
    *,
    said: Message | None,
    persona_id: str,
    who: str,
) -> list[Vote]:
    """Return what one person's verdicts (by message id) say of a reply beside other replies to the same words.

    `said` is what they answer; without it there is no vote. The votes of one person on one pair of replies always have
    the same id.
    """
    if said is None or said.speaker is not Speaker.VISITOR:
        return []
    rivals = [one for one in others if {verdicts.get(one.id), verdicts.get(reply.id)} == {Verdict.UP, Verdict.DOWN}]
    pairs = [(reply, one) if reply.ordinal < one.ordinal else (one, reply) for one in rivals]
    return [_vote(said, a, b, verdicts, persona_id, who) for a, b in pairs if _comparable(a, b)]


def _comparable(first: Message, second: Message) -> bool:
    chosen = first.choice_id is not None and second.choice_id is not None and first.choice_id != second.choice_id
    return chosen and bool(first.text.strip() and second.text.strip())


def _vote(
    said: Message, first: Message, second: Message, verdicts: Mapping[str, Verdict], persona_id: str, who: str
) -> Vote:
    winner = first if verdicts[first.id] is Verdict.UP else second
    return Vote(
        id=f"vote-{fingerprint([who, first.id, second.id])[:24]}",
        persona_id=persona_id,
        run_id=None,
        prompt=said.text,
        first=first.choice_id or "",
        second=second.choice_id or "",
        winner=winner.choice_id,
        voted_by=who,
        voted_at=now(),
        first_reply=first.text,
        second_reply=second.text,
        first_line=first.utterance_id,
        second_line=second.utterance_id,
    )
