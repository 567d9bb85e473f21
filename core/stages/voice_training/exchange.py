"""A voice as one zip: written so that the same voice gives the same bytes, read as if an enemy had written it."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
import wave
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from pydantic import Field, ValidationError

from core.domain.section import Section
from core.domain.voice_training import HEADS, CardFile, VoiceCard
from core.errors import InvalidInputError, StudioError
from core.stages.voice_training.cards import CARD, card_of, register
from core.stages.voice_training.pickles import must_be_harmless
from core.store.files import sha256_of
from core.translation import N_

if TYPE_CHECKING:
    from core.jobs.context import RunContext
    from core.store import Store
    from core.store.files import Files

EXPORTS: Final = "exports"
LARGEST: Final = 4 << 30
"""Bytes of a voice; the largest model's weights take one GB."""
_LARGEST_CARD: Final = 256 << 10
_LARGEST_REFERENCE: Final = 16 << 20
_SHORTEST, _LONGEST = 3.0, 10.0
"""Seconds of a reference, as GPT-SoVITS takes it."""
_CHUNK: Final = 1 << 22
_TIME: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest a zip can say; when it was packed must not change its bytes."""
_LINK: Final = 0o120000


class VoiceExport(Section):
    """What to export."""

    model_id: str = Field(min_length=1, description="The voice.")


class VoiceImport(Section):
    """What was received and is to be brought in."""

    name: str = Field(min_length=1, max_length=200, description="The file's name.")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="Its content in the store.")


@dataclass(frozen=True, slots=True)
class Received:
    """An upload in the content store."""

    name: str
    sha256: str


def export(settings: VoiceExport, *, context: RunContext, store: Store) -> dict[str, Any]:
    """Write the zip below `workspace/exports`, whole or not at all, and return where it lies.

    MissingArtifactError when the voice was removed, InvalidInputError when a file is not what its card says.
    """
    model = store.models.get(settings.model_id)
    card, home = card_of(model, store)
    context.progress(0.1, N_("Packing the voice"))
    for one in (card.sovits, card.gpt, card.reference):
        context.check()
        _must_be(home / one.name, one)
    called = re.sub(r"[^\w-]+", "-", model.name, flags=re.ASCII).strip("-")[:40]
    target = store.workspace / EXPORTS / f"{called}-{model.id}.zip".removeprefix("-")
    target.parent.mkdir(exist_ok=True)
    draft = target.with_name(f".{target.name}.{context.run.id}")
    try:
        with draft.open("wb") as out:
            pack(card, home, out)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    context.progress(1.0, N_("The voice is packed"))
    return {"file": str(target.relative_to(store.workspace)), "bytes": target.stat().st_size, "model": model.id}


def pack(card: VoiceCard, home: Path, out: IO[bytes]) -> None:
    """Write a voice as a zip, its card first; the same voice gives the same bytes everywhere."""
    told = json.dumps(card.model_dump(mode="json"), ensure_ascii=False, indent=2, sort_keys=True)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as packed:
        packed.writestr(_entry(CARD), told.encode())
        for one in (card.sovits, card.gpt, card.reference):
            with packed.open(_entry(one.name), "w", force_zip64=True) as target, (home / one.name).open("rb") as source:
                shutil.copyfileobj(source, target, _CHUNK)


def receive(stream: IO[bytes], name: str, *, files: Files, most: int = LARGEST) -> Received:
    """Store an upload as it streams; InvalidInputError, and nothing stored, when it is no zip or too large."""
    shown = (Path(name.replace("\\", "/")).name or "voice.zip")[:200]

    def checked() -> Iterator[bytes]:
        size = 0
        while chunk := stream.read(_CHUNK):
            if not size and not chunk.startswith(b"PK\x03\x04"):
                raise _foreign()
            size += len(chunk)
            if size > most:
                raise InvalidInputError(
                    N_("The file is larger than {most} MB."),
                    remedy=N_("A voice is smaller; export it again."),
                    most=most >> 20,
                )
            yield chunk
        if not size:
            raise _foreign()

    return Received(shown, files.put(checked()))


def bring_in(settings: VoiceImport, *, context: RunContext, store: Store) -> dict[str, Any]:
    """Check a received voice, register it and return its id; the same file gives the same voice.

    InvalidInputError, and nothing registered, when anything of it is not as an exported voice is.
    """
    context.progress(0.05, N_("Looking into the file"))
    with tempfile.TemporaryDirectory(dir=context.folder) as folder, store.files.open(settings.sha256) as content:
        try:
            with zipfile.ZipFile(content) as packed:
                card = _unpacked(packed, Path(folder), context)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, UnicodeError) as error:
            if isinstance(error, StudioError):
                raise
            raise _foreign() from error
        context.progress(0.7, N_("Looking whether its weights are harmless"))
        home = Path(folder)
        must_be_harmless(home / card.sovits.name, HEADS[card.version])
        must_be_harmless(home / card.gpt.name)
        _must_sound(home / card.reference.name)
        context.check()
        model = register(
            card,
            {one.name: home / one.name for one in (card.sovits, card.gpt, card.reference)},
            name=Path(settings.name).stem[:80] or card.version,
            persona_id=context.run.persona_id,
            run_id=context.run.id,
            store=store,
            who=context.run.created_by,
        )
    context.progress(1.0, N_("The voice is here"))
    return {"model": model.id}


def _unpacked(packed: zipfile.ZipFile, folder: Path, context: RunContext) -> VoiceCard:
    """Write the card's files into the folder, no byte more than it tells, each as it tells."""
    members = packed.infolist()
    if len(members) != 4 or members[0].filename != CARD or members[0].file_size > _LARGEST_CARD:
        raise _foreign()
    with packed.open(members[0]) as file:
        card = _read_card(file.read(_LARGEST_CARD))
    wanted = {one.name: one for one in (card.sovits, card.gpt, card.reference)}
    if sorted(one.filename for one in members[1:]) != sorted(wanted) or any(map(_odd, members)):
        raise _foreign()
    if sum(one.bytes for one in wanted.values()) > LARGEST or card.reference.bytes > _LARGEST_REFERENCE:
        raise _foreign()
    for member in members[1:]:
        context.check()
        told = wanted[member.filename]
        if member.file_size != told.bytes:
            raise _spoiled(told)
        with packed.open(member) as source, (folder / told.name).open("wb") as target:
            _copy(source, target, told)
    return card


def _copy(source: IO[bytes], target: IO[bytes], told: CardFile) -> None:
    digest, left = hashlib.sha256(), told.bytes
    while chunk := source.read(min(_CHUNK, left + 1)):
        left -= len(chunk)
        if left < 0:
            raise _spoiled(told)
        digest.update(chunk)
        target.write(chunk)
    if left or digest.hexdigest() != told.sha256:
        raise _spoiled(told)


def _read_card(content: bytes) -> VoiceCard:
    try:
        card = VoiceCard.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        raise InvalidInputError(
            N_("The voice's card is not right: {key}: {problem}."),
            remedy=N_("Export the voice again with this version of the app."),
            key=".".join(str(part) for part in first["loc"]),
            problem=first["msg"],
        ) from None
    suffixes = [Path(one.name).suffix for one in (card.sovits, card.gpt, card.reference)]
    if suffixes != [".pth", ".ckpt", ".wav"]:
        raise _foreign()
    return card


def _odd(member: zipfile.ZipInfo) -> bool:
    """Whether a member is packed as no export of ours is: squeezed, locked, or a link."""
    return (
        member.compress_type != zipfile.ZIP_STORED
        or bool(member.flag_bits & 0x1)
        or (member.external_attr >> 16) & 0o170000 == _LINK
    )


def _must_be(file: Path, told: CardFile) -> None:
    if file.stat().st_size != told.bytes or sha256_of(file) != told.sha256:
        raise _spoiled(told)


def _must_sound(file: Path) -> None:
    try:
        with wave.open(str(file)) as sound:
            seconds = sound.getnframes() / sound.getframerate()
    except (EOFError, wave.Error, ZeroDivisionError):
        seconds = 0.0
    if not _SHORTEST <= seconds <= _LONGEST:
        raise InvalidInputError(
            N_("The voice's reference is not a wav of 3 to 10 seconds."),
            remedy=N_("Export the voice again with another reference."),
        )


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _TIME)
    entry.create_system, entry.external_attr = 3, 0o644 << 16  # the same on every system
    return entry


def _foreign() -> InvalidInputError:
    return InvalidInputError(
        N_("This is not a voice that was exported here."),
        remedy=N_("Choose the zip that “Export” on the voice page gives; do not pack it anew."),
    )


def _spoiled(told: CardFile) -> InvalidInputError:
    return InvalidInputError(
        N_("The file {file} of the voice is not what its card says."),
        remedy=N_("Export or copy the voice again; it was changed on the way."),
        file=told.name,
    )
