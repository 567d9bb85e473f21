"""A trained voice and its server: who is told what, what streams, and which failures are seen through."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import httpx
import pytest

from core.backends.rows import build
from core.backends.tools import VoiceStep
from core.backends.tts import VOICES, GoneError, ServerState, VoiceSource, gpt_sovits, gpt_sovits_server, state_of
from core.backends.tts.gpt_sovits import GptSovitsVoice
from core.domain.voice_training import Sampling
from core.errors import ConflictError, InvalidInputError, MissingArtifactError, SettingsError, ToolFailedError
from tests.standins.gpt_sovits.world import (
    done,
    end_hard,
    free_port,
    pid_of,
    pretrained_voice,
    reference_in,
    serving,
    through,
    trainer_on,
    training,
    until,
)

TEXT = "你来了？外头冷，快坐下罢。"
TTS_REQUEST = {
    *("text", "text_lang", "ref_audio_path", "aux_ref_audio_paths", "prompt_lang", "prompt_text", "top_k", "top_p"),
    *("temperature", "text_split_method", "batch_size", "batch_threshold", "split_bucket", "speed_factor"),
    *("fragment_interval", "seed", "media_type", "streaming_mode", "parallel_infer", "repetition_penalty"),
    *("sample_steps", "super_sampling", "overlap_length", "min_chunk_length"),
}
"""What `api_v2` takes."""


@pytest.fixture(scope="module")
def address(checkout, tmp_path_factory):
    """One server for all; each test's reference lies elsewhere, so each voice is another to it."""
    with serving(trainer_on(checkout), tmp_path_factory.mktemp("serve")) as served:
        yield served


@pytest.fixture
def voice(stand_in, address, tmp_path):
    return GptSovitsVoice(pretrained_voice(stand_in, tmp_path), (address,))


def paths(stand_in):
    return [asked["path"] for asked in stand_in.requests()]


def test_clips_become_a_voice_that_speaks_and_the_checkout_stays_as_it_was(stand_in, trainer, tmp_path):
    work = training(tmp_path / "run", version="v2Pro")
    through(trainer, work, VoiceStep.SOVITS)
    for step in (VoiceStep.SOVITS, VoiceStep.GPT):
        done(trainer, work, step)
        trainer.confirm(work, step)
    early_sovits, sovits, _, gpt = (weights.file for weights in trainer.weights(work))
    pretrained = pretrained_voice(stand_in, tmp_path, "v2Pro")

    with serving(trainer, tmp_path / "serve", "v2Pro", gpt=gpt, sovits=sovits) as served:
        pairs = ((gpt, sovits), (gpt, early_sovits), (pretrained.gpt, pretrained.sovits))
        voices = [pretrained.model_copy(update={"gpt": one, "sovits": other}) for one, other in pairs]
        sounds = [GptSovitsVoice(one, (served,)).speak(TEXT) for one in voices]

    assert len({sound.wav for sound in sounds}) == 3
    assert {sound.sample_rate for sound in sounds} == {32_000}
    assert stand_in.git_status() == ""


def test_the_first_words_load_weights_and_reference_and_warm_up_twice_and_later_ones_only_speak(stand_in, voice):
    voice.speak(TEXT)
    first = paths(stand_in)
    voice.speak(TEXT)

    assert first == ["/set_gpt_weights", "/set_sovits_weights", "/set_refer_audio", "/tts", "/tts", "/tts"]
    assert paths(stand_in)[len(first) :] == ["/tts"]


def test_prepare_does_what_the_first_words_would_wait_for(stand_in, voice):
    voice.prepare()
    prepared = len(paths(stand_in))
    voice.speak(TEXT)

    assert paths(stand_in)[prepared:] == ["/tts"]


def test_the_server_is_asked_with_the_voices_own_settings_and_never_for_a_take_in_one_piece(
    stand_in, address, tmp_path
):
    sampling = Sampling(top_k=7, temperature=0.8, speed=1.5, seed=9, repetition_penalty=1.2, pause=0.5, split="cut0")
    voice = GptSovitsVoice(pretrained_voice(stand_in, tmp_path, sampling=sampling, language="ja"), (address,))
    voice.speak(TEXT)
    asked = [one for one in stand_in.requests() if one["path"] == "/tts"]

    assert {one["streaming_mode"] for one in asked} == {1}
    said = {"text": TEXT, "text_lang": "ja", "prompt_lang": "ja", "prompt_text": "好", "top_k": 7, "seed": 9}
    said |= {"temperature": 0.8, "speed_factor": 1.5, "repetition_penalty": 1.2, "fragment_interval": 0.5}
    said |= {"text_split_method": "cut0", "media_type": "wav"}
    assert said.items() <= asked[-1].items()


def test_all_that_is_asked_is_what_the_server_has(stand_in, voice):
    list(voice.stream(TEXT, cancel=Event(), hurried=True))

    assert set(stand_in.requests()[-1]) - {"path"} <= TTS_REQUEST


def test_what_streams_is_what_is_spoken_in_pieces(voice):
    pieces = list(voice.stream(TEXT, cancel=Event()))

    assert len(pieces) > 1
    assert b"".join(piece.wav[44:] for piece in pieces) == voice.speak(TEXT).wav[44:]
    assert {piece.sample_rate for piece in pieces} == {voice.sample_rate}


def test_the_first_piece_is_there_while_the_rest_is_still_made(stand_in, voice):
    voice.prepare()
    stand_in.behave(tts_seconds=0.5)
    stream = voice.stream(TEXT * 20, cancel=Event())
    next(stream)
    stand_in.behave(tts="hang")

    assert paths(stand_in)[-1] == "/tts"
    stream.close()


def test_hurried_words_come_in_small_pieces(stand_in, voice):
    pieces = list(voice.stream("你来了，外头冷快坐下罢", cancel=Event(), hurried=True))

    assert stand_in.requests()[-1]["streaming_mode"] == 3
    assert all(piece.seconds < 0.9 for piece in pieces)


@pytest.mark.parametrize(("version", "rate"), [("v2Pro", 32_000), ("v3", 24_000), ("v4", 48_000)])
def test_other_versions_speak_at_their_own_rate(stand_in, trainer, tmp_path, version, rate):
    with serving(trainer, tmp_path / "serve", version) as address:
        voice = GptSovitsVoice(pretrained_voice(stand_in, tmp_path, version), (address,))

        assert voice.speak(TEXT).sample_rate == rate


def test_other_weights_or_another_reference_are_loaded_when_a_voice_needs_them(stand_in, address, voice, tmp_path):
    (tmp_path / "other").mkdir()
    other = GptSovitsVoice(pretrained_voice(stand_in, tmp_path, reference=reference_in(tmp_path / "other")), (address,))
    first, second = voice.speak(TEXT), other.speak(TEXT)

    assert first.wav != second.wav
    assert voice.speak(TEXT).wav == first.wav


def test_a_reference_replaced_under_its_name_is_heard_again(stand_in, voice, tmp_path):
    before = voice.speak(TEXT)
    reference_in(tmp_path, seconds=5).replace(reference_in(tmp_path))

    assert voice.speak(TEXT).wav != before.wav


def test_the_server_does_one_thing_at_a_time(stand_in, voice):
    voice.prepare()
    stand_in.behave(tts_seconds=0.05)
    with ThreadPoolExecutor(3) as pool:
        sounds = list(pool.map(voice.speak, [TEXT] * 3))

    assert len({sound.wav for sound in sounds}) == 1


def test_a_stop_ends_the_take_and_leaves_the_server_to_others(stand_in, voice):
    voice.prepare()
    cancel = Event()
    stand_in.behave(tts="hang")
    stream = voice.stream(TEXT, cancel=cancel)
    threading.Timer(0.3, cancel.set).start()

    assert list(stream) == []
    stand_in.behave()
    assert voice.speak(TEXT).seconds > 1


@pytest.mark.parametrize(("fault", "words"), [("exception", "silence"), ("break", "broke off")])
def test_a_failure_dressed_as_success_is_a_failure(stand_in, voice, fault, words):
    voice.prepare()
    stand_in.behave(tts=fault)

    with pytest.raises(ToolFailedError, match=words) as failed:
        voice.speak(TEXT)

    assert "log" in failed.value.remedy
    stand_in.behave()
    assert voice.speak(TEXT).seconds > 1


@pytest.mark.parametrize("missing", ["gpt", "sovits", "reference"])
def test_a_file_that_is_not_there_is_never_asked_for(stand_in, address, tmp_path, missing):
    trained = pretrained_voice(stand_in, tmp_path).model_copy(update={missing: tmp_path / "gone.pth"})

    with pytest.raises(MissingArtifactError, match=r"gone\.pth"):
        GptSovitsVoice(trained, (address,)).speak(TEXT)
    assert paths(stand_in) == []


@pytest.mark.parametrize("seconds", [2.5, 11])
def test_a_reference_of_the_wrong_length_is_refused_before_anything_is_loaded(stand_in, address, tmp_path, seconds):
    trained = pretrained_voice(stand_in, tmp_path, reference=reference_in(tmp_path, seconds=seconds))

    with pytest.raises(InvalidInputError, match="3 to 10 seconds"):
        GptSovitsVoice(trained, (address,)).speak(TEXT)
    assert paths(stand_in) == []


def test_weights_that_are_none_are_refused_and_the_next_start_is_not_spoilt(stand_in, trainer, tmp_path):
    broken = tmp_path / "broken.ckpt"
    broken.write_bytes(b"nothing")
    port = free_port()
    with serving(trainer, tmp_path / "serve", port=port) as address:
        good = GptSovitsVoice(pretrained_voice(stand_in, tmp_path), (address,))
        trained = pretrained_voice(stand_in, tmp_path).model_copy(update={"gpt": broken})
        with pytest.raises(ToolFailedError, match="refused"):
            GptSovitsVoice(trained, (address,)).speak(TEXT)
        assert good.speak(TEXT).seconds > 1
    broken.unlink()

    with serving(trainer, tmp_path / "serve", port=port):
        assert "broken" not in (tmp_path / "serve/tts_infer.yaml").read_text()


def test_another_model_loaded_by_somebody_else_is_noticed_and_put_right(stand_in, address, voice):
    voice.speak(TEXT)
    other = stand_in.checkout / "GPT_SoVITS/pretrained_models/gsv-v4-pretrained/s2Gv4.pth"
    httpx.get(f"{address}/set_sovits_weights", params={"weights_path": str(other)}, timeout=10)

    with pytest.raises(ToolFailedError, match="48000 Hz"):
        voice.speak(TEXT)
    assert voice.speak(TEXT).sample_rate == 32_000


@pytest.fixture
def impatient(monkeypatch):
    """A server that is gone is not waited for."""
    monkeypatch.setattr(gpt_sovits, "_BACK_SECONDS", 0.0)


@pytest.mark.usefixtures("impatient")
def test_a_hanging_server_is_noticed_and_called_gone(stand_in, trainer, tmp_path):
    with serving(trainer, tmp_path / "serve") as address:
        voice = GptSovitsVoice(pretrained_voice(stand_in, tmp_path), (address,))
        voice.prepare()
        group = pid_of(tmp_path / "serve/program")
        os.killpg(group, signal.SIGSTOP)
        with pytest.raises(GoneError, match="hangs"):
            voice.speak(TEXT)
        assert state_of(address) is ServerState.BUSY
        os.killpg(group, signal.SIGCONT)

        until(lambda: state_of(address) is ServerState.READY)
        assert voice.speak(TEXT).seconds > 1


def test_a_server_is_looked_at_from_within_a_loop_too(address):
    async def looks() -> object:
        return state_of(address)

    with ThreadPoolExecutor(1) as own:  # this thread may have a loop already, of a browser's tests
        assert own.submit(asyncio.run, looks()).result() is ServerState.READY


@pytest.mark.usefixtures("impatient")
def test_a_server_that_lives_but_never_speaks_is_given_up(stand_in, voice, monkeypatch):
    voice.prepare()
    monkeypatch.setattr(gpt_sovits_server, "_SILENT_SECONDS", 0.5)
    stand_in.behave(tts="hang")

    with pytest.raises(GoneError):
        voice.speak(TEXT)


def test_who_waits_for_a_busy_server_can_be_stopped(stand_in, voice):
    voice.prepare()
    stand_in.behave(tts="hang")
    busy, waiting = Event(), Event()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(list, voice.stream(TEXT, cancel=busy))
        until(lambda: len(paths(stand_in)) == 6)
        second = pool.submit(list, voice.stream(TEXT, cancel=waiting))
        waiting.set()

        assert second.result(5) == []
        assert not first.done()
        busy.set()
        assert first.result(5) == []


def test_a_slow_server_is_waited_for(stand_in, voice):
    voice.prepare()
    stand_in.behave(tts_seconds=2.5)

    assert voice.speak("好").seconds > 0


def test_a_server_killed_in_the_middle_is_gone_and_its_successor_is_made_ready(stand_in, trainer, tmp_path):
    port = free_port()
    with serving(trainer, tmp_path / "serve", port=port) as address:
        voice = GptSovitsVoice(pretrained_voice(stand_in, tmp_path), (address,))
        voice.prepare()
        stand_in.behave(tts_seconds=0.5)
        stream = voice.stream(TEXT, cancel=Event())
        next(stream)
        end_hard(tmp_path / "serve/program")
        with pytest.raises(GoneError):
            list(stream)
        assert state_of(address) is ServerState.GONE
    stand_in.behave()
    stand_in.forget_requests()

    with serving(trainer, tmp_path / "serve", port=port):
        assert voice.speak(TEXT).seconds > 1
    assert paths(stand_in)[0] == "/set_gpt_weights"


def test_a_sentence_is_asked_for_again_once_a_killed_server_is_back(stand_in, trainer, tmp_path):
    port = free_port()
    with ThreadPoolExecutor(1) as pool:
        with serving(trainer, tmp_path / "serve", port=port) as address:
            voice = GptSovitsVoice(pretrained_voice(stand_in, tmp_path), (address,))
            voice.prepare()
            stand_in.behave(tts="hang")
            asked = len(paths(stand_in))
            spoken = pool.submit(voice.speak, TEXT)
            until(lambda: len(paths(stand_in)) > asked)
            end_hard(tmp_path / "serve/program")
        stand_in.behave()
        with serving(trainer, tmp_path / "again", port=port):
            assert spoken.result(30).seconds > 1


def test_what_was_heard_already_is_not_said_twice(stand_in, trainer, tmp_path):
    with serving(trainer, tmp_path / "serve") as address:
        voice = GptSovitsVoice(pretrained_voice(stand_in, tmp_path), (address,))
        voice.prepare()
        stand_in.behave(tts_seconds=0.5)
        stream = voice.stream(TEXT, cancel=Event())
        next(stream)
        end_hard(tmp_path / "serve/program")
        with pytest.raises(GoneError):
            list(stream)


def test_two_servers_share_the_work_and_one_stands_in_for_the_other(stand_in, trainer, tmp_path):
    with serving(trainer, tmp_path / "first") as first, serving(trainer, tmp_path / "second") as second:
        voice = GptSovitsVoice(pretrained_voice(stand_in, tmp_path), (first, second))
        stand_in.behave(tts_seconds=0.3)
        with ThreadPoolExecutor(2) as pool:
            both = [pool.submit(voice.speak, TEXT) for _ in range(2)]
            assert all(one.result(60).seconds > 1 for one in both)
        assert len([path for path in paths(stand_in) if path == "/set_gpt_weights"]) == 2

        end_hard(tmp_path / "first/program")
        assert voice.speak(TEXT).seconds > 1
        assert state_of(second) is ServerState.READY


def test_another_draw_is_asked_for_with_another_seed(stand_in, voice):
    voice.prepare()
    stand_in.forget_requests()
    for draw in (0, 1):
        voice.speak(TEXT, draw=draw)

    seeds = [asked["seed"] for asked in stand_in.requests()]
    assert seeds == [1234, 1235]


def test_the_checkouts_own_configuration_is_never_written(stand_in, voice):
    voice.speak(TEXT)

    assert stand_in.git_status() == ""


def test_a_server_is_not_started_on_a_port_that_is_taken(trainer, address, tmp_path):
    with (
        pytest.raises(ConflictError, match="Something listens"),
        serving(trainer, tmp_path / "second", port=int(address.rpartition(":")[2])),
    ):
        pass


def test_a_server_is_not_started_with_weights_that_are_not_there(trainer, tmp_path):
    with (
        pytest.raises(MissingArtifactError, match=r"gone\.ckpt"),
        serving(trainer, tmp_path / "serve", gpt=tmp_path / "gone.ckpt"),
    ):
        pass


@pytest.mark.parametrize("address", ["", "127.0.0.1:9880", "http://me:secret@127.0.0.1:9880"])
def test_a_voice_without_an_address_says_what_to_do(stand_in, tmp_path, address):
    with pytest.raises(SettingsError) as refused:
        build(VOICES, "gpt-sovits", VoiceSource(trained=pretrained_voice(stand_in, tmp_path), addresses=(address,)))

    assert refused.value.remedy


def test_a_voice_of_v3_without_the_words_of_its_reference_is_refused(stand_in, tmp_path):
    trained = pretrained_voice(stand_in, tmp_path, "v3", reference_text=" ")

    with pytest.raises(SettingsError, match="reference"):
        GptSovitsVoice(trained, ("http://127.0.0.1:9880",))


def test_other_weights_another_reference_or_sampling_is_another_recipe(stand_in, tmp_path):
    trained = pretrained_voice(stand_in, tmp_path)
    others = [
        trained.model_copy(update={"gpt": trained.sovits}),
        trained.model_copy(update={"reference": reference_in(tmp_path, seconds=5)}),
        trained.model_copy(update={"sampling": Sampling(seed=5)}),
        trained.model_copy(update={"language": "yue"}),
    ]
    recipes = [dict(GptSovitsVoice(one, ("http://127.0.0.1:9880",)).recipe) for one in (trained, *others)]

    assert all(recipes.count(recipe) == 1 for recipe in recipes)
