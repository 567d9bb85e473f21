"""Conversations and their messages: trees, of which one path is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from core.domain.chat import NOBODY_NAMED, Conversation, Message
from core.domain.identity import new_id, now
from core.errors import InvalidInputError, NotFoundError
from core.store import tables as t
from core.store.database import Rooms
from core.store.records import from_row, to_row
from core.translation import N_

LONGEST_TITLE = 80
_LONGEST_WORDS = 200
_MOST_FOUND = 100
_BEFORE, _EXCERPT = 16, 80
"""Characters of an excerpt: before the words, and altogether."""


@dataclass(frozen=True, slots=True)
class FoundTalk:
    """A conversation that holds the words somebody looked for."""

    conversation: Conversation
    message_id: str | None = None
    """The first message that holds them, on whatever path; None where only the title does."""
    excerpt: str = ""
    """What stands around them in that message."""


class Talks(Rooms):
    """What visitors and personas said to each other."""

    def start(self, persona_id: str, title: str, owner: str = NOBODY_NAMED) -> Conversation:
        """Begin a conversation."""
        talk = _begun(persona_id, title, owner)
        with self._writing() as db:
            db.execute(sa.insert(t.conversation).values(**to_row(talk)))
        return talk

    def say(self, message: Message, *, first: bool = False) -> Message:
        """Put a message after its parent, show the path to it, and return it with its place in the conversation.

        One that names no parent follows the end of the path shown, or with `first` nothing: it begins the conversation
        anew. NotFoundError when the conversation or the parent is gone.
        """
        with self._writing() as db:
            talk = _locked(db, message.conversation_id)
            parent_id = message.parent_id or (None if first else talk.leaf_id)
            if parent_id is not None and _message(db, parent_id).conversation_id != talk.id:
                raise _no_message(parent_id)
            of_talk = t.message.c.conversation_id == talk.id
            highest = db.execute(sa.select(sa.func.max(t.message.c.ordinal)).where(of_talk)).scalar()
            placed = replace(message, ordinal=0 if highest is None else highest + 1, parent_id=parent_id)
            db.execute(sa.insert(t.message).values(**to_row(placed)))
            _put(db, talk.id, leaf_id=placed.id, updated_at=now())
        return placed

    def annotate(self, message_id: str, **values: Any) -> None:
        """Add what became known after the words: `sound_sha256`, `voice`, `timings`, `memories`.

        NotFoundError when the message is gone.
        """
        with self._writing() as db:
            if not db.execute(sa.update(t.message).where(t.message.c.id == message_id).values(**values)).rowcount:
                raise _no_message(message_id)

    def show(self, message_id: str) -> None:
        """Let the path shown lead through a message and on to the newest of all that followed it."""
        with self._writing() as db:
            talk = _locked(db, _message(db, message_id).conversation_id)
            below, table = _below(message_id), t.message.c
            newest = sa.select(table.id).join(below, below.c.id == table.id).order_by(table.ordinal.desc()).limit(1)
            _put(db, talk.id, leaf_id=db.execute(newest).scalar_one())

    def branch(self, message_id: str, title: str, owner: str = NOBODY_NAMED) -> Conversation:
        """Return a new conversation that begins with a copy of everything up to a message, and goes on by itself."""
        with self._writing() as db:
            origin = _locked(db, _message(db, message_id).conversation_id)
            begun = _begun(origin.persona_id, _title(title), owner)
            copies = _copied(_path(db, message_id), begun.id)
            talk = replace(begun, leaf_id=copies[-1].id, branched_from=message_id)
            db.execute(sa.insert(t.conversation).values(**to_row(talk)))
            db.execute(sa.insert(t.message), [to_row(one) for one in copies])
        return talk

    def rename(self, conversation_id: str, title: str) -> None:
        """Give a conversation another title; InvalidInputError for an empty or too long one."""
        with self._writing() as db:
            _put(db, _locked(db, conversation_id).id, title=_title(title))

    def remove(self, conversation_id: str) -> None:
        """Delete a conversation with its messages and their ratings; sounds stay, for others may hold the same."""
        own = sa.select(t.message.c.id).where(t.message.c.conversation_id == conversation_id)
        with self._writing() as db:
            _locked(db, conversation_id)
            origin = t.conversation.c.branched_from
            db.execute(sa.update(t.conversation).where(origin.in_(own)).values(branched_from=None))
            db.execute(sa.delete(t.conversation).where(t.conversation.c.id == conversation_id))

    def conversation(self, conversation_id: str) -> Conversation:
        """Return the conversation; NotFoundError when there is none of that id."""
        with self._reading() as db:
            return _talk(db, conversation_id)

    def message(self, message_id: str) -> Message:
        """Return the message; NotFoundError when there is none of that id."""
        with self._reading() as db:
            return _message(db, message_id)

    def messages(self, conversation_id: str, *, last: int | None = None) -> list[Message]:
        """Return the path shown, or its `last` messages, in order; NotFoundError when the conversation is gone."""
        with self._reading() as db:
            talk = _talk(db, conversation_id)
            return _path(db, talk.leaf_id, last) if talk.leaf_id else []

    def path(self, message_id: str, *, last: int | None = None) -> list[Message]:
        """Return what leads to a message and itself as the last, or the `last` of these; NotFoundError when gone."""
        with self._reading() as db:
            return _path(db, _message(db, message_id).id, last)

    def siblings(self, message_id: str) -> list[Message]:
        """Return a message and its other versions: what the same speaker said at the same place, as written."""
        table = t.message.c
        with self._reading() as db:
            one = _message(db, message_id)
            query = sa.select(t.message).where(
                table.conversation_id == one.conversation_id,
                table.parent_id.is_(None) if one.parent_id is None else table.parent_id == one.parent_id,
                table.speaker == one.speaker,
            )
            return [from_row(Message, row) for row in db.execute(query.order_by(table.ordinal))]

    def forks(self, conversation_id: str) -> Mapping[str, Sequence[str]]:
        """Return the messages that have other versions, on whatever path: id -> the ids of all versions, as written."""
        table = t.message.c
        query = sa.select(table.id, table.parent_id, table.speaker).where(table.conversation_id == conversation_id)
        versions: dict[tuple[str | None, str], list[str]] = {}
        with self._reading() as db:
            for message_id, parent_id, speaker in db.execute(query.order_by(table.ordinal)):
                versions.setdefault((parent_id, speaker), []).append(message_id)
        return {one: tuple(several) for several in versions.values() if len(several) > 1 for one in several}

    def conversations(self, persona_id: str, *, owner: str | None = None, limit: int = 50) -> list[Conversation]:
        """Return a persona's conversations, everybody's or one owner's, the one last spoken in first."""
        with self._reading() as db:
            return [from_row(Conversation, row) for row in db.execute(_newest(persona_id, owner).limit(limit))]

    def count(self, persona_id: str, *, owner: str | None = None) -> int:
        """Return how many there are, everybody's or one owner's."""
        with self._reading() as db:
            return db.execute(
                sa.select(sa.func.count()).select_from(_newest(persona_id, owner).subquery())
            ).scalar_one()

    def search(self, persona_id: str, words: str, *, owner: str | None = None, limit: int = 20) -> list[FoundTalk]:
        """Return the conversations whose title, or any message on any path, holds these words, newest first.

        Upper and lower case are the same; nothing is found for no words. At most a hundred are returned.
        """
        wanted = words.strip()[:_LONGEST_WORDS]
        if not wanted:
            return []
        table, talk = t.message.c, t.conversation.c
        said = table.text.icontains(wanted, autoescape=True)
        somewhere = sa.exists().where(table.conversation_id == talk.id, said)
        query = _newest(persona_id, owner).where(sa.or_(talk.title.icontains(wanted, autoescape=True), somewhere))
        with self._reading() as db:
            found = [from_row(Conversation, row) for row in db.execute(query.limit(min(limit, _MOST_FOUND)))]
            within = said & table.conversation_id.in_([one.id for one in found])
            earliest = sa.select(sa.func.min(table.ordinal).label("ordinal"), table.conversation_id).where(within)
            first = earliest.group_by(table.conversation_id).subquery()
            at = (first.c.conversation_id == table.conversation_id) & (first.c.ordinal == table.ordinal)
            rows = db.execute(sa.select(table.conversation_id, table.id, table.text).join(first, at))
            told = {row.conversation_id: (row.id, _excerpt(row.text, wanted)) for row in rows}
        return [FoundTalk(one, *told.get(one.id, ())) for one in found]


def _begun(persona_id: str, title: str, owner: str) -> Conversation:
    moment = now()
    return Conversation(new_id("talk"), persona_id, title, created_at=moment, updated_at=moment, owner=owner)


def _copied(path: Sequence[Message], conversation_id: str) -> list[Message]:
    copies: list[Message] = []
    for ordinal, one in enumerate(path):
        above = copies[-1].id if copies else None
        copies.append(replace(one, id=new_id("msg"), conversation_id=conversation_id, ordinal=ordinal, parent_id=above))
    return copies


def _newest(persona_id: str, owner: str | None) -> sa.Select[Any]:
    table = t.conversation.c
    query = sa.select(t.conversation).where(table.persona_id == persona_id)
    if owner is not None:
        query = query.where(table.owner == owner)
    return query.order_by(table.updated_at.desc(), table.id.desc())


def _path(db: sa.Connection, message_id: str, last: int | None = None) -> list[Message]:
    if last is not None and last < 1:
        return []
    table = t.message.c
    end = sa.select(table.id, table.parent_id, sa.literal(1).label("place")).where(table.id == message_id)
    above = end.cte("above", recursive=True)
    further = sa.select(table.id, table.parent_id, above.c.place + 1).where(table.id == above.c.parent_id)
    above = above.union_all(further if last is None else further.where(above.c.place < last))
    # Whatever follows a message was written after it.
    query = sa.select(t.message).join(above, above.c.id == table.id).order_by(table.ordinal)
    return [from_row(Message, row) for row in db.execute(query)]


def _below(message_id: str) -> sa.CTE:
    """Return a message and all that followed it, on whatever path, as a table of ids."""
    table = t.message.c
    below = sa.select(table.id).where(table.id == message_id).cte("below", recursive=True)
    return below.union_all(sa.select(table.id).where(table.parent_id == below.c.id))


def _locked(db: sa.Connection, conversation_id: str) -> Conversation:
    """Return the conversation; until the transaction ends nobody else writes into it."""
    return _talk(db, conversation_id, lock=True)


def _talk(db: sa.Connection, conversation_id: str, *, lock: bool = False) -> Conversation:
    query = sa.select(t.conversation).where(t.conversation.c.id == conversation_id)
    row = db.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise NotFoundError(
            N_("There is no conversation {id}."),
            remedy=N_("Choose another one, or begin a new one."),
            id=conversation_id,
        )
    return from_row(Conversation, row)


def _message(db: sa.Connection, message_id: str) -> Message:
    row = db.execute(sa.select(t.message).where(t.message.c.id == message_id)).one_or_none()
    if row is None:
        raise _no_message(message_id)
    return from_row(Message, row)


def _put(db: sa.Connection, conversation_id: str, **values: Any) -> None:
    db.execute(sa.update(t.conversation).where(t.conversation.c.id == conversation_id).values(**values))


def _title(title: str) -> str:
    words = " ".join(title.split())
    if not 0 < len(words) <= LONGEST_TITLE:
        raise InvalidInputError(
            N_("A conversation's title has 1 to {most} characters."),
            remedy=N_("Write another title."),
            most=LONGEST_TITLE,
        )
    return words


def _excerpt(text: str, words: str) -> str:
    """Return what stands around the words, on one line; the beginning where the database alone sees them."""
    at = max(text.lower().find(words.lower()), 0)
    begin = max(at - _BEFORE, 0)
    end = max(begin + _EXCERPT, at + len(words))
    shown = " ".join(text[begin:end].split())
    return f"{'…' if begin else ''}{shown}{'…' if end < len(text) else ''}"


def _no_message(message_id: str) -> NotFoundError:
    return NotFoundError(N_("There is no message {id}."), remedy=N_("Open the chat again."), id=message_id)
