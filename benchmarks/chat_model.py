"""What streaming costs and what answering side by side gives, beside a bare `generate` on the same model.

    python -m benchmarks.chat_model [--model FOLDER] [--tokens 200] [--rounds 7] [--visitors 8] [--json]

Without a folder a Llama of random weights is built (8 layers of 512). Both get the same prompt through the same chat
template, greedy, write the same tokens, and do it in a thread; rounds of both alternate, so that a busy machine
disturbs both alike. `ratio` is ours over bare, of the medians. Then so many visitors ask at once:
`visitors_tokens_s` is what they get together, `visitors_ratio` that over bare, which answers one after another;
`last_word_s` is when the last of them reads her first word, `last_word_in_turn_s` when that would be in turn.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from threading import Event
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from core.backends.llm import CHAT_MODELS, ChatRole, ChatTurn, Generation, ModelSource
from core.backends.rows import build
from tests.contract.tiny_llama import build_tiny_llama

SAID = (ChatTurn(ChatRole.SYSTEM, "你是沈青。"), ChatTurn(ChatRole.VISITOR, "昨夜的雨可停了？"))


def main() -> None:
    """Measure both and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--tokens", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--visitors", type=int, default=8)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model = options.model or build_tiny_llama(Path(folder), context=2048, hidden=512, layers=8)
        figures = measured(model, options.tokens, options.rounds, options.visitors)
    for name, value in figures.items():
        print(f"{name:24}{value:>10}")
    if options.json:
        print(json.dumps(figures))


def measured(folder: Path, tokens: int, rounds: int, visitors: int) -> dict[str, float]:
    """Return tokens a second of both, alone and with many visitors, and the ratios."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    bare: Any = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True, dtype=torch.float32)
    prompt = tokenizer.apply_chat_template(
        [{"role": turn.role.value, "content": turn.text} for turn in SAID],
        add_generation_prompt=True, return_tensors="pt", return_dict=True,
    )  # fmt: skip
    greedy = {"do_sample": False, "temperature": None, "top_p": None, "top_k": None, "pad_token_id": 0}
    ours = build(CHAT_MODELS, "transformers", ModelSource(folder=folder))
    wanted = Generation(max_tokens=tokens, temperature=0)

    def by_hand() -> Any:
        with ThreadPoolExecutor(1) as thread:
            written = thread.submit(bare.generate, **prompt, **greedy, max_new_tokens=tokens).result()
        return written[0, prompt["input_ids"].shape[1] :]

    def streamed() -> str:
        return "".join(delta.text for delta in ours.stream(SAID, settings=wanted, cancel=Event()))

    def visited() -> tuple[float, float]:
        """Return the seconds until the last visitor's first word, and until all have been answered."""
        began = time.perf_counter()

        def first_word() -> float:
            stream = ours.stream(SAID, settings=wanted, cancel=Event())
            next(stream)
            waited = time.perf_counter() - began
            assert sum(1 for _ in stream), "each is answered"
            return waited

        with ThreadPoolExecutor(visitors) as everybody:
            waited = max(visit.result() for visit in [everybody.submit(first_word) for _ in range(visitors)])
        return waited, time.perf_counter() - began

    written = by_hand()
    assert tokenizer.decode(written, skip_special_tokens=True).rstrip("\ufffd") == streamed(), "both write the same"
    count = len(written)
    taken: dict[str, list[float]] = {"bare": [], "ours": []}
    for _ in range(rounds):
        for name, write in (("bare", by_hand), ("ours", streamed)):
            began = time.perf_counter()
            write()
            taken[name].append(time.perf_counter() - began)
    last_words, ends = zip(*(visited() for _ in range(max(rounds // 2, 1))), strict=True)
    together = visitors * count / median(ends)
    bare_speed, our_speed = count / median(taken["bare"]), count / median(taken["ours"])
    return {
        "tokens": count,
        "bare_tokens_s": round(bare_speed, 1),
        "ours_tokens_s": round(our_speed, 1),
        "ratio": round(our_speed / bare_speed, 3),
        "visitors": visitors,
        "visitors_tokens_s": round(together, 1),
        "visitors_ratio": round(together / bare_speed, 2),
        "last_word_s": round(median(last_words), 2),
        "last_word_in_turn_s": round((visitors - 1) * count / bare_speed, 2),
    }


if __name__ == "__main__":
    main()
