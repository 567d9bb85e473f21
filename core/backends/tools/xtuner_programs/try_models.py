"""Load models as the app will (no remote code, safetensors only), let them answer and measure them.

    python try_models.py REQUEST

REQUEST is a JSON file: `{"models": {"base": DIR, "merged": DIR}, "system": TEXT, "questions": [TEXT],
"held_out": [conversation], "new_tokens": 48, "seed": 42, "out": FILE}`. FILE then holds, for each model,
`{"parameters", "answers": [TEXT], "held_out_loss": nats per token of her words or null,
"held_out_nats_per_character": the same sum over characters, the end of a reply being one more}`. Her words are
every reply that is to be learnt, each foreseen from the talk before it.
"""

# Its imports live in another environment.
# mypy: ignore-errors

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

END = "<|im_end|>"


def replies_of(conversation: dict[str, Any]) -> Iterator[tuple[list[dict[str, str]], str]]:
    """Yield each reply that is to be learnt, with the chat messages before it."""
    messages: list[dict[str, str]] = []
    for turn in conversation["conversation"]:
        if turn.get("system"):
            messages.append({"role": "system", "content": turn["system"]})
        messages.append({"role": "user", "content": turn["input"]})
        if turn.get("output_with_loss", True):
            yield list(messages), turn["output"]
        messages.append({"role": "assistant", "content": turn["output"]})


class Candidate:
    """One loaded model."""

    def __init__(self, folder: str) -> None:
        self.tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        self.model = AutoModelForCausalLM.from_pretrained(
            folder, trust_remote_code=False, use_safetensors=True, torch_dtype=torch.float32
        )
        self.model = self.model.to("cuda" if torch.cuda.is_available() else "cpu").eval()

    def prompt(self, messages: list[dict[str, str]]) -> torch.Tensor:
        """Return the tokens a chat would send before the reply, shape [1, n]."""
        text = self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        return self.tokens(text)

    def tokens(self, text: str) -> torch.Tensor:
        """Return the tokens of a text as it stands, shape [1, n]."""
        return self.tokenizer(text, return_tensors="pt", add_special_tokens=False)["input_ids"].to(self.model.device)

    @torch.no_grad()
    def answer(self, system: str, question: str, new_tokens: int) -> str:
        """Return the most likely reply."""
        messages = [{"role": "system", "content": system}] if system else []
        prompt = self.prompt([*messages, {"role": "user", "content": question}])
        end = self.tokenizer.convert_tokens_to_ids(END)
        reply = self.model.generate(
            prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=new_tokens, do_sample=False, eos_token_id=end
        )
        return self.tokenizer.decode(reply[0, prompt.shape[1] :], skip_special_tokens=True).strip()

    @torch.no_grad()
    def foresight(self, conversations: list[dict[str, Any]]) -> dict[str, float | None]:
        """Return the mean negative log-likelihood (nats) of the replies, ends included, by token and by character."""
        total, tokens, characters = 0.0, 0, 0
        for before, words in (reply for conversation in conversations for reply in replies_of(conversation)):
            prompt, reply = self.prompt(before), self.tokens(words + END)
            both = torch.cat([prompt, reply], dim=1)
            labels = both.clone()
            labels[:, : prompt.shape[1]] = -100
            total += self.model(input_ids=both, labels=labels).loss.item() * reply.shape[1]
            tokens += reply.shape[1]
            characters += len(words) + 1
        return {
            "held_out_loss": total / tokens if tokens else None,
            "held_out_nats_per_character": total / characters if characters else None,
        }


def tried(folder: str, request: dict[str, Any]) -> dict[str, Any]:
    """Return what one model answers and how well it foresees her words; it leaves the memory afterwards."""
    torch.manual_seed(request["seed"])
    candidate = Candidate(folder)
    return {
        "parameters": candidate.model.num_parameters(),
        **candidate.foresight(request["held_out"]),
        "answers": [candidate.answer(request["system"], q, request["new_tokens"]) for q in request["questions"]],
    }


def main() -> None:
    """Try every model of the request."""
    request = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    report: dict[str, Any] = {}
    for name, folder in request["models"].items():
        report[name] = tried(folder, request)
        print(json.dumps({name: report[name]}, ensure_ascii=False), flush=True)  # noqa: T201
    Path(request["out"]).write_text(json.dumps(report, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
