"""The story of an export: a folder as Hugging Face and ModelScope take it, with a card in two languages."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path, PurePath
from typing import IO, TYPE_CHECKING, Any, Literal

from pydantic import Field

from core.domain.section import Section
from core.domain.training import Base, Model
from core.errors import InvalidInputError, MissingArtifactError, NotFoundError
from core.stages.finetuning.models.card import CardFacts, origin_of, write_card
from core.stages.finetuning.registry import ADAPTER, FOUR_BIT, MANIFEST, home_of, put_in_place
from core.translation import N_

if TYPE_CHECKING:
    from core.jobs.context import RunContext
    from core.store import Store

EXPORTS = "exports"
"""In the workspace: a folder for each export."""

_CARD, _MODELSCOPE = "README.md", "configuration.json"
_SUFFIXES = frozenset({".safetensors", ".json", ".txt", ".model", ".jinja"})
"""What is taken along: weights, settings, tokenizers; never programs or pickles."""
_OWN = frozenset({MANIFEST, _CARD, _MODELSCOPE})
_OF_THE_MODEL = frozenset({"config.json", "generation_config.json", "model.safetensors.index.json"})
_PLACES = ("_name_or_path", "name_or_path")
"""Keys under which transformers notes from which folder something was loaded."""
_CHUNK = 1 << 24
_TIME = (1980, 1, 1, 0, 0, 0)
"""The earliest a zip can say; when it was packed must not change its bytes."""


class ModelExport(Section):
    """What to export."""

    model_id: str = Field(min_length=1, description="The model to export.")
    part: Literal["merged", "adapter", "4bit"] = Field(
        default="merged", description="The whole model, its adapter alone, or its 4-bit copy."
    )


def run(settings: ModelExport, *, context: RunContext, store: Store) -> dict[str, Any]:
    """Write the folder below `workspace/exports`, whole or not at all, and return where it lies.

    The same model gives the same bytes. MissingArtifactError when the model has no such part, InvalidInputError when
    a file is not as it was when it was registered.
    """
    model = store.models.get(settings.model_id)
    sources = _sources(model, home_of(model, store), settings.part)
    target = store.workspace / EXPORTS / folder_name(model, settings.part)
    draft = target.with_name(f".{target.name}.{context.run.id}")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        files = _copied(model, sources, draft, context)
        _describe(model, settings.part, draft, files, store)
        put_in_place(draft, target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    written = [file for file in target.iterdir() if file.is_file()]
    context.progress(1.0, N_("The export is ready"))
    return {
        "model": model.id,
        "part": settings.part,
        "folder": str(target.relative_to(store.workspace)),
        "files": len(written),
        "bytes": sum(file.stat().st_size for file in written),
    }


def parts_of(model: Model) -> tuple[str, ...]:
    """Return what of the model can be exported."""
    adapter = any(name.startswith(f"{ADAPTER}/") for name in model.manifest.get("files", {}))
    squeezed = FOUR_BIT in model.manifest.get("copies", {})
    return ("merged", *(["adapter"] if adapter else []), *(["4bit"] if squeezed else []))


def folder_name(model: Model, part: str) -> str:
    """Return the export's folder: fit for an address on a hub, and of no other model."""
    name = re.sub(r"[^a-z0-9]+", "-", model.name.casefold()).strip("-")[:40].strip("-")
    own = re.sub(r"[^a-z0-9]+", "-", model.id.casefold().removeprefix("model-")).strip("-")
    return "-".join(one for one in (name, own, part) if one)


def archive(folder: Path, out: IO[bytes]) -> None:
    """Write an export as a zip to a file that can seek; the same export gives the same bytes everywhere."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as packed:
        for file in sorted(one for one in folder.iterdir() if one.is_file()):
            entry = zipfile.ZipInfo(f"{folder.name}/{file.name}", _TIME)
            entry.create_system, entry.external_attr = 3, 0o644 << 16  # the same on every system
            with packed.open(entry, "w", force_zip64=True) as target, file.open("rb") as content:
                shutil.copyfileobj(content, target, _CHUNK)


def _sources(model: Model, home: Path, part: str) -> dict[str, tuple[Path, str]]:
    """Return name in the export -> (file, sha256 when it was registered, or empty)."""
    if part not in parts_of(model):
        raise MissingArtifactError(
            N_("{name} has no {part} to export."),
            remedy=N_("Export another part of it; a 4-bit copy has to be made first."),
            name=model.name,
            part=part,
        )
    known: Mapping[str, str] = model.manifest.get("files", {})
    whole = {file.name: (file, known.get(file.name, "")) for file in _carried(home)}
    if part == "merged":
        return whole
    if part == "4bit":
        copied: Mapping[str, str] = model.manifest["copies"][FOUR_BIT]["files"]
        return {file.name: (file, copied.get(file.name, "")) for file in _carried(home / FOUR_BIT)}
    adapter = {file.name: (file, known.get(f"{ADAPTER}/{file.name}", "")) for file in _carried(home / ADAPTER)}
    tokenizer = {
        name: one for name, one in whole.items() if name not in _OF_THE_MODEL and not name.endswith(".safetensors")
    }
    return {**tokenizer, **adapter}


def _carried(folder: Path) -> list[Path]:
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    return [
        file
        for file in files
        if file.is_file() and not file.is_symlink() and file.suffix in _SUFFIXES and file.name not in _OWN
    ]


def _copied(model: Model, sources: Mapping[str, tuple[Path, str]], draft: Path, context: RunContext) -> dict[str, str]:
    """Copy the files, each checked against its sha256; return name -> sha256 of what was written."""
    total, done = max(sum(file.stat().st_size for file, _known in sources.values()), 1), 0
    written = {}

    def gained(count: int) -> None:
        nonlocal done
        done += count
        context.check()
        context.progress(0.95 * done / total, N_("Copying {file}"), file=name)

    for name, (file, known) in sources.items():
        written[name] = _copy(file, draft / name, gained)
        if known and written[name] != known:
            raise InvalidInputError(
                N_("The file {file} of {name} is not as it was when it was registered."),
                remedy=N_("Restore the workspace from a backup, or run the fine-tuning again."),
                file=name,
                name=model.name,
            )
    return written


def _copy(source: Path, target: Path, gained: Callable[[int], None]) -> str:
    digest = hashlib.sha256()
    with source.open("rb") as content, target.open("wb") as copy:
        while chunk := content.read(_CHUNK):
            digest.update(chunk)
            copy.write(chunk)
            gained(len(chunk))
    return digest.hexdigest()


def _describe(model: Model, part: str, draft: Path, files: dict[str, str], store: Store) -> None:
    """Take this machine's paths out of what was copied, and write the card and the manifest beside it."""
    base = _base(model, store)
    for file in sorted(draft.glob("*.json")):
        if file.name != "tokenizer.json" and _without_places(file, model, base):
            files[file.name] = _hash(file.read_bytes())
    configuration = _json({"framework": "pytorch", "task": "text-generation"})
    (draft / _MODELSCOPE).write_bytes(configuration)
    files[_MODELSCOPE] = _hash(configuration)
    version = store.datasets.get(model.dataset_version_id) if model.dataset_version_id else None
    weights = sum(file.stat().st_size for file in draft.glob("*.safetensors"))
    persona = store.personas.get(model.persona_id)
    card = write_card(CardFacts(model, persona, version, base, _license(base, store), part, files, weights)).encode()
    (draft / _CARD).write_bytes(card)
    manifest = _manifest(model, part, base, {**files, _CARD: _hash(card)})
    (draft / MANIFEST).write_bytes(_json(manifest))


def _base(model: Model, store: Store) -> Base | None:
    """Return the record of the base model, where it was brought in and is still there."""
    wanted = str(model.manifest.get("settings", {}).get("base", model.base))
    for name in (wanted, PurePath(wanted).name, model.base):
        try:
            return store.bases.get(name)
        except NotFoundError:
            continue
    return None


def _license(base: Base | None, store: Store) -> dict[str, str]:
    """Return what the base model's own card says of its licence."""
    if base is None or not (store.workspace / base.folder / _CARD).is_file():
        return {}
    from huggingface_hub import ModelCard

    try:
        data = ModelCard.load(store.workspace / base.folder / _CARD).data.to_dict()
    except (ValueError, OSError):  # a card without a head that can be read says nothing
        return {}
    stated = {
        name: data[name] for name in ("license", "license_name", "license_link") if isinstance(data.get(name), str)
    }
    if "://" not in stated.get("license_link", ""):  # a file beside the base model's card is not beside this one
        stated.pop("license_link", None)
    return stated


def _without_places(file: Path, model: Model, base: Base | None) -> bool:
    """Take out of a settings file where on this machine something was loaded from; whether there was anything."""
    content = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        return False
    cleaned = {name: value for name, value in content.items() if name not in _PLACES}
    if "base_model_name_or_path" in cleaned:
        origin, revision = origin_of(base)
        cleaned["base_model_name_or_path"] = origin or PurePath(model.base).name
        cleaned["revision"] = revision or None
    if cleaned == content:
        return False
    file.write_bytes(_json(cleaned))
    return True


def _manifest(model: Model, part: str, base: Base | None, files: Mapping[str, str]) -> dict[str, Any]:
    """Return where the model comes from, without the paths of this machine."""
    own = {name: value for name, value in model.manifest.items() if name not in ("commands", "files", "copies")}
    settings = {**own.get("settings", {})}
    if "base" in settings:
        settings["base"] = _name(settings["base"])
    commands = [
        {"name": one["name"], "argv": [_name(argument) for argument in one["argv"]]}
        for one in model.manifest.get("commands", ())
    ]
    copies = {FOUR_BIT: model.manifest["copies"][FOUR_BIT]} if part == "4bit" else {}
    return {
        "made_by": "chat-daiyu",
        "model": model.id,
        "name": model.name,
        "part": part,
        **own,
        "settings": settings,
        "origin_of_base": base.origin if base and not base.origin.startswith("folder:") else "",
        "commands": commands,
        "copies": copies,
        "files": dict(sorted(files.items())),
    }


def _name(argument: str) -> str:
    """Return an absolute path's last part, and anything else as it is."""
    path = PurePath(argument)
    return path.name if path.is_absolute() else argument


def _json(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=2) + "\n").encode()


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
