"""Clips get their words from a recogniser: each is asked about once, and what a person wrote stays."""

from __future__ import annotations

import threading

import pytest

from core.backends.asr import NoAnswerError, RefusedError, Transcript
from core.domain.identity import now
from core.domain.persona import Persona
from core.domain.text import Passage, PassageKind, Source, SourceKind, Utterance, UtteranceKind
from core.domain.voice import Clip, Recording, TextOrigin
from core.errors import RunCancelledError, SettingsError, ToolFailedError
from core.settings import stage_defaults
from core.stages.voice_dataset.words.hearing import ANSWERS
from core.stages.voice_dataset.words.transcribing import (
    ServedTranscription,
    TranscriptionSettings,
    names_of,
    run,
)
from tests.contract.doubles import tone
from tests.contract.recogniser_double import ScriptedRecogniser
from tests.unit.stages.runs import begun

LINE = "雨停了再走，也不迟这一会儿。"
ONE_AT_A_TIME = TranscriptionSettings(concurrency=1)


@pytest.fixture
def clips(store):
    """Five clips without words, each of another sound."""
    store.voice.add_recording(Recording("rec-1", "a-qing", "a.wav", "0" * 64, 60.0, 16_000, 1, now()))
    made = []
    for place in range(5):
        sha256 = store.files.put(tone(0.5 + place / 10, 8_000).wav)
        made.append(Clip(f"clip-{place}", "rec-1", place, place + 0.5, "", "沈青", sha256, now()))
    store.clips.add(made)
    return made


@pytest.fixture
def her_line(store):
    """A line of hers in a book."""
    store.corpus.add(
        Source("s", "a-qing", "竹声.txt", SourceKind.NOVEL, "1" * 64, 9, "utf-8", 9, 1, now()),
        [Passage("s", 0, 1, 0, PassageKind.PARAGRAPH, 0, 20, f"沈青道：“{LINE}”")],
    )
    one = Utterance("s", 0, 1, 0, 4, 20, LINE, UtteranceKind.SPEECH, "沈青", "rules", 0.9, "cue")
    store.utterances.replace("s", "rules", [one], None)
    return one


def says(*texts: str | Exception):
    """Return a script that gives these answers by the order in which new sounds come."""
    order: dict[bytes, int] = {}
    lock = threading.Lock()

    def hears(sound: bytes) -> Transcript | Exception:
        with lock:
            place = order.setdefault(sound, len(order))
        answer = texts[place] if place < len(texts) else "好"
        return answer if isinstance(answer, Exception) else Transcript(answer, 0.8, "zh")

    return hears


def transcribe(store, recogniser, settings=ONE_AT_A_TIME, **options):
    return run(settings, context=begun(store, "transcription", **options), store=store, recogniser=recogniser)


def test_every_clip_without_words_gets_them_with_their_origin(store, clips):
    result = transcribe(store, ScriptedRecogniser(says("一", "二", "三", "四", "五")))
    found = [store.clips.get(clip.id) for clip in clips]

    assert [clip.text for clip in found] == ["一", "二", "三", "四", "五"]
    assert {(clip.text_origin, clip.confidence) for clip in found} == {(TextOrigin.ASR, 0.8)}
    assert (result["written"], result["problems"]) == (5, [])


def test_a_clip_that_got_words_is_no_longer_objected_to_for_having_none(store, clips):
    store.clips.judge({one.id: (None, ("no_words", "doubled")) for one in clips})
    transcribe(store, ScriptedRecogniser(says("雨停了再走。")))
    assert store.clips.get("clip-0").complaints[-1] == "doubled"
    assert "no_words" not in store.clips.get("clip-0").complaints


def test_several_under_way_at_once_write_each_to_its_own_clip(store, clips):
    sounds = {store.files.read(clip.sha256): clip.id for clip in clips}
    recogniser = ScriptedRecogniser(lambda sound: Transcript(sounds[sound], 0.5, "zh"))
    transcribe(store, recogniser, TranscriptionSettings(concurrency=4))

    assert all(store.clips.get(clip.id).text == clip.id for clip in clips)


def test_words_that_are_there_are_left_and_not_asked_about(store, clips):
    store.clips.edit("clip-2", 0, who="me", text="我写的", text_origin=TextOrigin.HAND)
    recogniser = ScriptedRecogniser()
    transcribe(store, recogniser)

    assert store.clips.get("clip-2").text == "我写的"
    assert len(recogniser.asked) == 4


def test_chosen_clips_are_asked_about_whatever_words_they_have(store, clips):
    store.clips.edit("clip-2", 0, who="me", text="我写的", text_origin=TextOrigin.HAND)
    transcribe(store, ScriptedRecogniser(says("听来的")), TranscriptionSettings(clip_ids=("clip-2",)))

    assert store.clips.get("clip-2").text == "听来的"
    assert store.clips.get("clip-1").text == ""


def test_a_clip_that_fails_is_named_with_the_reason_and_the_others_go_on(store, clips):
    refused = RefusedError("Too long.", remedy="Cut it.")
    result = transcribe(store, ScriptedRecogniser(says("一", refused, "三")))

    assert result["written"] == 4
    assert result["problems"] == [{"clip": "clip-1", "problem": "Too long. Cut it."}]
    assert store.clips.get("clip-1").text_origin is TextOrigin.NONE


def test_a_clip_whose_file_is_gone_does_not_stop_the_others(store, clips):
    store.files.path(clips[0].sha256).unlink()
    result = transcribe(store, ScriptedRecogniser())

    assert [one["clip"] for one in result["problems"]] == ["clip-0"]
    assert result["written"] == 4


def test_silence_is_noted_and_not_asked_about_again(store, clips):
    result = transcribe(store, ScriptedRecogniser(says("", "二", "三", "四", "五")))
    again = ScriptedRecogniser()
    transcribe(store, again, run_id="run-2")

    assert result["empty"] == 1
    assert (store.clips.get("clip-0").text, store.clips.get("clip-0").confidence) == ("", 0.0)
    assert again.asked == []


def test_a_run_that_broke_off_goes_on_without_asking_twice(store, clips):
    first = ScriptedRecogniser(says("一", "二", SettingsError("Gone.", remedy="-")))
    with pytest.raises(SettingsError):
        transcribe(store, first)
    second = ScriptedRecogniser(says("三", "四", "五"))
    transcribe(store, second)

    assert len(first.asked[:2]) + len(second.asked) == 5
    assert not set(first.asked[:2]) & set(second.asked)
    assert [store.clips.get(clip.id).text for clip in clips] == ["一", "二", "三", "四", "五"]


def test_an_answer_that_was_noted_but_not_yet_written_is_not_paid_for_twice(store, clips, monkeypatch):
    def killed(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(store.clips, "edit", killed)
        with pytest.raises(KeyboardInterrupt):
            transcribe(store, ScriptedRecogniser(says("一")))
    second = ScriptedRecogniser(says("二", "三", "四", "五"))
    result = transcribe(store, second)

    assert [store.clips.get(clip.id).text for clip in clips] == ["一", "二", "三", "四", "五"]
    assert len(second.asked) == 4
    assert result["reused"] == 1


def test_chosen_clips_of_a_run_that_broke_off_are_not_asked_about_twice_either(store, clips):
    wanted = TranscriptionSettings(clip_ids=("clip-0", "clip-1"), concurrency=1)
    with pytest.raises(SettingsError):
        transcribe(store, ScriptedRecogniser(says("一", SettingsError("Gone.", remedy="-"))), wanted)
    second = ScriptedRecogniser(says("二"))
    transcribe(store, second, wanted)

    assert len(second.asked) == 1
    assert [store.clips.get(f"clip-{place}").text for place in (0, 1)] == ["一", "二"]


def test_words_corrected_between_two_attempts_stay(store, clips):
    wanted = TranscriptionSettings(clip_ids=("clip-0", "clip-1"), concurrency=1)
    with pytest.raises(SettingsError):
        transcribe(store, ScriptedRecogniser(says("一", SettingsError("Gone.", remedy="-"))), wanted)
    store.clips.edit("clip-0", 1, who="me", text="壹", text_origin=TextOrigin.HAND)
    result = transcribe(store, ScriptedRecogniser(says("二")), wanted)

    assert [store.clips.get(f"clip-{place}").text for place in (0, 1)] == ["壹", "二"]
    assert result["kept"] == 1


def test_a_note_that_was_cut_off_is_asked_about_again(store, clips):
    context = begun(store, "transcription")
    (context.folder / ANSWERS).write_text('{"clip_id": "clip-0", "sha2', encoding="utf-8")
    recogniser = ScriptedRecogniser()
    transcribe(store, recogniser)

    assert len(recogniser.asked) == 5


def test_what_a_person_writes_meanwhile_stays(store, clips):
    def hears(sound: bytes) -> Transcript:
        if sound == store.files.read(clips[1].sha256):
            store.clips.edit("clip-1", 0, who="me", text="我写的", text_origin=TextOrigin.HAND)
        return Transcript("听来的", 0.5, "zh")

    result = transcribe(store, ScriptedRecogniser(hears))

    assert store.clips.get("clip-1").text == "我写的"
    assert (result["written"], result["kept"]) == (4, 1)


def test_a_clip_that_was_only_marked_meanwhile_gets_its_words(store, clips):
    def hears(sound: bytes) -> Transcript:
        if sound == store.files.read(clips[1].sha256):
            store.clips.edit("clip-1", 0, who="me", speaker="陆远")
        return Transcript("听来的", 0.5, "zh")

    transcribe(store, ScriptedRecogniser(hears))

    assert (store.clips.get("clip-1").text, store.clips.get("clip-1").speaker) == ("听来的", "陆远")


def test_a_run_told_to_stop_stops_and_keeps_what_was_said(store, clips):
    context = begun(store, "transcription")
    recogniser = ScriptedRecogniser(says("一"))

    def hears(sound: bytes) -> Transcript:
        store.runs.request_stop(context.run.id)
        threading.Event().wait(0.7)
        return Transcript("一", 0.5, "zh")

    recogniser = ScriptedRecogniser(hears)
    with pytest.raises(RunCancelledError):
        run(ONE_AT_A_TIME, context=context, store=store, recogniser=recogniser)
    asked = len(recogniser.asked)
    notes = (context.folder / ANSWERS).read_text(encoding="utf-8").splitlines()

    assert asked < 5
    assert len(notes) == asked


def test_a_server_that_has_fallen_silent_ends_the_run(store, clips):
    store.clips.add([Clip(f"more-{n}", "rec-1", n, n + 1, "", "", clips[0].sha256, now()) for n in range(9)])
    silent = ScriptedRecogniser(lambda _: NoAnswerError("Nothing came.", remedy="Wait."))

    with pytest.raises(ToolFailedError, match="in a row"):
        transcribe(store, silent)
    assert len(silent.asked) < 14


def test_words_near_a_line_of_hers_have_it_proposed(store, clips, her_line):
    result = transcribe(store, ScriptedRecogniser(says("雨停了再走，也不迟这一回儿", "园子里的菊花都谢了")))

    assert store.clips.get("clip-0").utterance_id == her_line.id
    assert store.clips.get("clip-1").utterance_id is None
    assert result["lines"] == 1


def test_the_recogniser_is_told_the_names_of_the_cast_unless_it_is_told_otherwise(store, clips, persona):
    by_default, told = ScriptedRecogniser(), ScriptedRecogniser()
    transcribe(store, by_default)
    transcribe(store, told, TranscriptionSettings(clip_ids=("clip-0",), prompt="茶"), run_id="run-2")

    assert set(by_default.prompts) == {names_of(persona)}
    assert "沈青" in names_of(persona)
    assert "陆远" in names_of(persona)
    assert told.prompts == ["茶"]


def test_the_names_are_no_longer_than_a_recogniser_reads():
    crowd = Persona("p", "甲", "书", "", "", cast={f"第{place}个人": () for place in range(500)})

    assert len(names_of(crowd)) < 130


def test_the_settings_shipped_are_valid_and_a_run_does_not_know_the_keys_name():
    shipped = stage_defaults("transcription", ServedTranscription)

    assert shipped.endpoint_key == "OPENAI_API_KEY"
    assert "endpoint_key" not in shipped.asking().model_dump()
