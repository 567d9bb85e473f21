"""Weights are kept under names of their content, whole or not at all, whatever becomes of the run's own files."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil

import pytest

from core.backends.tools import VoiceStep, VoiceWeights
from core.stages.voice_training.keeping import keep, put


def weights(folder, content=b"05 her voice", name="voice_e4_s100.pth", step=VoiceStep.SOVITS):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    return VoiceWeights(step, folder / name, 4)


def no_links(*_paths, **_more):
    raise OSError(errno.EXDEV, "another disk")


@pytest.fixture(params=["linked", "copied"])
def disk(request, monkeypatch):
    if request.param == "copied":
        monkeypatch.setattr(os, "link", no_links)


@pytest.mark.usefixtures("disk")
def test_weights_are_kept_by_their_content_and_told_as_a_record(tmp_path):
    sovits = keep(weights(tmp_path / "run"), tmp_path / "workspace")
    gpt = keep(weights(tmp_path / "run", b"PK her speech", "voice-e4.ckpt", VoiceStep.GPT), tmp_path / "workspace")

    assert (sovits.stage, sovits.epoch, sovits.bytes) == ("sovits", 4, 12)
    assert sovits.sha256 == hashlib.sha256(b"05 her voice").hexdigest()
    assert [sovits.file, gpt.file] == [f"weights/{sovits.sha256}.pth", f"weights/{gpt.sha256}.ckpt"]
    assert (tmp_path / "workspace" / gpt.file).read_bytes() == b"PK her speech"
    assert gpt.stage == "gpt"


@pytest.mark.usefixtures("disk")
def test_two_runs_with_files_of_one_name_keep_both(tmp_path):
    anna = keep(weights(tmp_path / "anna", b"05 anna's"), tmp_path / "workspace")
    ben = keep(weights(tmp_path / "ben", b"05 ben's"), tmp_path / "workspace")

    assert (tmp_path / "workspace" / anna.file).read_bytes() == b"05 anna's"
    assert (tmp_path / "workspace" / ben.file).read_bytes() == b"05 ben's"


@pytest.mark.usefixtures("disk")
def test_the_same_weights_are_kept_once(tmp_path):
    first = keep(weights(tmp_path / "run"), tmp_path / "workspace")
    again = keep(weights(tmp_path / "other"), tmp_path / "workspace")

    assert first == again
    assert len(list((tmp_path / "workspace" / "weights").iterdir())) == 1


@pytest.mark.usefixtures("disk")
def test_they_outlive_the_files_of_the_run(tmp_path):
    kept = keep(weights(tmp_path / "run"), tmp_path / "workspace")
    shutil.rmtree(tmp_path / "run")

    assert (tmp_path / "workspace" / kept.file).read_bytes() == b"05 her voice"


@pytest.mark.usefixtures("disk")
def test_half_a_file_that_a_kill_left_is_no_weights_and_gives_way(tmp_path):
    kept = keep(weights(tmp_path / "run"), tmp_path / "workspace")
    place = tmp_path / "workspace" / kept.file
    place.unlink()
    place.with_name(f".{place.name}.draft").write_bytes(b"05 h")

    keep(weights(tmp_path / "run"), tmp_path / "workspace")

    assert place.read_bytes() == b"05 her voice"
    assert list(place.parent.iterdir()) == [place]


def test_a_disk_that_fills_while_they_are_copied_leaves_nothing_that_looks_whole(tmp_path, monkeypatch):
    def fills(source, target, **_more):
        target.write_bytes(b"05 h")
        raise OSError(errno.ENOSPC, "No space left on device")

    source = weights(tmp_path / "run").file
    target = tmp_path / "workspace" / "weights" / "a.pth"
    with monkeypatch.context() as full:
        full.setattr(os, "link", no_links)
        full.setattr(shutil, "copyfile", fills)
        with pytest.raises(OSError, match="No space left"):
            put(source, target)

    assert not target.exists()
    put(source, target)
    assert target.read_bytes() == b"05 her voice"
