"""The list of clips, and the four scripts that make of it what is trained on: texts, features, speakers, tokens.

Each script does a share of the lines, prints what fails and ends well all the same; what it has done before it knows
by the clip's name. So the names decide here: which of them came out, and which did not.
"""

from __future__ import annotations

import unicodedata
import wave
import zipfile
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

from core.backends.tools import StepOutcome, VoiceStep
from core.backends.tools.gpt_sovits.checkout import (
    HUBERT,
    ROBERTA,
    SPEAKER_MODEL,
    pretrained_sovits,
    python_path,
    search_path,
)
from core.domain.checkout import Checkout
from core.domain.run import Command
from core.domain.voice_training import PRO, TrainingClip, VoiceTraining, VoiceVersion
from core.errors import InvalidInputError
from core.jobs.whole import write_whole
from core.translation import N_

LIST, FEATURES = "clips.list", "features"
SOVITS_WEIGHTS, GPT_WEIGHTS = "weights/sovits", "weights/gpt"
LANGUAGES = ("zh", "ja", "en", "ko", "yue")
SHORTEST, LONGEST = 0.6, 54.0
"""Seconds; the SoVITS stage leaves out, without a word, what is not between them."""
SCRIPTS = {
    VoiceStep.TEXT: "GPT_SoVITS/prepare_datasets/1-get-text.py",
    VoiceStep.FEATURES: "GPT_SoVITS/prepare_datasets/2-get-hubert-wav32k.py",
    VoiceStep.SPEAKER: "GPT_SoVITS/prepare_datasets/2-get-sv.py",
    VoiceStep.SEMANTIC: "GPT_SoVITS/prepare_datasets/3-get-semantic.py",
}
_PARTS = {VoiceStep.TEXT: "2-name2text-{}.txt", VoiceStep.SEMANTIC: "6-name2semantic-{}.tsv"}
_FOLDERS = {VoiceStep.TEXT: "3-bert", VoiceStep.FEATURES: "4-cnhubert", VoiceStep.SPEAKER: "7-sv_cn"}
TEXTS, TOKENS = "2-name2text.txt", "6-name2semantic.tsv"
_TOKENS_HEADER = "item_name\tsemantic_audio\n"
_BREAKS = frozenset({"Cc", "Cs", "Zl", "Zp"})


def write_list(work: VoiceTraining) -> StepOutcome:
    """Write the list and make the folders; what is too short or too long is left out."""
    if len({clip.wav.name for clip in work.clips}) < len(work.clips):
        raise InvalidInputError(
            N_("Two clips have files of the same name; GPT-SoVITS tells clips apart by their names alone."),
            remedy=N_("Name the files by their content."),
        )
    kept = [clip for clip in work.clips if SHORTEST < _seconds(clip) < LONGEST]
    if not kept:
        raise InvalidInputError(
            N_("None of the {count} clips can be trained on: they must be {shortest} to {longest:g} seconds long."),
            remedy=N_("Cut the recordings into clips of 3 to 10 seconds."),
            count=len(work.clips),
            shortest=SHORTEST,
            longest=LONGEST,
        )
    text = "".join(_line(clip) for clip in kept)
    for folder in (FEATURES, SOVITS_WEIGHTS, GPT_WEIGHTS):
        (work.folder / folder).mkdir(parents=True, exist_ok=True)
    write_whole(work.folder / LIST, text)
    left_out = tuple(clip.wav.name for clip in work.clips if clip not in kept)
    return StepOutcome(len(kept), left_out)


def names(work: VoiceTraining) -> list[str]:
    """Return the names of the listed clips, in order."""
    return _listed(work.folder)


def _listed(folder: Path) -> list[str]:
    lines = (folder / LIST).read_text(encoding="utf-8").splitlines()
    return [Path(line.split("|")[0]).name for line in lines]


def command(checkout: Checkout, work: VoiceTraining, step: VoiceStep, part: int) -> Command:
    """Return the program that does a part."""
    folder, version = checkout.folder, work.recipe.version
    environment = {
        **environment_of(checkout, version),
        "is_half": str(work.recipe.precision == "float16"),
        "inp_text": str(work.folder / LIST),
        "inp_wav_dir": "",
        "exp_name": work.name,
        "opt_dir": str(work.folder / FEATURES),
        "i_part": str(part),
        "all_parts": str(parts(work)),
        "_CUDA_VISIBLE_DEVICES": work.gpus[part] if work.gpus else "",
        "bert_pretrained_dir": str(folder / ROBERTA),
        "cnhubert_base_dir": str(folder / HUBERT),
        "sv_path": str(folder / SPEAKER_MODEL),
        "pretrained_s2G": str(folder / pretrained_sovits(version)),
        "s2config_path": str(folder / sovits_template(version)),
    }
    return Command((str(checkout.python), "-s", SCRIPTS[step]), folder, environment)


def environment_of(checkout: Checkout, version: VoiceVersion) -> dict[str, str]:
    """Return what every program of the checkout needs; nothing is fetched while it runs."""
    return {
        "PATH": search_path(checkout.python),
        "PYTHONPATH": python_path(checkout.folder),
        "PYTHONUNBUFFERED": "1",
        "HF_HUB_OFFLINE": "1",
        "version": version,
        "bert_path": str(checkout.folder / ROBERTA),
    }


def sovits_template(version: VoiceVersion) -> str:
    """Return the place of the settings that the SoVITS stage begins with."""
    own = version if version in PRO else ""
    return f"GPT_SoVITS/configs/s2{own}.json"


def parts(work: VoiceTraining) -> int:
    """One program for each GPU."""
    return max(1, len(work.gpus))


def clear(work: VoiceTraining, step: VoiceStep, part: int) -> None:
    """Remove a share that an earlier attempt wrote, right or wrong, and files of its clips that broke off."""
    features = work.folder / FEATURES
    if step in _PARTS:
        for old in features.glob(_PARTS[step].format("*")):
            number = old.stem.rpartition("-")[2]
            if number == str(part) or int(number) >= parts(work):
                old.unlink()
    if step in _FOLDERS:
        for name in names(work)[part :: parts(work)]:
            file = features / _FOLDERS[step] / f"{name}.pt"
            if file.exists() and not zipfile.is_zipfile(file):
                file.unlink()


def outcome(work: VoiceTraining, step: VoiceStep) -> StepOutcome:
    """Join the parts, and return which clips came out."""
    listed = names(work)
    done = _done(work, step, listed)
    lost = tuple(name for name in listed if name not in done)
    return StepOutcome(len(listed) - len(lost), lost)


def fraction(work: VoiceTraining, step: VoiceStep) -> float | None:
    """Return the share of files that are there; None for a step that does not write one for each clip."""
    if step not in (VoiceStep.FEATURES, VoiceStep.SPEAKER):
        return None
    folder, listed = work.folder / FEATURES / _FOLDERS[step], names(work)
    there = sum((folder / f"{name}.pt").exists() for name in listed)
    return there / len(listed)


def share_named(work: VoiceTraining, line: str) -> float | None:
    """Return how far the texts are when a line of the output is a clip's name; they are done in order."""
    shares = _shares(work.folder, (work.folder / LIST).stat().st_mtime_ns)
    return shares.get(line.strip())


@lru_cache(maxsize=8)
def _shares(folder: Path, written: int) -> Mapping[str, float]:
    """Name -> share of the list up to it; asked at every line of an output, read once for each list."""
    listed = _listed(folder)
    return {name: number / len(listed) for number, name in enumerate(listed, start=1)}


def _done(work: VoiceTraining, step: VoiceStep, listed: Iterable[str]) -> set[str]:
    features = work.folder / FEATURES
    if step is VoiceStep.TEXT:
        return _joined(work, step, features / TEXTS, columns=4)
    if step is VoiceStep.SEMANTIC:
        return _joined(work, step, features / TOKENS, columns=2, header=_TOKENS_HEADER)
    done = {name for name in listed if zipfile.is_zipfile(features / _FOLDERS[step] / f"{name}.pt")}
    if step is VoiceStep.FEATURES:
        done = {name for name in done if (features / "5-wav32k" / name).is_file()}
    return done


def _joined(work: VoiceTraining, step: VoiceStep, target: Path, *, columns: int, header: str = "") -> set[str]:
    rows = []
    for part in range(parts(work)):
        file = work.folder / FEATURES / _PARTS[step].format(part)
        lines = file.read_text(encoding="utf-8").split("\n") if file.is_file() else []
        rows += [line for line in lines if line.count("\t") == columns - 1]
    write_whole(target, header + "".join(f"{row}\n" for row in rows))
    return {row.split("\t")[0] for row in rows}


def _line(clip: TrainingClip) -> str:
    cells = (str(clip.wav), clip.speaker, clip.language, clip.text)
    broken = any(sign == "|" or unicodedata.category(sign) in _BREAKS for cell in cells for sign in cell)
    if broken or not all(cell.strip() for cell in cells):
        raise InvalidInputError(
            N_("The clip {clip} cannot be listed: its path, speaker or words are empty or hold | or a line break."),
            remedy=N_("Write its words as one line without |, or reject the clip."),
            clip=clip.wav.name,
        )
    if clip.language not in LANGUAGES:
        raise InvalidInputError(
            N_("GPT-SoVITS does not know the language {language} of the clip {clip}."),
            remedy=N_("Choose one of: {known}."),
            language=clip.language,
            clip=clip.wav.name,
            known=", ".join(LANGUAGES),
        )
    return "|".join(cells) + "\n"


def _seconds(clip: TrainingClip) -> float:
    try:
        with wave.open(str(clip.wav)) as file:
            return float(file.getnframes() / file.getframerate())
    except (OSError, EOFError, wave.Error) as error:
        raise InvalidInputError(
            N_("The clip {clip} cannot be read as a wav: {problem}"),
            remedy=N_("Freeze the clip set again; its files are made anew."),
            clip=clip.wav.name,
            problem=str(error) or type(error).__name__,
        ) from None
