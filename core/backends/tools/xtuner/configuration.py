"""Writes XTuner's own kind of configuration, a Python file, from a recipe."""

from __future__ import annotations

from pathlib import PurePath
from string import Template

from core.backends.tools import CONVERSATIONS
from core.backends.tools.xtuner import launching
from core.domain.recipe import FineTuning, Recipe
from core.settings import CONFIGS

TEMPLATE = CONFIGS / "templates" / "xtuner_config.py.txt"

_QUANTIZATION = """\
        quantization_config=dict(
            type=BitsAndBytesConfig,
            load_in_4bit=True,
            load_in_8bit=False,
            llm_int8_threshold=6.0,
            llm_int8_has_fp16_weight=False,
            bnb_4bit_compute_dtype=torch.{precision},
            bnb_4bit_use_double_quant=True,
            bnb_4bit_quant_type="nf4",
        ),
"""
_LORA = """\
    lora=dict(
        type=LoraConfig,
        r={rank},
        lora_alpha={alpha},
        lora_dropout={dropout},
        bias="none",
        task_type="CAUSAL_LM",
        target_modules={targets},
    ),
"""
_PROBE = """\
    dict(
        type=EvaluateChatHook,
        tokenizer=tokenizer,
        every_n_iters=evaluation_freq,
        evaluation_inputs=evaluation_inputs,
        system=SYSTEM,
        prompt_template=prompt_template,
        max_new_tokens={tokens},
    ),
"""
_WRAPPER = """
model_wrapper_cfg = dict(type="MMDistributedDataParallel", find_unused_parameters=False, device_ids=None)
"""
_WARM_UP = """\
    dict(type=LinearLR, start_factor=1e-5, by_epoch={by_epoch}, begin=0, end={warm}{convert}),
"""
_DECAY = """\
    dict(type=CosineAnnealingLR, eta_min=0.0, by_epoch={by_epoch}, begin={warm}, end={end}{convert}),
"""


def render(work: FineTuning, train_by_hand: str) -> str:
    """Return the configuration's text; values of people are written as Python literals, never as code."""
    recipe = work.recipe
    values = {
        "train_by_hand": train_by_hand,
        "base": _text(str(PurePath(work.base))),
        "data": _text(CONVERSATIONS),
        "system": _text(work.system.replace("{", "{{").replace("}", "}}")),  # EvaluateChatHook formats it once more
        "questions": repr([question.replace("{", "").replace("}", "") for question in work.questions]),
        "quantization": _QUANTIZATION.format(precision=recipe.precision) if recipe.method == "qlora" else "",
        "lora": _lora(recipe) if recipe.makes_adapter else "",
        "probe_hook": _PROBE.format(tokens=recipe.intervals.probe_tokens) if work.questions else "",
        **_numbers(recipe),
        **_length(recipe),
        **_machine(recipe),
    }
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(values)


def _text(value: str) -> str:
    return repr(value)


def _lora(recipe: Recipe) -> str:
    adapter = recipe.adapter
    targets = repr(list(adapter.target_modules))
    return _LORA.format(rank=adapter.rank, alpha=adapter.alpha, dropout=adapter.dropout, targets=targets)


def _numbers(recipe: Recipe) -> dict[str, object]:
    names = ("prompt_template", "max_length", "pack", "batch_size", "learning_rate", "seed", "precision")
    sections = {**recipe.optimizer.model_dump(), **recipe.intervals.model_dump()}
    return {**{name: getattr(recipe, name) for name in names}, **sections}


def _length(recipe: Recipe) -> dict[str, str]:
    """Count steps where the recipe names them, else epochs as XTuner's own configurations do."""
    if recipe.max_steps:
        steps = round(recipe.optimizer.warmup_ratio * recipe.max_steps)
        # a warm-up of one step never leaves its first rate, and the decay goes on from there
        warm = str(steps) if steps > 1 else "0"
        return {
            "length": f"max_iters = {recipe.max_steps}",
            "train_length": "max_iters=max_iters",
            "schedule": _schedule(warm, "max_iters", by_epoch=False),
        }
    warm = "warmup_ratio * max_epochs" if recipe.optimizer.warmup_ratio else "0"
    return {
        "length": f"max_epochs = {recipe.epochs}",
        "train_length": "max_epochs=max_epochs",
        "schedule": _schedule(warm, "max_epochs", by_epoch=True),
    }


def _schedule(warm: str, end: str, *, by_epoch: bool) -> str:
    parts = _DECAY if warm == "0" else _WARM_UP + _DECAY
    return parts.format(warm=warm, end=end, by_epoch=by_epoch, convert=", convert_to_iter_based=True" * by_epoch)


def _machine(recipe: Recipe) -> dict[str, str]:
    if recipe.device == "cpu":
        return {
            "model_class": "SupervisedOnCpu",
            "model_class_import": "from supervised_on_cpu import SupervisedOnCpu",
            "sampler": "InfiniteSampler",  # DefaultSampler starts each epoch anew, seconds for a tiny dataset
            "optim_wrapper": "OptimWrapper",  # the mixed-precision one asserts a GPU
            "scaling": "",
            "dist_backend": "gloo",
            "map_processes": "1",
            "weights": "float32",
            "wrapper": _WRAPPER if launching.in_group(recipe) else "",  # else mmengine names a GPU for each process
        }
    scaled = recipe.precision == "float16"
    return {
        "model_class": "SupervisedFinetune",
        "model_class_import": "from xtuner.model import SupervisedFinetune",
        "sampler": "DefaultSampler",
        "optim_wrapper": "OptimWrapper" if recipe.precision == "float32" else "AmpOptimWrapper",
        "scaling": f'    loss_scale="dynamic",\n    dtype="{recipe.precision}",\n' if scaled else _plain_amp(recipe),
        "dist_backend": "nccl",
        "map_processes": "4",
        # a full training moves the weights by less than a 16-bit number can tell apart
        "weights": "float32" if recipe.method == "full" else recipe.precision,
        "wrapper": "",
    }


def _plain_amp(recipe: Recipe) -> str:
    return "" if recipe.precision == "float32" else f'    dtype="{recipe.precision}",\n'
