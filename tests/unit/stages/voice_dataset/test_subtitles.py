"""Subtitles and transcripts: what is said, when, by whom; and what is refused."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InvalidInputError
from core.stages.voice_dataset.words.subtitles import LARGEST, MOST_CUES, Cue, read_cues

ASS = """[Script Info]
Title: x
[V4+ Styles]
Format: Name, Fontname
[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


def srt(*texts: str) -> bytes:
    blocks = (
        f"{place}\n00:00:{place:02},000 --> 00:00:{place:02},900\n{text}\n" for place, text in enumerate(texts, 1)
    )
    return "\n".join(blocks).encode()


def said(*texts: str) -> list[tuple[str | None, str]]:
    return [(cue.speaker, cue.text) for cue in read_cues(srt(*texts), "a.srt")]


def event(text: str, *, name: str = "", start: str = "0:00:01.00", kind: str = "Dialogue") -> str:
    return f"{kind}: 0,{start},0:00:02.50,Default,{name},0,0,0,,{text}\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_cues_are_read_in_every_usual_encoding(encoding):
    data = srt("这伞是谁的？", "我的，还滴着水呢。").decode().encode(encoding)

    assert read_cues(data, "a.srt") == [Cue(1.0, 1.9, "这伞是谁的？"), Cue(2.0, 2.9, "我的，还滴着水呢。")]


def test_cues_come_in_order_of_time():
    data = "2\n00:00:05,000 --> 00:00:06,000\n后来\n\n1\n00:00:01,000 --> 00:00:02,000\n先前\n"

    assert [cue.text for cue in read_cues(data.encode(), "a.srt")] == ["先前", "后来"]


def test_markup_is_taken_out():
    assert said("<i>船</i>到了{\\an8}", "<font color='red'>上岸</font>罢") == [(None, "船到了"), (None, "上岸罢")]


@pytest.mark.parametrize(
    "text",
    ["青儿：外头冷", "青儿:外头冷", "(青儿)外头冷", "（青儿）外头冷", "【青儿】：外头冷", "青儿（笑）：外头冷"],
)
def test_a_label_before_the_words_is_their_speaker(text):
    assert said(text) == [("青儿", "外头冷")]


@pytest.mark.parametrize("text", ["俗话说：来得早不如来得巧", "他写道：勿念", "时辰是3:30"])
def test_a_colon_that_names_nobody_stays_in_the_words(text):
    assert said(text) == [(None, text)]


@pytest.mark.parametrize("text", ["[音乐]", "（笑声）", "♪ 一江春水 ♪", "(door slams noise)", "（鼓掌）"])
def test_sounds_are_left_out(text):
    assert said(text, "有人么？") == [(None, "有人么？")]


@pytest.mark.parametrize("text", ["（叹气）罢了", "罢了（笑声）", "（对门外）罢了"])
def test_stage_directions_beside_words_are_left_out(text):
    assert said(text) == [(None, "罢了")]


@pytest.mark.parametrize("text", ["- 谁在那里？\n- 是我", "- 谁在那里？ - 是我"])
def test_two_speakers_in_one_subtitle_are_two_cues_of_the_same_times(text):
    assert read_cues(srt(text), "a.srt") == [Cue(1.0, 1.9, "谁在那里？"), Cue(1.0, 1.9, "是我")]


def test_two_labels_in_one_line_are_two_speakers():
    assert said("青儿：走罢 阿福：等等") == [("青儿", "走罢"), ("阿福", "等等")]


def test_of_a_bilingual_cue_the_chinese_line_stays():
    assert said("茶凉了\nThe tea is cold", "Fine.") == [(None, "茶凉了"), (None, "Fine.")]


def test_a_line_wrapped_in_two_is_one():
    assert said("这一路上的雨\n竟没有停过") == [(None, "这一路上的雨 竟没有停过")]


def test_a_script_tells_speakers_and_its_comments_drawings_and_translations_are_left_out():
    script = ASS + "".join(
        (
            event("{\\pos(1,2)}灯灭了", name="青儿"),
            event("The lamp is out"),
            event("{\\p1}m 0 0 l 9 9{\\p0}", start="0:00:01.50"),
            event("译者的话", kind="Comment"),
            event("灯灭了", name="青儿"),
        )
    )

    assert read_cues(script.encode(), "a.ass") == [Cue(1.0, 2.5, "灯灭了", "青儿")]


def test_webvtt_tells_its_voices():
    data = "WEBVTT\n\n00:01.000 --> 00:02.000\n<v 青儿>快些 &amp; 轻些\n"

    assert read_cues(data.encode(), "a.vtt") == [Cue(1.0, 2.0, "快些 & 轻些", "青儿")]


@pytest.mark.parametrize(
    "text",
    [
        "start\tend\ttext\n1000\t2500\t花开了\n",
        "1.0\t2.5\t花开了\n",
        "start,end,text\n1.0,2.5,花开了\n",
        "0:00:01.000,0:00:02.500,花开了\n",
        'start,end,speaker,text\n1,2.5,,"花开了"\n',
        "1.0 2.5 花开了\n",
        json.dumps({"text": "花开了", "segments": [{"id": 0, "start": 1.0, "end": 2.5, "text": " 花开了"}]}),
        json.dumps([{"start": "0:01.000", "end": 2.5, "text": "花开了"}]),
    ],
    ids=["whisper tsv", "audacity", "csv", "clock", "speaker column", "spaces", "whisper json", "list"],
)
def test_a_transcript_with_times_is_read(text):
    assert read_cues(text.encode(), "a.txt") == [Cue(1.0, 2.5, "花开了")]


def test_commas_in_the_last_column_belong_to_the_words():
    assert read_cues("start,end,text\n1,2,来了,走了\n".encode(), "a.csv")[0].text == "来了,走了"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        "只是一篇文章，没有时间。\n".encode(),
        b"\x89PNG\r\n\x1a\n" + bytes(100),
        srt("[音乐]"),
        b"1\n00:00:05,000 --> 00:00:01,000\nback\n",
        b'{"segments": 3}',
        b'{"segments": [',
        b"[{" + b'"a":[' * 50_000,
        json.dumps({"segments": [{"start": float("nan"), "end": 1, "text": "x"}]}).encode(),
        json.dumps({"segments": [{"start": 0, "end": 1e300, "text": "x"}]}).encode(),
        ASS.encode(),
        b"WEBVTT\n",
    ],
    ids=[
        "empty", "prose", "a picture", "sounds only", "backwards", "no list", "cut off", "deep", "no number",
        "for ever", "no events", "no cues",
    ],
)  # fmt: skip
def test_what_has_no_words_with_times_is_refused_with_a_remedy(data):
    with pytest.raises(InvalidInputError) as refused:
        read_cues(data, "a.srt")

    assert refused.value.remedy


def test_what_is_too_large_is_refused():
    with pytest.raises(InvalidInputError, match="larger"):
        read_cues(b"x" * (LARGEST + 1), "a.srt")


def test_too_many_cues_are_refused():
    with pytest.raises(InvalidInputError, match="cues"):
        read_cues(b"1 2 a\n" * (MOST_CUES + 1), "a.txt")


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "data",
    [
        srt("<a" * 1_000_000),
        srt("<a\n" * 500_000),
        srt("好" + "\n" * 2_000_000 + "x"),
        srt("(a" * 1_000_000),
        srt("a：b " * 500_000),
        (ASS + event("{" * 3_000_000)).encode(),
        (ASS + event("{\\p1" * 1000) * 500).encode(),
        b"1," * 2_000_000,
    ],
    ids=["tags", "tags on lines", "blank lines", "brackets", "labels", "braces", "drawings", "commas"],
)
def test_input_made_to_take_for_ever_does_not(data):
    with suppress(InvalidInputError):
        read_cues(data, "a.srt")


@settings(deadline=None, max_examples=60)
@given(st.one_of(st.binary(max_size=300), st.text(max_size=300).map(lambda text: srt(text))))
def test_any_bytes_give_sensible_cues_or_a_refusal(data):
    with suppress(InvalidInputError):
        for cue in read_cues(data, "a.srt"):
            assert 0 <= cue.start < cue.end
            assert any(map(str.isalnum, cue.text))
