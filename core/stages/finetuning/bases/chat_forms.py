"""Which chat form a base model was made for, by XTuner's name for it: told by its kind and its tokenizer's tokens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from core.stages.finetuning.bases.json_files import json_file

_MOST_BYTES: Final = 64 << 20
_TOKENIZER_FILES: Final = (
    "tokenizer_config.json",
    "chat_template.jinja",
    "chat_template.json",
    "added_tokens.json",
    "special_tokens_map.json",
)

_CHAT_ML: Final = "<|im_start|>"
_CHAT_ML_FORMS: Final = {"qwen": "qwen_chat", "minicpm3": "minicpm3"}
"""Beginning of a model type -> its name for ChatML, where it has one of its own."""
_FORMS: Final = (
    ("<|start_header_id|>", "llama3_chat"),
    ("<start_of_turn>", "gemma"),
    ("<|START_OF_TURN_TOKEN|>", "cohere_chat"),
    ("<reserved_106>", "baichuan2_chat"),
    ("<<SYS>>", "llama2_chat"),
)
"""What stands in the tokenizer's files -> the form, whatever the model's kind."""
_FORMS_BY_KIND: Final = (
    ("phi3", "<|assistant|>", "phi3_chat"),
    ("phimoe", "<|assistant|>", "phi3_chat"),
    ("mixtral", "[INST]", "mixtral"),
    ("mistral", "[INST]", "mistral"),
    ("deepseek_v2", "<｜end▁of▁sentence｜>", "deepseek_v2"),
    ("internlm", "<eoh>", "internlm_chat"),
)
"""Beginning of a model type, what must stand in the tokenizer's files, the form."""


def chat_form(folder: Path, model_type: str) -> str:
    """Return the chat form's name; empty where none is recognised."""
    words = _words_of(folder)
    if _CHAT_ML in words:
        own = (form for kind, form in _CHAT_ML_FORMS.items() if model_type.startswith(kind))
        return next(own, "internlm2_chat")
    for mark, form in _FORMS:
        if mark in words:
            return form
    by_kind = (form for kind, mark, form in _FORMS_BY_KIND if model_type.startswith(kind) and mark in words)
    return next(by_kind, "")


def _words_of(folder: Path) -> str:
    """Return what the tokenizer's small files say, and the tokens that were added to it."""
    parts = []
    for name in _TOKENIZER_FILES:
        file = folder / name
        if file.is_file() and file.stat().st_size <= _MOST_BYTES:
            parts.append(_readable(file))
    parts.extend(_added_tokens(folder / "tokenizer.json"))
    return "\n".join(parts)


def _readable(file: Path) -> str:
    """Return a file's text; of JSON the strings as they are meant, not as they are escaped."""
    if file.suffix == ".json":
        return json.dumps(json_file(file), ensure_ascii=False)
    return file.read_text(encoding="utf-8", errors="replace")


def _added_tokens(file: Path) -> list[str]:
    added = json_file(file).get("added_tokens")
    listed = added if isinstance(added, list) else []
    return [str(one.get("content", "")) for one in listed if isinstance(one, dict)]
