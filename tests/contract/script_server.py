"""A loopback server that speaks the OpenAI protocol and answers questions for script lines, well and badly.

What it does with a question depends on the question's text and on how often that was asked, never on time.
It keeps book: what was asked, what was delivered whole, how many tokens that was.
Run as a program (`python -m tests.contract.script_server`) it prints its base URL and serves until it is ended.
"""

from __future__ import annotations

import argparse
import json
import re
import select
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tests.loopback import Handler, Loopback

Rows = Sequence[tuple[str, str]]


class Manner(StrEnum):
    """How one question is answered."""

    GOOD = "good"
    FENCED = "fenced"
    """Right, with a code fence and polite words around."""
    HELD = "held"
    """Right, but only once `release` is set."""
    PIPES = "pipes"
    """A column too many."""
    QUOTES = "quotes"
    """A quoted cell that goes on after its end."""
    HEADERLESS = "headerless"
    EMPTY = "empty"
    PROSE = "prose"
    """No table at all."""
    CUT = "cut"
    """A table that was never finished, in a body that is whole."""
    BUSY = "busy"
    """429 with Retry-After."""
    DOWN = "down"
    """500."""
    HALF = "half"
    """The connection closes in the middle of the body."""
    SILENT = "silent"
    """Nothing comes until the client leaves."""
    PAGE = "page"
    """200 and a page of HTML."""
    NULL = "null"
    """200 and a body without choices."""
    KEYLESS = "keyless"
    """401, quoting the key."""
    UNPAID = "unpaid"
    """429 that no waiting cures."""
    UNKNOWN = "unknown"
    """404."""
    TOO_LONG = "too-long"
    """400."""


READABLE = frozenset((Manner.GOOD, Manner.FENCED, Manner.HELD))
UNREADABLE = frozenset((Manner.PIPES, Manner.QUOTES, Manner.HEADERLESS, Manner.EMPTY, Manner.PROSE, Manner.CUT))
"""Delivered whole and paid for, but of no use."""
_STATUS = {
    Manner.BUSY: (429, "rate_limit_exceeded"),
    Manner.DOWN: (500, "server_error"),
    Manner.KEYLESS: (401, "invalid_api_key"),
    Manner.UNPAID: (429, "insufficient_quota"),
    Manner.UNKNOWN: (404, "model_not_found"),
    Manner.TOO_LONG: (400, "context_length_exceeded"),
}
_SAID = re.compile("“([^”]*)”")
_TEXT = re.compile('^"""\n(.*)\n"""$', re.DOTALL)


def quoted_lines(text: str) -> Rows:
    """Return each quotation of a text, said by two people in turn."""
    return [(("沈青", "陆远")[place % 2], words) for place, words in enumerate(_SAID.findall(text))]


@dataclass
class Books:
    """What the server did."""

    asked: Counter[str] = field(default_factory=Counter)
    """Text -> questions."""
    answered: Counter[str] = field(default_factory=Counter)
    """Text -> readable answers that arrived."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    """Of what was delivered whole, readable or not."""
    keys: set[str] = field(default_factory=set)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    most_at_once: int = 0

    def failed(self, text: str) -> int:
        """How many questions about a text brought no readable answer."""
        return self.asked[text] - self.answered[text]


class ScriptServer(Loopback):
    """Answers about each text with `rows(text)`, in the manner `manner(text, nth)`; nth counts from 1."""

    def __init__(
        self,
        rows: Callable[[str], Rows] = quoted_lines,
        manner: Callable[[str, int], Manner] = lambda text, nth: Manner.GOOD,
        *,
        latency: float = 0.0,
        retry_after: str = "0.05",
    ) -> None:
        self.rows, self.manner, self.latency, self.retry_after = rows, manner, latency, retry_after
        self.books = Books()
        self.release = threading.Event()
        self.held = threading.Semaphore(0)
        """Counts questions that are being held."""
        self.lock = threading.Lock()
        self.under_way = 0
        super().__init__(_Handler)

    def let_go(self) -> None:
        self.release.set()


class _Handler(Handler[ScriptServer]):
    """Answers for the server it was made for."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two writes; the second would wait 40 ms for the first

    def do_GET(self) -> None:
        """Tell what was done, for a benchmark in another process."""
        books = self.double.books
        told = {"asked": sum(books.asked.values()), "answered": sum(books.answered.values())}
        told |= {"prompt_tokens": books.prompt_tokens, "completion_tokens": books.completion_tokens}
        self._send(200, "application/json", json.dumps(told).encode())

    def do_POST(self) -> None:
        double = self.double
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        question = body["messages"][-1]["content"]
        whole = _TEXT.match(question)
        text = whole[1] if whole else question
        with double.lock:
            double.under_way += 1
            double.books.most_at_once = max(double.books.most_at_once, double.under_way)
            double.books.asked[text] += 1
            double.books.keys.add(self.headers.get("Authorization", ""))
            double.books.bodies.append(body)
            manner = double.manner(text, double.books.asked[text])
        time.sleep(double.latency)
        try:
            self._answer(manner, text, body)
        except OSError:
            self.close_connection = True  # the client left
        finally:
            with double.lock:
                double.under_way -= 1

    def _answer(self, manner: Manner, text: str, body: dict[str, Any]) -> None:
        if manner is Manner.SILENT:
            self._until_left()
            return
        if manner is Manner.HELD:
            self.double.held.release()
            self.double.release.wait()
        if manner in _STATUS:
            self._refuse(manner)
        elif manner is Manner.PAGE:
            self._send(200, "text/html", b"<html>a proxy's login page</html>")
        elif manner is Manner.NULL:
            self._send(200, "application/json", b'{"id": "c", "object": "chat.completion", "choices": null}')
        else:
            self._deliver(manner, text, body)

    def _deliver(self, manner: Manner, text: str, body: dict[str, Any]) -> None:
        words = _worded(manner, self.double.rows(text))
        prompt = sum(len(one["content"]) for one in body["messages"])
        usage = {"prompt_tokens": prompt, "completion_tokens": len(words), "total_tokens": prompt + len(words)}
        content = _streamed(words, usage) if body.get("stream") else _whole(words, usage)
        if self._has_left():
            self.close_connection = True
            return
        kind = "text/event-stream" if body.get("stream") else "application/json"
        if manner is Manner.HALF:
            self._send(200, kind, content, sent=len(content) // 2)
            return
        with self.double.lock:  # entered before it is sent, so that whoever has it finds it in the books
            self.double.books.prompt_tokens += prompt
            self.double.books.completion_tokens += len(words)
            self.double.books.answered[text] += manner in READABLE
        self._send(200, kind, content)

    def _refuse(self, manner: Manner) -> None:
        status, code = _STATUS[manner]
        said = f"{manner.value}, says the server to {self.headers.get('Authorization', '')}"
        error = json.dumps({"error": {"message": said, "code": code, "type": code}}).encode()
        extra = {"Retry-After": self.double.retry_after} if manner is Manner.BUSY else {}
        self._send(status, "application/json", error, extra=extra)

    def _send(
        self, status: int, kind: str, content: bytes, *, sent: int | None = None, extra: Mapping[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(content)), **(extra or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content[:sent])
        self.wfile.flush()
        if sent is not None:
            self.close_connection = True

    def _has_left(self) -> bool:
        readable, _, _ = select.select([self.connection], [], [], 0)
        return bool(readable) and not self.connection.recv(1, socket.MSG_PEEK)

    def _until_left(self) -> None:
        while not self.double.release.is_set() and not self._has_left():
            select.select([self.connection], [], [], 0.05)
        self.close_connection = True


def _worded(manner: Manner, rows: Rows) -> str:
    """Return the answer's words."""
    header = "role|dialogue"
    cells = [f"{role}|{_cell(words)}" for role, words in rows]
    table = "\n".join([header, *cells])
    spoiled = {
        Manner.FENCED: f"Here you are:\n```csv\n<csv>\n{table}\n</csv>\n```\nAnything else?",
        Manner.PIPES: f"<csv>\n{header}\n" + "\n".join(f"{one}|x" for one in cells or ["a|b"]) + "\n</csv>",
        Manner.QUOTES: f'<csv>\n{table}\n沈青|"a"b\n</csv>',
        Manner.HEADERLESS: "<csv>\n" + "\n".join(cells or ["a|b"]) + "\n</csv>",
        Manner.EMPTY: "",
        Manner.PROSE: "There is nothing to extract.",
        Manner.CUT: f"<csv>\n{table}",
    }
    return spoiled.get(manner, f"<csv>\n{table}\n</csv>")


def _cell(words: str) -> str:
    return '"' + words.replace('"', '""') + '"' if any(mark in words for mark in '|"\n') else words


def _whole(words: str, usage: dict[str, int]) -> bytes:
    message = {"role": "assistant", "content": words}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    answer = {"id": "c", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice], "usage": usage}
    return json.dumps(answer).encode()


def _streamed(words: str, usage: dict[str, int]) -> bytes:
    def event(choices: list[dict[str, Any]], **more: Any) -> bytes:
        kind = "chat.completion.chunk"
        told = {"id": "c", "object": kind, "created": 0, "model": "m", "choices": choices, **more}
        return f"data: {json.dumps(told)}\n\n".encode()

    def choice(delta: dict[str, str], finish: str | None = None) -> list[dict[str, Any]]:
        return [{"index": 0, "delta": delta, "finish_reason": finish}]

    pieces = [words[at : at + 40] for at in range(0, len(words), 40)]
    events = [event(choice({"role": "assistant", "content": piece})) for piece in pieces]
    return b"".join([*events, event(choice({}, "stop")), event([], usage=usage), b"data: [DONE]\n\n"])


def main() -> None:
    """Serve until standard input closes; every `--fault`th question of a text's first asking goes wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--faults", action="store_true")
    arguments = parser.parse_args()
    bad = (Manner.BUSY, Manner.DOWN, Manner.HALF, Manner.PIPES, Manner.HEADERLESS)

    def manner(text: str, nth: int) -> Manner:
        wrong = arguments.faults and nth <= len(text) % 3  # some twice, some once, some never
        return bad[(len(text) + nth) % len(bad)] if wrong else Manner.GOOD

    with ScriptServer(manner=manner, latency=arguments.latency) as server:
        sys.stdout.write(server.base_url + "\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
