"""Stands for `3-get-semantic.py`: leaves out, without a word, what has no features."""

from __future__ import annotations

import json
import os
import sys
import traceback

env = os.environ
if not os.path.exists(env["pretrained_s2G"]):
    raise FileNotFoundError(env["pretrained_s2G"])
sys.path.append(os.getcwd())
import utils  # type: ignore[import-not-found]
from faults import misfortune, say, unpacked  # type: ignore[import-not-found]
from tools.my_utils import clean_path  # type: ignore[import-not-found]


def main() -> None:
    """Write `6-name2semantic-{part}.tsv`, unless it is there already."""
    opt_dir, part = env["opt_dir"], env["i_part"]
    place = f"{opt_dir}/6-name2semantic-{part}.tsv"
    if os.path.exists(place):
        return
    with open(env["s2config_path"], encoding="utf8") as file:
        utils.required(json.load(file), "data.filter_length", "train.segment_size", "model.gin_channels")
    say("<All keys matched successfully>")
    with open(env["inp_text"], encoding="utf8") as file:
        lines = file.read().strip("\n").split("\n")
    done: list[str] = []
    for line in lines[int(part) :: int(env["all_parts"])]:
        misfortune("3-get-semantic", len(done))
        try:
            wav, _speaker, _language, _text = line.split("|")
            name = os.path.basename(clean_path(wav))
            if os.path.exists(f"{opt_dir}/4-cnhubert/{name}.pt"):
                frames = unpacked(f"{opt_dir}/4-cnhubert/{name}.pt")["frames"] // 2
                done.append(f"{name}\t{' '.join(str(token * 7 % 1024) for token in range(frames))}")
        except Exception:  # as upstream does it
            say(f"{line} {traceback.format_exc()}")
    with open(place, "w", encoding="utf8") as file:
        file.write("\n".join(done))


if __name__ == "__main__":
    main()
