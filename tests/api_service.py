"""A workspace with a few lines of 沈青's, and the service for other clients on a free port of this machine."""

from __future__ import annotations

import asyncio
import shutil
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import httpx
import openai
import pytest
import uvicorn

from core import settings as reading
from core.api.app import create_app
from core.backends.llm import CHAT_MODELS, ChatModel, ModelSource
from core.backends.rows import Row
from core.backends.tts import VOICES, Voice, VoiceSource
from core.services import Services, open_services
from core.settings import CONFIGS, ApiSettings, Settings
from tests.conftest import persona_a_qing

KEY = "a-key-of-a-reader"
STORY = """第一回　竹下听琴
陆远走进院来，笑道：“今日琴声倒好。”沈青道：“不过胡乱弹罢了，你又来笑我。”
陆远忙道：“我何曾笑你？”沈青冷笑道：“你不笑，难道风在笑么？”
"""


@contextmanager
def studio_of_a_qing(
    folder: Path, *, migrated: Path, api: ApiSettings, configs: Mapping[str, str]
) -> Iterator[Services]:
    """Open the services of a new workspace; `configs` are files of configs/ by name, written anew."""
    workspace = folder / "workspace"
    workspace.mkdir()
    shutil.copyfile(migrated, workspace / "store.db")
    shutil.copytree(CONFIGS, folder / "configs")
    for name, content in configs.items():
        (folder / "configs" / name).write_text(content, encoding="utf-8")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(reading, "CONFIGS", folder / "configs")
        studio = open_services(Settings(workspace=workspace, persona="a-qing", api=api))
        try:
            studio.store.personas.put(persona_a_qing())
            _told(studio, folder / "story.txt")
            yield studio
        finally:
            studio.close()


def _told(studio: Services, file: Path) -> None:
    file.write_text(STORY, encoding="utf-8")
    with file.open("rb") as stream:
        uploads = studio.receive_texts(stream, file.name)
    studio.execution.here("corpus", "a-qing", {"uploads": uploads}, who="test")
    studio.execution.here("dialogues", "a-qing", {}, who="test")


def answers_with(monkeypatch: pytest.MonkeyPatch, model: ChatModel) -> None:
    """Let a double answer in the place of her own lines."""
    row: Row[ModelSource, ChatModel] = Row("retrieval", "A double.", lambda _source: model)
    monkeypatch.setitem(cast(dict[str, Any], CHAT_MODELS), "retrieval", row)


def speaks_with(monkeypatch: pytest.MonkeyPatch, voice: Voice) -> None:
    """Let a double speak in the place of the built-in voice."""
    row: Row[VoiceSource, Voice] = Row("formant", "A double.", lambda _source: voice)
    monkeypatch.setitem(cast(dict[str, Any], VOICES), "formant", row)


@dataclass
class Service:
    """The service in a thread of this process; `with` starts and ends it."""

    studio: Services
    keys: tuple[str, ...] = ()
    _door: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0), backlog=256))
    _loop: asyncio.AbstractEventLoop | None = None

    def __post_init__(self) -> None:
        config = uvicorn.Config(
            create_app(self.studio, keys=self.keys), log_config=None, ws="none", timeout_graceful_shutdown=5
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=asyncio.run, args=(self._serve(),), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._door.getsockname()[1]}"

    def client(self, key: str = KEY) -> openai.OpenAI:
        return openai.OpenAI(base_url=f"{self.url}/v1", api_key=key, max_retries=0, timeout=60)

    def http(self) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.keys[0]}"} if self.keys else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60)

    def tasks(self) -> int:
        """How many tasks its event loop has."""
        assert self._loop is not None
        return len(asyncio.all_tasks(self._loop))

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        await self._server.serve(sockets=[self._door])

    def __enter__(self) -> Service:
        self._thread.start()
        until(lambda: self._server.started)
        return self

    def __exit__(self, *_raised: object) -> None:
        self._server.should_exit = True
        self._thread.join(20)
        self._door.close()


def until(so: Any, seconds: float = 20) -> bool:
    """Wait for something that will be so soon; whether it was."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if so():
            return True
        time.sleep(0.01)
    return bool(so())
