"""A persona test from end to end: a little book, its own lines as a parrot, a served model, a judge, a tiny model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from core.domain.evaluation import ORIGINAL, OTHERS, Scorecard
from core.domain.identity import now
from core.domain.run import RunState
from core.domain.training import Model, ModelKind, Vote
from core.errors import MissingArtifactError
from core.services import Services
from core.stages.evaluation.fidelity.judge import DIMENSIONS
from core.stages.evaluation.gate import Gate, judge
from core.stages.evaluation.summary import parse_summary
from tests.contract.openai_server import OpenAIServer
from tests.contract.tiny_llama import build_tiny_llama
from tests.served_studio import served_studio

SAID = "花影摇窗，你来得正好，我这里有一盏才沏的茶。"


@dataclass(frozen=True)
class Bench:
    """A workspace with a little book, half of it held out, and a chat server beside it."""

    services: Services
    server: OpenAIServer

    def card(self, who: str, **settings: object) -> Scorecard:
        persona = self.services.settings.persona
        done = self.services.execution.here("fidelity", persona, {"who": who, **settings}, who="test")
        assert done.state is RunState.SUCCEEDED, done.error
        return self.services.store.scorecards.get(done.result["scorecard_id"])


@pytest.fixture(scope="module")
def tested(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("fidelity")
    with served_studio(folder, SAID, samples=True, held_out_share=0.5) as (services, server):
        yield Bench(services, server)


def values(card: Scorecard, column: str | None = None) -> dict[str, float | None]:
    """Return measure -> value of the model, or of what it is held beside."""
    column = column or card.scores[0].model
    return {one.dataset: one.value for one in card.scores if one.model == column}


def test_a_parrot_is_caught_by_what_it_copies_and_her_own_lines_are_not(tested: Bench) -> None:
    card = tested.card("retrieval")
    assert values(card)["own-words"] == 0.0
    assert values(card)["overlap"] == 100.0
    assert values(card, ORIGINAL)["own-words"] == 100.0
    assert (values(card, ORIGINAL)["overlap"] or 0) < 30


def test_every_share_is_that_of_the_answers_kept_with_it(tested: Bench) -> None:
    card = tested.card("openai")
    tallies = tested.services.store.scorecards.tallies(card.id)
    assert {"style", "own-words", "period", "facts", "negatives", "role"} <= set(tallies)
    for measure, tally in tallies.items():
        assert values(card)[measure] == pytest.approx(100 * tally.right / tally.asked), measure
    page = tested.services.store.scorecards.answers(card.id, dataset="facts")
    assert {one.reply for one in page.rows} == {SAID}
    assert not any(one.correct for one in page.rows)


def test_one_reply_for_everything_has_no_variety_and_is_in_her_own_words(tested: Bench) -> None:
    card = tested.card("openai")
    assert (values(card)["distinct-2"] or 0) < (values(card, ORIGINAL)["distinct-2"] or 0)
    assert values(card)["own-words"] == 100.0
    assert values(card)["period"] == 100.0


def test_what_a_server_cannot_tell_is_missing_with_its_reason_and_not_zero(tested: Bench) -> None:
    card = tested.card("openai")
    missing = {one.dataset: one.reason for one in card.scores if one.value is None}
    assert set(missing) >= {"nats", "ranking"}
    assert "only a model that runs here" in missing["nats"]


def test_the_same_model_scores_the_same_twice(tested: Bench) -> None:
    assert tested.card("retrieval").scores == tested.card("retrieval").scores


def test_the_figures_are_kept_as_a_summary_that_can_be_read_again(tested: Bench) -> None:
    card = tested.card("retrieval")
    again = parse_summary(tested.services.store.files.read(card.sha256), "summary.csv")
    known = {(one.dataset, one.model): one.value for one in again}
    for one in card.scores:
        assert known[one.dataset, one.model] == (None if one.value is None else pytest.approx(one.value, abs=1e-3))


def test_a_gate_looks_at_the_model_and_not_at_what_stands_beside_it(tested: Bench) -> None:
    card = tested.card("retrieval")
    own = Gate.model_validate({"rules": [{"dataset": "own-words", "minimum": 50}]})
    overlap = Gate.model_validate({"rules": [{"dataset": "overlap", "maximum": 40}]})
    assert [one.holds for one in judge(own, card)] == [False]
    assert [one.holds for one in judge(overlap, card)] == [False]


def test_a_judge_gives_marks_and_a_choice_that_only_counts_when_it_is_sure(tested: Bench) -> None:
    marks = json.dumps(dict.fromkeys(DIMENSIONS, 4))
    persona = tested.services.settings.persona
    vote = Vote("vote-1", persona, None, "可好？", "a", "b", "a", "t", now(), "竹子绿了。", "雨停了。")
    tested.services.store.votes.add_to_arena(vote)
    with OpenAIServer(f'{marks} {{"better": 1}}') as server:
        card = tested.card("openai", judge_url=server.base_url, judge_model="judge", probes=False, ranked=0)
    assert {values(card)[f"judge-{one}"] for one in DIMENSIONS} == {4.0}
    assert values(card)["judge-preferred"] is None, "it likes what stands first"
    assert values(card)["judge-agreement"] is None
    assert "facts" not in values(card)


def test_a_judge_that_fails_fails_the_run_with_its_remedy(tested: Bench) -> None:
    with OpenAIServer(status=401) as server:
        wanted = {"who": "openai", "judge_url": server.base_url, "judge_model": "judge", "probes": False}
        persona = tested.services.settings.persona
        done = tested.services.execution.here("fidelity", persona, wanted, who="test")
    assert done.state is RunState.FAILED
    assert done.error is not None
    assert "key" in done.error.remedy


def test_without_a_dataset_version_there_is_nothing_to_test_with(tested: Bench) -> None:
    services = tested.services
    services.store.personas.put(services.store.personas.get(services.settings.persona).__class__(
        "nobody", "无名", "无书", "", ""
    ))  # fmt: skip
    with pytest.raises(MissingArtifactError, match="no dataset version"):
        services.jobs.draft("fidelity", "nobody", {"who": "retrieval"}, who="test")


@pytest.mark.slow
def test_a_model_that_runs_here_reads_her_replies_too(tested: Bench) -> None:
    store = tested.services.store
    build_tiny_llama(store.workspace / "models" / "model-tiny", context=2048)
    version = store.datasets.versions(tested.services.settings.persona)[0]
    store.models.add(
        Model("model-tiny", tested.services.settings.persona, ModelKind.TEXT, "竹 tiny", None, version.id, "tiny",
              "models/model-tiny", now()), who="test",
    )  # fmt: skip
    card = tested.card("model-tiny", max_tokens=16, scenes=12, ranked=12)
    assert card.model_id == "model-tiny"
    assert {one.version for one in card.scores} == {version.name}
    assert (values(card)["nats"] or 0) > 5, "random weights foresee nothing"
    assert OTHERS in {one.model for one in card.scores}
