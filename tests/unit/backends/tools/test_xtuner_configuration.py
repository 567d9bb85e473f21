"""The generated configuration: what people chose stands in it, as data and never as code."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from core.backends.tools.xtuner.configuration import render
from core.domain.recipe import FineTuning, Recipe
from core.stages.finetuning.settings import FinetuneSettings, preset_values

ORIGINAL = {
    "use_varlen_attn": "False",
    "max_length": "2048",
    "pack_to_max_length": "True",
    "batch_size": "1",
    "accumulative_counts": "16",
    "dataloader_num_workers": "0",
    "max_epochs": "3",
    "optim_type": "AdamW",
    "lr": "0.0002",
    "betas": "(0.9, 0.999)",
    "weight_decay": "0.0",
    "max_norm": "1.0",
    "warmup_ratio": "0.03",
    "save_steps": "500",
    "save_total_limit": "2",
    "evaluation_freq": "500",
    "prompt_template": "PROMPT_TEMPLATE.internlm2_chat",
    "model.type": "SupervisedFinetune",
    "model.llm.torch_dtype": "torch.float16",
    "model.llm.quantization_config.load_in_4bit": "True",
    "model.llm.quantization_config.load_in_8bit": "False",
    "model.llm.quantization_config.llm_int8_threshold": "6.0",
    "model.llm.quantization_config.llm_int8_has_fp16_weight": "False",
    "model.llm.quantization_config.bnb_4bit_compute_dtype": "torch.float16",
    "model.llm.quantization_config.bnb_4bit_use_double_quant": "True",
    "model.llm.quantization_config.bnb_4bit_quant_type": "'nf4'",
    "model.lora.type": "LoraConfig",
    "model.lora.r": "64",
    "model.lora.lora_alpha": "16",
    "model.lora.lora_dropout": "0.1",
    "model.lora.bias": "'none'",
    "model.lora.task_type": "'CAUSAL_LM'",
    "train_dataset.shuffle_before_pack": "True",
    "train_dataset.remove_unused_columns": "True",
    "train_dataloader.sampler.type": "DefaultSampler",
    "optim_wrapper.type": "AmpOptimWrapper",
    "optim_wrapper.loss_scale": "'dynamic'",
    "optim_wrapper.dtype": "'float16'",
    "optim_wrapper.clip_grad.error_if_nonfinite": "False",
    "param_scheduler.0.type": "LinearLR",
    "param_scheduler.0.start_factor": "1e-05",
    "param_scheduler.0.by_epoch": "True",
    "param_scheduler.0.end": "warmup_ratio * max_epochs",
    "param_scheduler.0.convert_to_iter_based": "True",
    "param_scheduler.1.type": "CosineAnnealingLR",
    "param_scheduler.1.eta_min": "0.0",
    "param_scheduler.1.begin": "warmup_ratio * max_epochs",
    "param_scheduler.1.end": "max_epochs",
    "train_cfg.type": "TrainLoop",
    "train_cfg.max_epochs": "max_epochs",
    "default_hooks.logger.interval": "10",
    "default_hooks.checkpoint.by_epoch": "False",
    "env_cfg.dist_cfg.backend": "'nccl'",
}
"""What XTuner's own internlm2_chat_1_8b_qlora_alpaca_e3 sets, apart from its model and its dataset."""


def configured(settings: Recipe, **work: Any) -> dict[str, str]:
    """Return dotted name -> source text of every value in the configuration."""
    tuning = FineTuning(folder=Path("/run"), base=work.pop("base", Path("base")), recipe=settings, **work)
    values: dict[str, str] = {}
    for statement in ast.parse(render(tuning, "python -m xtuner.tools.train")).body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            _collect(statement.targets[0].id, statement.value, values)
    return values


def _collect(name: str, node: ast.expr, values: dict[str, str]) -> None:
    if isinstance(node, ast.Call):
        for keyword in node.keywords:
            _collect(f"{name}.{keyword.arg}", keyword.value, values)
    elif isinstance(node, ast.List) and all(isinstance(one, ast.Call) for one in node.elts):
        for place, one in enumerate(node.elts):
            _collect(f"{name}.{place}", one, values)
    else:
        values[name] = ast.unparse(node)


@pytest.mark.parametrize(("name", "value"), ORIGINAL.items())
def test_the_internlm2_preset_sets_what_the_original_sets(name: str, value: str):
    preset = FinetuneSettings.model_validate(preset_values("internlm2-chat-1.8b-qlora"))

    assert configured(preset.recipe(), questions=("？",))[name] == value


def test_no_remote_code_is_ever_allowed():
    values = configured(Recipe())

    assert values["model.llm.trust_remote_code"] == values["tokenizer.trust_remote_code"] == "False"
    assert values["model.llm.use_safetensors"] == "True"


def test_the_output_head_gets_no_adapter():
    targets = ast.literal_eval(configured(Recipe())["model.lora.target_modules"])

    assert "lm_head" not in targets
    assert "output" not in targets


@pytest.mark.parametrize(
    ("method", "quantized", "adapted"), [("full", False, False), ("lora", False, True), ("qlora", True, True)]
)
def test_a_method_decides_what_is_trained(method: Any, quantized: bool, adapted: bool):
    values = configured(Recipe(method=method))

    assert ("model.llm.quantization_config.load_in_4bit" in values) == quantized
    assert ("model.lora.r" in values) == adapted


def test_a_processor_gets_what_runs_on_a_processor():
    values = configured(Recipe(device="cpu"))

    assert values["model.type"] == "SupervisedOnCpu"
    assert values["optim_wrapper.type"] == "OptimWrapper"
    assert values["train_dataloader.sampler.type"] == "InfiniteSampler"
    assert values["env_cfg.dist_cfg.backend"] == "'gloo'"


def test_bfloat16_needs_no_loss_scaling():
    values = configured(Recipe(device="gpu", precision="bfloat16"))

    assert values["optim_wrapper.dtype"] == "'bfloat16'"
    assert "optim_wrapper.loss_scale" not in values


def test_a_full_training_keeps_its_weights_in_float32_and_computes_in_what_was_chosen():
    values = configured(Recipe(device="gpu", precision="bfloat16", method="full"))

    assert values["model.llm.torch_dtype"] == "torch.float32"
    assert values["optim_wrapper.dtype"] == "'bfloat16'"


def test_several_processes_on_a_processor_are_given_no_gpu_to_share():
    wrapped = configured(Recipe.model_validate({"launcher": {"devices": 2}}))
    on_gpus = configured(Recipe.model_validate({"device": "gpu", "launcher": {"devices": 2}}))

    assert wrapped["model_wrapper_cfg.device_ids"] == "None"
    assert "model_wrapper_cfg.type" not in on_gpus
    assert "model_wrapper_cfg.type" not in configured(Recipe())


def test_steps_replace_epochs():
    values = configured(Recipe(max_steps=200))

    assert values["max_iters"] == "200"
    assert values["train_cfg.max_iters"] == "max_iters"
    assert (values["param_scheduler.0.end"], values["param_scheduler.1.begin"]) == ("20", "20")
    assert values["param_scheduler.0.by_epoch"] == "False"


@pytest.mark.parametrize(
    "recipe",
    [
        {"max_steps": 14},  # a tenth of it is one step
        {"max_steps": 200, "optimizer": {"warmup_ratio": 0}},
        {"max_steps": 0, "optimizer": {"warmup_ratio": 0}},
    ],
)
def test_a_warm_up_that_would_never_end_is_left_out(recipe: dict[str, Any]):
    values = configured(Recipe.model_validate(recipe))

    assert (values["param_scheduler.0.type"], values["param_scheduler.0.begin"]) == ("CosineAnnealingLR", "0")
    assert "param_scheduler.1.type" not in values


def test_texts_of_people_stay_texts():
    hostile = '\'); import os  # {input}\n""" ${base}'
    values = configured(Recipe(), base=Path(f"/x/{hostile}"), system=hostile, questions=(hostile,))

    assert ast.literal_eval(values["pretrained_model_name_or_path"]) == f"/x/{hostile}"
    assert ast.literal_eval(values["SYSTEM"]).format() == hostile
    assert "{" not in ast.literal_eval(values["evaluation_inputs"])[0]


def test_without_questions_nothing_is_asked():
    assert "evaluation_inputs" not in str([name for name in configured(Recipe()) if name.startswith("custom_hooks")])
    assert "EvaluateChatHook" not in configured(Recipe()).values()
    assert "EvaluateChatHook" in configured(Recipe(), questions=("冷么？",)).values()
