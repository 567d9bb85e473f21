from __future__ import annotations

from collections.abc import Iterator
from threading import Event

import pytest

from core.backends.tts import VoiceSource
from core.domain.identity import now
from core.domain.sounds import joined
from core.domain.voice import Clip, Recording, Sound
from core.errors import InvalidInputError, StudioError
from core.stages.chat.mouth import PersonaMouth, mouth_of
from core.stages.chat.settings import ChatSettings
from core.stages.chat.voices import Spoken
from tests.contract.doubles import SineVoice, tone


def formant(store, persona):
    return PersonaMouth(Spoken("formant", "formant", VoiceSource(persona.voice)), persona, store=store)


@pytest.fixture
def mouth(store, persona):
    return formant(store, persona)


def test_the_same_words_are_synthesised_once(mouth, store, persona):
    first = mouth.of_text("你来了。")
    shelf = store.workspace / "cache" / "sounds"
    again = PersonaMouth(Spoken("formant", "formant", VoiceSource(persona.voice)), persona, store=store).of_text(
        "你来了。"
    )

    assert again == first
    assert len(list(shelf.iterdir())) == 1


def test_a_cached_sound_whose_file_is_gone_is_made_again(mouth, store):
    first = mouth.of_text("你来了。")
    for kept in (store.workspace / "cache" / "sounds").iterdir():
        store.files.path(kept.read_text()).unlink()

    assert mouth.of_text("你来了。") == first


def test_other_words_are_another_sound(mouth):
    assert mouth.of_text("你来了。") != mouth.of_text("坐罢。")


def test_a_line_with_a_clip_is_that_clip(mouth, store, persona):
    sound = tone(0.5, 32_000)
    store.voice.add_recording(Recording("rec", persona.id, "a.wav", "0" * 64, 9, 32_000, 1, now()))
    sha256 = store.files.put(sound.wav)
    store.clips.add([Clip("clip", "rec", 0, 0.5, "你来了。", persona.name, sha256, now(), (), "u.1")])

    assert mouth.of_line("u.1") == sound
    assert mouth.of_line("u.2") is None


def test_a_voice_that_does_not_exist_fails_only_when_it_should_speak(store, persona):
    mouth = PersonaMouth(Spoken("oracle", "oracle"), persona, store=store)

    assert mouth.of_line("u.1") is None
    with pytest.raises(StudioError):
        mouth.of_text("你来了。")


def test_no_voice_is_no_mouth(store, persona):
    assert mouth_of("", persona, store=store, settings=ChatSettings()) is None


def test_joined_sounds_are_as_long_as_their_parts():
    whole = joined([tone(0.5, 8_000), tone(0.25, 8_000)])

    assert whole.seconds == pytest.approx(0.75)


@pytest.mark.parametrize("sounds", [[], [tone(0.1, 8_000), tone(0.1, 16_000)]], ids=["none", "two rates"])
def test_what_cannot_be_joined_is_refused(sounds):
    with pytest.raises(InvalidInputError):
        joined(sounds)


class StreamingHum(SineVoice):
    """Hums piece by piece, a piece for each character; `spoiled` says far too little."""

    placeholder = False

    def __init__(self, *, spoiled: bool = False) -> None:
        super().__init__()
        self.spoiled = spoiled

    def stream(self, text: str, *, cancel: Event, hurried: bool = False) -> Iterator[Sound]:
        self.spoken.append(text)
        for _ in range(1 if self.spoiled else len(text)):
            if cancel.is_set():
                return
            yield tone(0.02 if self.spoiled else 0.25, self.sample_rate)

    def prepare(self) -> None:
        pass


def streaming(store, persona, voice: SineVoice) -> PersonaMouth:
    mouth = PersonaMouth(Spoken("hum", "hum"), persona, store=store)
    mouth._voice = voice
    return mouth


def test_hurried_words_are_heard_as_a_streaming_voice_makes_them_and_kept_whole(store, persona):
    voice = StreamingHum()
    mouth = streaming(store, persona, voice)
    first = list(mouth.stream("你来了。", cancel=Event(), hurried=True))
    again = list(mouth.stream("你来了。", cancel=Event(), hurried=True))

    assert len(first) == 4
    assert [sound.seconds for sound in again] == [pytest.approx(1.0)]
    assert voice.spoken == ["你来了。"]


def test_a_spoiled_or_stopped_take_is_heard_but_not_kept(store, persona):
    spoiled, stopped, cancel = StreamingHum(spoiled=True), StreamingHum(), Event()
    list(streaming(store, persona, spoiled).stream("你来了，快请坐下说话。", cancel=Event(), hurried=True))
    for _ in streaming(store, persona, stopped).stream("外头冷。", cancel=cancel, hurried=True):
        cancel.set()

    assert not (store.workspace / "cache" / "sounds").exists()


def test_later_words_are_made_whole_so_that_a_spoiled_take_can_be_drawn_again(store, persona):
    mouth = streaming(store, persona, StreamingHum())

    assert len(list(mouth.stream("你来了。", cancel=Event()))) == 1
