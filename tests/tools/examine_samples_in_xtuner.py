"""Reads samples with XTuner's own dataset code, in a folder with `conversations.json`; prints one JSON object last.

python examine_samples_in_xtuner.py MAX_LENGTH TEMPLATE...
"""

# Its imports live in another environment.
# mypy: ignore-errors

from __future__ import annotations

import json
import sys

from build_tiny_model import build_tokenizer, training_texts
from datasets import load_dataset
from mmengine.config import Config
from xtuner.dataset import process_hf_dataset
from xtuner.dataset.map_fns import template_map_fn_factory
from xtuner.utils import PROMPT_TEMPLATE


def samples(tokenizer, template, max_length):
    """Return tokens and labels of every sample."""
    dataset = process_hf_dataset(
        dataset=load_dataset("json", data_files={"train": "conversations.json"}, cache_dir="cache"),
        tokenizer=tokenizer,
        max_length=max_length,
        dataset_map_fn=None,
        template_map_fn=template_map_fn_factory(Config(PROMPT_TEMPLATE[template])),
        remove_unused_columns=True,
        pack_to_max_length=False,
        map_num_proc=1,
    )
    return [[one["input_ids"], one["labels"]] for one in dataset]


if __name__ == "__main__":
    with open("conversations.json", encoding="utf-8") as file:  # noqa: PTH123
        tokenizer = build_tokenizer(list(training_texts(json.load(file))), 800)
    tokenizer.save_pretrained("tokenizer")
    found = {name: samples(tokenizer, name, int(sys.argv[1])) for name in sys.argv[2:]}
    print(json.dumps({"samples": found, "templates": {name: dict(PROMPT_TEMPLATE[name]) for name in sys.argv[2:]}}))  # noqa: T201
