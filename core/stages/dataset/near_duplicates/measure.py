"""Whether two lines say the same, how much of them is the same, and what the difference is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from rapidfuzz.distance import Indel

from core.domain.normalising import folded
from core.stages.dataset.conversations import normal_form
from core.stages.dataset.near_duplicates.meaning import Cast, Change, altered, changes, lookalike
from core.stages.dataset.near_duplicates.records import Reason, Settings, Verdict
from core.stages.dataset.near_duplicates.words import plain, spelt, unwrapped, variants_between

LEAST, _BASE, _PER_LENGTH = 0.5, 0.28, 4.4
"""Needed is `_BASE + _PER_LENGTH / length` of the shorter line, at least `LEAST`: short lines are alike by chance."""
_CONTAINED = 0.92
"""Likeness of a line to one that begins or ends with it."""
_MERGED = 0.4
"""Lines twice as long as the least need only this much of the usual share: several may be merged in one."""
_OTHERWISE = 0.08
"""A change of meaning decides where at most this share of the line differs besides, and two characters more."""
_RETOLD = 2
"""More changes of meaning than this among other changes are another wording of the same line."""
_FORKED = (10, 0.35)
"""Lines of which an end of so many characters, and this share of the shorter, is altogether other are neighbours."""
_PARTICLES = 3
"""A complete line that goes on for so few characters has no other sentence added."""
_SHOWN = 3
_CLOSING = "。！？!?…”’」』"


def similar(
    first: str, second: str, *, cast: Mapping[str, Iterable[str]] | None = None, settings: Settings | None = None
) -> Verdict:
    """Return whether two lines say the same; `cast` is names with their aliases."""
    return compare(first, second, Cast(cast or {}), settings or Settings())


def compare(first: str, second: str, cast: Cast, settings: Settings) -> Verdict:
    """Return the verdict on two lines; the same either way round, but for the order of the pieces."""
    ours, theirs = plain(first), plain(second)
    if ours == theirs:
        return Verdict(True, 1.0, 0.0, _same(first, second))
    words, others = spelt(ours), spelt(theirs)
    if words == others:
        variants = variants_between(ours, theirs)
        return Verdict(True, 1.0, 0.0, Reason.VARIANT, tuple(variants[:_SHOWN]) or _pieces(changes(ours, theirs)))
    if (len(words), words) > (len(others), others):
        turned = of_ordered(others, words, (second, first), cast, settings)
        return replace(turned, changes=tuple((before, after) for after, before in turned.changes))
    return of_ordered(words, others, (first, second), cast, settings)


def of_ordered(words: str, others: str, raw: tuple[str, str], cast: Cast, settings: Settings) -> Verdict:
    """Return the verdict on spelt words, the shorter first: an alignment read backwards may be another one."""
    needed = needed_likeness(len(words), settings)
    likeness = Indel.normalized_similarity(words, others)
    cut = contains(words, others, settings)
    if cut:
        likeness = max(likeness, _CONTAINED)
    if likeness < needed:
        return Verdict(False, likeness, needed, Reason.DIFFERENT)
    pieces = changes(words, others)
    shown = _pieces(pieces)
    if _another_meaning(words, others, pieces, cast):
        return Verdict(False, likeness, needed, Reason.MEANING, shown)
    if cut:
        return Verdict(True, likeness, needed, _cut(*raw, len(others) - len(words)), shown)
    if _forked(words, others, pieces):
        return Verdict(False, likeness, needed, Reason.NEIGHBOURS, shown)
    reason = Reason.LOOKALIKE if all(map(lookalike, pieces)) else Reason.EDITION
    return Verdict(True, likeness, needed, reason, shown)


def needed_likeness(length: int, settings: Settings) -> float:
    """Return how alike lines must be whose shorter one has `length` characters."""
    return max(_BASE + _PER_LENGTH / max(length, 1), LEAST) + settings.strictness


def contains(words: str, others: str, settings: Settings) -> bool:
    """Whether the longer begins or ends with the shorter, and that is long enough to be no coincidence."""
    short, long = sorted((words, others), key=len)
    if not containable(len(short), len(long), settings):
        return False
    return long.startswith(short) or long.endswith(short)


def containable(short: int, long: int, settings: Settings) -> bool:
    """Whether a line of `short` characters is enough of one of `long` to be it cut off, or one of two merged."""
    share = settings.contained_share if short < 2 * settings.contained else settings.contained_share * _MERGED
    return short >= max(settings.contained, share * long)


def _same(first: str, second: str) -> Reason:
    """Return what differs between lines of the same words."""
    if first.strip() == second.strip():
        return Reason.SAME
    ours, theirs = folded(first), folded(second)
    if (unwrapped(ours) == ours) != (unwrapped(theirs) == theirs):
        return Reason.WRAPPED
    return Reason.PUNCTUATION if normal_form(first) == normal_form(second) else Reason.SCRIPT


def _cut(first: str, second: str, further: int) -> Reason:
    """Return whether the shorter was cut off or the longer runs on, by so many characters, into another sentence."""
    short, long = sorted((first.strip(), second.strip()), key=len)
    if short[-1:] not in _CLOSING or not long.startswith(short[: len(short) // 2]):
        return Reason.TRUNCATED
    return Reason.MERGED if further > _PARTICLES else Reason.EDITION


def _another_meaning(words: str, others: str, pieces: Sequence[Change], cast: Cast) -> bool:
    meant = [piece for piece in pieces if altered(piece)]
    named = cast.differ(words, others)
    if not meant and not named:
        return False
    besides = sum(max(len(piece.before), len(piece.after)) for piece in pieces if piece not in meant)
    if besides and len(meant) > _RETOLD:
        return False
    return besides <= 2 + _OTHERWISE * min(len(words), len(others))


def _forked(words: str, others: str, pieces: Sequence[Change]) -> bool:
    """Whether one end of both is made of other words altogether."""
    least = max(_FORKED[0], _FORKED[1] * min(len(words), len(others)))
    return any(min(piece) >= least for piece in _ends(words, others, pieces))


def _ends(words: str, others: str, pieces: Sequence[Change]) -> list[tuple[int, int]]:
    """Return how much of both stands before the first, and after the last, three characters in common."""
    found = []
    for ours, theirs in ((words, others), (words[::-1], others[::-1])):
        before = after = 0
        for step in Indel.opcodes(ours, theirs):
            if step.tag == "equal" and step.src_end - step.src_start > 2:
                break
            before, after = step.src_end, step.dest_end
        found.append((before, after))
    return found


def _pieces(pieces: Sequence[Change]) -> tuple[tuple[str, str], ...]:
    return tuple((piece.before, piece.after) for piece in pieces[:_SHOWN])
