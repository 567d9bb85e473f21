"""Episodes of a series made from a book's lines, with what subtitles do to them, and the truth about every line.

Scenes are runs of neighbouring lines around some of the persona's, in any order. At strength 1, of each line 6 % of
the letters are dropped and 5 % changed, and a clause of a long one is left out in 15 %; lines longer than 15 letters
are split over cues and of long speeches only a few clauses are said, 20 % of the short
ones share a cue with the next line, whoever speaks it; 15 % of all lines are not in the book, half of them put together
from beginnings of its clauses; every second episode is written in traditional characters; the clock is off by up to
40 seconds and in every second episode runs at another frame rate. Twice the strength doubles the letters
dropped and changed.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import opencc

from core.domain.text import Utterance, UtteranceKind
from core.stages.voice_dataset.words.clock import STRETCHES
from core.stages.voice_dataset.words.subtitles import Cue

HOP = 0.01
_LETTER_SECONDS = 0.21
_LONGEST_CUE = 15
_LONGEST_LINE = 45
_OTHERS = "风月山水云雨天地人心手眼书画琴棋花草春秋东西南北来去上下前后多少大小新旧好坏真假明暗冷热快慢远近轻重"


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_PEOPLE = _words(
    "先生 老太爷 账房 那丫头 我哥哥 隔壁嫂子 船家 门上的 你师父 舅母 小徒弟 邻居 木匠 郎中 掌柜 那位客人 "
    "说书的 卖花的 她姐姐 管事的 轿夫 你侄儿 书童 老婆婆"
)
_TIMES = _words(
    "昨夜 今早 前儿 才刚 年底 开春 晌午 黄昏 上回 临走 过节 夜里 下雪时 这几天 一早 半路上 饭后 雨停了 眼下 去年"
)
_DEEDS = _words(
    "搬走 藏起 看见 送来 弄丢 买下 打碎 想起 抄好 典当 修补 带回 数过 烧掉 挂上 收拾 翻出 舍不得 瞒着 讨要 "
    "晒干 剪坏 捡着 惦记 摔了 偷换 题字在 锁上 洗净 借走 卖掉 埋下 托人找 梦见 打听 赔上 称过 绣好 认出 埋怨"
)
_THINGS = _words(
    "兰花 旧伞 砚台 那封信 铜镜 鹦哥 月饼 棋谱 帕子 药方 琴弦 灯笼 纸鸢 银簪 棉袄 茶盏 蜡烛 画轴 竹帘 风铃 "
    "账本 梅枝 香炉 绣鞋 酒坛 渔网 柴刀 石磨 冬笋 莲子 胭脂 折扇 门锁 油灯 木梳 毡帽 马鞍 腊肉 瓷枕 戏票 "
    "菊花 雪水 橘子 当票 斗篷 算盘 笔筒 鱼缸 荷包 对联"
)
_TAILS = ("", "", "", "罢了", "才好", "不成", "也未可知", "呢", "就是了", "可怎么好", "倒也有趣", "白费了力气")
_OPENINGS = ("", "依我说，", "可是", "倒也罢了，", "先别忙，", "你瞧，", "不瞒你说，", "说起来，", "这么着，", "横竖")


@dataclass(frozen=True, slots=True)
class Spoken:
    """A line as it is spoken in the episode."""

    utterance: Utterance | None
    """None for what is not in the book."""
    start: float
    """Seconds of the sound."""
    end: float


@dataclass(frozen=True, slots=True)
class Episode:
    """Subtitles, the sound's speech activity, and the truth."""

    cues: tuple[Cue, ...]
    """By the subtitles' own clock."""
    true_cues: tuple[Cue, ...]
    """By the sound's clock."""
    spoken: tuple[Spoken, ...]
    active: npt.NDArray[np.float32]
    seconds: float
    """How far the clock is off: sound = subtitles * stretch + seconds."""
    stretch: float


def invented_book(speakers: Sequence[str], count: int, seed: int) -> list[Utterance]:
    """Return lines put together from clauses of ours, each speaker in turn or twice."""
    chance = random.Random(seed)
    lines = []
    for place in range(count):
        words = "，".join(_clause(chance) for _ in range(chance.choice((1, 1, 2, 3)))) + chance.choice("。？！")
        lines.append(_utterance("generated", place, words, chance.choice(speakers)))
    return lines


def episode(book: Sequence[Utterance], persona: str, *, seed: int, lines: int = 350, strength: float = 1.0) -> Episode:
    """Return an episode of about so many lines, a third and more of them around the persona's."""
    chance = random.Random(seed)
    said: list[Spoken] = []
    cues: list[Cue] = []
    clock = chance.uniform(5, 40)
    rewrite = opencc.OpenCC("s2t").convert if seed % 2 else str
    script = _with_inventions(_scenes(book, persona, lines, chance), book, chance)
    place = 0
    while place < len(script):
        words = [
            (one, _noisy(one.text if one else _invented(book, chance), chance, strength))
            for one in script[place : place + 2]
        ]
        merged = len(words) == 2 and all(len(text) <= 9 for _, text in words) and chance.random() < 0.2
        words = words[: 1 + merged]
        begun = clock
        glue = chance.choice(("\u3000", " ", "，", "")) if merged else ""
        shown = glue.join(text for _, text in words)
        for line, text in words:
            long = len(text) * _LETTER_SECONDS
            said.append(Spoken(line, clock, clock + long))
            clock += long
        for piece in _pieces(shown):
            long = len(piece) * _LETTER_SECONDS
            cues.append(Cue(begun, begun + long, rewrite(piece)))
            begun += long
        clock += chance.choice((0.15, 0.4, 0.8, 1.5, 3.0)) + (chance.random() < 0.03) * 12
        place += len(words)
    stretch = STRETCHES[seed % len(STRETCHES)] if seed % 2 == 0 else 1.0
    return _off(cues, said, chance, chance.uniform(-40, 40), stretch, seed)


def _off(
    cues: Sequence[Cue], said: Sequence[Spoken], chance: random.Random, seconds: float, stretch: float, seed: int
) -> Episode:
    """Return the episode with its subtitles' clock off, and what is heard, with noise of its own."""
    noise = np.random.default_rng(seed)
    active = np.zeros(int((said[-1].end + 20) / HOP), np.float32)
    for one in said:
        active[int(one.start / HOP) : int(one.end / HOP)] = 1
    blips = np.repeat(noise.random(len(active) // 50 + 1) < 0.05, 50)  # half a second each: doors, music
    active = np.maximum(active, blips[: len(active)].astype(np.float32))
    active *= np.repeat(noise.random(len(active) // 10 + 1) < 0.93, 10)[: len(active)]
    theirs = [
        Cue(
            (max(cue.start - chance.uniform(0, 0.2), 0) - seconds) / stretch,
            (cue.end + chance.uniform(0, 0.4) - seconds) / stretch,
            cue.text,
        )
        for cue in cues
    ]
    return Episode(tuple(theirs), tuple(cues), tuple(said), active, seconds, stretch)


def _scenes(book: Sequence[Utterance], persona: str, count: int, chance: random.Random) -> list[Utterance]:
    hers = [place for place, line in enumerate(book) if line.speaker == persona]
    scenes: list[list[Utterance]] = []
    taken: set[int] = set()
    while sum(map(len, scenes)) < count and len(taken) < len(book):
        left = [place for place in hers if place not in taken]
        centre = chance.choice(left) if left else chance.randrange(len(book))  # hers are few: others' scenes, too
        first = max(centre - chance.randrange(2, 9), 0)
        scene = [at for at in range(first, min(first + chance.randrange(6, 18), len(book))) if at not in taken]
        taken |= set(scene) | {centre}
        scenes.append([book[at] for at in scene if book[at].kind in (UtteranceKind.SPEECH, UtteranceKind.THOUGHT)])
    chance.shuffle(scenes)
    return [line for scene in scenes for line in scene if any(map(str.isalnum, line.text))]


def _with_inventions(
    script: Sequence[Utterance], book: Sequence[Utterance], chance: random.Random
) -> list[Utterance | None]:
    whole: list[Utterance | None] = []
    for line in script:
        whole += [line, None] if chance.random() < 0.18 else [line]
    return whole


def _invented(book: Sequence[Utterance], chance: random.Random) -> str:
    """Return a line that is not in the book; half of them are beginnings of three of its clauses, 4 letters at most."""
    if chance.random() < 0.5:
        return _clause(chance) + chance.choice("。？！")
    clauses = re.split("[，。？！；：]", chance.choice(book).text) + re.split(
        "[，。？！；：]", chance.choice(book).text
    )
    halves = [one[: min(len(one) // 2, 4)] for one in clauses if len(one) >= 4]
    return "".join(chance.sample(halves, min(3, len(halves)))) + "。" if halves else _clause(chance)


def _clause(chance: random.Random) -> str:
    return "".join(map(chance.choice, (_OPENINGS, _TIMES, _PEOPLE, _DEEDS, _THINGS, _TAILS)))


def _noisy(text: str, chance: random.Random, strength: float) -> str:
    """Return the words as subtitles have them; at least one letter is left."""
    clauses = re.findall("[^，。？！；：—…]+[，。？！；：—…]*", text) or [text]
    while sum(map(len, clauses)) > _LONGEST_LINE and len(clauses) > 1:
        clauses.pop(0 if chance.random() < 0.3 else -1)
    if len(clauses) > 2 and chance.random() < 0.15 * strength:
        clauses.pop(chance.randrange(len(clauses)))
    letters = []
    for letter in "".join(clauses)[: _LONGEST_LINE * 2]:
        if letter.isalnum():
            fate = chance.random()
            if fate < 0.06 * strength:
                continue
            letters.append(chance.choice(_OTHERS) if fate < 0.11 * strength else letter)
        elif chance.random() < 0.7:
            letters.append(" " if letter in "，。；" and chance.random() < 0.8 else letter)
    noisy = "".join(letters).strip(" “”‘’")
    return noisy if any(map(str.isalnum, noisy)) else text


def _pieces(text: str) -> list[str]:
    """Return a text as cues show it, cut at its marks where that is possible."""
    pieces: list[str] = []
    for clause in re.findall(r"[^\s，。？！；：]+[\s，。？！；：]*", text) or [text]:
        if pieces and len(pieces[-1]) + len(clause) <= _LONGEST_CUE:
            pieces[-1] += clause
        else:
            pieces += [clause[at : at + _LONGEST_CUE] for at in range(0, len(clause), _LONGEST_CUE)]
    return pieces


def _utterance(source: str, place: int, text: str, speaker: str) -> Utterance:
    return Utterance(source, place, 1, place, 0, len(text), text, UtteranceKind.SPEECH, speaker, "generated", 1.0, "")
