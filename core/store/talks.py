"""Conversations and their messages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from core.domain.chat import Conversation, Message
from core.domain.identity import new_id, now
from core.errors import NotFoundError
from core.store import tables as t
from core.store.database import Rooms
from core.store.records import from_row, to_row
from core.translation import N_


class Talks(Rooms):
    """What visitors and personas said to each other."""

    def start(self, persona_id: str, title: str) -> Conversation:
        """Begin a conversation."""
        talk = Conversation(id=new_id("talk"), persona_id=persona_id, title=title, created_at=now())
        with self._writing() as db:
            db.execute(sa.insert(t.conversation).values(**to_row(talk)))
        return talk

    def say(self, message: Message) -> Message:
        """Append a message and return it with its place in the conversation."""
        last = sa.select(sa.func.max(t.message.c.ordinal)).where(t.message.c.conversation_id == message.conversation_id)
        with self._writing() as db:
            highest = db.execute(last).scalar()
            placed = replace(message, ordinal=0 if highest is None else highest + 1)
            db.execute(sa.insert(t.message).values(**to_row(placed)))
        return placed

    def annotate(self, message_id: str, **values: Any) -> None:
        """Add what became known after the words: `sound_sha256`, `voice`, `timings`."""
        with self._writing() as db:
            db.execute(sa.update(t.message).where(t.message.c.id == message_id).values(**values))

    def message(self, message_id: str) -> Message:
        """Return the message; NotFoundError when there is none of that id."""
        with self._reading() as db:
            row = db.execute(sa.select(t.message).where(t.message.c.id == message_id)).one_or_none()
        if row is None:
            raise NotFoundError(N_("There is no message {id}."), remedy=N_("Open the chat again."), id=message_id)
        return from_row(Message, row)

    def messages(self, conversation_id: str) -> list[Message]:
        """Return a conversation's messages in order."""
        query = sa.select(t.message).where(t.message.c.conversation_id == conversation_id).order_by(t.message.c.ordinal)
        with self._reading() as db:
            return [from_row(Message, row) for row in db.execute(query)]

    def conversations(self, persona_id: str, *, limit: int = 50) -> list[Conversation]:
        """Return a persona's conversations, newest first."""
        table = t.conversation.c
        query = (
            sa.select(t.conversation)
            .where(table.persona_id == persona_id)
            .order_by(table.created_at.desc())
            .limit(limit)
        )
        with self._reading() as db:
            return [from_row(Conversation, row) for row in db.execute(query)]
