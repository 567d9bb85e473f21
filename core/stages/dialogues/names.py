"""Who can speak: the persona's cast, the names a text itself shows, and people who have only a role."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from core.domain.normalising import folded
from core.stages.dialogues import roles
from core.stages.dialogues.cues import names_nobody
from core.stages.dialogues.roles import TITLES


@dataclass(frozen=True, slots=True)
class Names:
    """All names a text uses, as one pattern, and whom each means."""

    pattern: re.Pattern[str]
    meaning: Mapping[str, str]
    """Name as written -> canonical name or role."""
    endings: Mapping[str, tuple[str, ...]]
    """Name as written -> the shorter names that are its end and may stand for it (`周知县`, `知县`)."""

    def is_role(self, who: str) -> bool:
        """Whether this is somebody known only by what they do."""
        return who in roles.ROLES

    def is_title(self, who: str, of: str) -> bool:
        """Whether `who`, directly before `of`, says what that person is: `清客相公陆远`."""
        return who in TITLES or (self.is_role(who) and not self.is_role(of))

    def with_roles(self, whose: Mapping[str, str]) -> Names:
        """Return the same names where each of these roles means somebody."""
        if not whose:
            return self
        return replace(self, meaning={name: whose.get(who, who) for name, who in self.meaning.items()})

    @classmethod
    def of(cls, cast: Mapping[str, Iterable[str]], discovered: Mapping[str, str | None] | None = None) -> Names:
        """Join the cast (canonical name -> aliases), the discovered names and the roles; the cast wins.

        `discovered`: name -> the longer name it is a form of, or None.
        """
        meaning = dict(roles.MEANING)
        meaning.update({name: full or name for name, full in (discovered or {}).items()})
        for canonical, aliases in cast.items():
            meaning.update(
                {folded(alias): folded(canonical) for alias in (canonical, *aliases) if not names_nobody(alias)}
            )
        meaning = {name: who for name, who in meaning.items() if name}
        vague = [name for name in (*TITLES, *(discovered or ())) if meaning.get(name) == name]
        own = {folded(name) for name in cast}
        endings = _endings(meaning, {name: place for place, name in enumerate(vague) if name not in own})
        return cls(re.compile(_trie_pattern(sorted(meaning))), meaning, endings)


def _endings(names: Iterable[str], vague: Mapping[str, int]) -> dict[str, tuple[str, ...]]:
    """Return which names each ends in; `vague`: titles, then discovered names, the more frequent first.

    A short form that is more frequent than the long one is somebody's name by itself: `青儿` and `陆青儿`.
    """
    found = {}
    for name in names:
        shorter = [name[at:] for at in range(1, len(name) - 1) if name[at:] in vague]
        found[name] = tuple(short for short in shorter if short in TITLES or vague[short] > vague.get(name, len(vague)))
    return {name: shorter for name, shorter in found.items() if shorter}


def _trie_pattern(words: Sequence[str]) -> str:
    """Return a pattern that matches the longest of the words without trying each of them in turn."""
    branches: dict[str, list[str]] = {}
    for word in words:
        if word:
            branches.setdefault(word[0], []).append(word[1:])
    parts = []
    for letter, rests in branches.items():
        rest = _trie_pattern([one for one in rests if one])
        parts.append(re.escape(letter) + (f"{rest}?" if rest and "" in rests else rest))
    return f"(?:{'|'.join(parts)})" if parts else ""
