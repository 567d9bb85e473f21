"""One turn of a conversation, from what the visitor said to her stored and spoken answer."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock

from core.backends.llm import ChatModel, ChatRole, ChatTurn
from core.backends.relay import apart
from core.domain.chat import NOBODY_NAMED, Conversation, Message, Speaker
from core.domain.identity import new_id, now
from core.domain.persona import Persona
from core.domain.sounds import joined, resampled
from core.domain.voice import Sound
from core.errors import InvalidInputError, NotFoundError
from core.stages.chat.choice import Choice
from core.stages.chat.clauses import ClauseSegmenter
from core.stages.chat.events import Done, SoundReady, TextDelta, TextDone, VoiceFailed
from core.stages.chat.guard import Guard
from core.stages.chat.live import Emit, Reply, one_at_a_time, under_way
from core.stages.chat.mouth import CLIP, Mouth
from core.stages.chat.pacing import Pacing
from core.stages.chat.paths import asked_before, said_before
from core.stages.chat.prompt import composed
from core.stages.chat.settings import ChatSettings
from core.stages.chat.spoken import Piece, TextOver, spoken
from core.store import Store
from core.translation import N_

TITLE_LENGTH = 24
_STOP_SECONDS = 5.0
"""More than a reply takes to end and be kept."""
_ROLES = {Speaker.VISITOR: ChatRole.VISITOR, Speaker.PERSONA: ChatRole.PERSONA}


def begin(
    persona: Persona, said: str, *, settings: ChatSettings, store: Store, owner: str = NOBODY_NAMED
) -> Conversation:
    """Start a conversation named after its first words; her greeting is its first message."""
    words = checked(said, settings)
    talk = store.talks.start(persona.id, words[:TITLE_LENGTH], owner)
    if persona.greeting:
        store.talks.say(_message(talk.id, Speaker.PERSONA, persona.greeting))
    return talk


@dataclass(frozen=True, slots=True)
class Interlocutor:
    """Who answers a visitor, by what means, and where that is kept."""

    persona: Persona
    choice: Choice
    model: ChatModel
    mouth: Mouth | None
    settings: ChatSettings
    store: Store
    guard: Guard = field(default_factory=Guard)


def answer(
    said: str,
    who: Interlocutor,
    conversation: Conversation | None,
    *,
    instead_of: str | None = None,
    owner: str = NOBODY_NAMED,
) -> Reply:
    """Store what the visitor said and begin her reply, which goes on whoever follows it.

    Without a conversation one of that owner's begins. `instead_of` names a message of the visitor that these words
    take the place of; both versions are kept. A reply still under way in this conversation is stopped first. What she
    said is stored when the text ends, also when she is stopped or the model fails half-way; the sound is added when
    it is whole. InvalidInputError at once for nothing said, too much or what the filter refuses, NotFoundError for a
    conversation that is gone.
    """
    words, talks = checked(said, who.settings), who.store.talks
    who.guard.check_said(words)
    talk = conversation or begin(who.persona, words, settings=who.settings, store=who.store, owner=owner)
    with one_at_a_time(talk.id):
        interrupt(talk.id)
        history = said_before(instead_of, who.store) if instead_of else talks.messages(talk.id)
        before = history[-1].id if history else None
        put = talks.say(_message(talk.id, Speaker.VISITOR, words, parent_id=before), first=before is None)
        return _begun(put, history, who)


def answer_again(reply_id: str, who: Interlocutor) -> Reply:
    """Begin another reply to what one of hers answers; both are kept. Raises as `answer` and `asked_before`."""
    asked = asked_before(reply_id, who.store)
    with one_at_a_time(asked.said.conversation_id):
        interrupt(asked.said.conversation_id)
        return _begun(asked.said, asked.history, who)


def _begun(said: Message, history: Sequence[Message], who: Interlocutor) -> Reply:
    settings, model, guard = who.settings, who.model, who.guard
    before = [ChatTurn(_ROLES[one.speaker], one.text) for one in history]
    making = _Making(said, who.choice, who.mouth.name if who.mouth else None, who.store)

    async def make(emit: Emit) -> None:
        making.emit = emit
        try:
            prompt = await apart(
                lambda: composed(
                    before, said.text, persona=who.persona, model=model, settings=settings, store=who.store
                )
            )
            making.memories = tuple(one.utterance_id or one.passage_id for one in prompt.memories)
            await spoken(
                lambda stop: guard.watched(model.stream(prompt.turns, settings=settings.generation, cancel=stop)),
                mouth=who.mouth,
                segmenter=ClauseSegmenter(shortest=settings.first_clause, longest=settings.longest_clause),
                pacing=Pacing(clause=settings.clause, look_ahead_seconds=settings.look_ahead_seconds),
                put=making.put,
            )
        finally:
            await apart(making.finish)
            making.done()

    return Reply(new_id("reply"), said.conversation_id, make, said_id=said.id)


def interrupt(conversation_id: str) -> None:
    """Stop the reply under way in a conversation, if there is one, and wait until its words are kept."""
    if (before := under_way(conversation_id)) is not None:
        before.stop()
        before.wait(_STOP_SECONDS)


def checked(said: str, settings: ChatSettings) -> str:
    """Return the visitor's words without the space around them; InvalidInputError for none or too many."""
    words = said.strip()
    if not words:
        raise InvalidInputError(N_("There is nothing to answer."), remedy=N_("Write something to her first."))
    if len(words) > settings.max_characters:
        raise InvalidInputError(
            N_("That message is too long: {length} characters."),
            remedy=N_("Send at most {most} at a time."),
            length=len(words),
            most=settings.max_characters,
        )
    return words


@dataclass(slots=True)
class _Making:
    """What is known of a reply while it is made."""

    said: Message
    choice: Choice
    voice: str | None
    store: Store
    emit: Emit = lambda event: None
    started: float = field(default_factory=time.perf_counter)
    words: list[str] = field(default_factory=list)
    sounds: list[Sound] = field(default_factory=list)
    timings: dict[str, float] = field(default_factory=dict)
    utterance_id: str | None = None
    memories: tuple[str, ...] = ()
    message: Message | None = None
    keeping: Lock = field(default_factory=Lock)

    async def put(self, piece: Piece) -> None:
        """Note a piece of the reply and hand it on as an event."""
        match piece:
            case TextDelta():
                self._time("first_word")
                self.utterance_id = self.utterance_id or piece.utterance_id
                self.words.append(piece.text)
            case SoundReady():
                self._time("first_audio")
                self.voice = CLIP if piece.recorded else self.voice
                self.sounds.append(piece.sound)
            case TextOver():
                self._time("text")
                if self.words:
                    self.emit(TextDone(await apart(self._keep)))
                return
            case VoiceFailed():
                pass
        self.emit(piece)

    def finish(self) -> None:
        """Keep the reply, however it ended; where the conversation was removed meanwhile there is nothing to keep."""
        with suppress(NotFoundError):
            self._finish()

    def _finish(self) -> None:
        if self.words:
            self._keep()
        if self.message and self.sounds:
            self.store.talks.annotate(
                self.message.id,
                voice=self.voice,
                sound_sha256=self.store.files.put(_whole(self.sounds).wav),
                timings=dict(self.timings),
            )
            self.message = self.store.talks.message(self.message.id)

    def done(self) -> None:
        """Say that nothing follows."""
        if self.message:
            self.emit(Done(self.message))

    def _keep(self) -> Message:
        """Keep the words, once: a stop may come while they are being kept, and then asks for it again."""
        with self.keeping:
            self.message = self.message or self.store.talks.say(
                _message(
                    self.said.conversation_id,
                    Speaker.PERSONA,
                    "".join(self.words),
                    parent_id=self.said.id,
                    backend=self.choice.backend,
                    model_id=self.choice.model_id,
                    utterance_id=self.utterance_id,
                    memories=self.memories,
                    timings=dict(self.timings),
                )
            )
            return self.message

    def _time(self, name: str) -> None:
        self.timings.setdefault(name, round(time.perf_counter() - self.started, 4))


def _whole(sounds: Sequence[Sound]) -> Sound:
    """Return a reply's sounds as one; another server of the same voice may have spoken at another rate."""
    return joined([resampled(one, sounds[0].sample_rate) for one in sounds])


def _message(conversation_id: str, speaker: Speaker, text: str, **made_by: object) -> Message:
    return Message(
        id=new_id("msg"),
        conversation_id=conversation_id,
        ordinal=0,  # the store knows its place
        speaker=speaker,
        text=text,
        created_at=now(),
        **made_by,  # type: ignore[arg-type]  # named by the callers above
    )
