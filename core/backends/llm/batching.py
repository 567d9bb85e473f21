"""Replies of one model written side by side: at every step each reply gets one more token.

Whoever comes first is read first, a stretch at a time between two steps, so that a newcomer's long conversation does
not hold up those who are being answered. There is no thread here: of those who wait for a reply, one does the work of
all until its own reply is over, then another goes on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Condition, Event
from typing import Any, Final, TypeVar, cast

import torch
from torch.nn.functional import pad
from transformers import (
    DynamicCache,
    LogitsProcessorList,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopPLogitsWarper,
)
from transformers.cache_utils import DynamicLayer

from core.backends.llm import Generation

T = TypeVar("T")

WIDEST: Final = 8
"""Replies written at once; more wait their turn. On two processors a step of eight costs two to three of one."""
STRETCH: Final = 128
"""Tokens of a newcomer read between two steps of the others."""
STRETCH_ALONE: Final = 1024
"""The same when nobody else is being answered."""


class Batch:
    """The replies that one model is writing. Every method may be called from any thread."""

    def __init__(self, model: Any, ends: Sequence[int]) -> None:
        """`ends` are the tokens that end a reply."""
        self._model = model
        self._ends = frozenset(ends)
        self._waiting: deque[_Reply | _Between] = deque()
        self._changed = Condition()
        self._led = False
        self._reading: _Reply | None = None
        self._rows: list[_Reply] = []
        self._cache = _empty(model)
        self._mask = torch.empty(0, 0, dtype=torch.long)
        """Which of the cache's places are a row's own: (rows, longest); the shorter are filled up on the left."""

    def write(self, prompt: torch.Tensor, settings: Generation, put: Callable[[int], None], stop: Event) -> None:
        """Put the reply's tokens after `prompt` (1-D) as they come, without the one that ends it.

        Returns soon after `stop` is set. Raises what torch raises.
        """
        self._followed(_Reply(prompt, settings, put, stop, _empty(self._model)))

    def between(self, work: Callable[[], T]) -> T:
        """Return what `work` does between two steps, once its turn has come; it computes without gradients."""
        return cast(T, self._followed(_Between(work)))

    def _followed(self, wish: _Reply | _Between) -> Any:
        """Return the outcome of a wish; do the work of all meanwhile if nobody else does."""
        with self._changed:
            self._waiting.append(wish)
        while True:
            with self._changed:
                self._changed.wait_for(lambda: wish.outcome.done() or not self._led)
                if wish.outcome.done():
                    return wish.outcome.result()
                self._led = True
            try:
                while not wish.outcome.done():
                    self._step()
            finally:
                with self._changed:
                    self._led = False
                    self._changed.notify_all()

    def _step(self) -> None:
        """Let those go who are done for, read on in the next who waits, and write a token of each that is read."""
        try:
            with torch.inference_mode():
                self._dismiss()
                self._begin()
                if self._reading is not None:
                    self._read(self._reading)
                if self._rows:
                    self._write()
        except Exception as failure:  # noqa: BLE001 - what the cache holds now is unknown, so all of them end
            for reply in (*self._rows, *filter(None, [self._reading])):
                reply.fail(failure)
            self._reading = None
            self._keep([False] * len(self._rows))
        with self._changed:
            self._changed.notify_all()

    def _dismiss(self) -> None:
        """End the replies that nobody wants any more, begun or not."""
        with self._changed:
            unwanted = [wish for wish in self._waiting if isinstance(wish, _Reply) and wish.stop.is_set()]
            for wish in unwanted:
                self._waiting.remove(wish)
        if self._reading is not None and self._reading.stop.is_set():
            unwanted.append(self._reading)
            self._reading = None
        for wish in unwanted:
            wish.end()
        self._keep([not row.stop.is_set() for row in self._rows])

    def _begin(self) -> None:
        """Take the one who waits longest: do that work, or begin to read that conversation if there is room."""
        with self._changed:
            if not self._waiting or self._reading is not None:
                return
            if isinstance(self._waiting[0], _Reply) and not self._has_room():
                return
            wish = self._waiting.popleft()
        if isinstance(wish, _Reply):
            self._reading = wish
        else:
            wish.run()

    def _has_room(self) -> bool:
        return not self._rows or (len(self._rows) < WIDEST and _divisible(self._cache))

    def _read(self, reply: _Reply) -> None:
        """Read a stretch of a newcomer's conversation; once it is read whole, its reply joins the others."""
        stretch = STRETCH if self._rows else STRETCH_ALONE
        begun = reply.cache.get_seq_length()
        unread = reply.tokens[begun : reply.length][:stretch]
        try:
            logits = self._logits(unread[None], reply.cache)
            if begun + unread.shape[0] < reply.length:
                return
            token = int(reply.chosen(logits[0]))
        except Exception as failure:  # noqa: BLE001 - whatever it is, it is this visitor's: the others' replies are whole
            self._reading = None
            reply.fail(failure)
            return
        if self._accepted(reply, token):
            self._join(reply)
        self._reading = None

    def _write(self) -> None:
        """Write one token of each reply."""
        latest = torch.stack([row.tokens[row.length - 1] for row in self._rows])[:, None]
        self._mask = pad(self._mask, (0, 1), value=1)
        places = {"attention_mask": self._mask, "position_ids": self._mask.sum(1, keepdim=True) - 1}
        ragged = len({row.length for row in self._rows}) > 1
        logits = self._logits(latest, self._cache, **(places if ragged else {}))
        chosen = torch.stack([row.chosen(scores) for row, scores in zip(self._rows, logits, strict=True)]).tolist()
        self._keep([self._accepted(row, token) for row, token in zip(self._rows, chosen, strict=True)])

    def _logits(self, tokens: torch.Tensor, cache: DynamicCache, **places: torch.Tensor) -> torch.Tensor:
        """Read tokens (rows, length) after what the cache holds; return the logits of the next (rows, vocabulary)."""
        read = self._model(input_ids=tokens, past_key_values=cache, use_cache=True, logits_to_keep=1, **places)
        return cast(torch.Tensor, read.logits)[:, -1]

    def _accepted(self, reply: _Reply, token: int) -> bool:
        """Take a reply's next token and return whether another is wanted."""
        if token in self._ends:
            reply.end()
        else:
            reply.take(token)
        return not reply.outcome.done()

    def _join(self, reply: _Reply) -> None:
        read = torch.ones(1, reply.cache.get_seq_length(), dtype=torch.long, device=reply.tokens.device)
        if self._rows:
            longest = max(self._mask.shape[1], read.shape[1])
            for layer, own in zip(_layers(self._cache), _layers(reply.cache), strict=True):
                layer.keys = torch.cat([_filled(layer.keys, longest), _filled(own.keys, longest)])
                layer.values = torch.cat([_filled(layer.values, longest), _filled(own.values, longest)])
            self._mask = torch.cat([pad(mask, (longest - mask.shape[1], 0)) for mask in (self._mask, read)])
        else:
            self._cache, self._mask = reply.cache, read
        reply.cache = self._cache  # what was read of it stands there, and is not kept twice
        self._rows.append(reply)

    def _keep(self, kept: Sequence[bool]) -> None:
        """Let the rows go that are not kept, and with them the places that only they filled."""
        if all(kept):
            return
        for row, stays in zip(self._rows, kept, strict=True):
            if not stays:
                row.end()
        self._rows = [row for row, stays in zip(self._rows, kept, strict=True) if stays]
        if not self._rows:
            self._cache = _empty(self._model)
            return
        places = torch.tensor([place for place, stays in enumerate(kept) if stays], device=self._mask.device)
        self._cache.batch_select_indices(places)
        self._mask = self._mask[places]
        empty = int(self._mask.any(0).int().argmax())
        self._mask = self._mask[:, empty:]
        for layer in _layers(self._cache):
            layer.keys, layer.values = layer.keys[..., empty:, :], layer.values[..., empty:, :]


@dataclass(slots=True, eq=False)
class _Reply:
    """A reply that is waited for, read or written."""

    prompt: torch.Tensor
    settings: Generation
    put: Callable[[int], None]
    stop: Event
    cache: DynamicCache
    """What was read of it; the batch's once it is written beside others."""
    outcome: Future[None] = field(default_factory=Future)
    tokens: torch.Tensor = field(init=False)
    length: int = field(init=False)
    """How many of `tokens` are there: the prompt's and those written."""
    _shape: Any = field(init=False)
    _chance: torch.Generator = field(init=False)

    def __post_init__(self) -> None:
        room = self.prompt.new_zeros(self.settings.max_tokens)
        self.tokens, self.length = torch.cat([self.prompt, room]), self.prompt.shape[0]
        self._shape = _processors(self.settings)
        self._chance = torch.Generator(self.prompt.device)
        if self.settings.seed is None:
            self._chance.seed()
        else:
            self._chance.manual_seed(self.settings.seed)

    def chosen(self, logits: torch.Tensor) -> torch.Tensor:
        """Return the next token, as a tensor of no dimension, by the logits of all."""
        scores: torch.Tensor = self._shape(self.tokens[None, : self.length], logits[None].float())[0]
        if self.settings.temperature == 0:
            return scores.argmax()
        return torch.multinomial(scores.softmax(-1), 1, generator=self._chance)[0]

    def take(self, token: int) -> None:
        """Write a token down and hand it over; the last that fits ends the reply."""
        self.tokens[self.length] = token
        self.length += 1
        try:
            self.put(token)
        except Exception as failure:  # noqa: BLE001 - whoever takes it fails alone
            self.fail(failure)
        if self.length == self.tokens.shape[0]:
            self.end()

    def end(self) -> None:
        """Nothing more will come; if it has failed, that stays."""
        if not self.outcome.done():
            self.outcome.set_result(None)

    def fail(self, failure: Exception) -> None:
        """It ends by a failure, if it has not ended before."""
        if not self.outcome.done():
            self.outcome.set_exception(failure)


@dataclass(slots=True, eq=False)
class _Between:
    """Other work with the model."""

    work: Callable[[], Any]
    outcome: Future[Any] = field(default_factory=Future)

    def run(self) -> None:
        """Do it; its failure is its outcome."""
        try:
            self.outcome.set_result(self.work())
        except Exception as failure:  # noqa: BLE001 - raised again where it is waited for
            self.outcome.set_exception(failure)


def _processors(settings: Generation) -> LogitsProcessorList:
    """Return what shapes the choice, in the order of transformers' own `generate`."""
    processors = LogitsProcessorList()
    if settings.repetition_penalty != 1:
        processors.append(RepetitionPenaltyLogitsProcessor(settings.repetition_penalty))
    if settings.temperature > 0:
        processors.append(TemperatureLogitsWarper(settings.temperature))
        if settings.top_p < 1:
            processors.append(TopPLogitsWarper(settings.top_p))
    return processors


def _empty(model: Any) -> DynamicCache:
    return DynamicCache(config=model.config)


def _divisible(cache: DynamicCache) -> bool:
    """Return whether rows can join and leave: not where a layer keeps a window or a state instead of all keys."""
    return all(type(layer) is DynamicLayer and layer.is_initialized for layer in _layers(cache))


def _layers(cache: DynamicCache) -> list[Any]:
    """Return the layers, each with `keys` and `values` if it is divisible: transformers types them as any kind."""
    return cast(list[Any], cache.layers)


def _filled(states: torch.Tensor, longest: int) -> torch.Tensor:
    """Return keys or values, (rows, heads, length, width), filled up on the left to the longest."""
    return pad(states, (0, 0, longest - states.shape[-2], 0))
