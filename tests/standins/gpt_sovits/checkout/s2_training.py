"""Stands for what both SoVITS trainers do: a main process that only waits, a trainer below it, loaders below that."""

from __future__ import annotations

import argparse
import glob
import json
import logging
import math
import os
import signal
import subprocess
import sys
import time
from typing import Any

import utils  # type: ignore[import-not-found]  # lies beside it in the checkout
from faults import behaviour, misfortune, my_save, say, unpacked  # type: ignore[import-not-found]
from process_ckpt import savee  # type: ignore[import-not-found]

logging.basicConfig(stream=sys.stdout, level=logging.INFO)
NAMES = (
    *("train.epochs", "train.batch_size", "train.fp16_run", "train.gpu_numbers", "train.seed", "train.learning_rate"),
    *("train.if_save_latest", "train.if_save_every_weights", "train.save_every_epoch", "train.log_interval"),
    *("train.pretrained_s2G", "train.pretrained_s2D", "train.text_low_lr_rate", "train.segment_size"),
    *("model.version", "data.exp_dir", "s2_ckpt_dir", "save_weight_dir", "name"),
)
LATEST = 233333333333


def train(*, adapter: bool) -> None:
    """Do what the settings say, in a process of its own."""
    hps, whole = settings()
    if adapter:
        utils.required(whole, "train.grad_ckpt", "train.lora_rank")
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            Trainer(hps, whole, adapter=adapter).run()
            code = 0
        except BaseException as error:
            logging.getLogger().error("trainer", exc_info=error)
        sys.stdout.flush()
        os._exit(code)
    tracker = subprocess.Popen(["sleep", "60"])
    _, status = os.waitpid(pid, 0)
    tracker.kill()
    if status:
        raise RuntimeError(f"process 0 terminated with {os.waitstatus_to_exitcode(status)}")


def settings() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the values we use and the whole of them; a copy is left where upstream leaves one."""
    parser = argparse.ArgumentParser()
    parser.add_argument("-c", "--config", default="./configs/s2.json")
    with open(parser.parse_args().config) as file:
        text = file.read()
    whole: dict[str, Any] = json.loads(text)
    hps = utils.required(whole, *NAMES)
    os.makedirs(hps["s2_ckpt_dir"], exist_ok=True)
    with open(f"{hps['s2_ckpt_dir']}/config.json", "w") as file:
        file.write(text)
    return hps, whole


class Trainer:
    """The process that trains."""

    def __init__(self, hps: dict[str, Any], whole: dict[str, Any], *, adapter: bool) -> None:
        self.hps, self.version, self.exp = hps, hps["model.version"], hps["data.exp_dir"]
        self.rank = whole["train"]["lora_rank"] if adapter else None
        self.checkpoints = f"{self.exp}/logs_s2_{self.version}" + (f"_lora_{self.rank}" if adapter else "")
        if adapter:
            os.makedirs(self.checkpoints, exist_ok=True)
        self.logger = logging.getLogger(os.path.basename(self.exp))
        book = logging.FileHandler(f"{self.exp}/train.log")
        book.setFormatter(logging.Formatter("%(asctime)s\t%(name)s\t%(levelname)s\t%(message)s"))
        self.logger.addHandler(book)
        self.loaders: list[subprocess.Popen[bytes]] = []

    def run(self) -> None:
        """Train from the last checkpoint, or from the pretrained weights where none loads."""
        self.logger.info({name: value for name, value in self.hps.items() if name.startswith("train.")})
        devices = max(1, len([gpu for gpu in self.hps["train.gpu_numbers"].split("-") if gpu]))
        batches = math.ceil(len(self._clips()) / (self.hps["train.batch_size"] * devices))
        self.loaders = [subprocess.Popen(["sleep", "60"]) for _ in range(5)]
        first = self._resumed()
        say(f"start training from epoch {first}")
        step = (first - 1) * batches
        for epoch in range(first, self.hps["train.epochs"] + 1):
            step = self._epoch(epoch, step, batches)
        say("training done")
        for loader in self.loaders:
            loader.send_signal(signal.SIGKILL)

    def _clips(self) -> list[str]:
        with open(f"{self.exp}/2-name2text.txt", encoding="utf8") as file:
            rows = [line.split("\t") for line in file.read().strip("\n").split("\n")]
        known = {row[0] for row in rows if len(row) == 4}
        known &= {name.removesuffix(".pt") for name in os.listdir(f"{self.exp}/4-cnhubert")}
        known &= set(os.listdir(f"{self.exp}/5-wav32k"))
        if "Pro" in self.version:
            known &= {name.removesuffix(".pt") for name in os.listdir(f"{self.exp}/7-sv_cn")}
        names = sorted(known)
        if len(names) < 100:
            names = names * max(2, 100 // len(names))
        say(f"phoneme_data_len: {len(rows)}\nwav_data_len: {len(names)}")
        fit = [name for name in names if 0.6 < os.path.getsize(f"{self.exp}/5-wav32k/{name}") / 64_000 < 54]
        say(f"skipped_phone:  0 , skipped_dur:  {len(names) - len(fit)}\ntotal left:  {len(fit)}")
        assert len(fit) > 1
        return fit

    def _resumed(self) -> int:
        done = 0
        try:
            for kind in ("G",) if self.rank else ("D", "G"):
                last = sorted(glob.glob(f"{self.checkpoints}/{kind}_*.pth"))[-1]
                done = unpacked(last)["iteration"]
                self.logger.info(f"Loaded checkpoint '{last}' (iteration {done})")
            return int(done) + 1
        except Exception:  # as upstream does it
            for name in ("train.pretrained_s2G",) if self.rank else ("train.pretrained_s2G", "train.pretrained_s2D"):
                if self.hps[name] and os.path.exists(self.hps[name]):
                    self.logger.info("loaded pretrained %s" % self.hps[name])  # noqa: UP031
            return 1

    def _epoch(self, epoch: int, step: int, batches: int) -> int:
        for batch in range(batches):
            misfortune("s2_train", step)
            sys.stderr.write(f"\r{100 * batch // batches:3d}%|          | {batch}/{batches} [00:00<00:00,  9.99it/s]")
            time.sleep(behaviour("s2_step_seconds", 0.0))
            if step % self.hps["train.log_interval"] == 0:
                self.logger.info(f"Train Epoch: {epoch} [{100.0 * batch / batches:.0f}%]")
                self.logger.info([*self._losses(step), step, self.hps["train.learning_rate"]])
            step += 1
        if epoch % self.hps["train.save_every_epoch"] == 0:
            self._save(epoch, step)
        self.logger.info(f"====> Epoch: {epoch}")
        return step

    def _losses(self, step: int) -> list[float]:
        falling = 1 / (1 + step / 20)
        return [falling] if self.rank else [2.5, 2.0 + falling, 3 * falling, 20 + 10 * falling, falling, 1 + falling]

    def _save(self, epoch: int, step: int) -> None:
        number = LATEST if self.hps["train.if_save_latest"] else step
        for kind in ("G",) if self.rank else ("G", "D"):
            place = f"{self.checkpoints}/{kind}_{number}.pth"
            self.logger.info(f"Saving model and optimizer state at iteration {epoch} to {place}")
            my_save({"iteration": epoch}, place)
        misfortune("s2_train between checkpoint and weights", epoch)
        if self.hps["train.if_save_every_weights"]:
            name = f"{self.hps['name']}_e{epoch}_s{step}" + (f"_l{self.rank}" if self.rank else "")
            content = {"epoch": epoch, "version": self.version}
            done = savee(content, name, self.hps["save_weight_dir"], self.version)
            self.logger.info(f"saving ckpt {self.hps['name']}_e{epoch}:{done}")
