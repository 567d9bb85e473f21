"""Asks a recogniser about clips, a few at a time, and keeps each answer in the run's folder."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass
from pathlib import Path

from core.backends.asr import NoAnswerError, Recogniser, RefusedError
from core.domain.voice import Clip
from core.errors import NotFoundError
from core.jobs.context import RunContext
from core.store import Store

ANSWERS = "answers.jsonl"
"""In the run's folder: what the recogniser said, a line a clip."""
_LOOK = 0.5
"""Seconds between two looks at whether the run was stopped."""
_LAST_ANSWERS = 10.0
"""Seconds that a run which must end waits for the answers under way: they may be paid for."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a recogniser said about a clip, or why it said nothing."""

    clip_id: str
    sha256: str
    """The sound it heard: a clip rendered anew is asked about again."""
    revision: int
    """Of the clip when it was asked about."""
    text: str = ""
    confidence: float | None = None
    problem: str = ""
    silent: bool = False
    """Nothing came at all; another time it may."""


def asked(
    clips: Iterable[Clip],
    context: RunContext,
    store: Store,
    recogniser: Recogniser,
    *,
    language: str,
    prompt: str,
    concurrency: int,
) -> Iterator[Answer]:
    """Yield answers as they come, `concurrency` clips under way at a time, and note them.

    RunCancelledError soon after the run was stopped; answers that were under way are noted, too.
    """
    waiting = deque(clips)
    under_way: set[Future[Answer]] = set()

    def ask(clip: Clip) -> Answer:
        return _answer(clip, language, prompt, store, recogniser)

    pool = ThreadPoolExecutor(concurrency, thread_name_prefix="transcribing")
    looked = 0.0
    try:
        while waiting or under_way:
            if time.monotonic() - looked > _LOOK:
                looked = time.monotonic()
                context.check()
            while waiting and len(under_way) < concurrency:
                under_way.add(pool.submit(ask, waiting.popleft()))
            ended, under_way = wait(under_way, timeout=_LOOK, return_when=FIRST_COMPLETED)
            for future in ended:
                answer = future.result()
                note(context, answer)
                yield answer
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for future in wait(under_way, timeout=_LAST_ANSWERS).done:
            if not future.cancelled() and future.exception() is None:
                note(context, future.result())


def _answer(clip: Clip, language: str, prompt: str, store: Store, recogniser: Recogniser) -> Answer:
    """Ask about one clip; what would befall every clip is raised, the rest is an answer with a problem."""
    try:
        heard = recogniser.transcribe(store.files.read(clip.sha256), language=language, prompt=prompt)
    except NoAnswerError as error:
        return Answer(clip.id, clip.sha256, clip.revision, problem=str(error), silent=True)
    except (RefusedError, NotFoundError) as error:
        return Answer(clip.id, clip.sha256, clip.revision, problem=str(error))
    return Answer(clip.id, clip.sha256, clip.revision, heard.text.strip(), heard.confidence)


def note(context: RunContext, answer: Answer) -> None:
    """Keep an answer, so that the resumed run need not ask again."""
    with (context.folder / ANSWERS).open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(answer), ensure_ascii=False) + "\n")


def noted(context: RunContext) -> Iterator[Answer]:
    """Yield what this run was told before it was interrupted; a line that was cut off is asked about again."""
    path: Path = context.folder / ANSWERS
    if not path.exists():
        return
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            yield Answer(**json.loads(line))
        except (ValueError, TypeError):
            continue
