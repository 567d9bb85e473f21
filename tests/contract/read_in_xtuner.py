"""Reads exported files with XTuner's own dataset reader, in its environment; prints one JSON object last.

python read_in_xtuner.py XTUNER_JSON OPENAI_JSONL FOLDER
"""

# Its imports live in another environment.
# mypy: ignore-errors

from __future__ import annotations

import json
import sys

from datasets import load_dataset
from mmengine.config import Config
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast
from xtuner.dataset import process_hf_dataset
from xtuner.dataset.map_fns import openai_map_fn, template_map_fn_factory
from xtuner.utils import IGNORE_INDEX, PROMPT_TEMPLATE


def tokenizer():
    """Return a tokenizer of bytes: what it decodes is what it was given."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    special = ["<s>", "</s>"]
    model = models.BPE(vocab={token: place for place, token in enumerate([*special, *alphabet])}, merges=[])
    built = Tokenizer(model)
    built.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    built.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=built, bos_token="<s>", eos_token="</s>", pad_token="</s>")


def learned(file, folder, dataset_map_fn):
    """Return, for each conversation, the text XTuner shows the model and the stretches of it with loss."""
    tokens = tokenizer()
    read = process_hf_dataset(
        dataset=load_dataset("json", data_files={"train": file}, cache_dir=folder),
        tokenizer=tokens,
        max_length=4096,
        dataset_map_fn=dataset_map_fn,
        template_map_fn=template_map_fn_factory(template=Config(PROMPT_TEMPLATE.internlm2_chat)),
        remove_unused_columns=True,
        pack_to_max_length=False,
        map_num_proc=1,
    )
    found = []
    for row in read:
        stretches, last = [], False
        for token, label in zip(row["input_ids"], row["labels"], strict=True):
            if label != IGNORE_INDEX:
                if not last:
                    stretches.append([])
                stretches[-1].append(token)
            last = label != IGNORE_INDEX
        found.append({"text": tokens.decode(row["input_ids"]), "learned": [tokens.decode(one) for one in stretches]})
    return found


if __name__ == "__main__":
    xtuner, openai, folder = sys.argv[1:]
    print(json.dumps({"xtuner": learned(xtuner, folder, None), "openai": learned(openai, folder, openai_map_fn)}))  # noqa: T201
