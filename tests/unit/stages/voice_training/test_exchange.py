"""A voice as a zip: the same bytes each time, and a hostile one is refused with nothing left behind."""

from __future__ import annotations

import collections
import io
import json
import pickle
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.domain.identity import now
from core.domain.persona import Persona
from core.domain.run import Run, RunState
from core.domain.training import Model
from core.domain.voice_training import CardFile, VoiceCard
from core.errors import InvalidInputError
from core.jobs.context import RunContext
from core.stages.voice_training.cards import card_of, register
from core.stages.voice_training.exchange import VoiceExport, VoiceImport, bring_in, export, receive
from core.store import Store
from core.store.files import sha256_of
from tests.contract.doubles import tone

PERSONA = "a-qing"


class Evil:
    """Runs a program when it is loaded."""

    def __reduce__(self) -> tuple[Any, ...]:
        return eval, ("1",)


class Post:
    """Sends voices and takes them in."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self.folder = store, folder
        self._runs = 0

    def voice(self, *, version: str = "v2Pro", sovits: bytes | None = None, gpt: bytes | None = None) -> Model:
        """Register a voice of those files."""
        head = {"v2Pro": b"05"}.get(version, b"PK")
        contents = {
            "sovits.pth": sovits if sovits is not None else head + packed({"weight": collections.OrderedDict(a=1)})[2:],
            "gpt.ckpt": gpt if gpt is not None else packed({"weight": collections.OrderedDict(b=2)}),
            "reference.wav": tone(4.0, 16_000).wav,
        }
        for name, content in contents.items():
            (self.folder / name).write_bytes(content)
        files = {
            name: CardFile(name=name, sha256=sha256_of(self.folder / name), bytes=len(content))
            for name, content in contents.items()
        }
        card = VoiceCard.model_validate(
            {
                "version": version,
                "sovits": files["sovits.pth"],
                "gpt": files["gpt.ckpt"],
                "reference": files["reference.wav"],
                "reference_text": "你来了",
            }
        )
        sources = {name: self.folder / name for name in contents}
        return register(
            card, sources, name="竹影 Bamboo", persona_id=PERSONA, run_id=None, store=self.store, who="test"
        )

    def sent(self, voice: Model) -> Path:
        """Export a voice and return the zip."""
        told = export(VoiceExport(model_id=voice.id), context=self._context(PERSONA), store=self.store)
        file: Path = self.store.workspace / told["file"]
        assert told["bytes"] == file.stat().st_size
        return file

    def taken(self, content: bytes, *, by: str = "other") -> Model:
        """Receive and import a zip for another persona."""
        received = receive(io.BytesIO(content), "../竹影.zip", files=self.store.files)
        wanted = VoiceImport(name=received.name, sha256=received.sha256)
        told = bring_in(wanted, context=self._context(by), store=self.store)
        return self.store.models.get(told["model"])

    def _context(self, persona_id: str) -> RunContext:
        self._runs += 1
        run = Run(
            id=f"run-{self._runs}",
            kind="voice_import",
            persona_id=persona_id,
            queue="cpu",
            state=RunState.RUNNING,
            settings={},
            inputs={},
            created_at=now(),
            created_by="test",
        )
        self.store.runs.add(run)
        return RunContext(run, store=self.store, folder=self.store.workspace / "runs" / run.id)


def packed(content: Any, name: str = "archive/data.pkl") -> bytes:
    """Return a file of weights as torch saves it."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as file:
        file.writestr(name, pickle.dumps(content, protocol=2))
    return whole.getvalue()


def rewritten(file: Path, change: Callable[[dict[str, bytes]], None]) -> bytes:
    """Return the zip with its members changed."""
    with zipfile.ZipFile(file) as source:
        members = {name: source.read(name) for name in source.namelist()}
    change(members)
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as target:
        for name, content in members.items():
            target.writestr(name, content)
    return whole.getvalue()


@pytest.fixture
def post(store: Store, persona: Persona, tmp_path: Path) -> Post:
    folder = tmp_path / "sources"
    folder.mkdir()
    store.personas.put(replace(persona, id="other"))
    return Post(store, folder)


@pytest.mark.parametrize("version", ["v2", "v2Pro"])
def test_an_exported_voice_comes_in_again_as_it_was(post: Post, version: str) -> None:
    voice = post.voice(version=version)
    taken = post.taken(post.sent(voice).read_bytes())

    assert (taken.name, taken.persona_id) == ("竹影", "other")
    first, then = (card_of(one, post.store) for one in (voice, taken))
    assert first[0] == then[0]
    for one in (then[0].sovits, then[0].gpt, then[0].reference):
        assert sha256_of(then[1] / one.name) == one.sha256


def test_the_same_voice_gives_the_same_bytes_with_its_card_first(post: Post) -> None:
    voice = post.voice()
    first = post.sent(voice).read_bytes()

    assert post.sent(voice).read_bytes() == first
    assert zipfile.ZipFile(io.BytesIO(first)).namelist()[0] == "card.json"


def test_the_same_zip_twice_is_one_voice(post: Post) -> None:
    content = post.sent(post.voice()).read_bytes()

    assert post.taken(content).id == post.taken(content).id


def test_a_voice_whose_file_was_changed_is_not_exported(post: Post) -> None:
    voice = post.voice()
    card, home = card_of(voice, post.store)
    (home / card.gpt.name).unlink()  # linked: the source keeps its own
    (home / card.gpt.name).write_bytes(b"other")

    with pytest.raises(InvalidInputError, match="not what its card says"):
        post.sent(voice)
    assert not (post.store.workspace / "exports").exists()


@pytest.mark.parametrize("where", ["sovits", "gpt"])
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_weights_that_would_run_a_program_are_refused(post: Post, where: str, protocol: int) -> None:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as file:
        file.writestr("archive/data.pkl", pickle.dumps({"weight": Evil()}, protocol=protocol))
    content = whole.getvalue()
    files = {"sovits": b"05" + content[2:]} if where == "sovits" else {"gpt": content}
    zipped = post.sent(post.voice(**files)).read_bytes()  # type: ignore[arg-type]

    with pytest.raises(InvalidInputError, match="eval"):
        post.taken(zipped)
    assert post.store.models.all("other") == []


@pytest.mark.parametrize(
    "program",
    [
        b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94\x8c\x01x\x940\x93.",  # a word more, taken away again
        b"\x80\x04\x8c\x02o\x8c\x01s\x86\x94h\x00\x8c\x06system\x93.",  # a tuple where a word should be
        b"\x80\x02\x82\x01.",  # a number of the extension registry
        b"{not a pickle}",
        b"",
    ],
)
def test_weights_that_hide_what_they_call_are_refused(post: Post, program: bytes) -> None:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as file:
        file.writestr("archive/data.pkl", program)
    zipped = post.sent(post.voice(gpt=whole.getvalue())).read_bytes()

    with pytest.raises(InvalidInputError, match="is not taken"):
        post.taken(zipped)
    assert post.store.models.all("other") == []


@pytest.mark.parametrize(
    "gpt",
    [
        b"not a zip at all",
        packed({}, name="data.pkl"),
        packed({}, name="archive/other.pkl"),
        packed({}, name="archive/code/data.pkl"),
    ],
)
def test_files_that_are_not_built_as_weights_are_refused(post: Post, gpt: bytes) -> None:
    zipped = post.sent(post.voice(gpt=gpt)).read_bytes()

    with pytest.raises(InvalidInputError, match="is not taken"):
        post.taken(zipped)


def test_weights_of_another_model_than_the_card_says_are_refused(post: Post) -> None:
    zipped = post.sent(post.voice(sovits=packed({"weight": 1}))).read_bytes()

    with pytest.raises(InvalidInputError, match="first bytes"):
        post.taken(zipped)


def _spoil(members: dict[str, bytes]) -> None:
    members["gpt.ckpt"] = members["gpt.ckpt"][:-1] + b"!"


def _shorten(members: dict[str, bytes]) -> None:
    members["gpt.ckpt"] = members["gpt.ckpt"][:-1]


def _add(members: dict[str, bytes]) -> None:
    members["more.txt"] = b"more"


def _climb(members: dict[str, bytes]) -> None:
    members["../gpt.ckpt"] = members.pop("gpt.ckpt")


def _lack(members: dict[str, bytes]) -> None:
    del members["reference.wav"]


def _card(**changes: Any) -> Callable[[dict[str, bytes]], None]:
    def change(members: dict[str, bytes]) -> None:
        members["card.json"] = json.dumps({**json.loads(members["card.json"]), **changes}).encode()

    return change


@pytest.mark.parametrize(
    "change",
    [
        _spoil,
        _shorten,
        _add,
        _climb,
        _lack,
        _card(format=2),
        _card(unknown=1),
        _card(gpt={"name": "../gpt.ckpt", "sha256": "0" * 64, "bytes": 1}),
        _card(gpt={"name": "gpt.wav", "sha256": "0" * 64, "bytes": 1}),
        lambda members: members.update({"card.json": b"{"}),
        lambda members: members.update({"card.json": b" " * 300_000}),
    ],
)
def test_a_zip_that_is_not_as_it_was_packed_is_refused(post: Post, change: Callable[[dict[str, bytes]], None]) -> None:
    zipped = rewritten(post.sent(post.voice()), change)

    with pytest.raises(InvalidInputError):
        post.taken(zipped)
    assert post.store.models.all("other") == []


def test_squeezed_members_are_refused_for_they_may_grow_without_end(post: Post) -> None:
    with zipfile.ZipFile(post.sent(post.voice())) as source:
        members = {name: source.read(name) for name in source.namelist()}
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in members.items():
            target.writestr(name, content)

    with pytest.raises(InvalidInputError, match="exported here"):
        post.taken(whole.getvalue())


def test_a_reference_too_short_is_refused(post: Post) -> None:
    zipped = post.sent(post.voice())
    wav = tone(1.0, 16_000).wav
    (post.folder / "short.wav").write_bytes(wav)
    told = {"name": "reference.wav", "sha256": sha256_of(post.folder / "short.wav"), "bytes": len(wav)}

    def change(members: dict[str, bytes]) -> None:
        _card(reference=told)(members)
        members["reference.wav"] = wav

    with pytest.raises(InvalidInputError, match="3 to 10 seconds"):
        post.taken(rewritten(zipped, change))


@pytest.mark.parametrize("content", [b"", b"RIFF....", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_zip_is_not_even_stored(post: Post, content: bytes) -> None:
    with pytest.raises(InvalidInputError, match="exported here"):
        receive(io.BytesIO(content), "voice.zip", files=post.store.files)


def test_an_upload_that_is_too_large_is_not_stored(post: Post) -> None:
    with pytest.raises(InvalidInputError, match="larger"):
        receive(io.BytesIO(b"PK\x03\x04" + bytes(2 << 20)), "voice.zip", files=post.store.files, most=1 << 20)


def test_a_truncated_zip_is_refused(post: Post) -> None:
    content = post.sent(post.voice()).read_bytes()

    with pytest.raises(InvalidInputError, match="exported here"):
        post.taken(content[: len(content) // 2])
