"""A fine-tuned model in this process: one load per folder, whose visitors are answered side by side.

The folder holds a merged model of a native architecture as safetensors, with its tokenizer and chat
template. Nothing is fetched and no code of the folder's is run.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event, Lock
from typing import Any

import torch
import transformers
from jinja2.exceptions import TemplateError
from safetensors import SafetensorError
from tokenizers.decoders import DecodeStream
from transformers import AutoModelForCausalLM, AutoTokenizer, TextStreamer

from core.backends.llm import ChatRole, ChatTurn, Delta, Generation, answerable
from core.backends.llm.batching import Batch
from core.backends.relay import relayed
from core.domain.control_marks import inert, marks_of
from core.errors import InvalidInputError, MissingArtifactError, StudioError, ToolFailedError
from core.translation import N_

transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call]


class TransformersModel:
    """Generates with the model of one folder; visitors share the load, and who comes first is read first."""

    name = "transformers"

    def __init__(self, folder: Path | None) -> None:
        if folder is None or not (folder / "config.json").is_file() or not any(folder.glob("*.safetensors")):
            raise MissingArtifactError(
                N_("The model's folder is missing or holds no safetensors."),
                remedy=N_("Choose another model, or run its fine-tuning again."),
            )
        self._folder = folder.resolve()

    def stream(self, messages: Sequence[ChatTurn], *, settings: Generation, cancel: Event) -> Iterator[Delta]:
        """Yield the reply as it is generated; the first reply of a folder waits for the load."""
        turns = answerable(messages)

        def produce(put: Callable[[Delta], None], stop: Event) -> None:
            _generate(_loaded(self._folder), turns, settings, put, stop)

        return relayed(produce, cancel=cancel)

    def nats(self, messages: Sequence[ChatTurn], replies: Sequence[str]) -> list[float]:
        """Return for each reply -log of its probability after these turns, the end of the turn included."""
        turns = answerable(messages)
        loaded = _loaded(self._folder)
        return [loaded.batch.between(partial(_nats, loaded, turns, reply)) for reply in replies]

    def context(self) -> int:
        """Return the tokens of prompt and reply together; the first call waits for the load."""
        return _loaded(self._folder).context

    def tokens(self, messages: Sequence[ChatTurn]) -> int:
        """Count by the model's own template and tokenizer; a generation under way is not waited for."""
        return int(_encoded(_loaded(self._folder), answerable(messages))["input_ids"].shape[1])

    def prepare(self) -> None:
        """Load the model; some seconds, most of them for torch and transformers."""
        _loaded(self._folder)

    def unload(self) -> None:
        """Drop the load; a reply under way keeps its own until it ends."""
        with _loading:
            for key in [key for key in _models if key[0] == self._folder]:
                del _models[key]
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def close(self) -> None:
        """The load stays for the next visitor; a newer model's load pushes it out."""


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A model in memory, and the replies it is writing."""

    model: Any
    tokenizer: Any
    marks: re.Pattern[str]
    """Finds in a text what the tokenizer would read as a token that steers."""
    batch: Batch

    def inert(self, text: str) -> str:
        """Return words as words, whatever stands in them."""
        return inert(inert(text), self.marks)

    @property
    def context(self) -> int:
        """Tokens of prompt and reply together."""
        return int(getattr(self.model.config, "max_position_embeddings", 2048))


class _Words:
    """Hands each finished stretch of text over; half a character waits for its other half.

    Each token is decoded once, where transformers' own streamer decodes the whole line anew for each.
    """

    def __init__(self, tokenizer: Any, put: Callable[[Delta], None]) -> None:
        self._tokenizer = tokenizer.backend_tokenizer
        self._decoding = DecodeStream(skip_special_tokens=True)
        self._put = put

    def add(self, token: int) -> None:
        """Take the next token."""
        if text := self._decoding.step(self._tokenizer, token):
            self._put(Delta(text))

    def end(self) -> None:
        """A character of which only half was written is nobody's."""


class _WordsOfSlow(TextStreamer):
    """The same for a tokenizer without the fast form."""

    def __init__(self, tokenizer: Any, put: Callable[[Delta], None]) -> None:
        super().__init__(tokenizer, skip_special_tokens=True)
        self._put = put

    def add(self, token: int) -> None:
        """Take the next token."""
        self.put(torch.tensor([token]))  # type: ignore[no-untyped-call]

    def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
        """Called by transformers."""
        if text:
            self._put(Delta(text))


def _generate(
    loaded: _Loaded, turns: Sequence[ChatTurn], settings: Generation, put: Callable[[Delta], None], stop: Event
) -> None:
    prompt = _prompt(loaded, turns, settings.max_tokens)
    words = (_Words if loaded.tokenizer.is_fast else _WordsOfSlow)(loaded.tokenizer, put)
    try:
        loaded.batch.write(prompt, settings, words.add, stop)
    except torch.OutOfMemoryError as error:
        raise ToolFailedError(
            N_("There is not enough memory for this reply."),
            remedy=N_("Ask for fewer tokens, end other programs, or choose a smaller model."),
        ) from error
    except (RuntimeError, ValueError, IndexError, TypeError) as error:
        raise ToolFailedError(
            N_("The model could not go on: {problem}"),
            remedy=N_("Ask again; if it stays so, choose another model."),
            problem=_first_line(error),
        ) from error
    words.end()


def _nats(loaded: _Loaded, turns: Sequence[ChatTurn], reply: str) -> float:
    said = _reply_tokens(loaded, turns, reply)
    prompt = _prompt(loaded, turns, said.shape[0])
    tokens = torch.cat([prompt, said.to(prompt.device)])
    logits = loaded.model(input_ids=tokens[None, :-1]).logits[0, prompt.shape[0] - 1 :]
    return float(torch.nn.functional.cross_entropy(logits.float(), tokens[prompt.shape[0] :], reduction="sum"))


def _reply_tokens(loaded: _Loaded, turns: Sequence[ChatTurn], reply: str) -> torch.Tensor:
    """Return a reply's tokens to the end of its turn, as the template writes them; what follows is not hers."""
    tokenizer = loaded.tokenizer
    prompt, whole = _encoded(loaded, turns)["input_ids"][0], None
    with suppress(StudioError):  # some templates take a conversation only as far as a question
        whole = _encoded(loaded, [*turns, ChatTurn(ChatRole.PERSONA, reply)], asking=False)["input_ids"][0]
    if whole is None or not torch.equal(whole[: prompt.shape[0]], prompt):
        words = tokenizer(loaded.inert(reply), add_special_tokens=False)["input_ids"]
        return torch.tensor([*words, tokenizer.eos_token_id])
    said: torch.Tensor = whole[prompt.shape[0] :]
    ends = (said == tokenizer.eos_token_id).nonzero()
    return said[: int(ends[-1]) + 1] if ends.numel() else said


def _prompt(loaded: _Loaded, turns: Sequence[ChatTurn], reply: int) -> torch.Tensor:
    """Return the conversation's tokens, 1-D; the oldest turns are left out whole until the reply has room."""
    room = loaded.context - reply
    system = [turn for turn in turns if turn.role is ChatRole.SYSTEM]
    talk = [turn for turn in turns if turn.role is not ChatRole.SYSTEM]
    while talk:
        tokens: torch.Tensor = _encoded(loaded, [*system, *talk])["input_ids"][0]
        if tokens.shape[0] <= room:
            return tokens.to(loaded.model.device)
        talk = _without_oldest(talk)
    raise InvalidInputError(
        N_("That is too long: this model reads {room} tokens."),
        remedy=N_("Write less at a time, or ask for a shorter reply."),
        room=max(room, 0),
    )


def _without_oldest(talk: list[ChatTurn]) -> list[ChatTurn]:
    """Leave out the oldest turn and what answered it: many templates want the visitor to begin."""
    following = (place for place, turn in enumerate(talk) if place and turn.role is ChatRole.VISITOR)
    return talk[next(following, len(talk)) :]


def _encoded(loaded: _Loaded, turns: Sequence[ChatTurn], *, asking: bool = True) -> Any:
    try:
        return loaded.tokenizer.apply_chat_template(
            [{"role": turn.role.value, "content": loaded.inert(turn.text)} for turn in turns],
            add_generation_prompt=asking,
            return_tensors="pt",
            return_dict=True,
        )
    except (ValueError, TemplateError) as error:
        raise MissingArtifactError(
            N_("The model's chat template cannot be used: {problem}"),
            remedy=N_("Choose another model, or run its fine-tuning again."),
            problem=_first_line(error),
        ) from error


_KEPT = 1
"""Models in memory at once; a comparison of two swaps them."""
_models: OrderedDict[tuple[Path, int], _Loaded] = OrderedDict()
_loading = Lock()


def _loaded(folder: Path) -> _Loaded:
    """Return the folder's model, loaded once; a folder written anew is loaded anew."""
    key = folder, (folder / "config.json").stat().st_mtime_ns
    with _loading:
        if key not in _models:
            while len(_models) >= _KEPT:
                _models.popitem(last=False)  # a reply under way keeps its own until it ends
            _models[key] = _load(folder)
        return _models[key]


def _load(folder: Path) -> _Loaded:
    cuda = torch.cuda.is_available()
    only_local = {"local_files_only": True, "trust_remote_code": False}
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, **only_local)
        model: Any = AutoModelForCausalLM.from_pretrained(
            folder, use_safetensors=True, dtype=torch.bfloat16 if cuda else torch.float32, **only_local
        )
    except (OSError, ValueError, KeyError, RuntimeError, ImportError, SafetensorError) as error:
        raise _unreadable(error) from error
    model = model.to("cuda" if cuda else "cpu").eval()
    return _Loaded(model, tokenizer, marks_of(_steering(tokenizer)), Batch(model, _ends(model, tokenizer)))


def _ends(model: Any, tokenizer: Any) -> list[int]:
    """Return the tokens that end a reply, of which some models have several."""
    ends = model.generation_config.eos_token_id
    if ends is None:
        ends = tokenizer.eos_token_id
    return ends if isinstance(ends, list) else [ends]


def _steering(tokenizer: Any) -> Iterator[str]:
    """Yield the special tokens, and what was added beside them and looks like a mark (`<tool_call>`)."""
    yield from tokenizer.all_special_tokens
    for added in tokenizer.added_tokens_decoder.values():
        if added.special or added.content[:1] in tuple("<[{"):
            yield added.content


def _unreadable(error: Exception) -> StudioError:
    return ToolFailedError(
        N_("The model cannot be loaded: {problem}"),
        remedy=N_("Choose another model, or run its fine-tuning again."),
        problem=_first_line(error),
    )


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
