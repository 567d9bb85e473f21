"""Write an InternLM2 checkpoint in the Llama form, tokenizer included, tensor by tensor.

    python convert_internlm2.py SOURCE TARGET

The two are the same computation: InternLM2 keeps query, key and value of each group of heads in one matrix, and has
other names. Nothing of SOURCE is executed and no pickle is read. TARGET appears when it is whole, in place of what was
there. Prints one JSON object a line: `{"step", "steps"}`.
"""

# Its imports live in another environment.
# mypy: ignore-errors

from __future__ import annotations

import json
import re
import shutil
import struct
import sys
from pathlib import Path
from typing import Any

import torch
from build_tiny_model import CHAT_TEMPLATE
from internlm2_files import INDEX, NORMAL, USER_DEFINED, Piece, Tensors, added_tokens, read_json, read_pieces
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, processors
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

SHARD = 10**9  # bytes
SPACE, END = "▁", "<|im_end|>"
FORMATS = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}

NAMES = {
    "model.embed_tokens": "model.tok_embeddings",
    "lm_head": "output",
    "self_attn.q_proj": "attention.wqkv",
    "self_attn.k_proj": "attention.wqkv",
    "self_attn.v_proj": "attention.wqkv",
    "self_attn.o_proj": "attention.wo",
    "mlp.gate_proj": "feed_forward.w1",
    "mlp.up_proj": "feed_forward.w3",
    "mlp.down_proj": "feed_forward.w2",
    "input_layernorm": "attention_norm",
    "post_attention_layernorm": "ffn_norm",
}
"""Llama's name -> InternLM2's."""


def llama_config(described: dict[str, Any], number_format: str) -> LlamaConfig:
    """Return the same model's settings in Llama's words; what InternLM2 leaves out has its own defaults."""
    if described.get("model_type") != "internlm2":
        raise SystemExit(f"This is a checkpoint of the kind {described.get('model_type')}, not internlm2.")
    same = ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads")
    missing = [name for name in same if name not in described]
    if missing:
        raise SystemExit(f"config.json does not say {', '.join(missing)}.")
    scaling = described.get("rope_scaling")
    if scaling and scaling.get("type") not in ("linear", "dynamic"):
        raise SystemExit(f"InternLM2 knows no positions scaled like {scaling}.")
    return LlamaConfig(
        **{name: described[name] for name in same},
        num_key_value_heads=described.get("num_key_value_heads") or described["num_attention_heads"],
        hidden_act=described.get("hidden_act", "silu"),
        max_position_embeddings=described.get("max_position_embeddings", 2048),
        initializer_range=described.get("initializer_range", 0.02),
        rms_norm_eps=described.get("rms_norm_eps", 1e-6),
        rope_theta=float(described.get("rope_theta", 10_000)),
        rope_scaling={"rope_type": scaling["type"], "factor": float(scaling["factor"])} if scaling else None,
        attention_bias=described.get("bias", True),
        tie_word_embeddings=described.get("tie_word_embeddings", False),
        bos_token_id=described.get("bos_token_id", 1),
        eos_token_id=described.get("eos_token_id", 2),
        pad_token_id=described.get("pad_token_id", 0),
        architectures=["LlamaForCausalLM"],
        dtype=FORMATS[number_format],
    )


class Conversion:
    """The tensors of the Llama form, made from those of the InternLM2 form."""

    def __init__(self, tensors: Tensors, config: LlamaConfig) -> None:
        self.tensors = tensors
        self.config = config
        with torch.device("meta"):
            wanted = LlamaForCausalLM(config).state_dict()
        if config.tie_word_embeddings:
            del wanted["lm_head.weight"]
        self.shapes = {name: tuple(tensor.shape) for name, tensor in wanted.items()}
        self.formats = {name: self._format(self._origin(name)) for name in self.shapes}
        read = {self._origin(name) for name in self.shapes}
        left = [name for name in tensors.files if name not in read and not self._needless(name)]
        if left:
            raise SystemExit(f"The checkpoint has tensors that InternLM2 has not, e.g. {left[0]}.")

    def size(self, name: str) -> int:
        """Return how many bytes a tensor takes."""
        return torch.Size(self.shapes[name]).numel() * FORMATS[self.formats[name]].itemsize

    def tensor(self, name: str) -> torch.Tensor:
        """Return a tensor of the Llama form."""
        found = self.tensors.read(self._origin(name))
        part = re.search(r"\.([qkv])_proj\.", name)
        made = self._part(found, part[1]) if part else found
        if tuple(made.shape) != self.shapes[name]:
            raise SystemExit(f"{self._origin(name)} has the shape {tuple(found.shape)}, which config.json denies.")
        return made.contiguous()

    def _part(self, fused: torch.Tensor, part: str) -> torch.Tensor:
        """Return query, key or value out of the rows of all groups: its query heads, then a key, then a value."""
        groups, heads = self.config.num_key_value_heads, self.config.num_attention_heads
        head = self.config.hidden_size // heads
        if fused.shape[0] != (heads + 2 * groups) * head:
            return fused
        rows = fused.view(groups, heads // groups + 2, head, *fused.shape[1:])
        chosen = {"q": rows[:, :-2], "k": rows[:, -2], "v": rows[:, -1]}[part]
        return chosen.reshape(-1, *fused.shape[1:])

    def _format(self, name: str) -> str:
        if name not in self.tensors.files:
            raise SystemExit(f"The checkpoint has no tensor {name}.")
        found = self.tensors.dtype(name)
        if found not in FORMATS:
            raise SystemExit(f"{name} is kept as {found}; only {', '.join(FORMATS)} can be converted.")
        return found

    def _needless(self, name: str) -> bool:
        """Whether a tensor follows from the others."""
        return name.endswith("rotary_emb.inv_freq") or (name == "output.weight" and self.config.tie_word_embeddings)

    @staticmethod
    def _origin(name: str) -> str:
        whole, end = name.rpartition(".")[::2]
        layer = re.match(r"(model\.layers\.\d+\.)(.+)", whole)
        front, word = layer.groups() if layer else ("", whole)
        return f"{front}{NAMES.get(word, word)}.{end}"


def write_weights(conversion: Conversion, folder: Path) -> None:
    """Write all tensors in files of at most `SHARD` bytes, each tensor alone in memory."""
    shards: list[list[str]] = [[]]
    for name in conversion.shapes:
        if shards[-1] and sum(map(conversion.size, [*shards[-1], name])) > SHARD:
            shards.append([])
        shards[-1].append(name)
    places: dict[str, str] = {}
    for number, names in enumerate(shards, start=1):
        file = f"model-{number:05}-of-{len(shards):05}.safetensors"
        write_shard(conversion, names, folder / file, done=len(places))
        places |= dict.fromkeys(names, file)
    index = {"metadata": {"total_size": sum(map(conversion.size, places))}, "weight_map": places}
    (folder / INDEX).write_text(json.dumps(index, indent=1), encoding="utf-8")


def write_shard(conversion: Conversion, names: list[str], file: Path, done: int) -> None:
    """Write one safetensors file: the length of the header, the header, then the tensors' bytes in its order."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name in names:
        start, end = end, end + conversion.size(name)
        header[name] = {
            "dtype": conversion.formats[name],
            "shape": conversion.shapes[name],
            "data_offsets": [start, end],
        }
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with file.open("wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        for step, name in enumerate(names, start=done + 1):
            out.write(conversion.tensor(name).view(torch.uint8).numpy().data)
            out.flush()
            print(json.dumps({"step": step, "steps": len(conversion.shapes)}), flush=True)  # noqa: T201


def merges(pieces: list[Piece]) -> list[tuple[str, str]]:
    """Return what is joined to what, the most urgent first: SentencePiece joins any two that together are a piece."""
    normal = {piece.text for piece in pieces if piece.kind == NORMAL}
    urgent = sorted((piece for piece in pieces if piece.kind == NORMAL), key=lambda piece: -piece.score)
    cuts = ((piece.text[:at], piece.text[at:]) for piece in urgent for at in range(1, len(piece.text)))
    return [(left, right) for left, right in cuts if left in normal and right in normal]


def build_tokenizer(source: Path, vocabulary: int, longest: int) -> PreTrainedTokenizerFast:
    """Return a fast tokenizer that cuts texts as SentencePiece does, and around added tokens as InternLM2's own does.

    An added token takes the place of the unused piece with its number. The only other difference: the name of such a
    piece, written out in a text, is only text.
    """
    pieces = read_pieces(source / "tokenizer.model")
    added = added_tokens(source)
    names = {number: piece.text for number, piece in enumerate(pieces)}
    names |= {number: token["content"] for number, token in added.items()}
    if max(names) >= vocabulary:
        raise SystemExit(f"The token {names[max(names)]} has the number {max(names)}; the model knows {vocabulary}.")
    numbers = {text: number for number, text in names.items()}
    tokenizer = Tokenizer(models.BPE(numbers, merges(pieces), unk_token=names[0], byte_fallback=True))
    tokenizer.normalizer = normalizers.Replace(" ", SPACE)
    tokenizer.decoder = decoders.Sequence([decoders.Replace(SPACE, " "), decoders.ByteFallback(), decoders.Fuse()])
    # found whole before anything is joined; those of one character are never part of a join anyway
    found = [p.text for n, p in enumerate(pieces) if p.kind == USER_DEFINED and len(p.text) > 1 and n not in added]
    tokenizer.add_tokens([AddedToken(text, normalized=False) for text in found])
    for token in added.values():
        (tokenizer.add_special_tokens if token["special"] else tokenizer.add_tokens)(
            [AddedToken(normalized=False, **token)]
        )
    return as_chat_tokenizer(tokenizer, read_json(source / "tokenizer_config.json"), added, longest)


def as_chat_tokenizer(
    tokenizer: Tokenizer, described: dict[str, Any], added: dict[int, dict[str, Any]], longest: int
) -> PreTrainedTokenizerFast:
    """Give the tokenizer its start token, its special tokens and its chat template."""
    unknown, bos, eos = (
        written(described.get(f"{name}_token"), usual)
        for name, usual in (("unk", "<unk>"), ("bos", "<s>"), ("eos", "</s>"))
    )
    ends = [(bos, described.get("add_bos_token", True)), (eos, described.get("add_eos_token", False))]
    before, after = (token if wanted else "" for token, wanted in ends)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{before} $A {after}".strip(),
        pair=f"{before} $A $B {after}".strip(),
        special_tokens=[(token, tokenizer.token_to_id(token)) for token, wanted in ends if wanted],
    )
    pad = written(described.get("pad_token"), eos)
    more = [token["content"] for token in added.values() if token["special"]]
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token=unknown,
        bos_token=bos,
        eos_token=eos,
        pad_token=pad,
        additional_special_tokens=[token for token in more if token not in (unknown, bos, eos, pad)],
        chat_template=described.get("chat_template") or CHAT_TEMPLATE,
        model_max_length=longest,
        clean_up_tokenization_spaces=False,
        padding_side="right",
    )


def written(token: str | dict[str, Any] | None, usual: str) -> str:
    """Return a special token of tokenizer_config.json, which describes it in one of two ways."""
    return (token["content"] if isinstance(token, dict) else token) or usual


def main() -> None:
    """Convert settings, weights and tokenizer into a draft, then give it its name."""
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    described = read_json(source / "config.json")
    tensors = Tensors(source)
    config = llama_config(described, tensors.dtype("model.tok_embeddings.weight"))
    conversion = Conversion(tensors, config)
    tokenizer = build_tokenizer(source, config.vocab_size, config.max_position_embeddings)
    draft = target.with_name(f".{target.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    config.save_pretrained(draft)
    tokenizer.save_pretrained(draft)
    ends = {config.eos_token_id, tokenizer.get_vocab().get(END, config.eos_token_id)}
    tokens = {"bos_token_id": config.bos_token_id, "pad_token_id": config.pad_token_id}
    GenerationConfig(eos_token_id=sorted(ends), **tokens).save_pretrained(draft)
    write_weights(conversion, draft)
    shutil.rmtree(target, ignore_errors=True)
    draft.rename(target)


if __name__ == "__main__":
    main()
