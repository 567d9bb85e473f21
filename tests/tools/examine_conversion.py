"""Looks at converted models from inside XTuner's environment; prints one JSON object last.

python examine_conversion.py SOURCES TARGETS BROKEN DAMAGED

SOURCES and TARGETS hold the checkpoints `chat` and `scaled`, as they were and converted. BROKEN becomes a copy of the
converted `chat` with two rows of one query matrix swapped, and its comparison.json. Below DAMAGED come copies of `chat`
that nobody could convert.
"""

# Its imports live in another environment.
# mypy: ignore-errors

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import convert_internlm2
import torch
from compare_internlm2 import TALKS, TEXTS, Original, compared_logits
from internlm2_files import Tensors, read_json
from internlm2_original import InternLM2Config, InternLM2ForCausalLM
from safetensors.torch import load_file, save_file
from transformers import LlamaForCausalLM, LlamaTokenizer
from transformers.tokenization_utils import AddedToken

ROW = "model.layers.1.self_attn.q_proj.weight"


def original_model(folder):
    """Return the whole model of InternLM2's own code, in float32."""
    model = InternLM2ForCausalLM(InternLM2Config.from_dict(read_json(folder / "config.json"))).float()
    tensors = Tensors(folder)
    weights = {name: tensors.read(name).float() for name in tensors.files}
    if model.config.tie_word_embeddings:
        weights["output.weight"] = weights["model.tok_embeddings.weight"]
    model.load_state_dict(weights)
    return model.eval()


@torch.no_grad()
def whole(source, target, tokens):
    """Return the largest difference of the logits of both whole models, their scale, and the converted one's loss."""
    theirs = original_model(source)(tokens, use_cache=False).logits
    model = LlamaForCausalLM.from_pretrained(target, torch_dtype=torch.float32, use_safetensors=True)
    found = model(tokens, labels=tokens)
    return {
        "difference": (theirs - found.logits).abs().max().item(),
        "scale": theirs.abs().max().item(),
        "loss": found.loss.item(),
    }


def break_a_copy(target, broken):
    """Copy a model and swap two rows within one head."""
    shutil.copytree(target, broken)
    (file,) = broken.glob("model-*.safetensors")
    weights = load_file(file)
    weights[ROW][[0, 1]] = weights[ROW][[1, 0]]
    save_file(weights, file, {"format": "pt"})


def slow_ids(folder, texts):
    """Return the tokens by the slow tokenizer that InternLM2's own was made from, bit for bit its old behaviour."""
    added = read_json(folder / "tokenizer_config.json")["added_tokens_decoder"]
    known = {int(number): AddedToken(**token) for number, token in added.items()}
    slow = LlamaTokenizer(
        str(folder / "tokenizer.model"), legacy=True, add_prefix_space=False, added_tokens_decoder=known
    )
    return [slow(text)["input_ids"] for text in texts]


def refusal(source, folder, damage):
    """Damage a copy of a checkpoint and return what the conversion says of it, and what it leaves behind."""
    copy, target = folder / damage / "source", folder / damage / "made" / "target"
    shutil.copytree(source, copy)
    shard, index = copy / "model-00002-of-00003.safetensors", copy / "model.safetensors.index.json"
    if damage == "pickles":
        for file in copy.glob("model*"):
            file.unlink()
        (copy / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    elif damage == "missing":
        shard.unlink()
    elif damage == "cut":
        shard.write_bytes(shard.read_bytes()[:-10])
    elif damage == "outside":
        index.write_text(index.read_text().replace(shard.name, "../../../../../../etc/passwd"))
    else:
        (copy / "config.json").write_text('{"model_type": "qwen2"}')
    sys.argv[1:] = [str(copy), str(target)]
    try:
        convert_internlm2.main()
    except SystemExit as refused:
        return str(refused), [file.name for file in folder.glob(f"{damage}/made/*")]
    return "", []


if __name__ == "__main__":
    sources, targets, broken, damaged = map(Path, sys.argv[1:5])
    original = Original(sources / "chat")
    ids = [original.ids(text) for text in TEXTS]
    tokens = torch.tensor([original.ids("".join(TALKS))[:80]])
    break_a_copy(targets / "chat", broken)
    comparison = compared_logits(sources / "chat", broken, lambda: None)
    (broken / "comparison.json").write_text(json.dumps({**comparison, "texts": 0, "unequal_texts": []}))
    found = {
        **{name: whole(sources / name, targets / name, tokens) for name in ("chat", "scaled")},
        "layered": compared_logits(sources / "scaled", targets / "scaled", lambda: None),
        "tokens": tokens[0].tolist(),
        "texts": TEXTS,
        "ids": ids,
        "refusals": {
            damage: refusal(sources / "chat", damaged, damage)
            for damage in ("pickles", "missing", "cut", "outside", "other")
        },
        "slow_ids": slow_ids(sources / "chat", TEXTS),
    }
    print(json.dumps(found))  # noqa: T201
