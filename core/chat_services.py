"""What pages, commands and other clients may do in a talk: speak, listen, compare, rate."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as Overdue
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from threading import Event
from typing import TYPE_CHECKING

from core.domain.chat import Verdict
from core.domain.identity import new_id, now
from core.domain.text import ReviewStatus
from core.domain.training import Vote
from core.errors import ConflictError, InvalidInputError, NotFoundError, ToolFailedError
from core.lending import ears, guard_of, speaking_addresses
from core.settings import Settings, stage_defaults
from core.store import Store
from core.translation import N_

if TYPE_CHECKING:
    from core.domain.chat import Rating
    from core.domain.persona import Persona
    from core.domain.voice import Sound
    from core.stages.chat.choice import Choice
    from core.stages.chat.guard import Guard
    from core.stages.chat.limits import Limiter
    from core.stages.chat.mouth import PersonaMouth
    from core.stages.chat.settings import ChatSettings
    from core.stages.evaluation.arena.duel import Answerer, Duel

_SAY_SECONDS = 60.0
"""How long a page waits for words it has asked for."""


@dataclass(frozen=True, slots=True)
class ChatServices:
    """The verbs of the talk and of the arena."""

    settings: Settings
    store: Store

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
