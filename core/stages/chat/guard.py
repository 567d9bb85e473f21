"""What may be said in the chat, by visitors and by her: a content filter, and what its failure means."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator
from contextlib import closing

from core.backends.filters import ContentFilter
from core.backends.llm import Delta
from core.backends.relay import iterated
from core.errors import InvalidInputError, StudioError, ToolFailedError
from core.stages.chat.clauses import ClauseSegmenter
from core.translation import N_

_log = logging.getLogger(__name__)

_OVERLAP = 40
"""Characters before a clause that are looked at with it: what is not to be said may begin in the clause before."""


class Guard:
    """Lets everything pass without a filter. Words are never logged, only why they were refused."""

    def __init__(self, content_filter: ContentFilter | None = None, *, open_on_failure: bool = False) -> None:
        self._filter = content_filter
        self._open = open_on_failure

    def check_said(self, text: str) -> None:
        """InvalidInputError for words of a visitor that are not to be answered; ToolFailedError when nobody can tell.

        Why is for the log: a visitor is shown neither the list nor the server's address.
        """
        if self._filter is None:
            return
        try:
            verdict = self._filter.refused(text)
        except StudioError as error:
            self._note_failure(error)
            if not self._open:
                raise ToolFailedError(
                    N_("What may be said here is checked first, and that does not work at the moment."),
                    remedy=N_("Try again later, or tell whoever looks after this app."),
                ) from error
            return
        if verdict is not None:
            _log.info("a visitor's words were refused: %s", verdict.category)
            raise InvalidInputError(
                N_("She would rather not talk about that."), remedy=N_("Say it in other words, or ask something else.")
            )

    def check_reply(self, words: str) -> bool:
        """Whether she may say that; False ends the reply before it. A filter that fails says what the setting says."""
        if self._filter is None:
            return True
        try:
            verdict = self._filter.refused(words)
        except StudioError as error:
            self._note_failure(error)
            return self._open
        if verdict is not None:
            _log.info("a clause of a reply was refused: %s", verdict.category)
        return verdict is None

    def watched(self, deltas: Iterator[Delta]) -> Generator[Delta, None, None]:
        """Yield a reply: as it comes where there is no filter, else clause by clause until one may not be said.

        A line of the book comes whole or not at all, since her recording says all of it.
        """
        if self._filter is None:
            yield from deltas
            return
        segmenter, line, held, said = ClauseSegmenter(), None, "", ""
        with closing(iterated(deltas)) as words:  # a reply that is ended here ends the model too
            for delta in words:
                line = line or delta.utterance_id
                if line:
                    held += delta.text
                    continue
                for clause in segmenter.feed(delta.text):
                    if not self.check_reply(said + clause):
                        return
                    said = (said + clause)[-_OVERLAP:]
                    yield Delta(clause)
        rest = held or segmenter.rest()
        if rest and self.check_reply(said + rest):
            yield Delta(rest, line)

    def close(self) -> None:
        """Give back what the filter holds."""
        if self._filter is not None:
            self._filter.close()

    def _note_failure(self, error: StudioError) -> None:
        _log.warning("the content filter failed, so words %s: %s", "pass" if self._open else "do not pass", error)
