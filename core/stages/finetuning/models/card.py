"""Writes the card of an exported model: a head for the hubs, then the same in English and in Chinese.

Names, notes and answers are anybody's words: whatever they hold, they stay words on the page. Source of the head's
fields: Hugging Face Hub documentation, "Model Cards" ("Model card metadata").
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import PurePath
from typing import Any

from jinja2 import Environment, StrictUndefined, Template

from core.backends.hubs import HUBS
from core.domain.persona import Persona
from core.domain.recipe import TINY
from core.domain.text import DatasetVersion
from core.domain.training import Base, Model
from core.settings import CONFIGS
from core.stages.finetuning.run import HELD_OUT_SAMPLES

TEMPLATE = CONFIGS / "templates" / "model_card.md.jinja"

_LIBRARIES = {"merged": "transformers", "adapter": "peft", "4bit": "transformers"}
_RELATIONS = {"merged": "finetune", "adapter": "adapter", "4bit": "finetune"}
_METHODS = {
    "full": ("full fine-tuning of every weight", "全参数微调"),
    "lora": ("LoRA", "LoRA"),
    "qlora": ("QLoRA: LoRA, the base model in 4 bits while training", "QLoRA：训练时基座模型为 4 比特的 LoRA"),
}
_SETTINGS = (
    ("max_steps", "Steps wanted (0: by epochs)", "设定步数（0 为按轮数）"),
    ("epochs", "Epochs, where steps are 0", "轮数（步数为 0 时）"),
    ("learning_rate", "Learning rate", "学习率"),
    ("batch_size", "Sequences in a batch", "每批序列数"),
    ("optimizer.accumulate", "Batches added up", "梯度累积"),
    ("max_length", "Longest sequence, tokens", "最长序列（词元）"),
    ("pack", "Short samples joined", "拼接短样本"),
    ("precision", "Number format", "数值格式"),
    ("prompt_template", "Chat form", "对话格式"),
    ("adapter.rank", "LoRA r", "LoRA r"),
    ("adapter.alpha", "LoRA alpha", "LoRA alpha"),
    ("adapter.dropout", "LoRA dropout", "LoRA dropout"),
    ("adapter.target_modules", "LoRA layers", "LoRA 作用层"),
    ("optimizer.warmup_ratio", "Warm-up share", "预热比例"),
    ("optimizer.weight_decay", "Weight decay", "权重衰减"),
)
"""Setting, by its path -> what the card calls it, in English and Chinese."""

_SPECIAL = re.compile(r"([\\`*_\[\]<>&|~#!$])")
_ADDRESS = re.compile(r"^[\w.-]+/[\w.-]+$")
_CODE = """\
{imports}

folder = "."  # {folder}
tokenizer = AutoTokenizer.from_pretrained(folder)
{load}
talk = [
    {{"role": "system", "content": {system}}},
    {{"role": "user", "content": {question}}},
]
prompt = tokenizer.apply_chat_template(talk, add_generation_prompt=True, return_tensors="pt", return_dict=True)
reply = model.generate(**prompt, max_new_tokens=128)
print(tokenizer.decode(reply[0, prompt["input_ids"].shape[1] :], skip_special_tokens=True))"""


@dataclass(frozen=True, slots=True)
class CardFacts:
    """What a card tells."""

    model: Model
    persona: Persona
    version: DatasetVersion | None
    base: Base | None
    """The base model's record, where it is known."""
    license: Mapping[str, str]
    """Of the base model, as its own card states it; empty where it does not."""
    part: str
    files: Mapping[str, str]
    """Name -> sha256 of everything beside the card."""
    bytes: int
    """Of the weights."""


class Verbatim(str):
    """Text that the template writes as it is."""

    __slots__ = ()


def write_card(facts: CardFacts) -> str:
    """Return the card: YAML between two lines of dashes, then Markdown."""
    return f"---\n{_head(facts)}\n---\n\n{_template().render(_values(facts)).strip()}\n"


def origin_of(base: Base | None) -> tuple[str, str]:
    """Return (owner/name on a hub, revision) of a base model; empty for one that came from no hub."""
    hub, _, address = (base.origin if base else "").partition(":")
    name, _, revision = address.partition("@")
    return (name, revision) if hub in HUBS and _ADDRESS.match(name) else ("", "")


def _head(facts: CardFacts) -> str:
    from huggingface_hub import ModelCardData

    origin, _revision = origin_of(facts.base)
    method = str(facts.model.manifest.get("settings", {}).get("method", ""))
    tags = ["chat-daiyu", "xtuner", "role-play", "conversational", *([method] if method in _METHODS else [])]
    known: dict[str, Any] = {"base_model": origin, "base_model_relation": _RELATIONS[facts.part]} if origin else {}
    data = ModelCardData(
        language=["zh"],
        library_name=_LIBRARIES[facts.part],
        pipeline_tag="text-generation",
        tags=[*tags, *(["4-bit", "bitsandbytes"] if facts.part == "4bit" else [])],
        **known,
        **dict[str, Any](facts.license),
    )
    text: str = data.to_yaml(line_break="\n")
    return text.strip()


def _values(facts: CardFacts) -> dict[str, Any]:
    manifest = facts.model.manifest
    settings = manifest.get("settings", {})
    origin, _revision = origin_of(facts.base)
    method = _METHODS.get(str(settings.get("method", "")), ("unknown", "未知"))
    tiny = facts.model.base == TINY
    return {
        "name": facts.model.name,
        "persona": facts.persona.name,
        "book": facts.persona.book,
        "note": facts.model.note,
        "part": facts.part,
        "base": PurePath(facts.model.base).name,
        "origin": origin,
        "tiny": tiny,
        "converted": bool(facts.base and facts.base.manifest.get("converted")),
        "license": facts.license.get("license", ""),
        "methods": {"en": method[0], "zh": method[1]},
        "merged": facts.part != "adapter" and settings.get("method") in ("lora", "qlora"),
        "dataset": facts.version,
        "settings": {"en": _rows(settings, 1), "zh": _rows(settings, 2)},
        "bytes": facts.bytes,
        "measured": HELD_OUT_SAMPLES,
        "code": {
            "en": _code(facts, "this folder, or its id on a hub"),
            "zh": _code(facts, "本文件夹，或其在模型库中的名字"),
        },
        "model": facts.model.id,
        "run": facts.model.run_id,
        "seed": manifest.get("seed"),
        "versions": sorted(manifest.get("versions", {}).items()),
        "files": sorted(facts.files.items()),
        **_figures(manifest),
    }


def _rows(settings: Mapping[str, Any], language: int) -> list[tuple[str, str]]:
    rows = []
    for row in _SETTINGS:
        section, _, name = row[0].rpartition(".")
        value = (settings.get(section, {}) if section else settings).get(name)
        if value is not None and not (section == "adapter" and settings.get("method") == "full"):
            rows.append((row[language], ", ".join(value) if isinstance(value, list) else str(value)))
    return rows


def _figures(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the losses and answers, as far as they were measured."""
    trial = manifest.get("trial", {})
    base, model = trial.get("base", {}), trial.get("merged", {})
    squeezed = manifest.get("copies", {}).get("4bit", {}).get("held_out_loss", {})
    before, after = base.get("held_out_loss"), model.get("held_out_loss")
    questions = manifest.get("settings", {}).get("questions", ())
    characters = [one.get("held_out_nats_per_character") for one in (base, model)]
    counted = manifest.get("references", {})
    figures = {
        "steps": manifest.get("steps"),
        "first_loss": manifest.get("first_loss"),
        "final_loss": manifest.get("final_loss"),
        "before": before if after is not None else None,
        "after": after,
        "whole": squeezed.get("model"),
        "squeezed": squeezed.get("4bit"),
        "characters_before": characters[0] if characters[1] is not None else None,
        "characters_after": characters[1],
        "unigram": counted.get("unigram"),
        "bigram": counted.get("bigram"),
    }
    return {
        **figures,
        "figures": any(value is not None for value in figures.values()),
        "parameters": model.get("parameters"),
        "answers": list(zip(questions, base.get("answers", ()), model.get("answers", ()), strict=False)),
    }


def _code(facts: CardFacts, folder: str) -> Verbatim:
    """Return the program that says something to the model, as it stands in the card."""
    imports, load = "", "model = AutoModelForCausalLM.from_pretrained(folder, use_safetensors=True)"
    if facts.part == "adapter":
        base = origin_of(facts.base)[0] or PurePath(facts.model.base).name
        imports = "from peft import PeftModel\n"
        load = f"base = AutoModelForCausalLM.from_pretrained({_literal(base)})\n"
        load += "model = PeftModel.from_pretrained(base, folder)"
    questions = facts.model.manifest.get("settings", {}).get("questions") or ["你好。"]
    code = _CODE.format(
        imports=f"{imports}from transformers import AutoModelForCausalLM, AutoTokenizer",
        folder=folder,
        load=load,
        system=_literal(facts.version.system_prompt if facts.version else facts.persona.system_prompt),
        question=_literal(questions[0]),
    )
    return Verbatim(code)


def _literal(text: str) -> str:
    """Return the text as Python writes it, on one line, so that it can neither end the string nor the code block."""
    return json.dumps(text, ensure_ascii=False).replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


@cache
def _template() -> Template:
    # Not HTML: what is anybody's is escaped for Markdown by `_written`, and nothing is marked safe but by Verbatim.
    environment = Environment(undefined=StrictUndefined, finalize=_written, keep_trailing_newline=True)
    environment.filters |= {"code": _span, "figure": _figure}
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8"))


def _written(value: object) -> object:
    """Return anybody's words as words: one line, nothing in it is Markdown or HTML."""
    if not isinstance(value, str) or isinstance(value, Verbatim):
        return value
    return _SPECIAL.sub(r"\\\1", _line(value))


def _line(text: str) -> str:
    return "".join(one for one in " ".join(text.split()) if one.isprintable())


def _span(text: str) -> Verbatim:
    inside = _line(text).replace("`", "'").replace("|", "\\|")
    return Verbatim(f"`{inside}`")


def _figure(value: float) -> Verbatim:
    """Return a number as both languages write it."""
    return Verbatim(f"{value:,}" if isinstance(value, int) else f"{value:.4g}")
