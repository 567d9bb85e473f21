from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from core.stages.voice_dataset.sound.activity import Profile, profile_of
from core.stages.voice_dataset.sound.slicing import Silence, Stretch, cuts
from tests.unit.stages.voice_dataset.sounds import tones
from tests.unit.stages.voice_dataset.spoken import Gaps, speech, with_noise

PLAIN = Silence(padding=0, join_below=0, min_silence=0.25)


def profile_from(*stretches: tuple[float, float], seconds: float, loud: float = -20, quiet: float = -70) -> Profile:
    """A voice 40 dB over its noise in the stretches, nothing between."""
    level = np.full(round(seconds * 100), quiet, np.float32)
    for start, end in stretches:
        level[round(start * 100) : round(end * 100)] = loud
    return Profile(level, np.where(level > quiet, 40, 0).astype(np.float32), seconds)


def silences(pieces: list[Stretch], seconds: float) -> np.ndarray:
    """What the pieces leave over."""
    edges = [0.0, *(edge for piece in pieces for edge in (piece.start, piece.end)), seconds]
    return np.array(edges).reshape(-1, 2)


def found(gaps: Gaps, pieces: list[Stretch], seconds: float) -> float:
    """Share of the gaps both of whose ends are within 100 ms."""
    left = silences(pieces, seconds)
    return float(np.mean([np.abs(left - gap).max(axis=1).min() <= 0.1 for gap in gaps]))


@pytest.mark.parametrize("pink", [False, True], ids=["white", "pink"])
@pytest.mark.parametrize("snr", [None, 20, 10, 5])
def test_gaps_in_speech_are_found_within_a_tenth_of_a_second(snr, pink):
    samples, rate, gaps = speech(90, seed=3)
    if snr is not None:
        samples = with_noise(samples, rate, gaps, snr=snr, pink=pink)
    pieces = cuts(profile_of(samples, rate), PLAIN)

    assert found(gaps, pieces, len(samples) / rate) == 1
    assert len(pieces) == len(gaps) - 1


@pytest.mark.parametrize("rate", [8_000, 11_025, 44_100, 48_000, 192_000])
def test_any_sample_rate_gives_the_same_cuts(rate):
    first, second = cuts(profile_of(tones((0.5, 1.2), (2.0, 2.6), rate=rate), rate), PLAIN)

    assert (first.start, first.end) == pytest.approx((0.5, 1.2), abs=0.04)
    assert (second.start, second.end) == pytest.approx((2.0, 2.6), abs=0.04)


def test_a_sound_in_pieces_has_the_profile_of_the_whole():
    samples = tones((0.5, 1.2), (2.0, 2.6), rate=44_100, noise=0.01)
    whole = profile_of(samples, 44_100)
    pieces = profile_of(iter(np.split(samples, [1, 7, 5_000, 5_001, 90_000])), 44_100)

    assert pieces.rise == pytest.approx(whole.rise, abs=1e-3)
    assert pieces.level == pytest.approx(whole.level, abs=1e-3)
    assert len(whole.level) == 300


def test_a_profile_comes_back_as_it_was_kept(tmp_path):
    profile = profile_of(tones((1, 2), noise=0.01), 16_000)
    profile.save(tmp_path / "p.npy")
    again = Profile.load(tmp_path / "p.npy", 3.0)

    assert again.rise == pytest.approx(profile.rise, abs=0.006)
    assert cuts(again, PLAIN) == cuts(profile, PLAIN)


@pytest.mark.parametrize("samples", [np.zeros(32_000, np.float32), np.zeros(0, np.float32), tones(noise=0.05)])
def test_silence_and_mere_noise_hold_no_piece(samples):
    assert cuts(profile_of(samples, 16_000), Silence()) == []


def test_nothing_is_longer_than_the_maximum_however_long_somebody_speaks():
    profile = profile_from((1, 61), seconds=62)
    profile.level[2_050:2_065] = -40  # a breath
    pieces = cuts(profile, Silence(longest=12, padding=0.5))

    assert max(piece.end - piece.start for piece in pieces) <= 12
    assert pieces[0].start <= 1
    assert pieces[-1].end >= 61
    assert any(abs(piece.end - 20.57) < 0.05 for piece in pieces)
    for one, other in pairwise(pieces):
        assert one.end == other.start


@pytest.mark.parametrize("seed", range(25))
def test_pieces_never_overlap_nor_pass_the_maximum_nor_lose_a_word_that_is_long_enough(seed):
    dice = np.random.default_rng(seed)
    lengths = dice.uniform(0.02, dice.choice([1, 5, 40]), 40).round(2)
    edges = np.cumsum(lengths).round(2)
    stretches = list(zip(edges[0::2].tolist(), edges[1::2].tolist(), strict=True))
    longest = float(dice.uniform(1, 20))
    silence = Silence(
        min_silence=float(dice.uniform(0.02, 1)), longest=longest, shortest=min(0.3, longest / 2),
        padding=float(dice.uniform(0, 2)), join_below=float(dice.uniform(0, 10)), join_across=float(dice.uniform(0, 5)),
    )  # fmt: skip
    seconds = round(float(edges[-1]) + 0.505, 3)
    pieces = cuts(profile_from(*stretches, seconds=seconds), silence)

    assert all(0 <= one.start < one.end <= seconds for one in pieces)
    assert all(one.end <= other.start for one, other in pairwise(pieces))
    assert all(one.end - one.start <= longest + 1e-9 for one in pieces)
    for start, end in stretches:
        covered = sum(max(0.0, min(one.end, end) - max(one.start, start)) for one in pieces)
        assert covered == pytest.approx(end - start, abs=0.011) or end - start < silence.shortest


def test_padding_stops_halfway_to_the_neighbour():
    first, second = cuts(profile_from((1, 2), (2.5, 3.5), seconds=5), Silence(padding=1, join_below=0))

    assert (first.start, first.end) == (0, 2.25)
    assert (second.start, second.end) == (2.25, 4.5)


def test_short_pieces_join_a_near_neighbour_until_they_are_full():
    profile = profile_from((1, 2), (2.5, 3.5), (4, 5), (9, 10), seconds=12)
    pieces = cuts(profile, Silence(padding=0, join_below=3, join_across=1, longest=3))

    assert [(one.start, one.end) for one in pieces] == [(1, 3.5), (4, 5), (9, 10)]


def test_a_threshold_of_ones_own_overrules_the_noise_floor():
    profile = profile_from((1, 2), (3, 4), seconds=5, loud=-20)
    profile.level[300:400] = -38

    assert len(cuts(profile, Silence(quiet_db=-30))) == 1
    assert len(cuts(profile, Silence(quiet_db=-45))) == 2


def test_a_click_is_no_word():
    assert cuts(profile_from((1, 1.03), seconds=3), Silence(shortest=0.05)) == []


def test_a_longest_piece_under_twice_the_shortest_is_refused():
    with pytest.raises(ValueError, match="twice"):
        Silence(shortest=1, longest=1.5)


def test_pieces_and_gaps_together_are_every_sample_of_the_recording_once():
    samples, rate, gaps = speech(30)
    pieces = cuts(profile_of(samples, rate), PLAIN)
    frames = [(round(one.start * rate), round(one.end * rate)) for one in silences(pieces, len(samples) / rate)
              .view([("start", float), ("end", float)]).ravel().view(np.recarray)]  # fmt: skip
    inside = [(round(one.start * rate), round(one.end * rate)) for one in pieces]
    parts = [samples[start:end] for start, end in sorted(frames + inside)]

    assert len(inside) == len(gaps) - 1
    assert np.array_equal(np.concatenate(parts), samples)
