"""A stranger among many clips of one voice stands out; the one voice by itself does not."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from core.backends.tts.formant import FormantVoice
from core.stages.voice_dataset.oddness import FEWEST, oddness_among, oddness_of

RATE = 22_050
WORDS = (
    "外头风大，快些进来。",
    "这雨又下了一夜。",
    "你今日可好些了？",
    "我不过随口一说，你倒记在心里。",
    "院里的竹子又长高了。",
    "琴弦断了一根，改日再弹罢。",
    "茶凉了，我去换一盏来。",
    "谁在门外说话呢？",
    "那本书我早已看完了，还你便是。",
    "今年的桂花开得迟。",
    "夜深了，你也该歇着了。",
    "这话倒有趣，你再说一遍。",
    "我才不信呢。",
    "窗外月色正好，何不出去走走？",
    "你且坐下，听我慢慢说来。",
    "明日一早我便动身回南边去。",
    "这帕子是谁落下的？",
    "你若不来，我便一个人去。",
    "好端端的，怎么又恼了？",
    "天冷了，多添一件衣裳。",
    "这些诗稿我都烧了。",
    "咱们改日再议。",
    "你听，远处有人吹笛子。",
)


def spoken(words, **settings):
    voice = FormantVoice(settings)
    return [soundfile.read(io.BytesIO(voice.speak(one).wav), dtype="float32")[0] for one in words]


@pytest.fixture(scope="module")
def hers():
    return {f"hers-{number:02d}": one for number, one in enumerate(spoken(WORDS[:20], variant="f3"))}


@pytest.fixture(scope="module")
def his():
    return {f"his-{number}": one for number, one in enumerate(spoken(WORDS[20:], variant="m3", pitch=40))}


@pytest.mark.slow
@pytest.mark.parametrize("noise", [0, 0.005], ids=["clean", "with noise"])
def test_three_clips_of_another_voice_stand_out_of_twenty(hers, his, noise):
    hiss = np.random.default_rng(0)
    wavs = {
        name: (one + noise * hiss.standard_normal(len(one))).astype(np.float32) for name, one in (hers | his).items()
    }

    found = oddness_of(wavs, RATE)

    assert found.keys() == wavs.keys()
    assert {name for name, odd in found.items() if odd > 3} == set(his)


@pytest.mark.slow
def test_neither_the_order_nor_the_loudness_of_clips_changes_what_is_found(hers, his):
    wavs = hers | his
    backwards = {name: wavs[name] for name in reversed(list(wavs))}
    quieter = {name: one * (0.25 if number % 2 else 1) for number, (name, one) in enumerate(wavs.items())}

    found = oddness_of(wavs, RATE)

    assert oddness_of(backwards, RATE) == found
    assert oddness_of(quieter, RATE) == pytest.approx(found, abs=0.5)


def test_too_few_clips_are_not_compared():
    assert oddness_among({str(one): np.ones(3) * one for one in range(FEWEST - 1)}, directional=False) == {}


def test_clips_in_which_nothing_is_heard_are_left_out():
    assert oddness_of({str(one): np.zeros(RATE, np.float32) for one in range(9)}, RATE) == {}


@pytest.mark.parametrize("directional", [False, True])
def test_voices_that_are_all_the_same_have_nothing_odd(directional):
    prints = {str(one): np.array([1.0, 2.0, 3.0]) for one in range(9)}

    assert set(oddness_among(prints, directional=directional).values()) == {0.0}


def test_of_embeddings_only_the_direction_counts():
    chance = np.random.default_rng(0)
    prints = {f"{one:02d}": np.array([5.0, 1.0, 0.0]) + 0.1 * chance.standard_normal(3) for one in range(20)}
    prints["00"] = prints["00"] * 40
    prints["99"] = np.array([0.0, 1.0, 5.0])

    found = oddness_among(prints, directional=True)

    assert [name for name, odd in found.items() if odd > 3] == ["99"]
