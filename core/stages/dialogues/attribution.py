"""Finds the speakers of a text that announces its speeches, as old novels do.

The clause before a quotation is its cue and may name the speaker itself; where it does not, whoever
was acting in the narration speaks, or the other one of the two who are talking.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.domain.text import UtteranceKind
from core.stages.dialogues import cues
from core.stages.dialogues.discovery import NEVER_IN_NAMES
from core.stages.dialogues.kinds import SAID, announced
from core.stages.dialogues.names import Names
from core.stages.dialogues.narration import JOINER, Mention, Narration, Who
from core.stages.dialogues.paragraphs import Line, Paragraph

_AFTER_QUOTE = re.compile(rf"(?:{cues.ADVERBS}){{0,4}}(?:{cues.SPEECH_VERBS})")
_AFTER_PRONOUN = re.compile(rf"[他她](?:{cues.ADVERBS}){{0,4}}(?:{cues.SPEECH_VERBS})")
_RUN_TO_VERB = re.compile(rf"[^，。]{{0,12}}(?:{cues.SPEECH_VERBS})$")
_REVEALED = 60
"""How far after the words somebody who was only heard comes into sight (characters)."""
_NEXT_CUE = 12
"""Narration up to here that ends in a colon is the cue of the next quotation."""


@dataclass(frozen=True, slots=True)
class Attribution:
    """Who says a quotation, how sure we are (0 to 1), and what told us."""

    who: Who
    confidence: float
    reason: str


class Listener:
    """Follows one text from quotation to quotation; feed it the narration in reading order."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._told = Narration(names)
        self._speakers: list[Who] = []
        """Who spoke last and, before that, somebody else."""
        self._addressee: Who = ()

    def new_chapter(self) -> None:
        """Forget who was there."""
        self._told.new_chapter()
        self._addressee, self._speakers = (), []

    def attribute(self, chapter: Sequence[Paragraph]) -> Iterator[list[Attribution]]:
        """Yield, for each paragraph of a chapter, who says its quotations."""
        self.new_chapter()
        for paragraph in chapter:
            yield [self._line(line) for line in paragraph.lines]
            self._told.read(paragraph.rest)

    def _line(self, line: Line) -> Attribution:
        if line.kind is UtteranceKind.NONSPEECH:
            self._told.read(line.before)
            return Attribution((), 0.8, "not-said")
        leads = announced(line.before)
        attribution = self.speaker_before(line.before, cued=leads)
        if leads and cues.UNSEEN.match(_last_clause(line.before)) and not attribution.reason.startswith("cue"):
            attribution = self._revealed(line.after) or attribution
        if not leads and not (line.after[-1:] in cues.COLON and len(line.after) < _NEXT_CUE):
            attribution = self.speaker_after(line.after) or attribution
        if line.kind in SAID:
            self.spoken(attribution.who)
        return attribution

    def speaker_before(self, narration: str, *, cued: bool) -> Attribution:
        """Return the speaker that the narration before a quotation gives; `cued` when it ends in a colon or a verb."""
        body = narration.rstrip("：:，, ")
        at = cues.clause_start(body, len(body))
        mentions = self._told.read(body[:at])
        clause = body[at:]
        if not cued:
            self._told.take(self._told.subject_of(clause, self._told.mentions(clause)))
            return self._unannounced(clause)
        return self._from_cue(clause, bool(mentions), narration)

    def speaker_after(self, narration: str) -> Attribution | None:
        """Return the speaker named right after a quotation (`“…”青儿道。`), or None."""
        found = self._names.pattern.match(narration)
        if found:
            verb = _AFTER_QUOTE.match(narration, found.end(), found.end() + 16)
            return Attribution((self._told.meant(found.group()),), 0.93, f"cue-after:{verb.group()}") if verb else None
        pronoun = _AFTER_PRONOUN.match(narration[:20])
        if pronoun and self._told.subject:
            return Attribution(self._told.subject, 0.6, f"cue-after:{pronoun.group()}")
        return None

    def _revealed(self, narration: str) -> Attribution | None:
        """Return who comes into sight right after being heard: `只听喊道：“…”只见陆远跳了进来`."""
        for mention in self._told.mentions(narration[:_REVEALED]):
            if cues.REVEALS.search(narration[: mention.start]):
                return Attribution((mention.who,), 0.8, "revealed")
        return None

    def spoken(self, who: Who) -> None:
        """Remember who said the quotation just passed."""
        if not who:
            return
        if not self._speakers or self._speakers[-1] != who:
            self._speakers = [*self._speakers[-1:], who]
        self._told.subject = who
        self._told.remember(who)

    # -- cues ---------------------------------------------------------------------------------------------------

    def _from_cue(self, clause: str, named_before: bool, narration: str) -> Attribution:
        mentions = self._told.mentions(clause)
        sent = self._sent_to_speak(clause, mentions)
        if sent:
            self._told.take(sent)
            return Attribution(sent, 0.9, "sent-to-speak")
        subject = self._told.subject_of(clause, mentions) or self._right_before_verb(clause, mentions)
        objects = tuple(mention.who for mention in mentions if mention.who not in subject)
        if subject:
            self._told.take(subject)
            self._addressee = objects[-1:] or self._addressee
            return Attribution(subject, 0.97, f"cue-before:{clause[-4:]}")
        unnamed = cues.UNNAMED.match(clause)
        if unnamed and not mentions:
            who = (_unnamed(unnamed["who"]),)
            return Attribution(who, 0.8, f"unnamed:{clause[-4:]}")
        newcomer = cues.NEWCOMER.match(clause)
        if newcomer and not mentions and not NEVER_IN_NAMES.intersection(newcomer["who"]):
            self._told.take((newcomer["who"],))
            return Attribution((newcomer["who"],), 0.85, f"cue-before:{clause[-4:]}")
        partners = cues.PARTNERS.match(clause)
        if partners and not mentions and len(self._told.recent) > 1:
            return Attribution(self._partners(partners["who"]), 0.6, f"group:{partners['who']}")
        attribution = self._carried(clause, named_before, narration, objects)
        self._addressee = objects[-1:] or self._addressee
        return attribution

    def _carried(self, clause: str, named_before: bool, narration: str, objects: Who) -> Attribution:
        """The cue names nobody: the acting subject speaks, or the one who was spoken to."""
        if len(set(self._told.acted)) > 1 and cues.HE_FIRST.match(clause):
            return Attribution(self._told.acted[0], 0.65, f"another:{clause[-4:]}")
        other = self._other()
        if other and cues.ANOTHER_HE.search(narration.rstrip("：:")):
            return Attribution(other, 0.65, f"another:{clause[-4:]}")
        if named_before and self._told.subject:
            confidence = 0.95 if len(set(self._told.acted)) == 1 else 0.85
            return Attribution(self._unless_object(objects), confidence, f"subject-carried:{clause[-4:]}")
        if other and narration.rstrip("：:") == "道":
            return Attribution(other, 0.65, "reply:道")
        answers = cues.REPLYING.search(clause) or cues.HEARING.search(narration)
        if answers and other and not cues.CONTINUING.search(narration):
            return Attribution(other, 0.65, f"reply:{clause[-4:]}")
        if self._told.subject:
            return Attribution(self._unless_object(objects), 0.75, f"same-subject:{clause[-4:]}")
        return Attribution(other, 0.4 if other else 0.1, "last-speaker" if other else "nobody-named")

    def _unless_object(self, objects: Who) -> Who:
        """Nobody speaks to oneself: when the carried subject is the cue's object, the other one speaks."""
        if self._told.subject and set(self._told.subject) <= set(objects):
            return self._other() or self._told.subject
        return self._told.subject

    def _unannounced(self, clause: str) -> Attribution:
        """A quotation without a cue: turns are taken."""
        if clause:
            return Attribution(self._told.subject, 0.5 if self._told.subject else 0.1, "narration")
        other = self._other()
        return Attribution(other, 0.5 if other else 0.1, "turn-taking")

    def _other(self) -> Who:
        """Return who should speak next in a dialogue of two."""
        if self._addressee and self._speakers and self._addressee != self._speakers[-1]:
            return self._addressee
        if len(self._speakers) > 1:
            return self._speakers[-2]
        return ()

    def _partners(self, word: str) -> Who:
        count = 3 if "三" in word else 2
        return self._told.pair if len(self._told.pair) == count else tuple(self._told.recent[-count:])

    def _sent_to_speak(self, clause: str, mentions: list[Mention]) -> Who:
        for mention in mentions:
            if cues.SENDING.search(clause[: mention.start]) and cues.SENT_TO_SPEAK.match(clause[mention.end :]):
                return (mention.who,)
        return ()

    def _right_before_verb(self, clause: str, mentions: list[Mention]) -> Who:
        """Return a name in mid-clause that is the subject of the verb and no object of a word before it."""
        if not mentions:
            return ()
        last = first = mentions[-1]
        for mention in reversed(mentions[:-1]):
            if not JOINER.fullmatch(clause[mention.end : first.start]):
                break
            first = mention
        before = cues.COUNTED.sub("", clause[: first.start])
        taken = before[-1:] in cues.TAKES_OBJECT or cues.TO_SOMEBODY.search(before)
        if before and taken and not cues.HEARD.search(before):
            return ()
        return (last.who,) if _RUN_TO_VERB.match(clause[last.end :][:14]) else ()


def _last_clause(narration: str) -> str:
    body = narration.rstrip("：:，, ")
    return body[cues.clause_start(body, len(body)) :]


def _unnamed(word: str) -> str:
    return word if len(word) > 2 and "个" not in word else "人"
