"""Reads narration and keeps track of who is acting.

The narration between two quotations is read clause by clause: a name at the head of a clause is its
subject and stays the subject until another takes over; a name after a verb is an object.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from core.stages.dialogues import cues
from core.stages.dialogues.names import Names
from core.stages.dialogues.roles import SURNAMES, TITLES

Who = tuple[str, ...]
"""One speaker or several who speak together; empty when nobody can be named."""

JOINER = re.compile("[与和同、及并]?$")
_BELONGING = re.compile("(?:的(?![道说问笑])|之(?!际|时|后|前)|房[里中]|屋[里中]|家的|身边|跟前|手下)")
_ONE_IS = re.compile("一个(?:名|便|就)?(?:叫做?|唤做?|是|姓)$")
"""`一个叫周安，一个叫周平`: introduces people who belong together."""
_REMEMBERED = 6


@dataclass(frozen=True, slots=True)
class Mention:
    """A name in a stretch of narration."""

    start: int
    end: int
    who: str


class Narration:
    """Who acts in a text, as far as its narration was read."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self.subject: Who = ()
        """Who acts in the narration just read."""
        self.acted: list[Who] = []
        """The last two who acted in the stretch just read."""
        self.recent: list[str] = []
        """The last people who acted or spoke, the latest last."""
        self.pair: Who = ()
        """The last people who did something together."""
        self._full: dict[str, str] = {}
        """Short form of a name -> whom it stands for in this chapter."""

    def new_chapter(self) -> None:
        """Forget who was acting."""
        self.subject, self.pair = (), ()
        self.recent, self._full = [], {}

    def mentions(self, text: str) -> list[Mention]:
        """Return the names in a stretch of text and whom they mean here."""
        return [self._mention(found, text) for found in self._names.pattern.finditer(text)]

    def _mention(self, found: re.Match[str], text: str) -> Mention:
        """Return what a name means; a title right after a surname is a name with it (`余先生`)."""
        start, written = found.start(), found.group()
        surname = text[start - 1 : start]
        own = self._names.meaning[written] == written  # and not somebody's by the cast
        if own and written in TITLES and surname in SURNAMES and surname not in cues.TAKES_OBJECT:
            return Mention(start - 1, found.end(), self._named(surname + written, written))
        return Mention(start, found.end(), self.meant(written))

    def _named(self, name: str, title: str) -> str:
        self._full[title] = name
        return name

    def meant(self, written: str) -> str:
        """Return whom a name means here: a bare title or a short form is the last one who was named in full."""
        who = self._names.meaning[written]
        for ending in self._names.endings.get(written, ()):
            self._full[ending] = who
        return self._full.get(written, who)

    def read(self, narration: str) -> list[Mention]:
        """Update the subject from each clause that names somebody; return what was named."""
        mentions = self.mentions(narration)
        self.acted = []
        at = 0
        while at < len(mentions):
            begin = cues.clause_start(narration, mentions[at].start)
            end = cues.clause_end(narration, mentions[at].end)
            inside: list[Mention] = []
            while at < len(mentions) and mentions[at].start < end:
                inside.append(Mention(mentions[at].start - begin, mentions[at].end - begin, mentions[at].who))
                at += 1
            self.take(self.subject_of(narration[begin:end], inside))
            self.remember(tuple(one.who for one in inside))
        introduced = [one.who for one in mentions if _ONE_IS.search(narration, 0, one.start)]
        if len(introduced) > 1:
            self.take(tuple(introduced[-2:]))
        return mentions

    def take(self, who: Who) -> None:
        """Make them the subject."""
        if who:
            self.acted = [*self.acted[-1:], who]
            self.subject = who
            self.remember(who)
        if len(who) > 1:
            self.pair = who

    def remember(self, who: Who) -> None:
        """Note that they are about."""
        for name in who:
            if name in self.recent:
                self.recent.remove(name)
            self.recent.append(name)
        del self.recent[:-_REMEMBERED]

    def subject_of(self, clause: str, mentions: list[Mention]) -> Who:
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
            if len(joint) > 1 or not JOINER.match(joint):
                break
            members.append(mention)
        if len(members) == 1:
            return (members[0].who,)
        listed = all(clause[a.end : b.start] in ("、", "") for a, b in pairwise(members))
        rest = clause[members[-1].end : members[-1].end + 6]
        if listed or cues.TOGETHER.match(rest):
            return tuple(dict.fromkeys(member.who for member in members))
        return (members[0].who,)


def _leads_only(before: str) -> bool:
    """Whether the subject follows: a surname may stand before a name that is known without it (`陆青儿`)."""
    if not before or cues.LEADING.match(before):
        return True
    surname = before[-1] in SURNAMES and before[-1] not in cues.TAKES_OBJECT
    return surname and cues.LEADING.match(before[:-1]) is not None
