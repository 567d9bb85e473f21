"""Reads narration and keeps track of who is acting, so that each quotation finds its speaker.

The narration between two quotations is read clause by clause: a name at the head of a clause is its
subject and stays the subject until another takes over; a name after a verb is an object. The clause
before the quotation is its cue and may name the speaker itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from core.domain.text import UtteranceKind
from core.stages.dialogues import cues
from core.stages.dialogues.kinds import SAID, announced
from core.stages.dialogues.names import Names
from core.stages.dialogues.paragraphs import Line, Paragraph

Who = tuple[str, ...]
"""One speaker or several who speak together; empty when nobody can be named."""

_AFTER_QUOTE = re.compile(rf"(?:{cues.ADVERBS}){{0,4}}(?:{cues.SPEECH_VERBS})")
_AFTER_PRONOUN = re.compile(rf"[他她](?:{cues.ADVERBS}){{0,4}}(?:{cues.SPEECH_VERBS})")
_RUN_TO_VERB = re.compile(rf"[^，。]{{0,12}}(?:{cues.SPEECH_VERBS})$")
_REVEALED = 60
"""How far after the words somebody who was only heard comes into sight (characters)."""
_NEXT_CUE = 12
"""Narration up to here that ends in a colon is the cue of the next quotation."""
_JOINER = re.compile("[与和同、及并]?$")
_BELONGING = re.compile("(?:的|之(?!际|时|后|前)|房[里中]|屋[里中]|家的|身边|跟前|手下)")


@dataclass(frozen=True, slots=True)
class Mention:
    """A name in a stretch of narration."""

    start: int
    end: int
    who: str


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
        self.subject: Who = ()
        """Who acts in the narration just read."""
        self._recent: list[str] = []
        """The last people who acted or spoke, the latest last."""
        self._speakers: list[Who] = []
        """Who spoke last and, before that, somebody else."""
        self._acted: list[Who] = []
        """The last two who acted in the narration just read."""
        self._addressee: Who = ()
        self._full: dict[str, str] = {}
        """Short form of a name -> whom it stands for in this chapter."""
        self._pair: Who = ()
        """The last people who did something together."""

    def new_chapter(self) -> None:
        """Forget who was acting."""
        self.subject, self._addressee, self._pair = (), (), ()
        self._recent, self._speakers, self._full = [], [], {}

    def attribute(self, chapter: Sequence[Paragraph]) -> Iterator[list[Attribution]]:
        """Yield, for each paragraph of a chapter, who says its quotations."""
        self.new_chapter()
        for paragraph in chapter:
            yield [self._line(line) for line in paragraph.lines]
            self._read(paragraph.rest)

    def _line(self, line: Line) -> Attribution:
        if line.kind is UtteranceKind.NONSPEECH:
            self._read(line.before)
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
        mentions = self._read(body[:at])
        clause = body[at:]
        if not cued:
            self._take(self._subject_of(clause, self._mentions(clause)))
            return self._unannounced(clause)
        return self._from_cue(clause, bool(mentions), narration)

    def speaker_after(self, narration: str) -> Attribution | None:
        """Return the speaker named right after a quotation (`“…”宝玉道。`), or None."""
        found = self._names.pattern.match(narration)
        if found:
            verb = _AFTER_QUOTE.match(narration, found.end(), found.end() + 16)
            return Attribution((self._meant(found.group()),), 0.93, f"cue-after:{verb.group()}") if verb else None
        pronoun = _AFTER_PRONOUN.match(narration[:20])
        if pronoun and self.subject:
            return Attribution(self.subject, 0.6, f"cue-after:{pronoun.group()}")
        return None

    def _revealed(self, narration: str) -> Attribution | None:
        """Return who comes into sight right after being heard: `只听喊道：“…”只见凤姐跳了进来`."""
        for mention in self._mentions(narration[:_REVEALED]):
            if cues.REVEALS.search(narration[: mention.start]):
                return Attribution((mention.who,), 0.8, "revealed")
        return None

    def spoken(self, who: Who) -> None:
        """Remember who said the quotation just passed."""
        if not who:
            return
        if not self._speakers or self._speakers[-1] != who:
            self._speakers = [*self._speakers[-1:], who]
        self.subject = who
        self._remember(who)

    # -- reading narration --------------------------------------------------------------------------------------

    def _mentions(self, text: str) -> list[Mention]:
        return [
            Mention(found.start(), found.end(), self._meant(found.group()))
            for found in self._names.pattern.finditer(text)
        ]

    def _meant(self, written: str) -> str:
        """Return whom a name means here: a bare title or a short form is the last one who was named in full."""
        who = self._names.meaning[written]
        for ending in self._names.endings.get(written, ()):
            self._full[ending] = who
        return self._full.get(written, who)

    def _read(self, narration: str) -> list[Mention]:
        """Update the subject from each clause that names somebody; return what was named."""
        mentions = self._mentions(narration)
        self._acted = []
        at = 0
        while at < len(mentions):
            begin = cues.clause_start(narration, mentions[at].start)
            end = cues.clause_end(narration, mentions[at].end)
            inside: list[Mention] = []
            while at < len(mentions) and mentions[at].start < end:
                inside.append(Mention(mentions[at].start - begin, mentions[at].end - begin, mentions[at].who))
                at += 1
            self._take(self._subject_of(narration[begin:end], inside))
            self._remember(tuple(one.who for one in inside))
        return mentions

    def _take(self, who: Who) -> None:
        if who:
            self._acted = [*self._acted[-1:], who]
            self.subject = who
            self._remember(who)
        if len(who) > 1:
            self._pair = who

    def _remember(self, who: Who) -> None:
        for name in who:
            if name in self._recent:
                self._recent.remove(name)
            self._recent.append(name)
        del self._recent[:-6]

    def _subject_of(self, clause: str, mentions: list[Mention]) -> Who:
        """Return whom the clause makes its subject, or nobody when it only carries on."""
        for position, mention in enumerate(mentions):
            before = clause[: mention.start]
            if cues.BY.search(before):
                return (mention.who,)
            if _BELONGING.match(clause[mention.end : mention.end + 3]):
                continue
            if _leads_only(before) or cues.SHOWING.search(before):
                return self._group(clause, mentions[position:])
            owned = position > 0 and _BELONGING.match(clause[mentions[position - 1].end : mention.start])
            if owned and _leads_only(clause[: mentions[position - 1].start]):
                return (mention.who,)
            return ()
        return ()

    def _group(self, clause: str, mentions: list[Mention]) -> Who:
        """Return the first of the mentions and those joined to it who act with it."""
        members = [mentions[0]]
        for mention in mentions[1:]:
            joint = clause[members[-1].end : mention.start]
            if not joint and self._names.is_title(members[-1].who, mention.who):
                members[-1] = mention  # apposition: the role, then its name
                continue
            if len(joint) > 1 or not _JOINER.match(joint):
                break
            members.append(mention)
        if len(members) == 1:
            return (members[0].who,)
        listed = all(clause[a.end : b.start] in ("、", "") for a, b in pairwise(members))
        rest = clause[members[-1].end : members[-1].end + 6]
        if listed or cues.TOGETHER.match(rest):
            return tuple(dict.fromkeys(member.who for member in members))
        return (members[0].who,)

    # -- cues ---------------------------------------------------------------------------------------------------

    def _from_cue(self, clause: str, named_before: bool, narration: str) -> Attribution:
        mentions = self._mentions(clause)
        sent = self._sent_to_speak(clause, mentions)
        if sent:
            self._take(sent)
            return Attribution(sent, 0.9, "sent-to-speak")
        subject = self._subject_of(clause, mentions) or self._right_before_verb(clause, mentions)
        objects = tuple(mention.who for mention in mentions if mention.who not in subject)
        if subject:
            self._take(subject)
            self._addressee = objects[-1:] or self._addressee
            return Attribution(subject, 0.97, f"cue-before:{clause[-4:]}")
        unnamed = cues.UNNAMED.match(clause)
        if unnamed and not mentions:
            who = (_unnamed(unnamed["who"]),)
            return Attribution(who, 0.8, f"unnamed:{clause[-4:]}")
        partners = cues.PARTNERS.match(clause)
        if partners and not mentions and len(self._recent) > 1:
            return Attribution(self._partners(partners["who"]), 0.6, f"group:{partners['who']}")
        attribution = self._carried(clause, named_before, narration, objects)
        self._addressee = objects[-1:] or self._addressee
        return attribution

    def _carried(self, clause: str, named_before: bool, narration: str, objects: Who) -> Attribution:
        """The cue names nobody: the acting subject speaks, or the one who was spoken to."""
        if len(set(self._acted)) > 1 and cues.HE_FIRST.match(clause):
            return Attribution(self._acted[0], 0.65, f"another:{clause[-4:]}")
        other = self._other()
        if other and cues.ANOTHER_HE.search(narration.rstrip("：:")):
            return Attribution(other, 0.65, f"another:{clause[-4:]}")
        if named_before and self.subject:
            confidence = 0.95 if len(set(self._acted)) == 1 else 0.85
            return Attribution(self._unless_object(objects), confidence, f"subject-carried:{clause[-4:]}")
        if other and narration.rstrip("：:") == "道":
            return Attribution(other, 0.65, "reply:道")
        answers = cues.REPLYING.search(clause) or cues.HEARING.search(narration)
        if answers and other and not cues.CONTINUING.search(narration):
            return Attribution(other, 0.65, f"reply:{clause[-4:]}")
        if self.subject:
            return Attribution(self._unless_object(objects), 0.75, f"same-subject:{clause[-4:]}")
        return Attribution(other, 0.4 if other else 0.1, "last-speaker" if other else "nobody-named")

    def _unless_object(self, objects: Who) -> Who:
        """Nobody speaks to oneself: when the carried subject is the cue's object, the other one speaks."""
        if self.subject and set(self.subject) <= set(objects):
            return self._other() or self.subject
        return self.subject

    def _unannounced(self, clause: str) -> Attribution:
        """A quotation without a cue: turns are taken."""
        if clause:
            return Attribution(self.subject, 0.5 if self.subject else 0.1, "narration")
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
        return self._pair if len(self._pair) == count else tuple(self._recent[-count:])

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
            if not _JOINER.fullmatch(clause[mention.end : first.start]):
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


def _leads_only(before: str) -> bool:
    return not before or cues.LEADING.match(before) is not None


def _unnamed(word: str) -> str:
    return word if len(word) > 2 and "一个" not in word else "人"
