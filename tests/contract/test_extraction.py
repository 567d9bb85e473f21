"""What every extraction model promises, asked of Kor over a loopback server and of the double."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from core.backends.extraction import (
    EXTRACTION_MODELS,
    Example,
    ExtractionModel,
    ExtractionSource,
    Field,
    NoAnswerError,
    RefusedError,
    Schema,
    UnreadableError,
    request_of,
)
from core.backends.llm import Endpoint
from core.backends.rows import build
from core.errors import SettingsError, ToolFailedError
from core.stages.dialogues.schemas import schema
from tests.contract.extraction_double import CannedModel
from tests.contract.script_server import UNREADABLE, Manner, ScriptServer

SCHEMA = Schema(
    "script",
    "Who says what.",
    (Field("role", "who"), Field("dialogue", "what")),
    (Example("桂儿道：“茶凉了。”", ({"role": "桂儿", "dialogue": "茶凉了。"},)),),
)
TEXT = "沈青道：“你来了。”\n陆远道：“来了。”"
ROWS = ({"role": "沈青", "dialogue": "你来了。"}, {"role": "陆远", "dialogue": "来了。"})
NASTY = (("沈青", '他说"你|我"，'), ("陆远", '"好"\n么？'))
KEY = "sk-the-secret-of-this-test"


@pytest.fixture(params=["kor", "double"])
def model(request: pytest.FixtureRequest) -> Iterator[ExtractionModel]:
    if request.param == "double":
        yield CannedModel()
        return
    with ScriptServer() as server:
        made = kor(server)
        yield made
        made.close()


def kor(server: ScriptServer, *, stream: bool = False, timeout: float = 20, wanted: Schema = SCHEMA) -> ExtractionModel:
    endpoint = Endpoint(server.base_url, "m", KEY)
    return build(EXTRACTION_MODELS, "kor", ExtractionSource(wanted, endpoint, timeout_seconds=timeout, stream=stream))


def asked(manner: Manner, *, stream: bool = False, timeout: float = 20):
    """Ask a server of that manner once; return the answer or the failure."""
    with ScriptServer(manner=lambda text, nth: manner) as server:
        made = kor(server, stream=stream, timeout=timeout)
        try:
            return made.ask(TEXT)
        except ToolFailedError as error:
            return error
        finally:
            made.close()


def test_an_answer_has_rows_words_and_tokens(model):
    answer = model.ask(TEXT)

    assert (answer.rows, answer.problem) == (ROWS, "")
    assert answer.prompt_tokens > 0
    assert answer.completion_tokens == len(answer.text)


def test_what_was_kept_reads_as_it_did_when_it_came(model):
    answer = model.ask(TEXT)

    assert model.read(answer.text) == answer.rows


def test_what_is_no_table_is_refused_when_read(model):
    with pytest.raises(UnreadableError):
        model.read("so|many|columns")


def test_the_same_question_is_the_same_request_and_another_is_not(model):
    assert request_of(model, TEXT) == request_of(model, TEXT)
    assert request_of(model, TEXT) != request_of(model, TEXT + "。")


def test_many_may_ask_at_once(model):
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(model.ask(TEXT).rows)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == [ROWS] * 8


def test_kor_sends_what_it_says_it_sends():
    with ScriptServer() as server:
        made = kor(server)
        made.ask(TEXT)
        sent = server.books.bodies[0]

        assert [(one["role"], one["content"]) for one in sent["messages"]] == [
            (one.role, one.content) for one in made.messages(TEXT)
        ]
        assert sent["temperature"] == 0
        assert server.books.keys == {f"Bearer {KEY}"}


def test_a_question_asked_afresh_may_be_answered_otherwise():
    with ScriptServer() as server:
        made = kor(server)
        made.ask(TEXT, afresh=True)

        assert server.books.bodies[0]["temperature"] > 0


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_quotes_pipes_and_line_ends_in_the_words_survive(stream):
    with ScriptServer(rows=lambda text: NASTY) as server:
        answer = kor(server, stream=stream).ask(TEXT)

    assert [(row["role"], row["dialogue"]) for row in answer.rows] == list(NASTY)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_polite_words_around_the_table_do_no_harm(stream):
    assert asked(Manner.FENCED, stream=stream).rows == ROWS


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("manner", sorted(UNREADABLE))
def test_an_answer_that_is_not_right_is_an_explicit_problem_and_its_tokens_count(manner, stream):
    answer = asked(manner, stream=stream)

    assert answer.rows == ()
    assert answer.problem
    assert answer.prompt_tokens > 0
    assert answer.completion_tokens == len(answer.text)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("manner", [Manner.BUSY, Manner.DOWN, Manner.HALF, Manner.PAGE, Manner.NULL])
def test_no_answer_may_be_asked_for_again(manner, stream):
    assert isinstance(asked(manner, stream=stream), NoAnswerError)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_server_that_says_nothing_is_left_after_the_timeout(stream):
    assert isinstance(asked(Manner.SILENT, stream=stream, timeout=0.2), NoAnswerError)


def test_a_busy_server_says_how_long_to_wait():
    assert asked(Manner.BUSY).wait_seconds == 0.05
    assert asked(Manner.DOWN).wait_seconds is None


def test_a_question_that_is_too_long_is_refused_alone():
    assert isinstance(asked(Manner.TOO_LONG), RefusedError)


@pytest.mark.parametrize("manner", [Manner.KEYLESS, Manner.UNPAID, Manner.UNKNOWN])
def test_what_every_question_would_meet_is_neither_retried_nor_skipped(manner):
    failure = asked(manner)

    assert type(failure) is ToolFailedError
    assert failure.remedy


@pytest.mark.parametrize("manner", [Manner.KEYLESS, Manner.BUSY, Manner.DOWN, Manner.TOO_LONG])
def test_a_server_that_quotes_the_key_does_not_get_it_into_an_error(manner):
    failure = asked(manner)

    assert KEY not in f"{failure} {failure.values} {failure!r}"


@pytest.mark.parametrize(
    "address", ["", "file:///etc/passwd", "ftp://a/v1", "127.0.0.1:8000/v1", "http://", "http://me:secret@a/v1"]
)
def test_an_address_that_is_none_is_refused(address):
    with pytest.raises(SettingsError):
        build(EXTRACTION_MODELS, "kor", ExtractionSource(SCHEMA, Endpoint(address, "m")))


@pytest.mark.parametrize("name", ["script", "expansion"])
def test_the_examples_that_are_shipped_read_back_as_they_are_written(name):
    shipped = schema(name)
    with ScriptServer() as server:
        made = kor(server, wanted=shipped)
        shown = [one.content for one in made.messages("") if one.role == "assistant"]

        assert [made.read(table) for table in shown] == [example.rows for example in shipped.examples]
