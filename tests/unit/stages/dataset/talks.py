"""Conversations, written short, and drawn by chance."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import strategies as st

from core.domain.text import DatasetVersion, Sample, Source, SourceKind, Split, Turn, TurnRole
from core.stages.dataset.formats.rows import Origins

HEARD, SAID = TurnRole.COUNTERPART, TurnRole.PERSONA
DAY = datetime(2026, 1, 2, tzinfo=UTC)
VERSION = DatasetVersion("ver-1", "a-qing", "第一版", "试一试", "f" * 64, "你是沈青。", {}, 2, 1, DAY)
SOURCES = {
    one: Source(one, "a-qing", f"{name}.txt", SourceKind.NOVEL, sha * 64, 10, "utf-8", 10, 2, DAY)
    for one, name, sha in (("src-1", "竹声", "a"), ("src-2", "雨声", "b"))
}
ORIGINS = Origins(SOURCES)


def turn(role: TurnRole, text: str, speaker: str = "", *lines: str) -> Turn:
    """Return a turn of these lines."""
    return Turn(role, speaker, text, lines)


def sample(
    *turns: Turn, ordinal: int = 0, source: str = "src-1", chapter: int = 1, split: Split = Split.TRAIN
) -> Sample:
    """Return a sample of a chapter."""
    return Sample(ordinal, source, chapter, split, turns)


SAMPLES = [
    sample(turn(HEARD, "冷么？", "陆远", "src-1.0.0"), turn(SAID, "=不冷。\n真的。", "沈青", "src-1.1.0", "src-1.1.9")),
    sample(
        turn(SAID, "'你来了。", "沈青", "src-1.9.0"), turn(HEARD, "来了。", "陆远、甲"), turn(SAID, "坐。", "沈青"),
        ordinal=1, chapter=2, split=Split.HELD_OUT,
    ),
    sample(turn(HEARD, "你是谁？"), turn(SAID, "我是沈青。", "沈青"), ordinal=2, source="", chapter=0),
]  # fmt: skip
"""A scene, one of the other side that she begins, and a fact."""

_LETTERS = st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t\r")
_TEXTS = st.one_of(
    st.text(_LETTERS, min_size=1, max_size=30),
    st.builds(
        str.__add__,
        st.sampled_from(["=", "+", "-", "@", "'", "'=", "''", "＝", "\t", '"', ";", ","]),
        st.text(_LETTERS),
    ),
).filter(lambda text: bool(text.strip()))
_NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"], exclude_characters="、"), max_size=6)
_IDS = st.lists(st.from_regex(r"\Asrc-[0-9a-f]{4}\.[0-9]{1,3}\.[0-9]{1,3}\Z"), max_size=3, unique=True).map(tuple)


@st.composite
def samples(draw: st.DrawFn) -> list[Sample]:
    """Samples as the store holds them: turns alternate and end with the persona's."""
    drawn = []
    for ordinal in range(draw(st.integers(1, 4))):
        count = draw(st.integers(1, 5))
        turns = tuple(
            Turn(
                SAID if (count - number) % 2 else HEARD,
                draw(_NAMES),
                draw(_TEXTS),
                draw(_IDS),
                context=bool((count - number) % 2) and number < count - 1 and draw(st.booleans()),
                expansion_id=draw(st.sampled_from(["", "exp-1"])),
            )
            for number in range(count)
        )
        source = draw(st.sampled_from(["src-1", "src-2", ""]))
        split = draw(st.sampled_from(list(Split)))
        drawn.append(Sample(ordinal, source, draw(st.integers(0, 200)), split, turns, draw(st.booleans())))
    return drawn  # fmt: skip
