"""Looks at a finished run from inside XTuner's environment, in the run's folder; prints one JSON object last.

python examine_in_xtuner.py FOLDER_OF_THE_MODEL
"""

# Its imports live in another environment.
# mypy: ignore-errors

from __future__ import annotations

import json
import sys
from functools import partial

import torch
from mmengine.config import Config
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer
from xtuner.dataset.map_fns import template_map_fn
from xtuner.dataset.utils import encode_fn
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


def merge_difference(home, tokens):
    """Return the largest difference between the logits of the merged model and of base and adapter."""
    base = AutoModelForCausalLM.from_pretrained("base")
    with torch.no_grad():
        merged = AutoModelForCausalLM.from_pretrained(home).float()(tokens).logits
        beside = PeftModel.from_pretrained(base, "adapter")(tokens).logits
    return (merged - beside).abs().max().item()


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


def internlm2():
    """Return what XTuner reads in the configuration for InternLM2."""
    cfg = Config.fromfile("internlm2_config.py")
    return {
        "lr": cfg.lr,
        "rank": cfg.model.lora.r,
        "max_epochs": cfg.train_cfg.max_epochs,
        "accumulate": cfg.optim_wrapper.accumulative_counts,
    }


if __name__ == "__main__":
    tokenizer = AutoTokenizer.from_pretrained("base")
    trained, chat = tokens_of_a_talk(tokenizer)
    tokens = torch.tensor([trained])
    found = {
        "training_tokens": trained,
        "chat_tokens": chat,
        "merge_difference": merge_difference(sys.argv[1], tokens),
        "gradient_difference": gradient_difference("xtuner_config.py", tokens),
        "internlm2": internlm2(),
    }
    print(json.dumps(found))  # noqa: T201
