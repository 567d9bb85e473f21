"""GPT-SoVITS's commands and settings: plain data, compared."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import yaml

from core.backends.rows import build
from core.backends.tools import VOICE_TRAINERS, VoiceStep
from core.backends.tools.gpt_sovits import GptSovits
from core.domain.checkout import Checkout
from core.domain.voice_training import GptStage, SovitsStage, VoiceServing
from core.errors import MissingArtifactError, ToolFailedError
from tests.standins.gpt_sovits.layout import hollow, lay_out
from tests.standins.gpt_sovits.world import free_port, training

PYTHON = Path("/env/bin/python")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    return lay_out(tmp_path_factory.mktemp("gpt-sovits")).checkout


@pytest.fixture
def trainer(checkout):
    return GptSovits(Checkout(checkout, PYTHON))


def prepared(trainer, folder, **more):
    work = training(folder, **more)
    trainer.prepare(work)
    return work


def test_the_row_builds_the_trainer_for_a_checkout(checkout):
    place = Checkout(checkout, PYTHON)

    assert build(VOICE_TRAINERS, "gpt-sovits", place) == GptSovits(place)


@pytest.mark.parametrize(
    ("version", "hears_speakers"), [("v2", False), ("v2Pro", True), ("v2ProPlus", True), ("v4", False)]
)
def test_only_pro_models_need_speaker_vectors(trainer, tmp_path, version, hears_speakers):
    steps = trainer.steps(training(tmp_path, version=version).recipe)

    assert (VoiceStep.SPEAKER in steps) is hears_speakers
    assert steps[-2:] == (VoiceStep.SOVITS, VoiceStep.GPT)


@pytest.mark.parametrize(
    ("step", "script"),
    [
        ("text", "1-get-text.py"),
        ("features", "2-get-hubert-wav32k.py"),
        ("speaker", "2-get-sv.py"),
        ("semantic", "3-get-semantic.py"),
    ],
)
def test_a_step_of_preparation_is_told_everything_by_its_environment(trainer, checkout, tmp_path, step, script):
    work = prepared(trainer, tmp_path, version="v2Pro")
    command = trainer.start(work, VoiceStep(step))

    assert command.argv == (str(PYTHON), "-s", f"GPT_SoVITS/prepare_datasets/{script}")
    assert command.cwd == checkout
    told = {"inp_text": f"{tmp_path}/clips.list", "inp_wav_dir": "", "opt_dir": f"{tmp_path}/features"}
    told |= {"version": "v2Pro", "is_half": "False", "i_part": "0", "all_parts": "1", "_CUDA_VISIBLE_DEVICES": ""}
    told |= {"pretrained_s2G": f"{checkout}/GPT_SoVITS/pretrained_models/v2Pro/s2Gv2Pro.pth"}
    told |= {"s2config_path": f"{checkout}/GPT_SoVITS/configs/s2v2Pro.json", "exp_name": "voice"}
    assert told.items() <= command.env.items()
    below = ("", "GPT_SoVITS/BigVGAN", "tools", "tools/asr", "GPT_SoVITS", "tools/uvr5")
    assert command.env["PYTHONPATH"].split(":") == [str(checkout / one) for one in below]


def test_a_list_has_a_line_for_each_clip_and_exactly_three_pipes(trainer, tmp_path):
    work = prepared(trainer, tmp_path, clips=2)
    lines = (tmp_path / "clips.list").read_text(encoding="utf-8").splitlines()

    assert lines == [f"{one.wav}|daiyu|zh|{one.text}" for one in work.clips]


def test_several_gpus_prepare_a_part_each_and_train_together(trainer, tmp_path):
    work = prepared(trainer, tmp_path, gpus=("1", "3"), precision="float16")
    parts = [trainer.start(work, VoiceStep.TEXT, part).env for part in range(trainer.parts(work, VoiceStep.TEXT))]

    assert [(env["i_part"], env["all_parts"], env["_CUDA_VISIBLE_DEVICES"]) for env in parts] == [
        ("0", "2", "1"),
        ("1", "2", "3"),
    ]
    assert parts[0]["is_half"] == "True"
    assert (trainer.parts(work, VoiceStep.SOVITS), trainer.parts(work, VoiceStep.GPT)) == (1, 1)
    trainer.start(work, VoiceStep.SOVITS)
    assert json.loads((tmp_path / "s2.json").read_text())["train"]["gpu_numbers"] == "1-3"
    assert trainer.start(work, VoiceStep.GPT).env["_CUDA_VISIBLE_DEVICES"] == "1,3"


def test_the_sovits_settings_are_the_checkouts_own_with_ours_in_them(trainer, checkout, tmp_path):
    stage = SovitsStage(epochs=6, save_every=3, batch_size=7, text_rate=0.5, segment_size=2560)
    work = prepared(trainer, tmp_path, version="v2Pro", sovits=stage, keep_latest_only=False, seed=7)
    command = trainer.start(work, VoiceStep.SOVITS)
    settings = json.loads((tmp_path / "s2.json").read_text(encoding="ascii"))

    assert command.argv[1:] == ("-s", "GPT_SoVITS/s2_train.py", "--config", f"{tmp_path}/s2.json")
    ours: dict[str, object] = {
        "epochs": 6,
        "save_every_epoch": 3,
        "batch_size": 7,
        "text_low_lr_rate": 0.5,
        "segment_size": 2560,
    }
    ours |= {"fp16_run": False, "if_save_latest": False, "if_save_every_weights": True, "log_interval": 1, "seed": 7}
    ours |= {"gpu_numbers": "", "learning_rate": 0.0001}
    assert ours.items() <= settings["train"].items()
    assert settings["train"]["pretrained_s2D"].endswith("v2Pro/s2Dv2Pro.pth")
    assert settings["data"]["exp_dir"] == settings["s2_ckpt_dir"] == f"{tmp_path}/features"
    assert settings["save_weight_dir"] == f"{tmp_path}/weights/sovits"
    assert (settings["name"], settings["version"], settings["model"]["version"]) == ("voice", "v2Pro", "v2Pro")
    assert settings["model"]["gin_channels"] == 1024


def test_v3_and_v4_train_an_adapter_with_a_script_of_their_own(trainer, tmp_path):
    work = prepared(trainer, tmp_path, version="v4", sovits=SovitsStage(epochs=2, save_every=1, lora_rank=64))
    command = trainer.start(work, VoiceStep.SOVITS)
    settings = json.loads((tmp_path / "s2.json").read_text())

    assert command.argv[2] == "GPT_SoVITS/s2_train_v3_lora.py"
    assert (settings["train"]["lora_rank"], settings["train"]["grad_ckpt"]) == (64, False)
    assert settings["train"]["pretrained_s2G"].endswith("gsv-v4-pretrained/s2Gv4.pth")


@pytest.mark.parametrize(("precision", "theirs"), [("float32", "32"), ("float16", "16-mixed")])
def test_the_gpt_settings_are_the_checkouts_own_with_ours_in_them(trainer, tmp_path, precision, theirs):
    stage = GptStage(epochs=4, save_every=2, batch_size=3, dpo=True)
    work = prepared(trainer, tmp_path, gpt=stage, gpus=("0",), precision=precision)
    command = trainer.start(work, VoiceStep.GPT)
    settings = yaml.safe_load((tmp_path / "s1.yaml").read_text(encoding="ascii"))

    assert command.argv[1:] == ("-s", "GPT_SoVITS/s1_train.py", "--config_file", f"{tmp_path}/s1.yaml")
    assert command.pty
    assert command.env["hz"] == "25hz"
    ours: dict[str, object] = {
        "epochs": 4,
        "save_every_n_epoch": 2,
        "batch_size": 3,
        "if_dpo": True,
        "precision": theirs,
    }
    ours |= {"half_weights_save_dir": f"{tmp_path}/weights/gpt", "exp_name": "voice", "if_save_latest": True}
    assert ours.items() <= settings["train"].items()
    assert settings["train_semantic_path"] == f"{tmp_path}/features/6-name2semantic.tsv"
    assert settings["output_dir"] == f"{tmp_path}/features/logs_s1_v2"
    assert settings["model"]["phoneme_vocab_size"] == 732


def test_settings_of_a_folder_with_chinese_letters_are_ascii_all_the_same(trainer, tmp_path):
    work = prepared(trainer, tmp_path / "黛玉 的声音")
    trainer.start(work, VoiceStep.SOVITS)
    trainer.start(work, VoiceStep.GPT)

    assert json.loads((work.folder / "s2.json").read_text(encoding="ascii"))["data"]["exp_dir"].endswith(
        "声音/features"
    )
    assert yaml.safe_load((work.folder / "s1.yaml").read_text(encoding="ascii"))["output_dir"].endswith("logs_s1_v2")


def test_a_checkpoint_is_trusted_only_where_there_is_one_of_our_own(trainer, tmp_path):
    work = prepared(trainer, tmp_path)
    before = trainer.start(work, VoiceStep.GPT).env
    checkpoints = tmp_path / "features/logs_s1_v2/ckpt"
    checkpoints.mkdir(parents=True)
    empty_zip = b"PK\x05\x06" + b"\0" * 18
    (checkpoints / "epoch=0-step=5.ckpt").write_bytes(empty_zip)
    (tmp_path / "weights/gpt/voice-e1.ckpt").write_bytes(empty_zip)

    assert "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD" not in before
    assert trainer.start(work, VoiceStep.GPT).env["TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"] == "1"


def test_a_checkout_without_its_templates_is_named(tmp_path):
    trainer = GptSovits(Checkout(tmp_path / "empty", PYTHON))
    work = training(tmp_path / "run")
    trainer.prepare(work)

    with pytest.raises(MissingArtifactError, match=r"configs/s2\.json"):
        trainer.start(work, VoiceStep.SOVITS)


def test_the_server_gets_a_configuration_of_its_own_each_time(trainer, checkout, tmp_path):
    gpt, sovits = tmp_path / "voice-e2.ckpt", tmp_path / "voice_e2_s50.pth"
    hollow(gpt, 1)
    hollow(sovits, 1)
    own = tmp_path / "serve/tts_infer.yaml"
    own.parent.mkdir()
    own.write_text("custom: {t2s_weights_path: spoilt}")
    serving = VoiceServing(folder=own.parent, version="v2Pro", gpt=gpt, sovits=sovits, gpu="2", port=free_port())
    command = trainer.serve(serving)
    custom = yaml.safe_load(own.read_text(encoding="ascii"))["custom"]

    assert command.argv[1:] == ("-s", "api_v2.py", "-a", "127.0.0.1", "-p", str(serving.port), "-c", str(own))
    assert command.cwd == checkout
    assert command.env["CUDA_VISIBLE_DEVICES"] == "2"
    assert (custom["t2s_weights_path"], custom["vits_weights_path"]) == (str(gpt), str(sovits))
    assert (custom["device"], custom["is_half"], custom["version"]) == ("cuda", True, "v2Pro")


def test_room_for_all_checkpoints_is_more_than_for_the_last(trainer, tmp_path):
    last = trainer.bytes_needed(training(tmp_path, gpt=GptStage(epochs=20, save_every=2)))
    every = trainer.bytes_needed(training(tmp_path, gpt=GptStage(epochs=20, save_every=2), keep_latest_only=False))

    assert 2_000_000_000 < last < every


def test_versions_are_those_of_the_checkout_and_its_python(checkout):
    found = GptSovits(Checkout(checkout, checkout.parent / "environment/bin/python")).versions()

    assert found["torch"] == "2.0+standin"
    assert found["python"].startswith(f"3.{sys.version_info.minor}")
    assert len(found["GPT-SoVITS"]) == 12


def test_a_python_that_does_not_start_is_named_with_its_remedy(checkout, tmp_path):
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho 'broken for good' >&2\nexit 3\n")
    broken.chmod(0o755)

    with pytest.raises(ToolFailedError, match="broken for good") as failure:
        GptSovits(Checkout(checkout, broken)).versions()
    assert "env/bin/python" in failure.value.remedy
