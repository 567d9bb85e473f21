"""Stands for `TTS_infer_pack/TTS.py`: hums instead of speaking, and fails as upstream fails."""

from __future__ import annotations

import hashlib
import os
import re
import time
import wave
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import numpy as np
import yaml
from faults import behaviour, say, unpacked  # type: ignore[import-not-found]  # on the path of api_v2
from numpy.typing import NDArray
from process_ckpt import VERSIONS  # type: ignore[import-not-found]

Samples = NDArray[np.int16]
PRETRAINED = "GPT_SoVITS/pretrained_models"
V2 = f"{PRETRAINED}/gsv-v2final-pretrained"
DEFAULTS = {
    "v2": (f"{V2}/s1bert25hz-5kh-longer-epoch=12-step=369668.ckpt", f"{V2}/s2G2333k.pth"),
    "v3": (f"{PRETRAINED}/s1v3.ckpt", f"{PRETRAINED}/s2Gv3.pth"),
    "v4": (f"{PRETRAINED}/s1v3.ckpt", f"{PRETRAINED}/gsv-v4-pretrained/s2Gv4.pth"),
    "v2Pro": (f"{PRETRAINED}/s1v3.ckpt", f"{PRETRAINED}/v2Pro/s2Gv2Pro.pth"),
    "v2ProPlus": (f"{PRETRAINED}/s1v3.ckpt", f"{PRETRAINED}/v2Pro/s2Gv2ProPlus.pth"),
}
LANGUAGES = ("auto", "auto_yue", "en", "zh", "ja", "yue", "ko", "all_zh", "all_ja", "all_yue", "all_ko")
RATES = {"v3": 24_000, "v4": 48_000}


class Config:
    """What is loaded, kept in a YAML file that is written again at each change."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.all: dict[str, Any] = {
            version: {"version": version, "t2s_weights_path": gpt, "vits_weights_path": sovits}
            for version, (gpt, sovits) in DEFAULTS.items()
        }
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                self.all.update(yaml.safe_load(file))
        self.custom = deepcopy(self.all.get("custom", self.all["v2"]))
        self.version = self.custom["version"]
        for name in ("t2s_weights_path", "vits_weights_path"):
            if not self.custom.get(name) or not os.path.exists(self.custom[name]):
                self.custom[name] = self.all[self.version][name]
                say(f"fall back to default {name}: {self.custom[name]}")

    def save(self) -> None:
        with open(self.path, "w", encoding="utf-8") as file:
            yaml.safe_dump({**self.all, "custom": self.custom}, file)


def _compute(seconds: float) -> None:
    """Load for so long: the processor is at work, and nobody is answered meanwhile."""
    over = time.monotonic() + seconds
    while time.monotonic() < over:
        sum(range(10_000))


class Pipeline:
    """Loads weights and hums."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.loaded: dict[str, bytes] = {}
        self.reference: tuple[str, bytes] | None = None
        _compute(behaviour("load_seconds", 0.0))
        self.init_t2s_weights(config.custom["t2s_weights_path"])
        self.init_vits_weights(config.custom["vits_weights_path"])
        for name in ("bert_base_path", "cnhuhbert_base_path"):
            if not os.path.exists(f"{config.custom[name]}/pytorch_model.bin"):
                raise OSError(f"Error no file named pytorch_model.bin found in directory {config.custom[name]}.")

    def init_t2s_weights(self, path: str) -> None:
        """Load GPT weights; the file that is not there stands in the YAML already."""
        say(f"Loading Text2Semantic weights from {path}")
        self.config.custom["t2s_weights_path"] = path
        self.config.save()
        _compute(behaviour("switch_seconds", 0.0))
        self.loaded["gpt"] = _content(path)

    def init_vits_weights(self, path: str) -> None:
        """Load SoVITS weights."""
        self.config.custom["vits_weights_path"] = path
        with open(path, "rb") as file:
            head = file.read(2)
        version = VERSIONS.get(head) or next((name for name, pair in DEFAULTS.items() if pair[1] in path), "v2")
        if "Pro" in version:
            _content(f"{PRETRAINED}/sv/pretrained_eres2netv2w24s4ep4.ckpt")
        if version == "v4":
            _content(f"{PRETRAINED}/gsv-v4-pretrained/vocoder.pth")
        if version in RATES and not os.path.exists(DEFAULTS[version][1]):
            raise FileNotFoundError(f"{DEFAULTS[version][1]}: base weights of SoVITS {version} are missing")
        self.loaded["sovits"] = _content(path)
        say(f"Loading VITS weights from {path}. <All keys matched successfully>")
        self.config.version = version
        self.config.save()

    def set_ref_audio(self, path: str) -> None:
        """Listen to a reference; it is known by its path from then on."""
        with wave.open(path) as file:
            seconds = file.getnframes() / file.getframerate()
            sound = file.readframes(file.getnframes())
        if not 3 <= seconds <= 10:
            raise OSError("参考音频在3~10秒范围外，请更换！")
        self.reference = path, hashlib.sha256(sound).digest()

    def run(self, asked: dict[str, Any]) -> Iterator[tuple[int, Samples]]:
        """Yield rate and samples: of each segment, of each chunk, or of all at once."""
        assert asked["text_lang"] in LANGUAGES
        if asked["prompt_text"]:
            assert asked["prompt_lang"] in LANGUAGES
        elif self.config.version in RATES:
            raise ValueError("prompt_text cannot be empty when using SoVITS_V3")
        path = asked["ref_audio_path"]
        if self.reference is None or self.reference[0] != path:
            if not os.path.exists(path):
                raise ValueError(f"{path} not exists")
            self.set_ref_audio(path)
        _content(f"{PRETRAINED}/fast_langdetect/lid.176.bin")
        try:
            yield from self._takes(asked)
        except Exception as error:
            say(f"Traceback (most recent call last):\n{type(error).__name__}: {error}")
            yield 16_000, np.zeros(16_000, dtype=np.int16)
            raise

    def _takes(self, asked: dict[str, Any]) -> Iterator[tuple[int, Samples]]:
        rate = RATES.get(self.config.version, 32_000)
        segments = [one for one in re.split(r"(?<=[，。；？！,.;?!：:…])", asked["text"]) if re.search(r"\w", one)]
        if not segments:
            yield 16_000, np.zeros(16_000, dtype=np.int16)
            return
        pause = np.zeros(int(rate * asked["fragment_interval"]), dtype=np.int16)
        whole = []
        for number, segment in enumerate(segments):
            if behaviour("tts") == "exception":
                raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")
            sound = self._hum(segment, asked, rate)
            time.sleep(behaviour("tts_seconds", 0.0))
            if asked["streaming"]:
                size = int(rate * asked["min_chunk_length"] / 25)
                yield from ((rate, sound[start : start + size]) for start in range(0, len(sound), size))
                yield rate, pause
            elif asked["by_segment"]:
                yield rate, np.concatenate([sound, pause])
            else:
                whole += [sound, pause]
            if behaviour("tts") == "break" and number == 0:
                raise RuntimeError("broken in the middle")
        if whole:
            yield rate, np.concatenate(whole)

    def _hum(self, segment: str, asked: dict[str, Any], rate: int) -> Samples:
        seed = repr((self.loaded, self.reference, asked["seed"], asked["top_k"], asked["temperature"]))
        height = 150 + int(hashlib.sha256(seed.encode()).hexdigest(), 16) % 2_000_000 / 10_000
        times = np.arange(int(rate * 0.18 / asked["speed_factor"])) / rate
        tones = [height + ord(letter) % 100 for letter in segment if letter.isalnum()]
        return np.concatenate([(9000 * np.sin(2 * np.pi * tone * times)).astype(np.int16) for tone in tones])


def _content(path: str) -> bytes:
    """Return what decides the sound of weights; an error for what are none."""
    if PRETRAINED in path:
        with open(path, "rb"):
            return path.encode()
    return repr(unpacked(path)).encode()
