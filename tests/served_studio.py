"""A workspace with the little book, its lines and a dataset version, and a chat server beside it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core import settings as reading
from core.services import Services, open_services, seed
from core.settings import CONFIGS, Settings
from tests.browser.little_book import LITTLE_BOOK
from tests.contract.openai_server import OpenAIServer


@contextmanager
def served_studio(
    folder: Path, reply: str, *, samples: bool = False, held_out_share: float = 0.1
) -> Iterator[tuple[Services, OpenAIServer]]:
    """Open the services of a new workspace whose chat server always says `reply`; `samples`: the shipped texts too."""
    with OpenAIServer(reply) as server, pytest.MonkeyPatch.context() as monkeypatch:
        configs = folder / "configs"
        shutil.copytree(CONFIGS, configs)
        (configs / "chat.yaml").write_text(
            f"endpoint_url: {server.base_url}\nendpoint_model: bamboo\n", encoding="utf-8"
        )
        monkeypatch.setattr(reading, "CONFIGS", configs)
        monkeypatch.setenv("OPENAI_API_KEY", "nothing")
        services = open_services(Settings(workspace=folder / "workspace"))
        if samples:
            seed(services)
        book = folder / "竹外集.txt"
        book.write_text(LITTLE_BOOK, encoding="utf-8")
        with book.open("rb") as stream:
            uploads = services.receive_texts(stream, book.name)
        steps: dict[str, dict[str, object]] = {
            "corpus": {"uploads": uploads},
            "dialogues": {},
            "dataset": {"name": "first", "held_out_share": held_out_share},
        }
        for kind, values in steps.items():
            services.execution.here(kind, services.settings.persona, values, who="test")
        yield services, server
        services.close()
