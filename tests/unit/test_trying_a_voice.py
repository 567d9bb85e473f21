"""A page that lets a voice speak is not kept waiting by a server that never answers."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from core import chat_services
from core.backends.tts import gpt_sovits
from core.domain.identity import now
from core.domain.training import Model, ModelKind
from core.errors import ToolFailedError
from core.services import open_services
from core.settings import Settings, VoiceToolSettings
from tests.standins.gpt_sovits.world import reference_in


def test_words_that_take_too_long_are_given_up_with_a_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat_services, "_SAY_SECONDS", 0.2)
    monkeypatch.setattr(gpt_sovits, "_BACK_SECONDS", 0.0)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        address = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        services = open_services(Settings(workspace=tmp_path / "ws", voice=VoiceToolSettings(servers=(address,))))
        try:
            services.store.models.add(_voice(tmp_path / "ws", services.settings.persona))

            with pytest.raises(ToolFailedError, match="has not spoken"):
                services.chat.say("voice-1", "你好。")
        finally:
            services.close()


def _voice(workspace: Path, persona: str) -> Model:
    home = workspace / "models/voice-1"
    home.mkdir(parents=True)
    reference_in(home, seconds=4.0).rename(home / "reference-1.wav")
    for name in ("gpt-1.ckpt", "sovits-1.pth"):
        (home / name).write_bytes(b"weights")
    names = {"gpt": "gpt-1.ckpt", "sovits": "sovits-1.pth", "reference": "reference-1.wav"}
    files = {part: {"name": name, "sha256": "a" * 64, "bytes": 7} for part, name in names.items()}
    return Model(
        id="voice-1",
        persona_id=persona,
        kind=ModelKind.VOICE,
        name="竹影",
        run_id=None,
        dataset_version_id=None,
        base="GPT-SoVITS v2",
        folder="models/voice-1",
        created_at=now(),
        manifest={"card": {"version": "v2", "language": "zh", **files}},
    )
