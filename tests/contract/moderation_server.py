"""A loopback server that speaks the OpenAI protocol for moderations, good and bad, for tests."""

from __future__ import annotations

import json
import threading
from typing import Any

from tests.loopback import Handler, Loopback


class ModerationServer(Loopback):
    """Flags texts that hold `word`; `body` is answered instead where it is given, `hang` never answers."""

    def __init__(self, word: str = "毒药", *, status: int = 200, body: str | None = None, hang: bool = False) -> None:
        self.word, self.status, self.body, self.hang = word, status, body, hang
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.keys: list[str] = []
        self.over = threading.Event()
        super().__init__(_Handler)

    def let_go(self) -> None:
        self.over.set()

    def answer(self, text: str) -> str:
        if self.body is not None:
            return self.body
        flagged = self.word in text
        categories = {"harassment": False, "self-harm": flagged, "violence": flagged}
        scores = {name: float(is_so) for name, is_so in categories.items()}
        result = {"flagged": flagged, "categories": categories, "category_scores": scores}
        return json.dumps({"id": "modr-1", "model": "m", "results": [result]})


class _Handler(Handler[ModerationServer]):
    """Answers for the server it was made for."""

    def do_POST(self) -> None:
        double = self.double
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        double.requests.append((self.path, asked))
        double.keys.append(self.headers.get("Authorization", ""))
        if double.hang:
            double.over.wait(30)
            return
        self.send_response(double.status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(double.answer(asked["input"]).encode())
