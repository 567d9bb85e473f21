"""Who is in a screenplay: the names its labels show, and whom a label means."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from core.domain.text import Passage, PassageKind, UtteranceKind
from core.stages.dialogues.play_labels import (
    Head,
    HeadStyle,
    cast_entry,
    heads,
    is_cast_header,
    is_direction,
    is_note,
    is_scene_heading,
)

_STRONG_GRAMMAR = re.compile("[的了着著把被讓让這这是沒没不很就都也]")
_GRAMMAR = re.compile("[过過在从從向有只说說问問写寫念想看走来來去给給到回指举舉拿出起]")
_PLACE_END = re.compile("[上下里中内內外前后後时時间間处處旁边邊]$")
_PERSON_END = re.compile(
    "(?:[人男女子孩员員生兵客爷爺娘婆者师師傅工哥姐弟妹妈媽爸父母公叔伯姨婶舅童仙鬼妖怪王臣将將官吏长長板总總友众眾们們匠夫妇婦贼匪徒"
    "僧尼士手声聲甲乙丙丁戊己]|丫鬟|丫[头頭]|警察|主任|[经經]理|[声聲]音|[广廣]播|[电電][视視台]|[A-Z]|\\d{1,2})$"
)
_LATIN = re.compile(r"[A-Z][A-Za-z'’-]*\.?(?: (?:[A-Z][A-Za-z'’-]*\.?|#?\d{1,2})){0,3}")
_CAPITALS = re.compile(r"[A-Z][A-Z'’.-]+(?: [A-Z0-9#][A-Z'’.-]*){0,2}")
_CJK_BLANK = re.compile(r"(?<=[\u3400-\u9fff])[\s\u3000]+(?=[\u3400-\u9fff])")
_TAG = re.compile(
    r"[\s·.\-_]*(?:(?<![A-Za-z])[OoVv]\.?[SsOo]\.?|[画畫]外音|[内內]心(?:[独獨]白)?|[独獨]白|心[声聲]|旁白)$"
)
_JOINT = re.compile(r"\s*[、/／＆&，+＋]\s*")
_AND = re.compile("和|与|與|跟|同|及")
_TOWARDS = re.compile(r"对着?|對著?|向|朝着?|朝著?|→|->")
_CUE = re.compile(".{0,5}[道说說问問喊叫想唱念吟答骂罵笑叹嘆嚷哭]")
_THOUGHT = re.compile(
    r"心想|心[声聲说說里裡]|[内內]心|[独獨]白|背[白供躬]|暗想|旁白|(?<![A-Za-z])[Oo]\.?[Ss]\.?(?![A-Za-z])"
)
_RECITED = re.compile("(?<![纪紀惦思怀懷])[念吟诵誦唱](?![叨头頭])|[读讀]信")
_LONGEST_LABEL = 12

_STYLE_LOSS = {
    HeadStyle.COLON: 0.0,
    HeadStyle.SEMICOLON: 0.05,
    HeadStyle.BRACKET: 0.02,
    HeadStyle.GAP: 0.03,
    HeadStyle.ALONE: 0.05,
    HeadStyle.BLANK: 0.15,
    HeadStyle.ACTION: 0.15,
}
_ENOUGH = {
    HeadStyle.COLON: 1,
    HeadStyle.SEMICOLON: 3,
    HeadStyle.BRACKET: 2,
    HeadStyle.GAP: 3,
    HeadStyle.ALONE: 3,
}
"""How often a label must come in a style before it is taken for a name."""


@dataclass(frozen=True, slots=True)
class Voice:
    """Whom a label means, and how they are heard."""

    names: tuple[str, ...]
    kind: UtteranceKind
    confidence: float
    reason: str

    @property
    def speaker(self) -> str:
        """The names as a line stores them."""
        return "、".join(self.names)


@dataclass(frozen=True, slots=True)
class Roster:
    """The people of one screenplay."""

    canonical: Mapping[str, str]
    """Each name and alias of the given cast -> its canonical name."""
    seen: Counter[str]
    """How often each label that can be a name stands before words; a cast list counts twice."""
    listed: frozenset[int] = field(default=frozenset())
    """Ordinals of the passages that only introduce people."""
    spaced: frozenset[str] = field(default=frozenset())
    """Labels that often stand before one blank, where it may part them from words."""

    def knows(self, name: str) -> bool:
        """Whether the name is in the cast or was found in the text."""
        return name in self.canonical or name in self.seen

    def leading_name(self, line: str) -> str:
        """Return the longest known name a line begins with, or nothing."""
        return next((line[:end] for end in range(_LONGEST_LABEL, 0, -1) if self.knows(line[:end])), "")

    def voice(self, head: Head) -> Voice | None:
        """Return whom the label means; None when it is no label of a person."""
        label, tag = _parted(plain(head.label))
        if head.style is HeadStyle.BLANK and label not in self.spaced:
            return None
        noted = is_note(label) and label not in self.canonical
        names = self._several(head.label) or (
            self._noted(head) if noted else self._names(label, new=head.style is HeadStyle.COLON)
        )
        if not names:
            return None
        certainty = min(map(self._certainty, names)) - _STYLE_LOSS[head.style]
        reason = f"{head.style.value}:{head.label.strip()}"
        return Voice(names, kind_of(label[len(names[0]) :] + tag + head.action, names), round(certainty, 2), reason)

    def _several(self, label: str) -> tuple[str, ...]:
        """Return several known people with blanks between."""
        pieces = label.split()
        several = len(pieces) > 1 and all(map(self.knows, pieces))
        return tuple(self.canonical.get(piece, piece) for piece in pieces) if several else ()

    def _noted(self, head: Head) -> tuple[str, ...]:
        """Return the person named beside a note, as in `画外音（青儿）`."""
        name = head.action.strip("（）()【】[] \u3000")
        return self._names(name, new=False)

    def _names(self, label: str, *, new: bool) -> tuple[str, ...]:
        if self.knows(label):
            return (self.canonical.get(label, label),)
        joint = self._joint(label, new=new)
        if joint:
            return joint
        acting = self._acting(label)
        if acting:
            return (self.canonical.get(acting, acting),)
        return (label,) if new and can_be_name(label) else ()

    def _joint(self, label: str, *, new: bool) -> tuple[str, ...]:
        """Return several people of one label: `A、B`, or `A和B` where both are known."""
        for parting, known_only in ((_JOINT, not new), (_AND, True)):
            parts = [plain(part) for part in parting.split(label)]
            if len(parts) > 1 and all(
                self.knows(part) or (not known_only and not is_note(part) and can_be_name(part)) for part in parts
            ):
                return tuple(self.canonical.get(part, part) for part in parts)
        return ()

    def _acting(self, label: str) -> str:
        """Return the known name before a cue or an address: `青儿笑道`, `青儿对陆远`."""
        name = self.leading_name(label)
        rest = label[len(name) :]
        towards = _TOWARDS.match(rest)
        if name and (_CUE.fullmatch(rest) or (towards and can_be_name(rest[towards.end() :]))):
            return name
        return ""

    def _certainty(self, name: str) -> float:
        if name in self.canonical.values():
            return 0.98
        if self.seen[name] > 1:
            return 0.9 if self.seen[name] == 2 else 0.95
        return 0.8 if _PERSON_END.search(name) else 0.65


def find_roster(passages: Sequence[Passage], cast: Mapping[str, Iterable[str]]) -> Roster:
    """Return the people of a screenplay: the cast's, those it introduces, and those its labels show."""
    canonical = {alias: name for name, aliases in cast.items() for alias in (name, *aliases)}
    introduced = dict(_introductions(passages))
    counts: dict[HeadStyle, Counter[str]] = {style: Counter() for style in HeadStyle}
    for passage in passages:
        text = passage.text
        if passage.kind is PassageKind.PARAGRAPH and passage.ordinal not in introduced and not is_scene_heading(text):
            for head in heads(text):
                label = _parted(plain(head.label))[0]
                if not is_note(label) and (can_be_name(label) or head.style is HeadStyle.COLON):
                    counts[head.style][label] += 1
    named = set(introduced.values())
    seen = Counter(dict.fromkeys(named, 2))
    for style, enough in _ENOUGH.items():
        for label, count in counts[style].items():
            capitals = style is HeadStyle.ALONE and _CAPITALS.fullmatch(label)
            if count >= (2 if capitals else enough) and can_be_name(label, often=count > 1):
                seen[label] = sum(counts[other][label] for other in _ENOUGH) + 2 * (label in named)
    spaced = frozenset(label for label, count in counts[HeadStyle.BLANK].items() if count > 1 and not label.isascii())
    return Roster(canonical, _without_compounds(seen, canonical), frozenset(introduced), spaced)


def plain(label: str) -> str:
    """Return a label without the blanks that pad Chinese names; between words one blank stays."""
    return " ".join(_CJK_BLANK.sub("", label).split())


def can_be_name(label: str, *, often: bool = False) -> bool:
    """Whether an unknown label has the shape of a name or role; one that comes `often` may hold rarer characters."""
    if not label or not any(map(str.isalpha, label)) or len(label) > 24 or is_note(label):
        return False
    if _JOINT.search(label):
        return False
    if label.isascii():
        return bool(_LATIN.fullmatch(label))
    if _PERSON_END.search(label):
        return len(label) <= _LONGEST_LABEL and not _STRONG_GRAMMAR.search(label.replace("的", "", 1))
    if _STRONG_GRAMMAR.search(label) or _PLACE_END.search(label):
        return False
    return len(label) <= (10 if "·" in label else 5) and (often or not _GRAMMAR.search(label))


def kind_of(manner: str, names: tuple[str, ...] = ()) -> UtteranceKind:
    """Return what directions say about the words: thought, recited or said.

    OS is a thought in Chinese screenplays and a voice from off the screen in English ones.
    """
    if any(name.isascii() for name in names):
        manner = re.sub(r"(?i)o\.?s\.?", "", manner)
    if _THOUGHT.search(manner):
        return UtteranceKind.THOUGHT
    return UtteranceKind.RECITATION if _RECITED.search(manner) else UtteranceKind.SPEECH


def _parted(label: str) -> tuple[str, str]:
    """Return name and tag of a label such as `青儿OS`."""
    tag = _TAG.search(label)
    return (label[: tag.start()], tag.group()) if tag and tag.start() else (label, "")


def _introductions(passages: Sequence[Passage]) -> Iterator[tuple[int, str]]:
    """Yield ordinal and name for each line of a cast list; it ends at a heading, a direction or a name met again."""
    names: set[str] | None = None
    for passage in passages:
        text = passage.text
        if is_cast_header(text):
            names = set()
            continue
        if names is None:
            continue
        name = cast_entry(text)
        over = passage.kind is PassageKind.HEADING or is_scene_heading(text) or is_direction(text)
        if over or name is None or plain(name) in names or is_note(plain(name)):
            names = None
            continue
        names.add(plain(name))
        yield passage.ordinal, plain(name)


def _without_compounds(seen: Counter[str], canonical: Mapping[str, str]) -> Counter[str]:
    """Drop labels that are a known name and a cue, an address or a second name."""
    others = Roster(canonical, seen)
    return Counter({label: count for label, count in seen.items() if not _is_compound(label, others)})


def _is_compound(label: str, roster: Roster) -> bool:
    for end in range(len(label) - 1, 0, -1):
        name, rest = label[:end], label[end:]
        if not roster.knows(name):
            continue
        linked = _TOWARDS.match(rest) or _AND.match(rest)
        if _CUE.fullmatch(rest) or roster.knows(rest[linked.end() :] if linked else rest):
            return True
    return False
