"""Reads a model's folder without loading it: what it is, how large, whether it is whole and runs no code of its own."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from core.backends.tools import BASE_CONVERTERS
from core.stages.finetuning.bases.chat_forms import chat_form
from core.stages.finetuning.bases.json_files import json_file
from core.stages.finetuning.bases.weights import DamagedWeightsError, Tensor, number_format, tensors_in
from core.translation import N_

CONFIG: Final = "config.json"
WEIGHTS: Final = "model.safetensors"
INDEX: Final = "model.safetensors.index.json"

_CAUSAL: Final = ("ForCausalLM", "LMHeadModel")
_PICKLES: Final = (".bin", ".pt", ".pth", ".ckpt")
_TOKENIZERS: Final = (("tokenizer.json",), ("tokenizer.model",), ("vocab.json", "merges.txt"))
"""Sets of files of which one must be there."""
_HEADS: Final = ("lm_head.weight", "output.weight", "embed_out.weight")
_NAME: Final = re.compile(r"[A-Za-z0-9_][\w.-]{0,199}")


@dataclass(frozen=True, slots=True)
class BaseProblem:
    """Why a model cannot be trained from, and what to do; templates marked for translation."""

    message: str
    remedy: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BaseReport:
    """What a model's folder holds; numbers it does not tell are 0, words empty."""

    architecture: str
    """The class in `config.json`, e.g. `LlamaForCausalLM`."""
    model_type: str
    parameters: int
    """Counted from the weights' headers."""
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    intermediate: int
    vocabulary: int
    context: int
    """Longest sequence, in tokens."""
    tied: bool
    """Whether the output layer is the input's embedding."""
    dtype: str
    """Number format of the weights, by torch's name for it."""
    bytes: int
    """Size of the weights' files."""
    prompt_template: str
    """Chat form, by XTuner's name for it; empty where none is recognised."""
    needs_conversion: bool
    """It runs code of its own, and the app can bring it into the Llama form."""
    problems: tuple[BaseProblem, ...]
    """What stands in the way; none where the model can be trained from, or converted first."""


def inspect_base(folder: Path) -> BaseReport:
    """Return what the folder holds and what is wrong with it; nothing of it is loaded or run."""
    config = json_file(folder / CONFIG)
    problems = list(_configuration_problems(folder, config))
    shards, missing = _shards(folder)
    problems.extend(missing)
    tensors: list[Tensor] = []
    for shard in shards:
        try:
            tensors.extend(tensors_in(shard))
        except (DamagedWeightsError, OSError) as error:
            problems.append(_damaged(shard, error))
    problems.extend(_tokenizer_problems(folder))
    sizes = sizes_of(config)
    tied = _tied(config, tensors)
    if tensors and not problems and not tied and not any(tensor.name in _HEADS for tensor in tensors):
        problems.append(_HEADLESS)
    model_type = str(config.get("model_type", ""))
    return BaseReport(
        architecture=architecture_of(config),
        model_type=model_type,
        parameters=sum(tensor.parameters for tensor in tensors),
        **sizes,
        tied=tied,
        dtype=number_format(tensors) or str(config.get("torch_dtype") or config.get("dtype") or ""),
        bytes=sum(shard.stat().st_size for shard in shards),
        prompt_template=chat_form(folder, model_type),
        needs_conversion=needs_conversion(config),
        problems=tuple(problems),
    )


def needs_conversion(config: Mapping[str, Any]) -> bool:
    """Whether a model of that `config.json` is one of those that are converted when they are brought in."""
    return config.get("model_type") in BASE_CONVERTERS


def refusal_of(config: Mapping[str, Any]) -> BaseProblem | None:
    """Return why a model of that `config.json` cannot be had here at all, whatever its weights are."""
    architecture = architecture_of(config)
    if not needs_conversion(config) and "auto_map" in config:
        return BaseProblem(
            N_("{architecture} wants to run program code of its own, which is never done here."),
            N_("Use a copy in the Llama form, or another base model."),
            {"architecture": architecture or str(config.get("model_type") or CONFIG)},
        )
    if not architecture.endswith(_CAUSAL):
        return BaseProblem(
            N_("This is no language model that goes on with a text: {architecture}."),
            N_("Choose a model whose config.json names a class that ends in ForCausalLM."),
            {"architecture": architecture or "-"},
        )
    if config.get("quantization_config"):
        return BaseProblem(
            N_("These weights are squeezed already ({method}), and cannot be trained from."),
            N_("Choose the repository with the original weights; the method qlora squeezes them by itself."),
            {"method": _method(config["quantization_config"])},
        )
    return None


def architecture_of(config: Mapping[str, Any]) -> str:
    """Return the class that a `config.json` names first; empty without one."""
    named = config.get("architectures")
    return str(named[0]) if isinstance(named, list) and named else ""


def sizes_of(config: Mapping[str, Any]) -> dict[str, int]:
    """Return the sizes that a `config.json` tells; 0 for those it does not."""
    heads = _number(config, "num_attention_heads", "n_head")
    hidden = _number(config, "hidden_size", "n_embd")
    return {
        "hidden": hidden,
        "layers": _number(config, "num_hidden_layers", "n_layer"),
        "heads": heads,
        "kv_heads": _number(config, "num_key_value_heads") or heads,
        "intermediate": _number(config, "intermediate_size", "n_inner") or 4 * hidden,
        "vocabulary": _number(config, "vocab_size"),
        "context": _number(config, "max_position_embeddings", "n_positions"),
    }


def _configuration_problems(folder: Path, config: Mapping[str, Any]) -> list[BaseProblem]:
    if not config:
        return [without_config(folder.name)]
    found = refusal_of(config)
    if found is not None:
        return [found]
    tokenizer = json_file(folder / "tokenizer_config.json")
    if "auto_map" in tokenizer and not needs_conversion(config):
        return [
            BaseProblem(
                N_("The tokenizer wants to run program code of its own, which is never done here."),
                N_("Use a copy whose tokenizer is a native one, or another base model."),
            )
        ]
    return []


def _shards(folder: Path) -> tuple[list[Path], list[BaseProblem]]:
    """Return the weights' files that are there, and what is missing: as transformers looks for them."""
    if (folder / WEIGHTS).is_file():
        return [folder / WEIGHTS], []
    if (folder / INDEX).is_file():
        listed = json_file(folder / INDEX).get("weight_map")
        names = sorted({str(one) for one in listed.values()}) if isinstance(listed, dict) else []
        there = [folder / name for name in names if _NAME.fullmatch(name) and (folder / name).is_file()]
        absent = [name for name in names if folder / name not in there]
        return there, [_absent(absent)] if absent or not names else []
    return [], [without_weights([one.name for one in folder.glob("*")], folder.name)]


def _absent(names: list[str]) -> BaseProblem:
    return BaseProblem(
        N_("Parts of the weights are missing: {names}."),
        N_("Fetch the model once more; what is there already is kept."),
        {"names": ", ".join(name[:80] for name in names[:5]) or INDEX},
    )


def without_config(place: str) -> BaseProblem:
    """Return what to say of a folder or repository whose `config.json` is missing or no object."""
    return BaseProblem(
        N_("There is no config.json that can be read in {folder}."),
        N_("Choose the folder that holds config.json and the weights."),
        {"folder": place},
    )


def without_weights(names: Collection[str], place: str) -> BaseProblem:
    """Return what to say of a folder or repository of those files, none of which are weights in safetensors."""
    if "adapter_model.safetensors" in names:
        return BaseProblem(
            N_("This is an adapter, not a whole model."),
            N_("Bring in the model that the adapter belongs to."),
        )
    if any(name.endswith(_PICKLES) for name in names):
        return BaseProblem(
            N_("The weights are pickles, which can run any program when they are read."),
            N_("Choose a repository with safetensors, or save the model as safetensors where you trust it."),
        )
    return BaseProblem(
        N_("There are no weights in {place}: model.safetensors is missing."),
        N_("Choose a folder or repository that holds config.json and the weights."),
        {"place": place},
    )


def _damaged(shard: Path, error: Exception) -> BaseProblem:
    return BaseProblem(
        N_("{file} is not whole: {problem}."),
        N_("Fetch the model once more; what is whole already is kept."),
        {"file": shard.name, "problem": str(error)},
    )


_HEADLESS: Final = BaseProblem(
    N_("The weights of the output layer are missing, and config.json does not say that it shares the embedding's."),
    N_("Fetch the model once more, or choose another one."),
)


def _tokenizer_problems(folder: Path) -> list[BaseProblem]:
    if any(all((folder / name).is_file() for name in names) for names in _TOKENIZERS):
        return []
    return [
        BaseProblem(
            N_("There is no tokenizer in {folder}."),
            N_("Put tokenizer.json or tokenizer.model there, from the repository the model came from."),
            {"folder": folder.name},
        )
    ]


def _tied(config: Mapping[str, Any], tensors: list[Tensor]) -> bool:
    told = config.get("tie_word_embeddings")
    if isinstance(told, bool):
        return told
    # not told: some classes tie by themselves and then save no output layer
    return bool(tensors) and not any(tensor.name in _HEADS for tensor in tensors)


def _number(config: Mapping[str, Any], *names: str) -> int:
    for name in names:
        value = config.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
    return 0


def _method(told: Any) -> str:
    return str(told.get("quant_method", "-"))[:40] if isinstance(told, dict) else "-"
