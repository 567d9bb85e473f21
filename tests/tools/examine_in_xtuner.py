"""Looks at finished runs from inside XTuner's environment, in the first one's folder; prints one JSON object last.

python examine_in_xtuner.py FOLDER_OF_A_MODEL...

`internlm2/` in the folder holds the configuration for InternLM2.
"""

# Its imports live in another environment.
# mypy: ignore-errors

from __future__ import annotations

import inspect
import json
import os
import sys
from functools import partial

import torch
from mmengine.config import Config
from mmengine.runner import LogProcessor
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer
from xtuner.configs import cfgs_name_path
from xtuner.dataset.map_fns import template_map_fn
from xtuner.dataset.utils import encode_fn
from xtuner.engine.hooks import EvaluateChatHook
from xtuner.registry import BUILDER
from xtuner.utils import PROMPT_TEMPLATE


def tokens_of_a_talk(tokenizer):
    """Return the same talk of two rounds as XTuner trains it and as a chat sends it."""
    rounds = [("你是沈青。", "冷么？", "不冷。"), ("", "走罢？\n天晚了。", "再立一会儿。")]
    example = {"conversation": [{"system": s, "input": i, "output": o} for s, i, o in rounds]}
    mapped = partial(template_map_fn, template=Config(PROMPT_TEMPLATE.internlm2_chat))(example)
    trained = encode_fn(mapped, tokenizer, max_length=1024)["input_ids"]
    talk = [{"role": "system", "content": rounds[0][0]}]
    for _, asked, answered in rounds:
        talk += [{"role": "user", "content": asked}, {"role": "assistant", "content": answered}]
    return trained, tokenizer.apply_chat_template(talk)


@torch.no_grad()
def merge_difference(home, tokens):
    """Return how far the merged model's logits are from those of base and adapter, and from the base's alone."""
    base = AutoModelForCausalLM.from_pretrained("base")
    alone = base(tokens).logits
    merged = AutoModelForCausalLM.from_pretrained(home).float()(tokens).logits
    beside = PeftModel.from_pretrained(base, f"{home}/adapter")(tokens).logits
    return {
        "difference": (merged - beside).abs().max().item(),
        "without_adapter": (merged - alone).abs().max().item(),
        "scale": beside.abs().max().item(),
    }


def gradient_difference(config, tokens):
    """Return how much the adapter's gradients change because the model has answered something before."""
    cfg = Config.fromfile(config)
    cfg.model.lora.lora_dropout = 0.0
    model = BUILDER.build(cfg.model)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            parameter.data.normal_(std=0.01, generator=torch.Generator().manual_seed(1))

    def gradients():
        model.zero_grad()
        model.train()
        model.llm(input_ids=tokens, labels=tokens).loss.backward()
        return torch.cat([one.grad.flatten() for one in model.parameters() if one.grad is not None])

    before = gradients()
    model.eval()
    with torch.no_grad():
        model.llm(input_ids=tokens)
    return (gradients() - before).abs().max().item()


def settings(file):
    """Return dotted name -> value of everything a configuration sets; what is named and used again stands once."""
    cfg = Config.fromfile(file)._to_lazy_dict()
    dataset = cfg["train_dataloader"].pop("dataset")
    for again in ("train_dataset", "alpaca_en"):
        cfg.pop(again, None)
    hooks = {str(hook["type"]).rpartition(".")[2].strip("<>'"): hook for hook in cfg.pop("custom_hooks")}
    for part in (dataset, *hooks.values()):
        part.pop("tokenizer", None)
    schedule = dict(enumerate(cfg.pop("param_scheduler")))
    found = {}
    for name, part in {**cfg, "dataset": dataset, "custom_hooks": hooks, "param_scheduler": schedule}.items():
        collect(name, part, found)
    return found


def collect(name, value, found):
    """Add what stands below a name."""
    if isinstance(value, dict):
        for key, one in value.items():
            collect(f"{name}.{key}", one, found)
    else:
        found[name] = str(float(value)) if type(value) in (int, float) else str(value)


def default_of(kind, name):
    """Return what an argument is where nothing is said."""
    return inspect.signature(kind).parameters[name].default


def preset_and_original():
    """Return what the preset's configuration sets, and XTuner's own that it follows."""
    folder = os.getcwd()  # noqa: PTH109
    os.chdir("internlm2")
    sys.path.insert(0, os.getcwd())  # noqa: PTH109
    preset = settings("xtuner_config.py")
    os.chdir(folder)
    return preset, settings(cfgs_name_path["internlm2_chat_1_8b_qlora_alpaca_e3"])


if __name__ == "__main__":
    tokenizer = AutoTokenizer.from_pretrained("base")
    trained, chat = tokens_of_a_talk(tokenizer)
    tokens = torch.tensor([trained])
    preset, original = preset_and_original()
    found = {
        "training_tokens": trained,
        "chat_tokens": chat,
        "merged": [merge_difference(home, tokens) for home in sys.argv[1:]],
        "gradient_difference": gradient_difference("xtuner_config.py", tokens),
        "preset": preset,
        "original": original,
        "answer_length": default_of(EvaluateChatHook, "max_new_tokens"),
        "window_size": default_of(LogProcessor, "window_size"),
    }
    print(json.dumps(found))  # noqa: T201
