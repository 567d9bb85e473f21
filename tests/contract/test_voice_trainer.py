"""A voice training from clips to weights, on the stand-in: what comes out, and what is said when nothing does."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path

import pytest

from core.backends.tools import VoiceStep
from core.domain.voice_training import SovitsStage, VoiceTraining
from core.errors import InvalidInputError, StudioError, ToolFailedError
from tests.standins.gpt_sovits.world import (
    clip,
    code_of,
    done,
    ended,
    pid_of,
    started,
    through,
    training,
    until,
)


def refused(trainer, work, step):
    """Do the step; return what is said of it."""
    output = done(trainer, work, step)
    with pytest.raises(StudioError) as failure:
        trainer.confirm(work, step, output.said[-4000:])
    return output, failure.value


@pytest.mark.parametrize("version", ["v2", "v2Pro", "v2ProPlus", "v3", "v4"])
def test_clips_become_weights_and_the_checkout_stays_as_it_was(stand_in, trainer, tmp_path, version):
    work = training(tmp_path / "her voice 黛玉", version=version)
    through(trainer, work, VoiceStep.SOVITS)
    sovits = done(trainer, work, VoiceStep.SOVITS)
    gpt = done(trainer, work, VoiceStep.GPT)

    assert trainer.confirm(work, VoiceStep.SOVITS).done == 2
    assert trainer.confirm(work, VoiceStep.GPT).done == 2
    rank = "_l32" if version in ("v3", "v4") else ""
    assert [weights.file.name for weights in trainer.weights(work)] == [
        f"voice_e1_s25{rank}.pth",
        f"voice_e2_s50{rank}.pth",
        "voice-e1.ckpt",
        "voice-e2.ckpt",
    ]
    told = [trainer.read_line(work, VoiceStep.SOVITS, line) for line in sovits.said.splitlines()]
    assert [report.epoch for report in told if report and report.epoch][-1] == 2
    shown = gpt.said.replace("\r", "\n").splitlines()
    reports = [report for line in shown if (report := trainer.read_line(work, VoiceStep.GPT, line))]
    assert reports[-1].fraction == 1
    assert reports[-1].values["loss"] < reports[0].values["loss"]
    assert [step for step, _ in trainer.measurements(work)] == list(range(50))
    assert stand_in.git_status() == ""


def test_the_merged_files_have_a_row_for_each_clip_and_the_head_that_training_expects(trainer, tmp_path):
    work = training(tmp_path / "run")
    through(trainer, work, VoiceStep.SOVITS)
    texts = (work.folder / "features/2-name2text.txt").read_text(encoding="utf-8").splitlines()
    tokens = (work.folder / "features/6-name2semantic.tsv").read_text(encoding="utf-8").splitlines()

    assert [line.split("\t")[0] for line in texts] == ["clip0.wav", "clip1.wav", "clip2.wav"]
    assert tokens[0] == "item_name\tsemantic_audio"
    assert [line.split("\t")[0] for line in tokens[1:]] == ["clip0.wav", "clip1.wav", "clip2.wav"]


def test_two_gpus_share_the_clips_and_nothing_stale_of_three_is_merged(trainer, tmp_path):
    work = training(tmp_path / "run", clips=5, gpus=("0", "2"))
    trainer.prepare(work)
    (work.folder / "features/2-name2text-2.txt").write_text("stale.wav\ta\tb\tc\n")
    for part in range(trainer.parts(work, VoiceStep.TEXT)):
        done(trainer, work, VoiceStep.TEXT, part)

    assert trainer.confirm(work, VoiceStep.TEXT).done == 5
    assert "stale" not in (work.folder / "features/2-name2text.txt").read_text()
    assert not (work.folder / "features/2-name2text-2.txt").exists()


def test_a_step_that_failed_though_it_ended_well_is_done_again_and_right(stand_in, trainer, tmp_path):
    model = stand_in.checkout / "GPT_SoVITS/text/G2PWModel/g2pW.onnx"
    model.rename(model.with_suffix(".away"))
    work = training(tmp_path / "run")
    trainer.prepare(work)
    output, said = refused(trainer, work, VoiceStep.TEXT)
    model.with_suffix(".away").rename(model)

    done(trainer, work, VoiceStep.TEXT)

    assert output.returncode == 0
    assert "G2PW" in said.message
    assert "GPT_SoVITS/text/G2PWModel" in said.remedy
    assert trainer.confirm(work, VoiceStep.TEXT).done == 3


def test_one_bad_clip_among_many_is_lost_and_named(trainer, tmp_path):
    work = training(tmp_path / "run", clips=4, may_lose=0.3)
    trainer.prepare(work)
    work.clips[1].wav.write_bytes(b"no sound")

    done(trainer, work, VoiceStep.FEATURES)

    assert trainer.confirm(work, VoiceStep.FEATURES).lost == ("clip1.wav",)


def test_too_many_bad_clips_stop_the_run_and_are_named(trainer, tmp_path):
    work = training(tmp_path / "run", clips=3, may_lose=0.3)
    trainer.prepare(work)
    for one in work.clips[:2]:
        one.wav.write_bytes(b"no sound")

    output, said = refused(trainer, work, VoiceStep.FEATURES)

    assert output.returncode == 0
    assert "1 of 3 clips" in str(said)
    assert "clip0.wav, clip1.wav" in str(said)


def test_clips_that_training_would_drop_silently_are_left_out_aloud(trainer, tmp_path):
    work = training(tmp_path / "run")
    work = work.model_copy(update={"clips": (*work.clips, clip(work.folder, "short.wav", seconds=0.5))})

    prepared = trainer.prepare(work)

    assert (prepared.done, prepared.lost) == (3, ("short.wav",))
    assert "short.wav" not in (work.folder / "clips.list").read_text(encoding="utf-8")


def test_without_a_clip_of_the_right_length_nothing_begins(trainer, tmp_path):
    work = training(tmp_path / "run", clips=0)
    work = work.model_copy(update={"clips": (clip(work.folder, "short.wav", seconds=0.5),)})

    with pytest.raises(InvalidInputError, match=r"0\.6 to 54 seconds"):
        trainer.prepare(work)


@pytest.mark.parametrize(
    "spoilt",
    [{"text": "a|b"}, {"text": "a\nb"}, {"speaker": " "}, {"language": "fr"}],
    ids=["pipe", "line", "no one", "fr"],
)
def test_what_no_list_can_hold_is_refused_with_the_clips_name(trainer, tmp_path, spoilt):
    work = training(tmp_path / "run", clips=1)
    work = work.model_copy(update={"clips": (work.clips[0].model_copy(update=spoilt),)})

    with pytest.raises(InvalidInputError, match=r"clip0\.wav"):
        trainer.prepare(work)


def test_clips_of_the_same_name_would_be_taken_for_one_and_are_refused(trainer, tmp_path):
    work = training(tmp_path / "run", clips=1)
    (tmp_path / "elsewhere").mkdir()
    twin = clip(tmp_path / "elsewhere", "clip0.wav")
    work = work.model_copy(update={"clips": (*work.clips, twin)})

    with pytest.raises(InvalidInputError, match="same name"):
        trainer.prepare(work)


@pytest.mark.parametrize(
    ("step", "script"),
    [
        (VoiceStep.TEXT, "1-get-text"),
        (VoiceStep.FEATURES, "2-get-hubert-wav32k"),
        (VoiceStep.SPEAKER, "2-get-sv"),
        (VoiceStep.SEMANTIC, "3-get-semantic"),
        (VoiceStep.SOVITS, "s2_train"),
        (VoiceStep.GPT, "s1_train"),
    ],
)
def test_a_step_that_was_killed_is_refused_and_done_when_started_again(stand_in, trainer, tmp_path, step, script):
    work = training(tmp_path / "run", version="v2Pro")
    through(trainer, work, step)
    stand_in.behave(die={script: 1})
    killed = done(trainer, work, step)
    with pytest.raises(ToolFailedError):
        trainer.confirm(work, step, killed.said)
    stand_in.behave()

    again = done(trainer, work, step)

    assert killed.returncode != 0
    assert again.returncode == 0
    assert trainer.confirm(work, step).done > 0


@pytest.mark.parametrize(("trouble", "words"), [("oom", "not enough memory"), ("full", "disk is full")])
@pytest.mark.parametrize(("step", "script"), [(VoiceStep.TEXT, "1-get-text"), (VoiceStep.SOVITS, "s2_train")])
def test_known_troubles_are_explained(stand_in, trainer, tmp_path, trouble, words, step, script):
    work = training(tmp_path / "run")
    through(trainer, work, step)
    stand_in.behave(**{trouble: {script: 0}})

    output = done(trainer, work, step)

    assert output.returncode == 1
    explained = trainer.explain(output.said)
    assert explained is not None
    assert words in explained.message
    assert explained.remedy


def test_weights_that_could_not_be_written_are_missed(trainer, tmp_path):
    work = training(tmp_path / "run")
    through(trainer, work, VoiceStep.SOVITS)
    command = trainer.start(work, VoiceStep.SOVITS)
    shutil.rmtree(work.folder / "weights")

    output = ended(command, tmp_path / "sovits")
    with pytest.raises(ToolFailedError, match="could not write its weights of epoch 1"):
        trainer.confirm(work, VoiceStep.SOVITS, output.said)

    assert output.returncode == 0


def test_weights_of_which_no_success_was_told_are_not_believed(trainer, tmp_path):
    work = training(tmp_path / "run")
    through(trainer, work, VoiceStep.SOVITS)
    done(trainer, work, VoiceStep.SOVITS)
    book = work.folder / "features/train.log"
    book.write_text(book.read_text().replace("voice_e2:Success.", "voice_e2:Traceback"))

    assert len(trainer.weights(work)) == 2
    with pytest.raises(ToolFailedError, match="epoch 2"):
        trainer.confirm(work, VoiceStep.SOVITS)


def test_gpt_training_that_was_ended_politely_is_not_taken_for_done_and_goes_on(stand_in, trainer, tmp_path):
    stand_in.behave(s1_step_seconds=0.02)
    work = training(tmp_path / "run")
    through(trainer, work, VoiceStep.GPT)
    program, log = started(trainer.start(work, VoiceStep.GPT), tmp_path / "gpt")
    until(lambda: "Epoch 1/1" in log.read_text(encoding="utf-8"))
    os.kill(pid_of(tmp_path / "gpt"), signal.SIGTERM)
    until(lambda: not program.alive())
    with pytest.raises(ToolFailedError) as early:
        trainer.confirm(work, VoiceStep.GPT)

    again = done(trainer, work, VoiceStep.GPT)

    assert code_of(program) == 0
    assert "before epoch 2 of 2" in str(early.value)
    assert "Epoch 0/1" not in again.said
    assert trainer.confirm(work, VoiceStep.GPT).done == 2


def test_sovits_training_goes_on_from_its_checkpoint(stand_in, trainer, tmp_path):
    work = training(tmp_path / "run")
    through(trainer, work, VoiceStep.SOVITS)
    stand_in.behave(die={"s2_train": 30})
    done(trainer, work, VoiceStep.SOVITS)
    stand_in.behave()

    again = done(trainer, work, VoiceStep.SOVITS)

    assert "start training from epoch 2" in again.said
    assert trainer.confirm(work, VoiceStep.SOVITS).done == 2
    assert [step for step, _ in trainer.measurements(work, after=40)] == list(range(41, 50))


@pytest.mark.parametrize(("step", "script"), [(VoiceStep.SOVITS, "s2_train"), (VoiceStep.GPT, "s1_train")])
@pytest.mark.parametrize("latest_only", [True, False])
def test_a_kill_between_checkpoint_and_weights_does_not_lose_those_weights(
    stand_in, trainer, tmp_path, step, script, latest_only
):
    work = training(tmp_path / "run", keep_latest_only=latest_only)
    through(trainer, work, step)
    stand_in.behave(die={f"{script} between checkpoint and weights": 2 if step is VoiceStep.SOVITS else 1})
    done(trainer, work, step)
    stand_in.behave()

    done(trainer, work, step)

    assert trainer.confirm(work, step).done == 2


def test_a_checkpoint_that_broke_off_is_not_gone_on_from(trainer, tmp_path):
    work = training(tmp_path / "run")
    through(trainer, work, VoiceStep.GPT)
    torn = work.folder / "features/logs_s1_v2/ckpt/epoch=0-step=6.ckpt"
    torn.parent.mkdir(parents=True)
    torn.write_bytes(b"PK half of it")
    (work.folder / "weights/gpt/voice-e1.ckpt").write_bytes(b"PK\x05\x06" + b"\0" * 18)

    done(trainer, work, VoiceStep.GPT)

    assert trainer.confirm(work, VoiceStep.GPT).done == 2


def test_features_that_broke_off_are_made_again(trainer, tmp_path):
    work = training(tmp_path / "run")
    through(trainer, work, VoiceStep.SEMANTIC)
    torn = work.folder / "features/4-cnhubert/clip1.wav.pt"
    torn.write_bytes(torn.read_bytes()[:20])

    assert trainer.confirm(work.model_copy(update={"recipe": lenient(work)}), VoiceStep.FEATURES).lost == ("clip1.wav",)
    done(trainer, work, VoiceStep.FEATURES)
    assert trainer.confirm(work, VoiceStep.FEATURES).done == 3


def lenient(work: VoiceTraining):
    return work.recipe.model_copy(update={"may_lose": 0.9})


def test_weights_of_another_kind_or_broken_off_do_not_count(trainer, tmp_path):
    work = training(tmp_path / "run", version="v2Pro")
    trainer.prepare(work)
    folder = work.folder / "weights/sovits"
    (folder / "voice_e1_s25.pth").write_bytes(b"05 broken off")
    (folder / "voice_e2_s50.pth").write_bytes(b"PK\x05\x06" + b"\0" * 18)

    assert trainer.weights(work) == []


def test_what_a_kill_left_in_the_checkout_is_swept_but_nothing_of_others(stand_in, trainer, tmp_path):
    trainer.sweep(0)
    work = training(tmp_path / "run")
    through(trainer, work, VoiceStep.SOVITS)
    before = time.time()
    stand_in.behave(die_while_saving="voice_e1_s25.pth")
    done(trainer, work, VoiceStep.SOVITS)
    older = stand_in.checkout / f"{before - 9}.pth"
    older.write_bytes(b"somebody else's")
    saving = stand_in.checkout / f"{before + 9}.pth"

    with saving.open("wb"):
        swept = trainer.sweep(before)

    assert len(swept) == 1
    assert sorted(stand_in.checkout.glob("*.pth")) == [older, saving]
    older.unlink()
    saving.unlink()
    assert stand_in.git_status() == ""


def test_progress_is_told_clip_by_clip(trainer, tmp_path):
    work = training(tmp_path / "run", clips=4)
    trainer.prepare(work)
    text = done(trainer, work, VoiceStep.TEXT)
    told = [trainer.read_line(work, VoiceStep.TEXT, line) for line in text.said.splitlines()]

    assert [report.fraction for report in told if report] == [0.25, 0.5, 0.75, 1]
    assert trainer.fraction(work, VoiceStep.FEATURES) == 0
    done(trainer, work, VoiceStep.FEATURES)
    assert trainer.fraction(work, VoiceStep.FEATURES) == 1


def test_every_file_of_a_training_lies_in_its_folder(stand_in, trainer, tmp_path):
    def files(folder: Path) -> set[str]:
        return {str(one) for one in folder.rglob("*") if "__pycache__" not in one.parts and "TEMP" not in one.parts}

    before = files(stand_in.checkout)
    work = training(tmp_path / "run", version="v2Pro", sovits=SovitsStage(epochs=1, save_every=1))
    trainer.prepare(work)
    for step in trainer.steps(work.recipe):
        done(trainer, work, step)
        trainer.confirm(work, step)

    assert files(stand_in.checkout) == before
