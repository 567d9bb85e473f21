"""How XTuner 0.2 turns a conversation into tokens with and without loss: its steps, without XTuner.

Source: `template_map_fn` and `encode_fn` of XTuner 0.2.0; tests/tools holds both against the real ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from core.backends.tools import ReaderSource, Token
from core.errors import InvalidInputError, MissingArtifactError, SettingsError
from core.translation import N_


@dataclass(frozen=True, slots=True)
class ChatForm:
    """One of XTuner's prompt templates: what stands around the words of each side."""

    system: str
    instruction: str
    suffix: str = ""
    suffix_ends: bool = False
    """The suffix takes the place of the tokenizer's own end token."""
    separator: str = ""


_CHAT_ML = ChatForm(
    "<|im_start|>system\n{system}<|im_end|>\n",
    "<|im_start|>user\n{input}<|im_end|>\n<|im_start|>assistant\n",
    "<|im_end|>",
    suffix_ends=True,
    separator="\n",
)
FORMS: dict[str, ChatForm] = {
    "internlm2_chat": _CHAT_ML,
    "qwen_chat": _CHAT_ML,
    "minicpm3": _CHAT_ML,
    "internlm_chat": ChatForm(
        "<|System|>:{system}\n", "<|User|>:{input}<eoh>\n<|Bot|>:", "<eoa>", suffix_ends=True, separator="\n"
    ),
    "llama3_chat": ChatForm(
        "<|start_header_id|>system<|end_header_id|>\n\n{system}<|eot_id|>",
        "<|start_header_id|>user<|end_header_id|>\n\n{input}<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
        "<|eot_id|>",
        suffix_ends=True,
    ),
    "phi3_chat": ChatForm(
        "<|system|>\n{system}<|end|>\n",
        "<|user|>\n{input}<|end|>\n<|assistant|>\n",
        "<|end|>",
        suffix_ends=True,
        separator="\n",
    ),
    "gemma": ChatForm(
        "<start_of_turn>system\n{system}<end_of_turn>\n",
        "<start_of_turn>user\n{input}<end_of_turn>\n<start_of_turn>model\n",
        "<end_of_turn>",
        separator="\n",
    ),
    "mistral": ChatForm("[INST] {system} [/INST]\n", "[INST] {input} [/INST]", separator="\n"),
    "chatglm3": ChatForm("<|system|>\n{system}", "<|user|>\n{input}<|assistant|>\n", separator="\n"),
    "deepseek_v2": ChatForm("{system}\n\n", "User: {input}\n\nAssistant: ", "<｜end▁of▁sentence｜>", suffix_ends=True),
}
"""XTuner's name for a chat form -> the form."""

_WITHOUT_START = frozenset({"QWenTokenizer", "QWen2Tokenizer", "Qwen2Tokenizer", "Qwen2TokenizerFast"})
"""Tokenizers XTuner puts no start token before."""

_MARK = re.compile(r"<[^<>\s]{1,40}>")


@dataclass(frozen=True, slots=True)
class _Piece:
    """Part of a sample: words to be cut into tokens, or a token that is there by itself."""

    text: str
    loss: bool
    token: int | None = None


class XTunerReader:
    """Reads samples as XTuner's dataset code does."""

    def __init__(self, tokenizer: Any, template: str) -> None:
        if template not in FORMS:
            raise SettingsError(
                N_("The preview does not know the chat form {template}."),
                remedy=N_("Choose one of: {known}."),
                template=template,
                known=", ".join(FORMS),
            )
        self._tokenizer = tokenizer
        self._form = FORMS[template]

    def tokens(self, conversation: Mapping[str, Any]) -> list[Token]:
        """Return all tokens of a conversation of the training file, none of them cut off."""
        pieces = list(self._pieces(conversation["conversation"]))
        return [token for piece in pieces for token in self._cut(piece)]

    def losses(self, conversations: Sequence[Mapping[str, Any]]) -> list[list[bool]]:
        """Return for each conversation whether loss is taken on its tokens, one by one; all at once is faster."""
        talks = [list(self._pieces(one["conversation"])) for one in conversations]
        texts = dict.fromkeys(piece.text for talk in talks for piece in talk if piece.token is None)
        counts = dict(zip(texts, map(len, self._encoded(list(texts))["input_ids"]), strict=True)) if texts else {}
        return [
            [piece.loss for piece in talk for _ in range(1 if piece.token is not None else counts[piece.text])]
            for talk in talks
        ]

    def chat(self, conversation: Mapping[str, Any]) -> list[int] | None:
        """Return the tokens a chat would send by the model's own chat template; None where it has none."""
        if not getattr(self._tokenizer, "chat_template", None):
            return None
        messages: list[dict[str, str]] = []
        for turn in conversation["conversation"]:
            if turn.get("system"):
                messages.append({"role": "system", "content": turn["system"]})
            messages.append({"role": "user", "content": turn["input"]})
            messages.append({"role": "assistant", "content": turn["output"]})
        text = self._tokenizer.apply_chat_template(messages, tokenize=False)
        found: list[int] = self._tokenizer(text, add_special_tokens=False)["input_ids"]
        return found

    def broken_marks(self) -> list[str]:
        """Return the marks around the words that the tokenizer cuts into pieces: it was not made for this form."""
        form = self._form
        marks = list(dict.fromkeys(_MARK.findall(form.system + form.instruction + form.suffix)))
        cut = self._encoded(marks)["input_ids"] if marks else []
        return [mark for mark, tokens in zip(marks, cut, strict=True) if len(tokens) != 1]

    def _pieces(self, turns: Sequence[Mapping[str, Any]]) -> Iterator[_Piece]:
        form = self._form
        begins = True
        for number, turn in enumerate(turns, start=1):
            asked = form.instruction.format(input=turn.get("input") or "", round=number)
            if turn.get("system"):
                asked = form.system.format(system=turn["system"]) + asked
            loss = bool(turn.get("output_with_loss", True))
            if begins:
                yield from (_Piece("", False, token) for token in self._start)
            yield _Piece(asked, False)
            yield _Piece(turn["output"] + form.suffix, loss)
            if not form.suffix_ends:
                yield _Piece("", loss, self._end)
            begins = not form.suffix_ends
            if form.separator:
                yield _Piece(form.separator, False)

    def _cut(self, piece: _Piece) -> Iterator[Token]:
        if piece.token is not None:
            yield Token(piece.token, self._tokenizer.decode([piece.token]), piece.loss)
            return
        encoded = self._encoded([piece.text])
        ids = encoded["input_ids"][0]
        if "offset_mapping" not in encoded:
            yield from (Token(one, self._tokenizer.decode([one]), piece.loss) for one in ids)
            return
        shown = 0
        for one, (_, end) in zip(ids, encoded["offset_mapping"][0], strict=True):
            # a character that is several tokens stands with the first of them
            yield Token(one, piece.text[shown : max(shown, end)], piece.loss)
            shown = max(shown, end)

    def _encoded(self, texts: list[str]) -> Any:
        fast = getattr(self._tokenizer, "is_fast", False)
        more = {"return_offsets_mapping": True} if fast else {}
        return self._tokenizer(texts, add_special_tokens=False, return_attention_mask=False, **more)

    @cached_property
    def _start(self) -> tuple[int, ...]:
        if type(self._tokenizer).__name__ in _WITHOUT_START:
            return ()
        return (self._special("bos_token_id"),)

    @cached_property
    def _end(self) -> int:
        return self._special("eos_token_id")

    def _special(self, name: str) -> int:
        found = getattr(self._tokenizer, name)
        if found is None:
            raise InvalidInputError(
                N_("This model's tokenizer has no {name}, and XTuner cannot train without."),
                remedy=N_("Choose another base model."),
                name=name,
            )
        return int(found)


def reader(source: ReaderSource) -> XTunerReader:
    """Return the reader for a model's folder, or for the tiny model that would be built from the conversations."""
    if source.folder is None:
        from core.backends.tools.xtuner_programs.build_tiny_model import build_tokenizer, training_texts

        return XTunerReader(
            build_tokenizer(list(training_texts([dict(one) for one in source.conversations])), source.vocabulary),
            source.template,
        )
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(source.folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        raise MissingArtifactError(
            N_("The tokenizer in {folder} cannot be loaded: {problem}"),
            remedy=N_("Choose a folder with a tokenizer of a native architecture, or the tiny model."),
            folder=source.folder.name,
            problem=next((line for line in str(error).splitlines() if line.strip()), type(error).__name__),
        ) from error
    return XTunerReader(tokenizer, source.template)
