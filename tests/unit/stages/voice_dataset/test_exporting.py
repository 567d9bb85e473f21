from __future__ import annotations

import hashlib
import io
import json
import tracemalloc
import zipfile

import pytest
import yaml

from core.errors import ConflictError, InvalidInputError, NotFoundError, SettingsError
from core.stages.voice_dataset.export import About, export_archive, export_folder, export_list, known_about
from core.stages.voice_dataset.formats import VOICE_FORMATS
from tests.conftest import PROJECT
from tests.unit.stages.voice_dataset.sets import clip_set, recording, set_clip, wav

SET = clip_set()


@pytest.fixture
def clips(store):
    """Three clips whose sounds are in the store."""
    store.voice.add_recording(recording())
    return [set_clip(number, sha256=store.files.put(wav(number))) for number in range(3)]


@pytest.fixture(params=list(VOICE_FORMATS))
def form(request):
    return request.param


def zipped(clips, store, form="gpt-sovits", **about):
    file = io.BytesIO()
    known = known_about(SET, clips, store, **about)
    export_archive(file, SET, clips, format=form, about=known, store=store)
    return file.getvalue()


def entries(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_line_of_the_list_is_path_speaker_language_and_words():
    written = export_list(SET, [set_clip(0), set_clip(1, language="yue", text="  雨停了。".strip())])

    assert written.splitlines() == [
        "wavs/0000000000000000.wav|沈青|zh|窗外的雨下了一夜。",
        "wavs/0000000000000000.wav|沈青|yue|雨停了。",
    ]
    assert all(line.count("|") == 3 for line in written.splitlines())


def test_the_folder_before_the_names_may_be_absolute_chinese_and_with_spaces():
    written = export_list(SET, [set_clip()], folder="/数据 一/沈 青/wavs/")

    assert written.startswith("/数据 一/沈 青/wavs/0000000000000000.wav|")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"text": "好|不好"}, "words"),
        ({"text": "好\n不好"}, "words"),
        ({"text": "好\r不好"}, "words"),
        ({"text": "好\u2029不好"}, "words"),
        ({"text": "好\x85不好"}, "words"),
        ({"text": "好\ud800"}, "words"),
        ({"speaker": "沈|青"}, "speaker"),
        ({"speaker": "沈\n青"}, "speaker"),
        ({"text": " "}, "no words"),
        ({"speaker": ""}, "no speaker"),
        ({"language": "fr"}, "language fr"),
    ],
)
def test_what_a_list_cannot_hold_is_refused_with_the_clip_named(changes, said):
    with pytest.raises(InvalidInputError) as refused:
        export_list(SET, [set_clip(0), set_clip(7, **changes)])

    assert "clip-0007" in str(refused.value)
    assert said in str(refused.value)


def test_a_folder_that_would_break_the_lines_is_refused():
    with pytest.raises(InvalidInputError):
        export_list(SET, [set_clip()], folder="a|b")


def test_every_path_of_the_list_is_a_file_of_the_zip_with_that_sound(store, clips):
    files = entries(zipped(clips, store))

    rows = [line.split("|") for line in files["clips.list"].decode().splitlines()]
    assert [hashlib.sha256(files[row[0]]).hexdigest() for row in rows] == [clip.sha256 for clip in clips]
    assert [row[3] for row in rows] == [clip.text for clip in clips]
    assert files["references.list"].decode().splitlines() == files["clips.list"].decode().splitlines()[:1]


def test_paths_may_be_made_absolute_for_where_the_zip_is_going_to_lie(store, clips):
    files = entries(zipped(clips, store, root="/数据/沈 青"))

    assert files["clips.list"].decode().startswith("/数据/沈 青/wavs/")
    assert {name for name in files if name.startswith("wavs/")} != set()


def test_the_manifest_leads_from_each_clip_back_to_its_recording_and_its_line(store, clips, form):
    files = entries(zipped(clips, store, form))
    told = json.loads(files["manifest.json"])

    assert told["clip_set"]["fingerprint"] == SET.fingerprint
    assert told["recordings"] == {"rec-1": {"name": "第一集.wav", "sha256": "r" * 64, "subtitles_sha256": ""}}
    assert told["licence_note"]
    for clip, origin in zip(clips, told["clips"], strict=True):
        assert hashlib.sha256(files[origin["file"]]).hexdigest() == origin["sha256"] == clip.sha256
        assert (origin["recording"], origin["start"], origin["end"]) == ("rec-1", clip.start, clip.end)
        assert origin["effects"] == [{"effect": "denoise", "strength": 0.8}]
        assert origin["utterance"] == clip.utterance_id
    for name, mark in told["files"].items():
        assert hashlib.sha256(files[name]).hexdigest() == mark["sha256"]


def test_a_licence_that_was_said_is_in_the_manifest_and_the_card(store, clips):
    files = entries(zipped(clips, store, "audio-folder", licence="cc-by-4.0"))

    told = json.loads(files["manifest.json"])
    assert (told["licence"], told["licence_note"]) == ("cc-by-4.0", "")
    assert yaml.safe_load(files["README.md"].decode().split("---")[1])["license"] == "cc-by-4.0"


def test_the_same_set_gives_the_same_bytes(store, clips, form):
    assert zipped(clips, store, form) == zipped(clips, store, form)


def test_a_recording_deleted_since_is_still_told_by_its_content(store, clips):
    gone = [set_clip(number, sha256=one.sha256, recording_id="rec-gone") for number, one in enumerate(clips)]

    told = json.loads(entries(zipped(gone, store))["manifest.json"])

    assert told["recordings"] == {"rec-gone": {"name": "", "sha256": "r" * 64, "subtitles_sha256": ""}}


def test_a_zip_holds_one_wav_in_memory_at_a_time(store):
    big = [set_clip(number, sha256=store.files.put(bytes([number]) * 8_000_000)) for number in range(6)]
    with (store.workspace / "out.zip").open("w+b") as out:
        tracemalloc.start()
        export_archive(out, SET, big, format="gpt-sovits", about=About(), store=store)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert out.tell() > 48_000_000

    assert peak < 8_000_000


def test_a_sound_that_is_not_what_it_was_is_refused(store, clips):
    store.files.path(clips[1].sha256).write_bytes(wav(9))

    with pytest.raises(InvalidInputError, match="damaged"):
        zipped(clips, store)


def test_a_sound_that_is_gone_is_refused(store, clips):
    store.files.path(clips[1].sha256).unlink()

    with pytest.raises(NotFoundError):
        zipped(clips, store)


def test_what_a_format_cannot_hold_is_refused_before_a_byte_is_written(store, clips):
    file = io.BytesIO()

    with pytest.raises(InvalidInputError):
        export_archive(file, SET, [*clips, set_clip(9, text="好|坏")], format="gpt-sovits", about=About(), store=store)

    assert file.getvalue() == b""


def test_an_unknown_format_is_refused_with_those_known(store, clips):
    with pytest.raises(SettingsError, match="gpt-sovits, audio-folder"):
        zipped(clips, store, "rvc")


def test_a_folder_holds_what_the_zip_does(store, clips, form, tmp_path):
    folder = tmp_path / "沈 青"
    export_folder(folder, SET, clips, format=form, about=known_about(SET, clips, store), store=store)

    written = {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}

    assert written == entries(zipped(clips, store, form))


def test_a_list_with_absolute_paths_is_read_from_anywhere(store, clips, tmp_path):
    folder = tmp_path / "沈 青"
    known = known_about(SET, clips, store)
    export_folder(folder, SET, clips, format="gpt-sovits", about=known, store=store, absolute=True)

    for line in (folder / "clips.list").read_text(encoding="utf-8").splitlines():
        path = line.split("|")[0]
        assert path.startswith(str(folder))
        assert (folder / path).read_bytes()[:4] == b"RIFF"


def test_nothing_is_written_into_a_folder_that_holds_something(store, clips, tmp_path):
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")

    with pytest.raises(ConflictError):
        export_folder(tmp_path, SET, clips, format="gpt-sovits", about=About(), store=store)

    assert not (tmp_path / "clips.list").exists()


def test_the_paper_tells_of_every_format_and_file(store, clips):
    paper = (PROJECT / "docs" / "voice-formats.md").read_text(encoding="utf-8")

    for form in VOICE_FORMATS:
        assert f"`{form}`" in paper
        names = {name for name in entries(zipped(clips, store, form)) if not name.endswith(".wav")}
        assert [name for name in names if f"`{name}`" not in paper] == []
