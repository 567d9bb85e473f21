"""Stands for `2-get-hubert-wav32k.py`: silent, and keeps by name what it has done before."""

from __future__ import annotations

import os
import traceback
import wave

import numpy as np
from feature_extractor import cnhubert  # type: ignore[import-not-found]  # lies there in the checkout
from tools.my_utils import clean_path, load_audio  # type: ignore[import-not-found]

from faults import misfortune, my_save, say  # type: ignore[import-not-found]


def main() -> None:
    """Write `4-cnhubert/*.pt` and `5-wav32k/*`."""
    env = os.environ
    opt_dir = env["opt_dir"]
    os.makedirs(f"{opt_dir}/4-cnhubert", exist_ok=True)
    os.makedirs(f"{opt_dir}/5-wav32k", exist_ok=True)
    cnhubert.cnhubert_base_path = env.get("cnhubert_base_dir")
    cnhubert.get_model()
    with open(env["inp_text"], encoding="utf8") as file:
        lines = file.read().strip("\n").split("\n")
    for number, line in enumerate(lines[int(env["i_part"]) :: int(env["all_parts"])]):
        misfortune("2-get-hubert-wav32k", number)
        try:
            wav, _speaker, _language, _text = line.split("|")
            path = clean_path(wav)
            name = os.path.basename(path)
            _one(name, f"{env['inp_wav_dir']}/{name}" if env.get("inp_wav_dir") else path, opt_dir)
        except Exception:  # as upstream does it
            say(f"{line} {traceback.format_exc()}")


def _one(name: str, path: str, opt_dir: str) -> None:
    place = f"{opt_dir}/4-cnhubert/{name}.pt"
    if os.path.exists(place):
        return
    sound = load_audio(path, 32_000)
    loudest = np.abs(sound).max()
    if loudest > 2.2:
        say(f"{name}-filtered,{loudest}")
        return
    with wave.open(f"{opt_dir}/5-wav32k/{name}", "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(32_000)
        file.writeframes((sound / loudest * 0.9 * 32767).astype("<i2").tobytes())
    my_save({"frames": len(sound) // 640}, place, os.environ["i_part"])


if __name__ == "__main__":
    main()
