"""Stands for `api_v2.py`: one event loop, played by a lock, which the whole of a take in mode 0 keeps."""

from __future__ import annotations

import argparse
import io
import json
import os
import signal
import socketserver
import sys
import threading
import time
import wave
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import numpy as np
from numpy.typing import NDArray

now_dir = os.getcwd()
sys.path.append(now_dir)
sys.path.append(f"{now_dir}/GPT_SoVITS")
from faults import behaviour, say  # type: ignore[import-not-found]
from TTS_infer_pack.TTS import LANGUAGES, Config, Pipeline  # type: ignore[import-not-found]
from tools.i18n.i18n import I18nAuto  # type: ignore[import-not-found]

i18n = I18nAuto()
FIELDS: dict[str, tuple[type, Any]] = {
    **dict.fromkeys(("text", "text_lang", "ref_audio_path", "prompt_lang"), (str, None)),
    "aux_ref_audio_paths": (list, None),
    "prompt_text": (str, ""),
    "top_k": (int, 15),
    "top_p": (float, 1.0),
    "temperature": (float, 1.0),
    "text_split_method": (str, "cut5"),
    "batch_size": (int, 1),
    "batch_threshold": (float, 0.75),
    "split_bucket": (bool, True),
    "speed_factor": (float, 1.0),
    "fragment_interval": (float, 0.3),
    "seed": (int, -1),
    "media_type": (str, "wav"),
    "streaming_mode": (int, 0),
    "parallel_infer": (bool, True),
    "repetition_penalty": (float, 1.35),
    "sample_steps": (int, 32),
    "super_sampling": (bool, False),
    "overlap_length": (int, 2),
    "min_chunk_length": (int, 16),
}
LOOP = threading.Lock()


class RefusedError(Exception):
    """An answer that is not 200."""

    def __init__(self, status: int, content: Any) -> None:
        super().__init__(status)
        self.status, self.content = status, content


class Handler(BaseHTTPRequestHandler):
    """Answers what upstream's routes answer."""

    protocol_version = "HTTP/1.1"
    pipeline: Pipeline

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        asked = dict(parse_qsl(parts.query, keep_blank_values=True))
        self._answered(parts.path, asked, posted=False)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answered(urlsplit(self.path).path, json.loads(body), posted=True)

    def _answered(self, path: str, asked: dict[str, Any], *, posted: bool) -> None:
        with LOOP:
            pass  # nothing is even read while the loop is kept
        _note(path, asked)
        try:
            if path == "/tts":
                self._tts(_typed(asked, posted=posted))
            elif path == "/docs" and not posted:
                self._send(200, b"<html>docs</html>", "text/html")
            elif path == "/control":
                _control(asked.get("command"))
            elif path.startswith("/set_") and not posted:
                self._set(path, asked)
            else:
                raise RefusedError(404, {"detail": "Not Found"})
        except RefusedError as refused:
            content = refused.content
            words = content.encode() if isinstance(content, str) else json.dumps(content, ensure_ascii=False).encode()
            self._send(refused.status, words, "text/plain" if isinstance(content, str) else "application/json")

    def _set(self, path: str, asked: dict[str, str]) -> None:
        wanted = {
            "/set_gpt_weights": ("weights_path", self.pipeline.init_t2s_weights, "change gpt weight failed"),
            "/set_sovits_weights": ("weights_path", self.pipeline.init_vits_weights, "change sovits weight failed"),
            "/set_refer_audio": ("refer_audio_path", self.pipeline.set_ref_audio, "set refer audio failed"),
        }
        if path not in wanted:
            raise RefusedError(404, {"detail": "Not Found"})
        name, change, failed = wanted[path]
        with LOOP:
            try:
                change(asked.get(name))
            except Exception as error:  # as upstream does it
                raise RefusedError(400, {"message": failed, "Exception": str(error)}) from None
        self._send(200, b'{"message":"success"}', "application/json")

    def _tts(self, asked: dict[str, Any]) -> None:
        mode = asked["streaming_mode"]
        if mode not in (0, 1, 2, 3):
            raise RefusedError(
                400, {"message": "the value of streaming_mode must be 0, 1, 2, 3(int) or true/false(bool)"}
            )
        falls_back = mode > 1 and self.pipeline.config.version in ("v3", "v4")
        asked |= {"by_segment": mode == 1 or falls_back, "streaming": mode > 1 and not falls_back}
        if mode:
            self._stream(asked)
            return
        with LOOP:
            _hang()
            try:
                rate, sound = next(self.pipeline.run(asked))
            except Exception as error:  # as upstream does it
                raise RefusedError(400, {"message": "tts failed", "Exception": str(error)}) from None
        self._send(200, _wav(rate, sound), "audio/wav")

    def _stream(self, asked: dict[str, Any]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", f"audio/{asked['media_type']}")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        _hang()
        begun = asked["media_type"] != "wav"
        try:
            for rate, sound in self.pipeline.run(asked):
                if not begun:
                    self._chunk(_wav(rate, sound[:0]))
                    begun = True
                self._chunk(sound.tobytes())
            self.wfile.write(b"0\r\n\r\n")
        except Exception as error:  # the answer breaks off here
            say(f"Exception in ASGI application\n{type(error).__name__}: {error}")
            self.close_connection = True

    def _chunk(self, content: bytes) -> None:
        if content:
            self.wfile.write(f"{len(content):x}\r\n".encode() + content + b"\r\n")
            self.wfile.flush()

    def _send(self, status: int, content: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        say(f'INFO:     {self.client_address[0]} - "{format % args}"')


class Server(ThreadingHTTPServer):
    """Takes any number of connections."""

    daemon_threads = True

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)  # without asking who we are by name
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever left has left."""


def _typed(asked: dict[str, Any], *, posted: bool) -> dict[str, Any]:
    if not posted and ("text_lang" not in asked or "prompt_lang" not in asked):
        raise RefusedError(500, "Internal Server Error")
    values = {name: default for name, (_, default) in FIELDS.items()}
    for name, value in asked.items():
        if name in FIELDS:
            values[name] = _value(name, value, posted=posted)
    if not posted:
        values |= {name: values[name].lower() for name in ("text_lang", "prompt_lang")}
    _checked(values)
    return values


def _checked(values: dict[str, Any]) -> None:
    for name in ("ref_audio_path", "text", "text_lang", "prompt_lang"):
        if not values[name]:
            raise RefusedError(400, {"message": f"{name} is required"})
        if name.endswith("_lang") and values[name].lower() not in LANGUAGES:
            raise RefusedError(400, {"message": f"{name}: {values[name]} is not supported in version v2"})
    if values["media_type"] not in ("wav", "raw", "ogg", "aac"):
        raise RefusedError(400, {"message": f"media_type: {values['media_type']} is not supported"})
    if values["text_split_method"] not in ("cut0", "cut1", "cut2", "cut3", "cut4", "cut5"):
        raise RefusedError(400, {"message": f"text_split_method:{values['text_split_method']} is not supported"})


def _value(name: str, value: Any, *, posted: bool) -> Any:
    kind = FIELDS[name][0]
    wrong = RefusedError(422, {"detail": [{"loc": ["body" if posted else "query", name], "msg": f"should be {kind}"}]})
    if value is None or isinstance(value, kind):
        return value
    if kind is int and isinstance(value, str) and value.lower() in ("true", "false"):
        return int(value.lower() == "true")
    try:
        return kind(value)
    except (TypeError, ValueError):
        raise wrong from None


def _control(command: str | None) -> None:
    if command is None:
        raise RefusedError(400, {"message": "command is required"})
    if command == "restart":
        os.execl(sys.executable, sys.executable, *sys.argv)
    if command == "exit":
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM)).start()
        raise RefusedError(500, "Internal Server Error")


def _hang() -> None:
    while behaviour("tts") == "hang":
        time.sleep(0.05)


def _note(path: str, asked: dict[str, Any]) -> None:
    os.makedirs("TEMP", exist_ok=True)
    with open("TEMP/requests.jsonl", "a", encoding="utf-8") as file:
        file.write(json.dumps({"path": path, **asked}, ensure_ascii=False) + "\n")


def _wav(rate: int, sound: NDArray[np.int16]) -> bytes:
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(sound.tobytes())
    return content.getvalue()


def main() -> int:
    """Load, then serve until told to end."""
    parser = argparse.ArgumentParser(description="GPT-SoVITS api")
    parser.add_argument("-c", "--tts_config", default="GPT_SoVITS/configs/tts_infer.yaml")
    parser.add_argument("-a", "--bind_addr", default="127.0.0.1")
    parser.add_argument("-p", "--port", type=int, default=9880)
    arguments = parser.parse_args()
    Handler.pipeline = Pipeline(Config(arguments.tts_config))
    try:
        server = Server((arguments.bind_addr, arguments.port), Handler)
    except OSError as error:
        say(f"ERROR:    [Errno {error.errno}] error while attempting to bind on address: address already in use")
        return 3

    def end(*_: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        threading.Thread(target=finish).start()

    def finish() -> None:
        with LOOP:  # a take in mode 0 is ended first
            os.kill(os.getpid(), signal.SIGTERM)

    signal.signal(signal.SIGTERM, end)
    say(f"INFO:     Uvicorn running on http://{arguments.bind_addr}:{arguments.port} (Press CTRL+C to quit)")
    server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
