"""Build a tiny causal language model of Llama architecture, tokenizer included, from a conversation file.

    python build_tiny_model.py CONVERSATIONS OUT --book FILE --steps 300 --hidden 128 --layers 2 --vocab 4000 --seed 42

The tokenizer is trained on the conversations. The model reads the book (a passage a line), where there is one, and
the bare lines (no chat form), as a base model does. Prints one JSON object a line: `{"step", "steps", "loss", "lr"}`.
Runs in XTuner's environment because a tokenizer saved by a newer transformers does not load there.
"""

# Its imports live in another environment.
# mypy: ignore-errors

from __future__ import annotations

import argparse
import json
import math
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

PAD, BOS, END, START = "<pad>", "<s>", "<|im_end|>", "<|im_start|>"
SPECIALS = (PAD, BOS, END, START)  # XTuner pads with 0, so <pad> comes first
CONTEXT = 1024

# What XTuner's `PROMPT_TEMPLATE.internlm2_chat` writes while training, so that a chat has the same form.
CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def training_texts(conversations: list[dict[str, Any]]) -> Iterator[str]:
    """Yield every text as often as the trainer will meet it, so that frequent phrases become one token."""
    for conversation in conversations:
        for turn in conversation["conversation"]:
            yield from (turn[part] for part in ("system", "input", "output") if turn.get(part))
        yield "system\nuser\nassistant\n"


def build_tokenizer(texts: list[str], vocabulary: int) -> PreTrainedTokenizerFast:
    """Train a BPE with byte fallback: every text can be written, and what was seen is read back exactly."""
    split = pre_tokenizers.Sequence(
        [pre_tokenizers.Split("\n", behavior="isolated"), pre_tokenizers.Punctuation(behavior="isolated")]
    )
    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = split
    own = len(SPECIALS) + 256
    learner.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=vocabulary - own, show_progress=False))
    learnt = json.loads(learner.to_str())["model"]
    tokens = [*SPECIALS, *(f"<0x{byte:02X}>" for byte in range(256)), *sorted(learnt["vocab"], key=learnt["vocab"].get)]
    merges = [tuple(pair) if isinstance(pair, list) else tuple(pair.split(" ")) for pair in learnt["merges"]]
    tokenizer = Tokenizer(models.BPE({token: i for i, token in enumerate(tokens)}, merges, byte_fallback=True))
    tokenizer.pre_tokenizer = split
    tokenizer.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Fuse()])
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIALS])
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A", pair=f"{BOS} $A $B", special_tokens=[(BOS, SPECIALS.index(BOS))]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        bos_token=BOS,
        eos_token=END,
        additional_special_tokens=[START],
        chat_template=CHAT_TEMPLATE,
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
        padding_side="right",
    )


def build_model(vocabulary: int, hidden: int, layers: int) -> LlamaForCausalLM:
    """Return the model with random weights."""
    config = LlamaConfig(
        vocab_size=math.ceil(vocabulary / 64) * 64,
        hidden_size=hidden,
        intermediate_size=math.ceil(hidden * 8 / 3 / 64) * 64,
        num_hidden_layers=layers,
        num_attention_heads=max(1, hidden // 32),
        num_key_value_heads=max(1, hidden // 32),
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        pad_token_id=SPECIALS.index(PAD),
        bos_token_id=SPECIALS.index(BOS),
        eos_token_id=SPECIALS.index(END),
        torch_dtype="float32",
    )
    model = LlamaForCausalLM(config)
    model.generation_config = GenerationConfig(
        bos_token_id=SPECIALS.index(BOS), eos_token_id=SPECIALS.index(END), pad_token_id=SPECIALS.index(PAD)
    )
    return model


def bare_lines(conversations: list[dict[str, Any]]) -> list[str]:
    """Return each distinct line once, whoever says it, without any chat form."""
    turns = (turn for conversation in conversations for turn in conversation["conversation"])
    return list(dict.fromkeys(text for turn in turns for text in (turn["input"], turn["output"]) if text))


def passages(book: Path | None) -> list[str]:
    """Return the book's passages in reading order."""
    return [] if book is None else [line for line in book.read_text(encoding="utf-8").split("\n") if line]


def learn(model: LlamaForCausalLM, stream: list[int], args: argparse.Namespace) -> None:
    """Teach the model to continue `stream`, all weights trained; print the loss as it falls."""
    tokens = torch.tensor(stream if len(stream) > args.length else stream * (args.length // len(stream) + 2))
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr, weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, args.lr, total_steps=args.steps, pct_start=0.1)
    model.train()
    for step in range(1, args.steps + 1):
        starts = [random.randrange(len(tokens) - args.length + 1) for _ in range(args.batch)]
        batch = torch.stack([tokens[start : start + args.length] for start in starts])
        loss = model(input_ids=batch, labels=batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        if step % args.log_every == 0 or step in (1, args.steps):
            told = {"step": step, "steps": args.steps, "loss": loss.item(), "lr": schedule.get_last_lr()[0]}
            print(json.dumps(told), flush=True)  # noqa: T201
        schedule.step()


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("conversations", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--book", type=Path)
    for name, default in (("steps", 300), ("hidden", 128), ("layers", 2), ("vocab", 4000), ("seed", 42)):
        parser.add_argument(f"--{name}", type=int, default=default)
    for name, default in (("batch", 2), ("length", 512), ("log-every", 10)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--lr", type=float, default=3e-3)
    return parser.parse_args()


def main() -> None:
    """Build tokenizer and model, teach it the lines, save both."""
    args = parse()
    random.seed(args.seed)
    torch.manual_seed(args.seed)
    conversations = json.loads(args.conversations.read_text(encoding="utf-8"))
    tokenizer = build_tokenizer(list(training_texts(conversations)), args.vocab)
    model = build_model(len(tokenizer), args.hidden, args.layers)
    lines = bare_lines(conversations)
    random.shuffle(lines)
    texts = [*passages(args.book), *lines]
    stream = [token for text in texts for token in (*tokenizer.encode(text), tokenizer.eos_token_id)]
    if args.steps and stream:
        learn(model, stream, args)
    tokenizer.save_pretrained(args.out)
    model.save_pretrained(args.out, safe_serialization=True)
    made = {"parameters": model.num_parameters(), "vocabulary": len(tokenizer), "tokens": len(stream)}
    print(json.dumps(made))  # noqa: T201


if __name__ == "__main__":
    main()
