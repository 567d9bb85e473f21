"""The server of a voice, `api_v2`: started with a configuration of our own, for it writes into the one it is given.

It has that file say what is loaded, also where loading failed, and takes it for granted at its next start: the file is
therefore written anew each time, and what it names is looked for before.
"""

from __future__ import annotations

import socket
from typing import Any

import yaml

from core.backends.tools.gpt_sovits.checkout import HUBERT, ROBERTA, pretrained_gpt, pretrained_sovits
from core.backends.tools.gpt_sovits.preparation import environment_of
from core.domain.checkout import Checkout
from core.domain.run import Command
from core.domain.voice_training import VoiceServing
from core.errors import ConflictError, MissingArtifactError
from core.jobs.whole import write_whole
from core.translation import N_

ADDRESS = "127.0.0.1"
"""The server asks nobody who he is: it listens to this machine only."""
CONFIG = "tts_infer.yaml"
_TEMPLATE = f"GPT_SoVITS/configs/{CONFIG}"


def command(checkout: Checkout, serving: VoiceServing) -> Command:
    """Write the configuration and return the program; MissingArtifactError without weights, ConflictError on a port."""
    weights = {
        "t2s_weights_path": serving.gpt or checkout.folder / pretrained_gpt(serving.version),
        "vits_weights_path": serving.sovits or checkout.folder / pretrained_sovits(serving.version),
    }
    for file in weights.values():
        if not file.is_file():
            raise MissingArtifactError(
                N_("The weights {file} are not there; the server would speak with another voice."),
                remedy=N_("Choose another checkpoint, or look at the check of the checkout."),
                file=file.name,
            )
    if _taken(serving.port):
        raise ConflictError(
            N_("Something listens on port {port} already."),
            remedy=N_("Choose another port, or stop what listens there."),
            port=serving.port,
        )
    served: dict[str, Any] = {
        "version": serving.version,
        "device": "cuda" if serving.device == "gpu" else "cpu",
        "is_half": serving.device == "gpu" and serving.precision == "float16",
        "bert_base_path": str(checkout.folder / ROBERTA),
        "cnhuhbert_base_path": str(checkout.folder / HUBERT),  # its own spelling
        **{name: str(file) for name, file in weights.items()},
    }
    template = checkout.folder / _TEMPLATE
    settings = yaml.safe_load(template.read_text(encoding="utf-8")) if template.is_file() else {}
    serving.folder.mkdir(parents=True, exist_ok=True)
    write_whole(serving.folder / CONFIG, yaml.safe_dump({**settings, "custom": served}))
    environment = {**environment_of(checkout, serving.version), "CUDA_VISIBLE_DEVICES": serving.gpu}
    where = ("-a", ADDRESS, "-p", str(serving.port), "-c", str(serving.folder / CONFIG))
    return Command((str(checkout.python), "-s", "api_v2.py", *where), checkout.folder, environment)


def _taken(port: int) -> bool:
    with socket.socket() as tried:
        tried.settimeout(1)
        return tried.connect_ex((ADDRESS, port)) == 0
