"""Lines that lead to her quotes: asked for, checked, and synthetic for ever."""

from __future__ import annotations

from typing import Any

import pytest

from core.domain.text import ReviewStatus, SourceKind
from core.errors import MissingArtifactError
from core.stages.dialogues import expansion
from core.stages.dialogues.estimate import Prices
from core.stages.dialogues.run import run as run_rules
from core.stages.dialogues.settings import DialogueSettings, ExpansionSettings
from core.store import Store
from core.store.utterances import UtteranceFilter
from tests.contract.extraction_double import CannedModel
from tests.contract.script_server import Rows
from tests.unit.stages.dialogues.test_run import imported
from tests.unit.stages.runs import begun

QUOTES = "我不怕雨，也不怕等。\n橘子收下罢。\n"
HERS = UtteranceFilter("a-qing")


def rows(text: str) -> Rows:
    quote = text.rpartition("台词：")[2]
    lines = [f"头一句，{len(quote)}", "第二句问话？", "第三句问话！"]
    return [row for line in lines for row in (("对话人", line), ("沈青", quote))]


@pytest.fixture
def quotes(store: Store) -> Store:
    imported(store, QUOTES, SourceKind.QUOTES)
    run_rules(DialogueSettings(), context=begun(store, "dialogues"), store=store)
    return store


def expanded(store: Store, model: CannedModel, run_id: str = "run-0000000002", **settings: Any) -> dict[str, Any]:
    wanted = ExpansionSettings(**{"model": model.model, "backoff_seconds": 0, **settings})
    context = begun(store, "expansion", run_id=run_id)
    return expansion.run(wanted, context=context, store=store, model=model, prices=Prices())


def test_each_quote_gets_lines_of_somebody_else_that_lead_to_it(quotes):
    model = CannedModel(rows)

    result = expanded(quotes, model)

    ids = [line.id for line in quotes.utterances.iterate(HERS)]
    lines = quotes.expansions.of_quotes(ids)
    assert (result["quotes"], result["lines"], result["calls"]) == (2, 6, 2)
    assert [one.text for one in lines[ids[0]]] == ["头一句，10", "第二句问话？", "第三句问话！"]
    first = lines[ids[0]][0]
    assert (first.counterpart, first.model, first.run_id) == ("对话人", "canned-1", "run-0000000002")
    assert first.status is ReviewStatus.PENDING


def test_a_reviewed_line_survives_the_next_run_which_asks_nothing(quotes):
    expanded(quotes, CannedModel(rows))
    line = quotes.expansions.page("a-qing").rows[0]
    quotes.expansions.edit(line.id, line.revision, who="test", text="改过的一句", status=ReviewStatus.ACCEPTED)
    model = CannedModel(rows)

    expanded(quotes, model, run_id="run-0000000003")

    assert not model.asked
    assert quotes.expansions.page("a-qing").rows[0].text == "改过的一句"
    assert quotes.expansions.count("a-qing") == 6


@pytest.mark.parametrize(
    "bad",
    [
        ("沈青", "我自己说的话。"),
        ("青儿", "我自己说的话。"),
        ("对话人", "我不怕雨，也不怕等！"),
        ("对话人", "她说：我不怕雨，也不怕等。"),
        ("对话人", "……"),
        ("对话人", "长" * 61),
        ("对话人", "第二句问话"),
    ],
    ids=["her own", "an alias's", "the quote", "holds the quote", "no words", "too long", "said before"],
)
def test_a_line_that_is_none_is_refused(quotes, bad):
    good = [("对话人", "头一句问话？"), ("对话人", "第二句问话？"), ("对话人", "第三句问话？")]

    expanded(quotes, CannedModel(lambda text: [*good[:2], bad, good[2]]), at_most=1)

    assert {line.text for line in quotes.expansions.page("a-qing").rows} == {line for _, line in good}


def test_an_answer_with_too_few_good_lines_is_asked_for_again_then_listed(quotes):
    model = CannedModel(lambda text: [("对话人", "只有一句。")])

    result = expanded(quotes, model, reasks=1)

    assert set(model.asked.values()) == {2}
    assert len(result["retry"]) == 2
    assert quotes.expansions.count("a-qing") == 0


def test_accepted_lines_of_a_novel_may_be_expanded_instead(store):
    imported(store, "第一回\n青儿笑道：“好雨，我喜欢。”\n陆公子道：“有什么好？”\n", SourceKind.NOVEL)
    run_rules(DialogueSettings(), context=begun(store, "dialogues"), store=store)
    line = next(iter(store.utterances.iterate(HERS)))
    store.review.edit(line.id, line.revision, who="test", status=ReviewStatus.ACCEPTED)

    result = expanded(store, CannedModel(rows), quotes="accepted")

    assert result["quotes"] == 1
    assert store.expansions.of_quotes([line.id])


def test_nothing_to_expand_is_said_plainly(store):
    with pytest.raises(MissingArtifactError):
        expanded(store, CannedModel(rows))
