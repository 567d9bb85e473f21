"""Stands for `1-get-text.py`: whatever fails is printed, and the exit code is 0."""

from __future__ import annotations

import os
import traceback

from text.cleaner import clean_text  # type: ignore[import-not-found]  # lies there in the checkout
from tools.my_utils import clean_path  # type: ignore[import-not-found]

from faults import misfortune, my_save, say  # type: ignore[import-not-found]

LANGUAGES = {"ZH": "zh", "zh": "zh", "JA": "ja", "ja": "ja", "EN": "en", "en": "en", "ko": "ko", "yue": "yue"}


def main() -> None:
    """Write `2-name2text-{part}.txt`, unless it is there already."""
    env = os.environ
    opt_dir, part = env["opt_dir"], env["i_part"]
    place = f"{opt_dir}/2-name2text-{part}.txt"
    if os.path.exists(place):
        return
    os.makedirs(f"{opt_dir}/3-bert", exist_ok=True)
    bert = env["bert_pretrained_dir"]
    if not os.path.exists(bert):
        raise FileNotFoundError(bert)
    if not os.path.exists(f"{bert}/pytorch_model.bin"):
        raise OSError(f"Error no file named pytorch_model.bin found in directory {bert}.")
    done: list[str] = []
    with open(env["inp_text"], encoding="utf8") as file:
        lines = file.read().strip("\n").split("\n")
    for line in lines[int(part) :: int(env["all_parts"])]:
        misfortune("1-get-text", len(done))
        try:
            wav, _speaker, language, text = line.split("|")
            if language not in LANGUAGES:
                say(f"\033[33m[Waring] The language = {language!r} of {wav} is not supported for training.\033[0m")
                continue
            done.append(_one(os.path.basename(clean_path(wav)), text, LANGUAGES[language], f"{opt_dir}/3-bert", part))
        except Exception:  # as upstream does it
            say(f"{line} {traceback.format_exc()}")
    with open(place, "w", encoding="utf8") as file:
        file.write("\n".join(done) + "\n")


def _one(name: str, text: str, language: str, bert_dir: str, part: str) -> str:
    say(name)
    phones, word2ph, norm = clean_text(text, language, os.environ.get("version"))
    if language == "zh" and not os.path.exists(f"{bert_dir}/{name}.pt"):
        my_save({"phones": len(phones)}, f"{bert_dir}/{name}.pt", part)
    return f"{name}\t{' '.join(phones)}\t{word2ph}\t{norm}"


if __name__ == "__main__":
    main()
