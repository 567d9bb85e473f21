"""What a search finds waits for the curator; what he decides is left out of the next version, and only that."""

from __future__ import annotations

from typing import Any

import pytest

from core.domain.identity import now
from core.domain.text import (
    Expansion,
    Passage,
    PassageKind,
    ReviewStatus,
    Source,
    SourceKind,
    Split,
    Utterance,
)
from core.errors import MissingArtifactError
from core.stages.dataset.cleaning import CleaningSettings, run
from core.stages.dataset.run import run as build
from core.stages.dataset.settings import DatasetSettings
from core.store import Store
from tests.unit.stages.dataset.makers import line
from tests.unit.stages.runs import begun

SAID = ("这竹子夜里自己会说话，你听过没有？", "我不过是听雨罢了，谁要你来陪。", "明日再来，记得把伞带上。")


def edition(store: Store, number: int, *texts: str, kind: SourceKind = SourceKind.NOVEL) -> list[Utterance]:
    """Put a book into the store in which she says these lines, each after a question."""
    name = f"src-{number}"
    store.corpus.add(
        Source(name, "a-qing", f"{number}.txt", kind, f"{number}" * 64, 9, "utf-8", 9, 1, now()),
        [Passage(name, n, 1, n, PassageKind.PARAGRAPH, n * 9, n * 9 + 5, "一段话说") for n in range(2 * len(texts))],
    )
    lines = []
    for n, text in enumerate(texts):
        if kind is SourceKind.NOVEL:
            lines.append(line("陆远", f"第{number}本书第{n}句怎么说？", 2 * n, source_id=name))
        lines.append(line("沈青", text, 2 * n + 1, source_id=name))
    store.utterances.replace(name, "rules", lines, None)
    return [one for one in lines if one.speaker == "沈青"]


def searched(store: Store, run_id: str = "run-0000000009", **settings: Any) -> dict[str, Any]:
    return run(CleaningSettings(**settings), context=begun(store, "cleaning", run_id=run_id), store=store)


def replies(store: Store, run_id: str, **settings: Any) -> list[str]:
    """Build a version and return the replies to be learnt."""
    wanted = DatasetSettings(self_knowledge=False, held_out_share=0, **settings)
    version = build(wanted, context=begun(store, "dataset", run_id=run_id), store=store)["version"]
    samples = store.datasets.samples(version)
    return [turn.text for sample in samples for turn in sample.turns[1::2] if not turn.context]


def test_a_line_of_two_editions_waits_as_a_cluster_with_a_reason(store):
    first = edition(store, 1, *SAID)
    second = edition(store, 2, SAID[0].replace("，", ",").replace("？", ""), "别的话，全不相干的一句。")

    found = searched(store)

    (cluster,) = store.duplicates.clusters("a-qing").rows
    assert (found["clusters"], found["open"]) == (1, 1)
    assert {member.utterance_id for member in cluster.members} == {first[0].id, second[0].id}
    assert [member.proposed for member in cluster.members] == [True, False]
    assert cluster.members[1].reason == "punctuation"
    assert cluster.run_id == "run-0000000009"


def test_what_was_decided_is_left_out_of_the_next_version_and_can_come_back(store):
    edition(store, 1, *SAID)
    copies = edition(store, 2, SAID[0][:-1] + "。")
    searched(store)
    (cluster,) = store.duplicates.clusters("a-qing").rows

    before = replies(store, "run-0000000001")
    proposed = replies(store, "run-0000000002", drop_proposed=True)
    store.duplicates.decide(cluster.id, 0, keep=[copies[0].id], who="anna")
    after = replies(store, "run-0000000003")
    store.duplicates.undo("anna", "a-qing")

    assert len(before) == 4
    assert len(proposed) == 3
    assert after == [*SAID[1:], copies[0].text]
    assert replies(store, "run-0000000004") == before


def test_a_dropped_reply_may_still_be_heard_before_the_next_one(store):
    first = edition(store, 1, *SAID)
    edition(store, 2, SAID[0])
    searched(store)
    (cluster,) = store.duplicates.clusters("a-qing").rows
    keep = [member.utterance_id for member in cluster.members if member.utterance_id != first[0].id]
    store.duplicates.decide(cluster.id, 0, keep=keep, who="anna")

    context = begun(store, "dataset")
    settings = DatasetSettings(held_out_share=0)
    version = store.datasets.get(build(settings, context=context, store=store)["version"])

    scene = store.datasets.samples(version.id)[0]
    assert [(turn.text, turn.context) for turn in scene.turns[1::2]] == [
        (SAID[0], True),
        (SAID[1], False),
        (SAID[2], False),
    ]
    assert version.statistics["left_out"]["near_duplicates"] == 1


def test_the_same_search_again_asks_nothing_new(store):
    edition(store, 1, *SAID)
    edition(store, 2, *SAID)
    searched(store)
    store.duplicates.accept_proposals("a-qing", who="anna")

    again = searched(store, "run-0000000008")

    assert (again["clusters"], again["open"]) == (3, 0)
    assert {one.decided_by for one in store.duplicates.clusters("a-qing", open_only=False).rows} == {"anna"}


def test_doubtful_lines_wait_with_their_reasons(store):
    lines = edition(store, 1, "（掀帘）你来了，坐罢。", SAID[0])

    found = searched(store)

    assert found["doubts"] == 1
    (doubt,) = store.suspicions.page("a-qing").rows
    assert (doubt.line.id, doubt.suspicion.rule) == (lines[0].id, "stage_direction")


def test_rejected_lines_are_not_looked_at(store):
    edition(store, 1, *SAID)
    for one in edition(store, 2, *SAID):
        store.review.edit(one.id, 0, who="anna", status=ReviewStatus.REJECTED)

    assert searched(store)["clusters"] == 0


def test_searching_without_lines_says_what_to_do(store):
    with pytest.raises(MissingArtifactError, match="Extract the dialogues"):
        searched(store)


def test_near_duplicates_never_straddle_the_split(store):
    texts = [f"{word}这件事我早说过了，偏你一句也不肯听。" for word in "天地玄黄宇宙洪荒日月盈昃"]
    lines = []
    for chapter, said in enumerate([*texts, *(text.replace("我早说过", "我早就说过") for text in texts)], start=1):
        lines.append(line("陆远", f"第{chapter}回怎么说？", 2 * chapter, chapter=chapter))
        lines.append(line("沈青", said, 2 * chapter + 1, chapter=chapter))
    store.corpus.add(
        Source("src-1", "a-qing", "1.txt", SourceKind.NOVEL, "1" * 64, 9, "utf-8", 9, 1, now()),
        [Passage("src-1", one.ordinal, one.chapter, 0, PassageKind.PARAGRAPH, 0, 9, "一段话说") for one in lines],
    )
    store.utterances.replace("src-1", "rules", lines, None)

    result = build(DatasetSettings(self_knowledge=False), context=begun(store, "dataset"), store=store)

    sides: dict[Split, set[str]] = {side: set() for side in Split}
    for sample in store.datasets.samples(result["version"]):
        sides[sample.split] |= {turn.text[0] for turn in sample.turns[1::2]}
    assert sides[Split.HELD_OUT]
    assert not sides[Split.TRAIN] & sides[Split.HELD_OUT]
    assert store.datasets.get(result["version"]).statistics["left_out"]["near_held_out"] > 0


def expansion(quote: Utterance, ordinal: int, status: ReviewStatus = ReviewStatus.ACCEPTED) -> Expansion:
    name = f"exp-{quote.ordinal}-{ordinal}"
    return Expansion(name, "a-qing", quote.id, ordinal, "陆远", f"你又在想第{ordinal}件事？", "m", now(), status)


def test_quotes_answer_accepted_synthetic_lines_up_to_the_share(store):
    quotes = edition(store, 1, *(f"{word}也有它的心事，只是不说。" for word in "竹雨灯茶"), kind=SourceKind.QUOTES)
    store.expansions.put([expansion(one, 0) for one in quotes])

    context = begun(store, "dataset")
    version = build(DatasetSettings(self_knowledge=False, synthetic_share=0.5), context=context, store=store)["version"]

    samples = store.datasets.samples(version)
    synthetic = [one for one in samples if one.synthetic]
    assert (len(samples), len(synthetic)) == (4, 2)
    assert all(one.turns[0].expansion_id and one.turns[0].speaker == "陆远" for one in synthetic)
    assert all(one.turns[1].utterance_ids for one in samples)
    assert store.datasets.get(version).statistics["synthetic_share"] == 0.5


def test_unreviewed_synthetic_lines_are_used_only_on_request(store):
    quotes = edition(store, 1, *SAID, kind=SourceKind.QUOTES)
    store.expansions.put([expansion(one, 0, ReviewStatus.PENDING) for one in quotes])
    counts = []
    for number, pending in enumerate((False, True)):
        settings = DatasetSettings(pending_expansions=pending, synthetic_share=0.9, self_knowledge=False)
        context = begun(store, "dataset", run_id=f"run-000000000{number}")
        version = build(settings, context=context, store=store)["version"]
        counts.append(sum(one.synthetic for one in store.datasets.samples(version)))

    assert counts == [0, 2]


def test_synthetic_lines_out_of_her_time_wait_with_the_word(store):
    quotes = edition(store, 1, *SAID, kind=SourceKind.QUOTES)
    store.expansions.put(
        [Expansion("exp-1", "a-qing", quotes[0].id, 0, "陆远", "你的手机响了？", "m", now()), expansion(quotes[1], 0)]
    )

    searched(store)

    (doubt,) = store.suspicions.page("a-qing", synthetic=True).rows
    assert (doubt.line.id, doubt.suspicion.rule) == ("exp-1", "anachronism")
    assert "手机" in str(doubt.suspicion.values)
