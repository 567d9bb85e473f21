"""The story of a voice's training, on a stand-in that repeats every lie of GPT-SoVITS."""

from __future__ import annotations

import os
import re
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.errors import InvalidInputError, StudioError, ToolFailedError
from core.store.files import sha256_of
from tests.little_clips import frozen_set
from tests.standins.gpt_sovits.world import pid_of, until
from tests.unit.stages.voice_training.conftest import PERSONA, Desk

SCRIPTS = ("1-get-text", "2-get-hubert-wav32k", "2-get-sv", "3-get-semantic", "s2_train", "s1_train")
EVERY_EPOCH = {("sovits", 1), ("sovits", 2), ("gpt", 1), ("gpt", 2)}


def test_a_training_ends_with_weights_of_every_epoch_under_names_of_their_content(desk: Desk) -> None:
    result = desk.train()

    kept = {(one["stage"], one["epoch"]): one for one in result["weights"]}
    assert set(kept) == {("sovits", 1), ("sovits", 2), ("gpt", 1), ("gpt", 2)}
    for one in kept.values():
        file = desk.store.workspace / one["file"]
        assert file.name.startswith(one["sha256"])
        assert sha256_of(file) == one["sha256"]


def test_a_voice_of_the_last_weights_is_among_the_models_afterwards(desk: Desk) -> None:
    result = desk.train(name="竹影")

    (voice,) = desk.voices()
    assert voice.id == result["model"]
    assert voice.name == "竹影"
    assert (voice.manifest["card"]["sovits_epoch"], voice.manifest["card"]["gpt_epoch"]) == (2, 2)
    assert voice.run_id == "run-0123456789"


def test_clips_that_are_kept_back_are_never_trained_on(desk: Desk) -> None:
    result = desk.train(held_out=2)

    listed = (desk.folder / "clips.list").read_text(encoding="utf-8")
    assert len(listed.splitlines()) == 6
    assert len(result["held_out"]) == 2
    assert not any(one["sha256"][:16] in listed for one in result["held_out"])


def test_the_losses_of_both_stages_become_curves_of_their_own(desk: Desk) -> None:
    desk.train()

    names = {name for row in desk.metrics() for name in row} - {"step"}
    assert {"sovits_loss_mel", "sovits_learning_rate", "gpt_loss"} <= names
    assert "loss" not in names


def test_nothing_of_a_training_is_left_in_the_checkout(desk: Desk) -> None:
    desk.train()

    assert desk.stand_in.git_status() == ""
    assert not list(desk.stand_in.checkout.glob("*.pth"))


def test_speaker_vectors_are_made_for_the_model_that_hears_them(desk: Desk) -> None:
    desk.train(version="v2Pro")

    commands = [command["name"] for command in desk.store.runs.get("run-0123456789").commands]
    assert "speaker-0" in commands


def test_each_gpu_does_its_share_of_the_preparation_at_the_same_time(desk: Desk) -> None:
    desk.train(on=("0", "1"), device="gpu", precision="float16", gpus=2)

    commands = {command["name"]: command["env"] for command in desk.store.runs.get("run-0123456789").commands}
    assert [commands[f"text-{part}"]["_CUDA_VISIBLE_DEVICES"] for part in (0, 1)] == ["0", "1"]
    assert len((desk.folder / "features" / "2-name2text.txt").read_text(encoding="utf-8").splitlines()) == 6


def test_a_slice_of_a_gpu_is_refused_for_it_has_no_number(desk: Desk) -> None:
    with pytest.raises(InvalidInputError, match="number"):
        desk.train(on=("MIG-1f2e",), device="gpu", precision="float16")


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_program_that_is_killed_fails_the_run_and_resume_goes_on_to_the_same_end(desk: Desk, script: str) -> None:
    desk.stand_in.behave(die={script: 1})
    with pytest.raises(StudioError) as failure:
        desk.train(version="v2Pro")
    assert failure.value.remedy

    desk.stand_in.behave()
    result = desk.train(version="v2Pro")

    assert {(one["stage"], one["epoch"]) for one in result["weights"]} == EVERY_EPOCH
    assert desk.stand_in.git_status() == ""


@pytest.mark.parametrize("script", SCRIPTS)
def test_memory_that_runs_out_is_named_with_what_to_do(desk: Desk, script: str) -> None:
    desk.stand_in.behave(oom={script: 1})

    with pytest.raises(ToolFailedError, match="memory") as failure:
        desk.train(version="v2Pro", may_lose=0.0)
    assert "batch size" in failure.value.remedy


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_full_disk_is_named_and_resume_goes_on_once_there_is_room(desk: Desk, script: str) -> None:
    desk.stand_in.behave(full={script: 1})
    with pytest.raises(StudioError, match="full"):
        desk.train(version="v2Pro", may_lose=0.0)

    desk.stand_in.behave()
    assert {(one["stage"], one["epoch"]) for one in desk.train(version="v2Pro")["weights"]} == EVERY_EPOCH


def test_a_missing_model_of_readings_is_refused_at_once_though_the_program_ended_well(desk: Desk) -> None:
    (desk.stand_in.checkout / "GPT_SoVITS/text/G2PWModel/g2pW.onnx").unlink()

    with pytest.raises(ToolFailedError, match="G2PW"):
        desk.train()

    assert [one["name"] for one in desk.store.runs.get("run-0123456789").commands] == ["text-0"]


def test_a_stage_that_was_ended_from_outside_goes_on_by_itself_though_it_told_of_success(desk: Desk) -> None:
    context = desk.begin(gpt={"epochs": 2, "save_every": 1})
    desk.stand_in.behave(s1_step_seconds=0.05)
    with ThreadPoolExecutor(1) as beside:
        training = beside.submit(desk.go_on, context)
        until(lambda: "gpt_loss" in desk.curve() or training.done())
        os.kill(pid_of(desk.folder / "commands" / "gpt-0"), signal.SIGTERM)
        result = training.result()

    assert "trying once more" in desk.log()
    assert {(one["stage"], one["epoch"]) for one in result["weights"]} == EVERY_EPOCH


def test_clips_that_nobody_can_train_on_are_refused(desk: Desk) -> None:
    short = frozen_set(desk.store, PERSONA, clips=5, set_id="set-short", seconds=0.3)

    with pytest.raises(InvalidInputError, match=re.escape("0.6")):
        desk.train(clip_set_id=short.id)
