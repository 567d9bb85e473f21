"""Loads an exported adapter with PEFT, in XTuner's environment; prints one JSON object last.

python load_adapter_in_xtuner.py BASE EXPORT
"""

# Its imports live in another environment.
# mypy: ignore-errors

from __future__ import annotations

import json
import sys

import torch
from peft import PeftConfig, PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer


def main():
    """Say what the adapter names as its base, and by how much it changes what the base says."""
    base, export = sys.argv[1:]
    tokens = AutoTokenizer.from_pretrained(export)("外头下雨了么？", return_tensors="pt")["input_ids"]
    model = AutoModelForCausalLM.from_pretrained(base)
    with torch.no_grad():
        before = model(tokens).logits
        after = PeftModel.from_pretrained(model, export)(tokens).logits
    config = PeftConfig.from_pretrained(export)
    print(json.dumps({  # noqa: T201
        "base": config.base_model_name_or_path,
        "type": str(config.peft_type.value),
        "difference": (after - before).abs().max().item(),
    }))  # fmt: skip


main()
