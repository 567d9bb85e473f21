"""Stands for `s1_train.py`: GPT. It shows its progress to a terminal only, and a SIGTERM ends it with code 0."""

from __future__ import annotations

import argparse
import math
import os
import re
import signal
import sys
import time
from typing import Any

import utils  # type: ignore[import-not-found]  # lies beside it in the checkout
import yaml
from faults import behaviour, misfortune, my_save, packed, say, unpacked  # type: ignore[import-not-found]
from process_ckpt import i18n  # type: ignore[import-not-found]

NAMES = (
    *("train.epochs", "train.batch_size", "train.precision", "train.seed", "train.if_dpo", "train.save_every_n_epoch"),
    *("train.if_save_every_weights", "train.if_save_latest", "train.half_weights_save_dir", "train.exp_name"),
    *("pretrained_s1", "train_semantic_path", "train_phoneme_path", "output_dir", "data.max_sec"),
)


def main() -> None:
    """Train as the settings say."""
    parser = argparse.ArgumentParser()
    parser.add_argument("-c", "--config_file", default="configs/s1longer.yaml")
    with open(parser.parse_args().config_file) as file:
        config = utils.required(yaml.safe_load(file), *NAMES)
    if str(config["train.precision"]) not in ("32", "16-mixed"):
        raise ValueError(f"Precision {config['train.precision']!r} is invalid.")
    ckpt_dir = f"{config['output_dir']}/ckpt"
    os.makedirs(ckpt_dir, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if not os.path.exists(config["pretrained_s1"]):
        raise FileNotFoundError(config["pretrained_s1"])
    batches = math.ceil(len(_items(config)) / config["train.batch_size"])
    newest = max(os.listdir(ckpt_dir), key=_numbers, default=None)
    say(f"ckpt_path: {f'{ckpt_dir}/{newest}' if newest else None}")
    first = _resumed(f"{ckpt_dir}/{newest}") if newest else 0
    if first >= config["train.epochs"]:
        say(f"`Trainer.fit` stopped: `max_epochs={config['train.epochs']}` reached.")
        return
    for epoch in range(first, config["train.epochs"]):
        _epoch(config, epoch, batches)
        if (epoch + 1) % config["train.save_every_n_epoch"] == 0:
            _save(config, ckpt_dir, epoch, batches)
    say(i18n(f"`Trainer.fit` stopped: `max_epochs={config['train.epochs']}` reached."))


def _items(config: dict[str, Any]) -> list[str]:
    with open(config["train_phoneme_path"], encoding="utf8") as file:
        rows = [line.split("\t") for line in file.read().strip("\n").split("\n")]
    phones = {row[0]: row[1].split(" ") for row in rows if len(row) == 4}
    with open(config["train_semantic_path"], encoding="utf8") as file:
        pairs = [line.split("\t") for line in file.read().strip("\n").split("\n")[1:]]  # the first line is the header
    rate = int(os.environ.get("hz", "25hz")[:-2])
    kept, odd = [], 0
    for name, tokens in pairs:
        seconds = len(tokens.split(" ")) / rate
        if name not in phones:
            say(f'Warning: File "{name}" not in self.phoneme_data! Skipped. ')
        elif seconds > config["data.max_sec"] or not 3 <= len(phones[name]) / seconds <= 25:
            odd += 1
        else:
            kept.append(name)
    say(f"semantic_data_len: {len(pairs)}\nphoneme_data_len: {len(phones)}")
    if odd:
        say(f"deleted {odd} audios who's phoneme/sec are bigger than 25 or smaller than 3")
    return kept * max(2, 100 // len(kept)) if len(kept) < 100 else kept


def _resumed(checkpoint: str) -> int:
    if os.environ.get("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD") != "1":
        raise RuntimeError("Weights only load failed. This file can still be loaded, at your own risk.")
    return int(unpacked(checkpoint)["epoch"]) + 1


def _epoch(config: dict[str, Any], epoch: int, batches: int) -> None:
    last = config["train.epochs"] - 1
    for batch in range(batches):
        misfortune("s1_train", epoch * batches + batch)
        time.sleep(behaviour("s1_step_seconds", 0.0))
        if sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb":
            loss = 500 / (1 + (epoch * batches + batch) / 20)
            told = f"total_loss_step: {loss:.3f} lr: 0.002 top_3_acc_step: 0.{30 + epoch}"
            say(
                f"\r\x1b[2KEpoch {epoch}/{last} \x1b[35m━━━━━━\x1b[0m {batch + 1}/{batches} 0:00:01 • 0:00:04 {told}",
                "",
            )
    say("" if not sys.stdout.isatty() else "\n", "")


def _save(config: dict[str, Any], ckpt_dir: str, epoch: int, batches: int) -> None:
    before = os.listdir(ckpt_dir)
    with open(f"{ckpt_dir}/epoch={epoch}-step={(epoch + 1) * batches // 4}.ckpt", "wb") as file:
        file.write(packed({"epoch": epoch}))
    if config["train.if_save_latest"]:
        for name in before:
            os.remove(f"{ckpt_dir}/{name}")
    misfortune("s1_train between checkpoint and weights", epoch)
    if config["train.if_save_every_weights"]:
        name = f"{config['train.exp_name']}-e{epoch + 1}.ckpt"
        my_save({"epoch": epoch + 1}, f"{config['train.half_weights_save_dir']}/{name}")


def _numbers(name: str) -> tuple[int, int]:
    found = re.match(r"epoch=(\d+)-step=(\d+)\.ckpt", name)
    return (int(found[1]), int(found[2])) if found else (-1, -1)


if __name__ == "__main__":
    main()
