"""Hold an InternLM2 checkpoint beside its Llama form: the same tokens into both, the same texts into both tokenizers.

    python compare_internlm2.py SOURCE TARGET OUT

The original's side is XTuner's copy of InternLM2's own modelling code and the SentencePiece library; nothing of SOURCE
is executed. Layer after layer, one of each form in memory, in float32, each form carrying on its own numbers. OUT is a
JSON file: `{"logits_difference", "logits_scale", "sequences", "tokens", "texts", "unequal_texts"}`. Prints one JSON
object a line: `{"step", "steps"}`.
"""

# Its imports live in another environment.
# mypy: ignore-errors

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import sentencepiece
import torch
from internlm2_files import Tensors, added_tokens, read_json
from internlm2_original import InternLM2Config, InternLM2DecoderLayer, InternLM2RMSNorm
from torch.nn import functional
from transformers import AutoTokenizer, LlamaConfig
from transformers.models.llama.modeling_llama import LlamaDecoderLayer, LlamaRMSNorm, LlamaRotaryEmbedding

LENGTH = 64
ROWS = 8192  # of the output head at a time

TALKS = (
    "<|im_start|>system\n你是沈青，住在竹声里。<|im_end|>\n<|im_start|>user\n夜深了，怎么还不点灯？<|im_end|>\n"
    "<|im_start|>assistant\n灯油贵，月亮不要钱。你坐，我去关窗。<|im_end|>\n",
    "<|im_start|>user\nWho rang the bell at midnight, and why did nobody come down?<|im_end|>\n"
    "<|im_start|>assistant\nThe wind did. It has 3 keys, and it never knocks twice.<|im_end|>\n",
    "雨点打在瓦上，先是一两声，后来便数不清了。沈青合上书，说：“今夜怕是走不成了。”陆远笑道：“那便不走。”",
    'def rest(minutes: int) -> str:\n    # half an hour at most\n    return f"{min(minutes, 30)} min"\n',
)
"""What is sent through both models."""

TEXTS = (
    *TALKS,
    "",
    " ",
    "\n",
    "   three before, two  between, one after ",
    "\t一个制表\t\t两个制表\r\n换行在此\n\n\n",
    "全角　空格，“弯引号”、‘单的’——破折号……《书名》·间隔；１２ＡＢ！？",
    "𠮷野家、㐂、龘、彧、饕餮、囧、犇猋骉，都是少见的字。",
    "繁體：她倚著欄杆，聽見遠處敲過三更。",
    "🙂🙃👨\u200d👩\u200d👧\u200d👦 é e\u0301 ﬁ Ω → ∞ ½ ™ 한글 かな русский العربية",
    "0 1 22 333 4444 3.14159 -7 1e-5 2024-06-30 12:05:59 100%",
    "----====____....,,,,;;;;（（（（））））哈哈哈哈哈哈",
    "a<|im_end|>b <|im_end|> 前后<|im_start|>都有字<|im_start|><|im_end|>",
    '<|action_start|><|plugin|>{"name": "weather"}<|action_end|>\n<|interpreter|>',
    "<s>开头</s>结尾<unk>不识 <0x41> <|nobody|> <|im_end |>",
    "The quick-witted innkeeper's dog doesn't bark; it hums (off-key).",
    "https://example.org/a?b=c&d=%20#e  C:\\temp\\x.txt  `x <- y`",
    "SELECT name, 年龄 FROM 人物 WHERE name LIKE '%青%';",
    "\u200b零宽\ufeff字符\u00a0不断行\u2028分行",
    "长" * 70,
)
"""What both tokenizers cut."""

State = list[torch.Tensor]
"""Of each sequence the numbers of one form, shape [1, tokens, width]."""


class Original:
    """How InternLM2's own tokenizer cuts: SentencePiece, between the tokens that are found as a whole."""

    def __init__(self, folder: Path) -> None:
        described = read_json(folder / "tokenizer_config.json")
        self.pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "tokenizer.model"))
        first = (self.pieces.unk_id(), self.pieces.bos_id(), self.pieces.eos_id())
        self.whole = {self.pieces.id_to_piece(number): number for number in first}
        self.whole |= {token["content"]: number for number, token in added_tokens(folder).items()}
        self.before = [self.pieces.bos_id()] if described.get("add_bos_token", True) else []
        self.after = [self.pieces.eos_id()] if described.get("add_eos_token", False) else []
        longest_first = sorted(self.whole, key=len, reverse=True)
        self.split = re.compile(f"({'|'.join(map(re.escape, longest_first))})")

    def ids(self, text: str) -> list[int]:
        """Return the text's tokens, start and end where the original puts them."""
        found = list(self.before)
        for part in self.split.split(text):
            found += [self.whole[part]] if part in self.whole else self.pieces.encode(part)
        return found + self.after


def unequal_texts(source: Path, target: Path) -> list[str]:
    """Return the texts that are cut otherwise, or do not come back as they were."""
    original, converted = Original(source), AutoTokenizer.from_pretrained(target, trust_remote_code=False)

    def equal(text: str) -> bool:
        bare = converted(text, add_special_tokens=False)["input_ids"]
        return original.ids(text) == converted(text)["input_ids"] and converted.decode(bare) == text

    return [text for text in TEXTS if not equal(text)]


class Form:
    """One of the two forms: its tensors, and one layer at a time that computes with them."""

    def __init__(self, folder: Path, layer: torch.nn.Module, norm: torch.nn.Module, names: dict[str, str]) -> None:
        self.tensors = Tensors(folder)
        self.layer, self.norm, self.names = layer.eval(), norm.eval(), names

    def embedded(self, sequences: list[torch.Tensor]) -> State:
        """Return what the model begins with."""
        table = self.tensors.read(self.names["embedding"])
        return [functional.embedding(tokens, table).float() for tokens in sequences]

    def load(self, module: torch.nn.Module, prefix: str) -> torch.nn.Module:
        """Fill a module with the tensors below a name; each must be there and fit."""
        for name, parameter in module.named_parameters():
            found = self.tensors.read(prefix + name)
            if found.shape != parameter.shape:
                raise SystemExit(f"{prefix + name} has the shape {tuple(found.shape)}, not {tuple(parameter.shape)}.")
            parameter.copy_(found)
        return module

    def logits(self, state: State) -> Iterator[torch.Tensor]:
        """Yield the logits of all sequences, for `ROWS` tokens of the vocabulary at a time."""
        last = torch.cat([self.load(self.norm, "model.norm.")(one)[0] for one in state])
        head = self.names["head"] if self.names["head"] in self.tensors.files else self.names["embedding"]
        for start in range(0, self.tensors.rows(head), ROWS):
            yield last @ self.tensors.read(head, start, start + ROWS).float().T


def internlm2(folder: Path) -> tuple[Form, Callable[..., torch.Tensor], InternLM2Config]:
    """Return the original form and how one of its layers is asked."""
    described = read_json(folder / "config.json")
    config = InternLM2Config.from_dict({**described, "attn_implementation": "eager"})
    layer = InternLM2DecoderLayer(config, layer_idx=0)
    names = {"embedding": "model.tok_embeddings.weight", "head": "output.weight"}
    form = Form(folder, layer, InternLM2RMSNorm(config.hidden_size, eps=config.rms_norm_eps), names)

    def ask(state: torch.Tensor, mask: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        layer.attention._init_rope()  # it would remember the longest sequence so far
        return layer(state, attention_mask=mask, position_ids=positions)[0]

    return form, ask, config


def llama(folder: Path) -> tuple[Form, Callable[..., torch.Tensor]]:
    """Return the converted form and how one of its layers is asked."""
    config = LlamaConfig.from_pretrained(folder, trust_remote_code=False, attn_implementation="eager")
    layer, rotary = LlamaDecoderLayer(config, layer_idx=0), LlamaRotaryEmbedding(config)
    names = {"embedding": "model.embed_tokens.weight", "head": "lm_head.weight"}
    form = Form(folder, layer, LlamaRMSNorm(config.hidden_size, eps=config.rms_norm_eps), names)

    def ask(state: torch.Tensor, mask: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        angles = rotary(state, positions)
        return layer(state, attention_mask=mask, position_ids=positions, position_embeddings=angles)

    return form, ask


@torch.no_grad()
def compared_logits(source: Path, target: Path, told: Callable[[], None]) -> dict[str, Any]:
    """Send the talks through both forms and return the largest difference of the logits and their scale."""
    original = Original(source)
    sequences = [torch.tensor([original.ids(text)[:LENGTH]]) for text in TALKS]
    first, ask_first, config = internlm2(source)
    second, ask_second = llama(target)
    states = [first.embedded(sequences), second.embedded(sequences)]
    told()
    for number in range(config.num_hidden_layers):
        for side, (form, ask) in enumerate(((first, ask_first), (second, ask_second))):
            form.load(form.layer, f"model.layers.{number}.")
            states[side] = [ask(one, *mask_and_positions(one.shape[1])) for one in states[side]]
        told()
    difference = scale = 0.0
    for left, right in zip(first.logits(states[0]), second.logits(states[1]), strict=True):
        if not (left.isfinite().all() and right.isfinite().all()):
            raise SystemExit("The model's answers are no numbers: the weights are damaged.")
        difference = max(difference, (left - right).abs().max().item())
        scale = max(scale, left.abs().max().item())
    told()
    tokens = sum(one.shape[1] for one in sequences)
    return {"logits_difference": difference, "logits_scale": scale, "sequences": len(sequences), "tokens": tokens}


def mask_and_positions(length: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the mask that hides what comes later, and the places of the tokens."""
    hidden = torch.full((1, 1, length, length), torch.finfo(torch.float32).min).triu(1)
    return hidden, torch.arange(length)[None]


def main() -> None:
    """Compare and write down what was found."""
    source, target, out = map(Path, sys.argv[1:4])
    steps, done = read_json(source / "config.json").get("num_hidden_layers", 0) + 3, count(1)

    def told() -> None:
        print(json.dumps({"step": next(done), "steps": steps}), flush=True)  # noqa: T201

    unequal = unequal_texts(source, target)
    told()
    found = {**compared_logits(source, target, told), "texts": len(TEXTS), "unequal_texts": unequal}
    out.write_text(json.dumps(found, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
