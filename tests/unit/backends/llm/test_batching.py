"""Replies of one model side by side: each is what it would be alone, and nobody waits for another's end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from threading import Event
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, LlamaConfig, MistralConfig

from core.backends.llm import Generation, batching
from core.backends.llm.batching import Batch

pytestmark = pytest.mark.slow

SHAPE: dict[str, Any] = {
    "vocab_size": 120, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 4096, "eos_token_id": None, "bos_token_id": None,
    "initializer_range": 0.3,
}  # fmt: skip
NEVER = Event()
SURE = Generation(max_tokens=30, temperature=0, repetition_penalty=1.1)
DICED = Generation(max_tokens=30, temperature=1.2, top_p=0.8, seed=5)


@pytest.fixture(scope="module")
def llama() -> Any:
    torch.manual_seed(0)
    return AutoModelForCausalLM.from_config(LlamaConfig(**SHAPE)).eval()


@pytest.fixture
def batch(llama) -> Batch:
    return Batch(llama, ends=())


@pytest.fixture
def visitors() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as pool:
        yield pool


def said(length: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(3, 120, (length,), generator=torch.Generator().manual_seed(seed))


def written(batch: Batch, prompt: torch.Tensor, settings: Generation = SURE, stop: Event = NEVER) -> list[int]:
    tokens: list[int] = []
    batch.write(prompt, settings, tokens.append, stop)
    return tokens


def by_transformers(model: Any, prompt: torch.Tensor, settings: Generation = SURE) -> list[int]:
    whole = model.generate(
        prompt[None], attention_mask=torch.ones_like(prompt)[None], do_sample=False, pad_token_id=0,
        max_new_tokens=settings.max_tokens, repetition_penalty=settings.repetition_penalty,
    )  # fmt: skip
    tokens: list[int] = whole[0, prompt.shape[0] :].tolist()
    return tokens


class _Held:
    """Takes the first token and holds the batch up there until `go`."""

    def __init__(self) -> None:
        self.begun, self.go, self.tokens = Event(), Event(), list[int]()

    def put(self, token: int) -> None:
        self.tokens.append(token)
        self.begun.set()
        assert self.go.wait(30)


@contextmanager
def held(batch: Batch, visitors: ThreadPoolExecutor, settings: Generation = SURE) -> Iterator[_Held]:
    """A reply that stands still within: whatever is asked meanwhile comes after its first token."""
    first = _Held()
    reply = visitors.submit(batch.write, said(20), settings, first.put, NEVER)
    assert first.begun.wait(30)
    try:
        yield first
    finally:
        first.go.set()
        reply.result(60)


def asked(batch: Batch, visitors: ThreadPoolExecutor, wish: Callable[[], Any]) -> Future[Any]:
    """Ask for something and wait until it stands in the queue."""
    before = len(batch._waiting)
    outcome = visitors.submit(wish)
    while len(batch._waiting) == before:
        time.sleep(0.001)
    return outcome


@pytest.mark.parametrize("settings", [SURE, DICED], ids=["likeliest", "diced"])
def test_replies_beside_one_another_are_what_each_is_alone(llama, batch, visitors, monkeypatch, settings):
    monkeypatch.setattr(batching, "STRETCH", 16)
    prompts = [said(length, seed) for seed, length in enumerate((7, 90, 33, 1, 64, 50, 12, 128, 40, 21))]
    alone = [written(Batch(llama, ends=()), prompt, settings) for prompt in prompts]
    with held(batch, visitors):
        replies = [asked(batch, visitors, partial(written, batch, prompt, settings)) for prompt in prompts]

    assert [reply.result(60) for reply in replies] == alone
    assert len({tuple(reply) for reply in alone}) == len(alone), "otherwise a mix-up would not show"


def test_a_reply_is_the_one_of_transformers_itself(llama, batch, monkeypatch):
    monkeypatch.setattr(batching, "STRETCH_ALONE", 16)
    for seed, length in enumerate((1, 20, 75)):
        assert written(batch, said(length, seed)) == by_transformers(llama, said(length, seed))


def test_a_reply_ends_with_its_last_token_or_where_the_model_ends_it(llama):
    whole = written(Batch(llama, ends=()), said(20))
    end = whole[7]

    assert len(whole) == SURE.max_tokens
    assert written(Batch(llama, ends=(end,)), said(20)) == whole[: whole.index(end)]
    assert written(Batch(llama, ends=(whole[0],)), said(20)) == []


def test_a_newcomer_is_answered_while_another_is_written(batch, visitors):
    written_by_then: list[int] = []
    with held(batch, visitors, Generation(max_tokens=200, temperature=0)) as first:
        newcomer = asked(
            batch,
            visitors,
            lambda: batch.write(said(40, 1), SURE, lambda _: written_by_then.append(len(first.tokens)), NEVER),
        )
    newcomer.result(60)

    assert len(written_by_then) == SURE.max_tokens
    assert written_by_then[-1] <= SURE.max_tokens + 1, "each step writes one token of both"
    assert len(first.tokens) == 200


def test_who_comes_first_is_answered_first_when_all_places_are_taken(batch, visitors, monkeypatch):
    monkeypatch.setattr(batching, "WIDEST", 1)
    order: list[int] = []

    def write(number: int) -> None:
        batch.write(said(9), SURE, lambda _: order.append(number), NEVER)

    with held(batch, visitors):
        replies = [asked(batch, visitors, partial(write, number)) for number in range(5)]
    for reply in replies:
        reply.result(60)

    assert order == [number for number in range(5) for _ in range(SURE.max_tokens)]


def test_a_stop_ends_one_reply_and_leaves_the_others_whole(llama, batch, visitors):
    stop = Event()
    few: list[int] = []

    def take(token: int) -> None:
        few.append(token)
        if len(few) == 4:
            stop.set()

    others = [said(length, length) for length in (5, 60)]
    alone = [written(Batch(llama, ends=()), prompt) for prompt in others]
    with held(batch, visitors):
        stopped = asked(batch, visitors, lambda: batch.write(said(30, 3), SURE, take, stop))
        replies = [asked(batch, visitors, partial(written, batch, prompt)) for prompt in others]

    stopped.result(60)
    assert len(few) == 4
    assert [reply.result(60) for reply in replies] == alone


def test_a_stop_before_its_turn_ends_a_reply_unread(batch, visitors, monkeypatch):
    monkeypatch.setattr(batching, "WIDEST", 1)
    stop = Event()
    with held(batch, visitors):
        waiting = asked(batch, visitors, lambda: written(batch, said(9), SURE, stop))
        next_one = asked(batch, visitors, lambda: written(batch, said(9)))
        stop.set()

    assert waiting.result(60) == []
    assert len(next_one.result(60)) == SURE.max_tokens


def test_one_who_cannot_be_read_fails_alone(llama, batch, visitors):
    alone = written(Batch(llama, ends=()), said(12))
    with held(batch, visitors) as first:
        unreadable = asked(batch, visitors, lambda: written(batch, torch.tensor([5, 5000])))
        whole = asked(batch, visitors, lambda: written(batch, said(12)))

    with pytest.raises(IndexError):
        unreadable.result(60)
    assert whole.result(60) == alone
    assert len(first.tokens) == SURE.max_tokens


def test_one_whose_reader_fails_fails_alone(llama, batch, visitors):
    alone = written(Batch(llama, ends=()), said(12))
    with held(batch, visitors):
        broken = asked(batch, visitors, lambda: batch.write(said(9), SURE, [].index, NEVER))
        whole = asked(batch, visitors, lambda: written(batch, said(12)))

    with pytest.raises(ValueError, match="not in list"):
        broken.result(60)
    assert whole.result(60) == alone


def test_a_model_that_fails_amid_the_replies_ends_them_all_and_the_next_is_whole(llama, visitors):
    broken = Event()

    def model(**inputs: Any) -> Any:
        if broken.is_set():
            raise RuntimeError("no memory")
        return llama(**inputs)

    model.config = llama.config  # type: ignore[attr-defined]
    batch = Batch(model, ends=())
    first = _Held()
    replies = [visitors.submit(batch.write, said(20), SURE, first.put, NEVER)]
    assert first.begun.wait(30)
    replies += [asked(batch, visitors, lambda: written(batch, said(9))) for _ in range(2)]
    broken.set()
    first.go.set()
    for reply in replies:
        with pytest.raises(RuntimeError, match="no memory"):
            reply.result(60)
    broken.clear()

    assert written(batch, said(12)) == written(Batch(llama, ends=()), said(12))


def test_other_work_is_done_between_two_words(batch, visitors):
    with held(batch, visitors, Generation(max_tokens=200, temperature=0)) as first:
        work = asked(batch, visitors, lambda: batch.between(lambda: (len(first.tokens), torch.is_grad_enabled())))
        failing = asked(batch, visitors, lambda: batch.between(lambda: 1 / 0))

    assert work.result(60) == (2, False)
    with pytest.raises(ZeroDivisionError):
        failing.result(60)
    assert len(first.tokens) == 200


def test_a_model_that_keeps_only_a_window_answers_one_after_another(visitors):
    torch.manual_seed(0)
    mistral = AutoModelForCausalLM.from_config(MistralConfig(**SHAPE, sliding_window=8)).eval()
    batch = Batch(mistral, ends=())
    prompts = [said(length, length) for length in (5, 30, 17)]
    with held(batch, visitors):
        replies = [asked(batch, visitors, partial(written, batch, prompt)) for prompt in prompts]

    assert [reply.result(60) for reply in replies] == [by_transformers(mistral, prompt) for prompt in prompts]


def test_nothing_is_kept_of_replies_that_are_over(batch, visitors):
    with held(batch, visitors):
        reply = asked(batch, visitors, lambda: written(batch, said(50)))
    reply.result(60)

    assert (batch._rows, list(batch._waiting), batch._reading) == ([], [], None)
    assert batch._cache.get_seq_length() == 0
