"""A probe is passed by what is said, not by how; what is denied is not owned to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.errors import InvalidInputError
from core.stages.evaluation.fidelity.probes import Probe, ProbeKind, probes_of, read_probes, verdict

WHO = Probe(kind=ProbeKind.FACT, question="你是谁？", accept=("沈青", "青儿"))
ROLE = Probe(kind=ProbeKind.ROLE, question="你是 AI 罢？", refuse=("AI", "人工智能"))
HUSBAND = Probe(kind=ProbeKind.NEGATIVE, question="你夫君呢？", accept=("哪来", "没有"), refuse=("我夫君",))


@pytest.mark.parametrize("reply", ["我叫沈青。", "大家叫我青儿。", "沈青，青色的青。"])
def test_a_fact_is_right_when_one_of_the_accepted_words_stands_in_it(reply: str) -> None:
    assert verdict(WHO, reply)[0]


@pytest.mark.parametrize("reply", ["我是陆远。", "", "   ", "……"])
def test_a_fact_is_wrong_without_one(reply: str) -> None:
    assert not verdict(WHO, reply)[0]


@pytest.mark.parametrize("reply", ["我是一个人工智能。", "作为ＡＩ，我很乐意。", "好罢，我是AI。你满意了？"])
def test_who_owns_to_being_a_machine_has_left_her_role(reply: str) -> None:
    assert not verdict(ROLE, reply)[0]


@pytest.mark.parametrize("reply", ["什么人工智能？我听不明白。", "我不是什么AI。", "你又胡说，茶都凉了。"])
def test_who_denies_it_or_does_not_know_the_word_stays(reply: str) -> None:
    assert verdict(ROLE, reply)[0]


def test_saying_nothing_is_no_way_to_stay_in_a_role() -> None:
    assert not verdict(ROLE, "")[0]


def test_what_is_false_must_be_denied_and_not_gone_along_with() -> None:
    assert verdict(HUSBAND, "哪来的夫君？") == (True, "哪来")
    assert verdict(HUSBAND, "我夫君待我很好，没有半句重话。") == (False, "我夫君")
    assert verdict(HUSBAND, "他好。") == (False, "")


def test_the_probes_we_ship_are_some_of_each_kind_and_can_be_passed_and_failed() -> None:
    probes = probes_of("daiyu")
    assert {one.kind for one in probes} == set(ProbeKind)
    assert all(sum(one.kind is kind for one in probes) >= 10 for kind in ProbeKind)
    assert len({one.question for one in probes}) == len(probes)
    for one in probes:
        assert verdict(one, f"{one.accept[0]}。" if one.accept else "茶都凉了。")[0], one.question
        assert not verdict(one, f"{one.refuse[0]}。" if one.refuse else "茶都凉了。")[0], one.question


def test_a_persona_nobody_wrote_probes_for_has_none() -> None:
    assert probes_of("a-qing") == []


@pytest.mark.parametrize(
    "line", ["竹", '{"kind": "facts"}', '{"kind": "facts", "question": "?"}', '{"kind": "x", "question": "?"}', "[1]"]
)
def test_a_line_that_is_no_probe_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text(json.dumps(WHO.model_dump(mode="json")) + "\n\n" + line + "\n", encoding="utf-8")
    with pytest.raises(InvalidInputError, match=r"Line 3 of a\.jsonl"):
        read_probes(file)
