"""Her lines are found in subtitles, other people's are not taken for hers, and a clock that is off is told."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from benchmarks.generated_episode import HOP, episode, invented_book
from core.domain.persona import Persona
from core.domain.text import Utterance, UtteranceKind
from core.stages.voice_dataset.words.alignment import (
    AlignmentSettings,
    Hit,
    Kind,
    LineIndex,
    clock_offset,
    find_lines,
    nearest,
    shifted,
)
from core.stages.voice_dataset.words.clock import STRETCHES
from core.stages.voice_dataset.words.subtitles import Cue

HER = "沈青"
PERSONA = Persona("a-qing", HER, "", "", "", aliases=("青儿",), cast={"阿福": ("福儿",), "老张": ()})
BOOK = (
    (HER, "这把旧伞是我娘留下的，下雨天再破也要打着出门。"),
    ("阿福", "姑娘把伞给我，我替你补一补伞骨。"),
    (HER, "补得了伞骨，补不了伞上的字，还是由它去罢。"),
    ("老张", "码头的船明日一早就要开了，行李可都收拾好了？"),
    (HER, "知道了。"),
    ("阿福", "知道了。"),
    (HER, "行李只有一箱书，别的都不必带。"),
    ("老张", "书比石头还沉，轿夫要多算钱的。"),
    (HER, "多算便多算，总不能叫书自己走着去！"),
)


def line(place: int, speaker: str, text: str) -> Utterance:
    return Utterance("s", place, 1, place, 0, len(text), text, UtteranceKind.SPEECH, speaker, "t", 1.0, "")


LINES = [line(place, speaker, text) for place, (speaker, text) in enumerate(BOOK)]


def cues(*texts: str | tuple[str, str], pause: float = 0.5) -> list[Cue]:
    made: list[Cue] = []
    for one in texts:
        speaker, text = one if isinstance(one, tuple) else (None, one)
        start = made[-1].end + pause if made else 0.0
        made.append(Cue(start, start + 2.0, text, speaker))
    return made


def find(*texts: str | tuple[str, str], pause: float = 0.5) -> list[Hit]:
    return find_lines(cues(*texts, pause=pause), LINES, persona=PERSONA)


def ids(hits: list[Hit]) -> list[int]:
    return [int(hit.utterance_id.split(".")[1]) for hit in hits]


def test_a_line_word_for_word_is_found_with_its_times():
    hits = find("今日天气倒好", "行李只有一箱书 别的都不必带", "走罢走罢")

    assert ids(hits) == [6]
    assert (hits[0].cues, hits[0].start, hits[0].end) == ((1,), 2.5, 4.5)
    assert (hits[0].kind, hits[0].similarity) == (Kind.VERBATIM, 1.0)
    assert hits[0].book == BOOK[6][1]
    assert hits[0].spoken == "行李只有一箱书 别的都不必带"


def test_other_peoples_lines_are_not_hers():
    assert find("姑娘把伞给我 我替你补一补伞骨", "书比石头还沉，轿夫要多算钱的") == []


def test_what_is_not_in_the_book_is_nobodys():
    assert find("园子里的菊花都谢了", "明儿叫人来扫一扫", "晚饭摆在哪里？") == []


def test_traditional_characters_and_marks_make_no_difference():
    assert find("補得了傘骨——補不了傘上的字「還是由它去罷」")[0].kind is Kind.VERBATIM


def test_a_shortened_line_says_so():
    hits = find("补不了伞上的字")

    assert ids(hits) == [2]
    assert hits[0].kind is Kind.SHORTENED


def test_a_reworded_line_says_how_alike_it_is():
    hits = find("行李就这一箱书，旁的都不必带上")

    assert ids(hits) == [6]
    assert hits[0].kind is Kind.REWORDED
    assert 0.6 < hits[0].similarity < 1


def test_a_line_over_several_cues_is_one_hit():
    hits = find("这把旧伞是我娘留下的", "下雨天再破", "也要打着出门")

    assert [hit.cues for hit in hits] == [(0, 1, 2)]
    assert (hits[0].start, hits[0].end) == (0.0, 7.0)


def test_a_line_with_a_long_pause_in_it_is_divided_there():
    hits = find("这把旧伞是我娘留下的", "下雨天再破也要打着出门", pause=3.0)

    assert [hit.cues for hit in hits] == [(0,), (1,)]
    assert ids(hits) == [0, 0]


def test_a_line_that_would_last_too_long_is_divided_between_cues():
    spoken = cues("这把旧伞是我娘留下的", "下雨天再破", "也要打着出门")
    hits = find_lines(spoken, LINES, persona=PERSONA, settings=AlignmentSettings(longest=4.6))

    assert [hit.cues for hit in hits] == [(0, 1), (2,)]
    assert all(hit.end - hit.start <= 4.6 for hit in hits)


def test_of_a_cue_that_two_people_share_her_part_is_cut_by_its_letters():
    hits = find("书比石头还沉 多算便多算")

    assert ids(hits) == [8]
    assert (hits[0].spoken, hits[0].kind) == ("多算便多算", Kind.PART_OF_A_CUE)
    assert hits[0].start == pytest.approx(2.0 * 6 / 11)
    assert hits[0].end == 2.0


def test_a_cut_within_a_cue_is_less_sure_than_a_whole_cue():
    (whole,), (cut,) = find("多算便多算"), find("书比石头还沉 多算便多算")

    assert cut.confidence < whole.confidence <= 1


def test_a_short_phrase_that_others_say_too_is_found_by_its_neighbours_alone():
    far = [line(50 + place, "老张", f"这是第{place}件不相干的事。") for place in range(20)]
    book = [*LINES[:5], *LINES[6:], *far, line(99, "阿福", "知道了。")]
    among = cues("码头的船明日一早就要开了 行李可都收拾好了", "知道了", "行李只有一箱书，别的都不必带")
    alone = cues("园子里的菊花都谢了", "知道了", "明儿叫人来扫一扫")

    assert ids(find_lines(among, book, persona=PERSONA)) == [4, 6]
    assert find_lines(alone, book, persona=PERSONA) == []


def test_a_short_phrase_that_her_neighbour_says_too_is_left_alone():
    assert ids(find("码头的船明日一早就要开了", "知道了", "行李只有一箱书，别的都不必带")) == [6]


def test_a_label_tells_whose_short_phrase_it_is():
    assert ids(find(("青儿", "知道了"))) == [4]
    assert find(("福儿", "知道了")) == []


def test_her_words_in_somebody_elses_mouth_are_not_hers():
    assert find(("阿福", "多算便多算")) == []


def test_scenes_may_come_in_any_order():
    assert ids(find("多算便多算，总不能叫书自己走着去", "园子里的菊花都谢了", "补得了伞骨，补不了伞上的字")) == [8, 2]


def test_nothing_is_found_without_cues_or_lines():
    assert find_lines([], LINES, persona=PERSONA) == []
    assert find_lines(cues("知道了"), [], persona=PERSONA) == []
    assert find_lines(cues("是", "？"), LINES, persona=PERSONA) == []


def test_no_letter_is_in_two_hits():
    book = invented_book((HER, "阿福", "老张"), 300, seed=3)
    made = episode(book, HER, seed=1, lines=60)
    hits = find_lines(made.true_cues, book, persona=PERSONA)

    assert len(hits) > 5
    assert all(one.end <= other.start + 0.01 for one, other in pairwise(hits))


def test_most_of_her_lines_are_found_in_a_noisy_episode_and_hardly_any_of_the_others():
    book = invented_book((HER, "阿福", "老张", "掌柜"), 600, seed=3)
    made = episode(book, HER, seed=5, lines=120)
    hits = find_lines(made.true_cues, book, persona=PERSONA)
    covered = [
        (one, sum(max(min(one.end, hit.end) - max(one.start, hit.start), 0) for hit in hits) / (one.end - one.start))
        for one in made.spoken
    ]
    hers = [share >= 0.5 for one, share in covered if one.utterance and one.utterance.speaker == HER]
    others = [share >= 0.5 for one, share in covered if not one.utterance or one.utterance.speaker != HER]

    assert sum(hers) / len(hers) >= 0.95
    assert sum(others) / len(others) <= 0.02


def test_a_transcript_near_a_line_of_hers_has_it_proposed():
    found = nearest("行李只有一箱输，别的都不必带", LineIndex(LINES), persona=PERSONA)

    assert found is not None
    assert found.utterance_id == LINES[6].id
    assert 0.8 < found.similarity < 1


@pytest.mark.parametrize("words", ["姑娘把伞给我，我替你补一补伞骨", "园子里的菊花都谢了", "", "。"])
def test_a_transcript_of_somebody_else_has_none(words):
    assert nearest(words, LineIndex(LINES), persona=PERSONA) is None


def activity(spoken: list[Cue], seconds: float) -> np.ndarray:
    active = np.zeros(int(seconds / HOP), np.float32)
    for cue in spoken:
        active[int(cue.start / HOP) : int(cue.end / HOP)] = 1
    return active


def spoken_cues(count: int, seed: int = 0) -> list[Cue]:
    chance = np.random.default_rng(seed)
    made, clock = [], 20.0
    for _ in range(count):
        long = float(chance.uniform(0.8, 4))
        made.append(Cue(clock, clock + long, "话"))
        clock += long + float(chance.exponential(1.2) + 0.1)
    return made


@pytest.mark.parametrize("seconds", [-37.4, 0.0, 12.34, 58.0])
def test_a_constant_offset_is_found(seconds):
    truth = spoken_cues(200)
    theirs = [Cue(cue.start - seconds, cue.end - seconds, cue.text) for cue in truth if cue.start > seconds]
    shift = clock_offset(theirs, activity(truth, truth[-1].end + 60), hop=HOP)

    assert shift.seconds == pytest.approx(seconds, abs=0.03)
    assert shift.stretch == 1.0
    assert shift.sure


@pytest.mark.parametrize("stretch", STRETCHES[1:])
def test_another_frame_rate_is_found(stretch):
    truth = spoken_cues(600)
    theirs = [Cue((cue.start - 5) / stretch, (cue.end - 5) / stretch, cue.text) for cue in truth]
    shift = clock_offset(theirs, activity(truth, truth[-1].end + 30), hop=HOP)
    put_right = shifted(theirs, shift)

    assert shift.stretch == pytest.approx(stretch)
    assert put_right[0].start == pytest.approx(truth[0].start, abs=0.05)
    assert put_right[-1].start == pytest.approx(truth[-1].start, abs=0.05)


def test_subtitles_of_something_else_are_not_sure():
    truth, other = spoken_cues(200, seed=1), spoken_cues(200, seed=2)

    assert not clock_offset(other, activity(truth, truth[-1].end), hop=HOP).sure


@pytest.mark.parametrize("active", [np.zeros(5000), np.ones(5000, bool), np.zeros(0)], ids=["silence", "noise", "none"])
def test_a_sound_that_tells_nothing_gives_no_shift(active):
    shift = clock_offset(spoken_cues(50), active, hop=HOP)

    assert (shift.seconds, shift.stretch, shift.confidence) == (0.0, 1.0, 0.0)
