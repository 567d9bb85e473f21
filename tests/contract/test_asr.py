"""What every recogniser promises, asked of each backend and of the double."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from core.backends.asr import RECOGNISERS, NoAnswerError, Recogniser, RecogniserSource, RefusedError
from core.backends.llm import Endpoint
from core.backends.rows import build
from core.errors import MissingArtifactError, SettingsError, StudioError, ToolFailedError
from tests.contract.doubles import tone
from tests.contract.recogniser_double import ScriptedRecogniser
from tests.contract.tiny_whisper import build_tiny_whisper
from tests.contract.transcription_server import TranscriptionServer

SOUND = tone(1.2, 16_000).wav
BUILDS_WHISPER = pytest.mark.slow


@pytest.fixture(scope="module")
def tiny_whisper(tmp_path_factory):
    return build_tiny_whisper(tmp_path_factory.mktemp("tiny-whisper"))


@pytest.fixture(
    params=[
        pytest.param(name, marks=BUILDS_WHISPER) if name == "faster-whisper" else name
        for name in (*RECOGNISERS, "scripted")
    ]
)
def recogniser(request):
    with ExitStack() as stack:
        if request.param == "scripted":
            made: Recogniser = ScriptedRecogniser()
        elif request.param == "openai":
            made = served(stack.enter_context(TranscriptionServer()))
        else:
            folder = request.getfixturevalue("tiny_whisper")
            made = build(RECOGNISERS, "faster-whisper", RecogniserSource(model=str(folder), device="cpu"))
        yield made
        made.close()


def served(server: TranscriptionServer, *, attempts: int = 1) -> Recogniser:
    endpoint = Endpoint(server.base_url, "whisper-1", "secret-key")
    return build(RECOGNISERS, "openai", RecogniserSource(endpoint=endpoint, attempts=attempts, timeout_seconds=10))


def test_a_sound_becomes_text_with_a_confidence_and_segments_in_order(recogniser):
    heard = recogniser.transcribe(SOUND, language="en", prompt="Daiyu")
    starts = [one.start for one in heard.segments]

    assert heard.text
    assert heard.confidence is not None
    assert 0 <= heard.confidence <= 1
    assert starts == sorted(starts)
    assert heard.language


def test_a_file_says_what_its_bytes_say(recogniser, tmp_path):
    file = tmp_path / "clip.wav"
    file.write_bytes(SOUND)

    assert recogniser.transcribe(file, language="en").language
    assert recogniser.label


def test_several_may_ask_at_once(recogniser):
    with ThreadPoolExecutor(3) as pool:
        heard = list(pool.map(lambda sound: recogniser.transcribe(sound, language="en"), [SOUND] * 3))

    assert len(heard) == 3


@pytest.mark.parametrize("name", ["scripted", pytest.param("faster-whisper", marks=BUILDS_WHISPER)])
@pytest.mark.parametrize("sound", [b"", b"RIFF", b"not a sound at all" * 50], ids=["empty", "cut off", "text"])
def test_what_is_no_sound_is_refused_alone(name, sound, request):
    if name == "scripted":
        made: Recogniser = ScriptedRecogniser()
    else:
        folder = request.getfixturevalue("tiny_whisper")
        made = build(RECOGNISERS, name, RecogniserSource(model=str(folder), device="cpu"))

    with pytest.raises(RefusedError):
        made.transcribe(sound, language="en")


@pytest.mark.parametrize("name", RECOGNISERS)
def test_a_recogniser_without_its_source_says_what_to_do(name):
    with pytest.raises(SettingsError) as refused:
        build(RECOGNISERS, name, RecogniserSource())

    assert refused.value.remedy


def test_a_whisper_that_is_only_named_and_not_here_is_not_fetched_unasked():
    made = build(RECOGNISERS, "faster-whisper", RecogniserSource(model="tiny"))

    with pytest.raises(MissingArtifactError, match="folder"):
        made.transcribe(SOUND, language="en")


def test_a_folder_without_a_model_names_what_is_missing(tmp_path):
    made = build(RECOGNISERS, "faster-whisper", RecogniserSource(model=str(tmp_path)))

    with pytest.raises(MissingArtifactError, match=r"tokenizer\.json") as refused:
        made.transcribe(SOUND, language="en")

    assert str(tmp_path.parent) not in str(refused.value)


@BUILDS_WHISPER
@pytest.mark.parametrize("spoil", ["model.bin", "tokenizer.json"])
def test_a_spoiled_model_is_a_failure_with_a_remedy(tmp_path, tiny_whisper, spoil):
    for file in tiny_whisper.iterdir():
        (tmp_path / file.name).write_bytes(b"not what it was" if file.name == spoil else file.read_bytes())
    made = build(RECOGNISERS, "faster-whisper", RecogniserSource(model=str(tmp_path), device="cpu"))

    with pytest.raises(StudioError) as failed:
        made.transcribe(SOUND, language="en")

    assert failed.value.remedy
    assert not isinstance(failed.value, RefusedError | NoAnswerError)


@BUILDS_WHISPER
def test_a_language_the_model_does_not_know_is_a_matter_of_settings(tiny_whisper):
    made = build(RECOGNISERS, "faster-whisper", RecogniserSource(model=str(tiny_whisper), device="cpu"))

    with pytest.raises(SettingsError, match="xx"):
        made.transcribe(SOUND, language="xx")


def test_a_server_is_told_sound_language_names_and_key():
    with TranscriptionServer() as server:
        heard = served(server).transcribe(SOUND, language="zh", prompt="黛玉")

    asked = server.requests[0]
    assert asked["file"] == SOUND
    assert (asked["model"], asked["language"], asked["prompt"].decode()) == (b"whisper-1", b"zh", "黛玉")
    assert server.keys == ["Bearer secret-key"]
    assert heard.text == "外头冷，你且进来。"
    assert heard.language == "zh"
    assert heard.confidence == pytest.approx(0.95 * 0.8187, abs=0.001)


def test_a_model_that_gives_no_segments_is_asked_plainly_and_remembered():
    with TranscriptionServer(plain_only=True) as server:
        made = served(server)
        first = made.transcribe(SOUND, language="zh")
        second = made.transcribe(SOUND, language="zh")

    assert first.text == second.text == "外头冷，你且进来。"
    assert first.confidence is None
    assert [one["response_format"] for one in server.requests] == [b"verbose_json", b"json", b"json"]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_asked_again(status):
    with TranscriptionServer(script=[(status, "{}"), (status, "{}")]) as server:
        heard = served(server, attempts=3).transcribe(SOUND, language="zh")

    assert heard.text
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, ToolFailedError),
        (403, ToolFailedError),
        (404, ToolFailedError),
        (400, RefusedError),
        (413, RefusedError),
        (429, NoAnswerError),
        (500, NoAnswerError),
    ],
)
def test_each_refusal_says_whether_others_may_be_answered(status, kind):
    told = json.dumps({"error": {"message": "no, secret-key is wrong", "code": None}})
    with TranscriptionServer(always=(status, told)) as server, pytest.raises(StudioError) as failed:
        served(server).transcribe(SOUND, language="zh")

    assert type(failed.value) is kind
    assert failed.value.remedy
    assert "secret-key" not in str(failed.value)


@pytest.mark.parametrize(
    "answer",
    ["<html>sign in</html>", "", "{}", "[]", '{"text": 3}', '{"text": "好"', "[" * 5000, '"好"'],
    ids=["a page", "nothing", "no text", "a list", "a number", "cut off", "deep", "a string"],
)
def test_an_answer_that_is_no_transcript_is_no_answer(answer):
    with TranscriptionServer(always=(200, answer)) as server, pytest.raises(NoAnswerError) as failed:
        served(server).transcribe(SOUND, language="zh")

    assert failed.value.remedy


def test_odd_segments_do_not_spoil_the_text():
    odd = {"text": "好", "segments": [3, {"start": "a"}, {"start": 0, "end": 1, "text": "好", "avg_logprob": None}]}
    with TranscriptionServer(always=(200, json.dumps(odd))) as server:
        heard = served(server).transcribe(SOUND, language="zh")

    assert (heard.text, heard.confidence, len(heard.segments)) == ("好", None, 1)


def test_a_key_is_not_taken_along_to_another_server():
    with TranscriptionServer() as other:
        target = {"Location": f"{other.base_url}/audio/transcriptions"}
        with TranscriptionServer(always=(307, "{}"), headers=target) as server, pytest.raises(StudioError):
            served(server).transcribe(SOUND, language="zh")

    assert other.requests == []


def test_a_server_that_is_not_there_is_no_answer():
    with TranscriptionServer() as server:
        gone = server
    with pytest.raises(NoAnswerError, match="base URL"):
        served(gone).transcribe(SOUND, language="zh")


@pytest.mark.parametrize("address", ["", "ftp://x/v1", "http://me:secret@127.0.0.1/v1"])
def test_an_address_that_is_none_or_holds_a_password_is_refused(address):
    with pytest.raises(SettingsError):
        build(RECOGNISERS, "openai", RecogniserSource(endpoint=Endpoint(address, "m")))
