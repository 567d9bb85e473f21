"""Large sets of lines with known near-duplicates, made from books that are at hand and not shipped.

A line walks through the books' quotations: it begins as one of them does and goes on, after every few characters,
as some other place does after the same two characters. So the runs of characters are as common as in real speech,
while no two lines are alike but by chance. Some lines are then repeated with an alteration.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import opencc
from numpy.typing import NDArray

from core.stages.dataset.near_duplicates.characters import LOOKALIKES

BOOKS = ("hongloumeng.txt", "rulinwaishi.txt", "xiyouji.txt")
_LONGEST = 200
_LEAPS = 0.3
"""How often a walk changes its place, a character."""
_WORDS = {
    "什么": "甚么",
    "今日": "今儿",
    "明日": "明儿",
    "如今": "现在",
    "怎么": "怎样",
    "他": "她",
    "罢": "吧",
    "做": "作",
}
_PARTICLES = re.compile("[的了也就儿都又]")


def planted(data: Path, count: int, share: float = 0.15, seed: int = 4) -> tuple[list[str], list[tuple[int, int]]]:
    """Return `count` lines in no order, and which pairs of positions are the same line, altered."""
    chance = random.Random(seed)
    altered = int(count * share)
    lines = walks(data, count - altered, seed)
    alter = _alterations()
    pairs = []
    for original in chance.sample(range(len(lines)), altered):
        line = lines[original]
        kinds = alter if len(line) >= 12 else alter[:3]
        pairs.append((original, len(lines)))
        lines.append(chance.choice(kinds)(line, chance))
    places = list(range(count))
    chance.shuffle(places)
    shuffled = [""] * count
    for line, place in zip(lines, places, strict=True):
        shuffled[place] = line
    return shuffled, [(places[one], places[other]) for one, other in pairs]


def walks(data: Path, count: int, seed: int) -> list[str]:
    """Return lines that walk through the quotations of the books in `data`."""
    quotes = [quote for book in BOOKS for quote in re.findall("“([^“”]+)”", (data / book).read_text(encoding="utf-8"))]
    chance = np.random.default_rng(seed)
    codes = np.frombuffer("".join(quotes).encode("utf-32-le"), np.uint32)
    sizes = np.array([len(quote) for quote in quotes])
    lengths = np.sort(chance.choice(sizes, count).clip(4, _LONGEST))[::-1]
    written = _walked(codes, chance.choice(np.cumsum(sizes) - sizes, count), lengths, chance)
    text = written.tobytes().decode("utf-32-le")
    return [text[line * _LONGEST : line * _LONGEST + length] for line, length in enumerate(lengths.tolist())]


def _walked(
    codes: NDArray[np.uint32], places: NDArray[np.int64], lengths: NDArray[np.int64], chance: np.random.Generator
) -> NDArray[np.uint32]:
    """Return an array of lines by characters; all lines are walked together, the longest first."""
    twos = codes[:-1].astype(np.uint64) << np.uint64(32) | codes[1:]
    order = np.argsort(twos, kind="stable")
    _, of_place, counts = np.unique(twos, return_inverse=True, return_counts=True)
    starts, last = np.cumsum(counts) - counts, len(codes) - 3
    written = np.zeros((len(lengths), _LONGEST), np.uint32)
    for step in range(_LONGEST):
        walking = int(np.count_nonzero(lengths > step))
        written[:walking, step] = codes[places[:walking]]
        places = np.minimum(places[:walking], last)
        leaping = np.flatnonzero(chance.random(walking) < _LEAPS)
        group = of_place[places[leaping]]
        places[leaping] = order[starts[group] + (chance.random(len(leaping)) * counts[group]).astype(np.int64)]
        places = np.minimum(places + 1, last)
    return written


Alteration = Callable[[str, random.Random], str]


def _alterations() -> Sequence[Alteration]:
    """Return the alterations; short lines get only the first three."""
    traditional = opencc.OpenCC("s2t")
    return (
        lambda line, _: line.replace("，", ",").replace("。", "．").replace("？", "?"),
        lambda line, _: f"众人道：“{line}”",
        lambda line, _: traditional.convert(line),
        _misread,
        lambda line, chance: line[: int(len(line) * chance.uniform(0.6, 0.95))],
        lambda line, chance: line[int(len(line) * chance.uniform(0.05, 0.4)) :],
        _respelt,
        _reworded,
        lambda line, chance: line + "。" + "".join(chance.sample(line, len(line) // 2)),
    )


def _misread(line: str, chance: random.Random) -> str:
    places = [place for place, char in enumerate(line) if char in LOOKALIKES] or [len(line) // 2]
    for place in chance.sample(places, min(2, len(places))):
        other = chance.choice(sorted(LOOKALIKES.get(line[place], "囗")))
        line = line[:place] + other + line[place + 1 :]
    return line


def _respelt(line: str, chance: random.Random) -> str:
    for word, variant in _WORDS.items():
        line = line.replace(word, variant)
    return _misread(line, chance)


def _reworded(line: str, chance: random.Random) -> str:
    """Drop and double words here and there, one in eight characters."""
    line = _PARTICLES.sub("", line, count=1)
    for _ in range(len(line) // 8):
        place = chance.randrange(len(line))
        line = line[:place] + chance.choice(["", line[place] * 2, "这个"]) + line[place + 1 :]
    return line
