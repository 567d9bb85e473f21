"""Reading somebody's dataset: what is repaired, what is refused, and how it is said."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from core.domain.text import ReviewStatus, Split, UtteranceKind
from core.errors import InvalidInputError
from core.stages.dataset.export import export, export_archive
from core.stages.dataset.formats import label_studio, png
from core.stages.dataset.formats.archive import packed, unpacked
from core.stages.dataset.formats.cards import card_in, embedded
from core.stages.dataset.formats.report import Verdict
from core.stages.dataset.formats.rows import Imported, Origins
from core.stages.dataset.formats.upload import read_upload
from tests.conftest import persona_a_qing
from tests.unit.stages.dataset.makers import line
from tests.unit.stages.dataset.talks import HEARD, ORIGINS, SAID, SAMPLES, SOURCES, VERSION, sample, turn

GOOD = {"messages": [{"role": "user", "content": "冷么？"}, {"role": "assistant", "content": "不冷。"}]}
HER = persona_a_qing()


def chat(*messages: tuple[str, Any], **fields: Any) -> dict[str, Any]:
    return {"messages": [{"role": role, "content": content} for role, content in messages], **fields}


def read(*records: Any) -> Imported:
    """Read these records as lines, a good one first."""
    rows = [one if isinstance(one, str) else json.dumps(one) for one in (GOOD, *records)]
    return read_upload("\n".join(rows).encode(), "chats.jsonl")


def findings(found: Imported) -> list[str]:
    return [str(one) for one in found.report.findings]


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ("{broken", "it is not JSON: Expecting property name enclosed in double quotes"),
        ('{"messages": NaN}', "it is not JSON: NaN is no number in JSON"),
        ("[1]", "it is not an object with named fields"),
        (f'{json.dumps(GOOD)} {json.dumps(GOOD)}', "it is not JSON: there is more than one value on the line"),
        ({"text": "x"}, "there is no list of messages"),
        ({"messages": "x"}, "there is no list of messages"),
        ({"messages": [1]}, "message 1 is not an object"),
        (chat(("tool", "x"), ("assistant", "x")), "message 1 is by tool, where none may be"),
        (chat(("user", "x"), ("system", "x"), ("assistant", "x")), "message 2 is by system, where none may be"),
        (chat(("user", "x"), ("assistant", None)), "the words of turn 2 are not a text"),
        (chat(("user", "x"), ("assistant", " \n")), "the persona says nothing in it"),
        (chat(("user", "x")), "the persona says nothing in it"),
        (chat(), "the persona says nothing in it"),
        (chat(("user", "x"), ("assistant", "\ud800")), "turn 2 holds half a character"),
        (chat(("user", "x"), ("assistant", "长" * 100_001)), "turn 2 is longer than 100000 characters"),
        (chat(*[("user", "x"), ("assistant", "y")] * 1_001), "it has 2002 turns; 2000 are allowed"),
        (chat(("user", [{"type": "image_url"}]), ("assistant", "y")), "the words of turn 1 are not a text"),
    ],
)  # fmt: skip
def test_a_record_that_cannot_be_used_is_refused_with_its_line_and_reason(record, said):
    found = read(record)

    assert (found.report.read, found.report.refused) == (1, 1)
    refused = [one for one in found.report.findings if one.verdict is Verdict.REFUSED]
    assert [str(one) for one in refused] == [f"chats.jsonl:2: refused: {said}"]


@pytest.mark.parametrize(
    ("record", "said", "texts"),
    [
        (
            chat(("user", "a"), ("user", "b"), ("assistant", "c")),
            ["two turns of user in a row became one"],
            ["a\nb", "c"],
        ),
        (
            chat(("user", "a"), ("assistant", "b"), ("assistant", "c")),
            ["two turns of assistant in a row became one"],
            ["a", "b\nc"],
        ),
        (
            chat(("user", "a"), ("assistant", ""), ("user", "b"), ("assistant", "c")),
            ["turn 2 was empty and left out", "two turns of user in a row became one"],
            ["a\nb", "c"],
        ),
        (
            chat(("user", "a"), ("assistant", "b"), ("user", "c")),
            ["last words that nobody answers were left out"],
            ["a", "b"],
        ),
        (chat(("user", "a\x00"), ("assistant", "b")), ["control characters in turn 1 were taken out"], ["a", "b"]),
    ],
)
def test_a_record_that_can_be_mended_is_mended_and_said(record, said, texts):
    found = read(record)

    assert (found.report.read, found.report.repaired, found.report.refused) == (2, 1, 0)
    assert findings(found) == [f"chats.jsonl:2: repaired: {one}" for one in said]
    assert [one.text for one in found.samples[1].turns] == texts


def test_text_in_parts_is_one_text():
    parts = [{"type": "text", "text": "冷"}, {"type": "text", "text": "么？"}]

    assert read(chat(("user", parts), ("assistant", "不冷。"))).samples[1].turns[0].text == "冷么？"


@pytest.mark.parametrize("mark", [{"weight": 0}, {"loss": False}, {"loss": "False"}])
def test_a_reply_that_should_not_be_learnt_is_context(mark):
    record = chat(("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d"))
    record["messages"][1] |= mark

    found = read(record)

    assert [one.context for one in found.samples[1].turns] == [False, True, False, False]
    assert found.report.findings == ()


@pytest.mark.parametrize("name", ["alpaca", "sharegpt", "huggingface"])
def test_context_never_reaches_a_trainer_that_would_learn_it(name):
    known = turn(SAID, "别处学的。", "沈青")
    talk = sample(turn(HEARD, "甲"), replace(known, context=True), turn(HEARD, "乙"), turn(SAID, "丙。", "沈青"))

    files = unpacked(export_archive(VERSION, [talk], format=name, persona=HER, origins=ORIGINS), "a.zip")

    assert not any("别处学的".encode() in data for data in files.values())
    assert any("丙。".encode() in data for data in files.values())


def test_unknown_fields_are_counted():
    record = chat(("user", "a"), ("assistant", "b"), mood="sad")
    record["messages"][0]["at"] = "noon"

    assert read(record, record).report.unknown_fields == {"mood": 2, "at": 2}


def test_the_most_frequent_prompt_is_taken_and_others_are_told():
    prompts = [chat(("system", words), ("user", "a"), ("assistant", "b")) for words in ("甲", "乙", "乙")]

    found = read(*prompts)

    assert found.system_prompt == "乙"
    assert "2 different system prompts" in findings(found)[-1]


def test_records_of_a_list_are_named_by_the_line_they_begin_on():
    rows = [{"conversation": [{"input": "a", "output": "b"}]}, {"conversation": [{"input": "a"}]}, {"conversation": 1}]

    found = read_upload(json.dumps(rows, indent=1).encode(), "talks.json")

    assert findings(found) == [
        "talks.json:10: refused: an exchange has no `output`",
        "talks.json:17: refused: there is no list `conversation` of objects",
    ]


def test_an_object_over_several_lines_is_one_record():
    assert read_upload(json.dumps(GOOD, indent=2).encode(), "one.json").report.read == 1


def test_a_list_broken_in_the_middle_is_refused_with_its_line():
    with pytest.raises(InvalidInputError, match="line 3"):
        read_upload(b'[\n{"conversation": []},\n{"conv', "talks.json")


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"instruction": "a"}, "the text `output` is missing"),
        ({"instruction": 1, "output": "b"}, "the text `instruction` is missing"),
        ({"instruction": "a", "output": "b", "history": [["x"]]}, "`history` is no list of pairs"),
    ],
)
def test_alpaca_wants_its_fields(record, said):
    good = {"instruction": "a", "input": "b", "output": "c"}

    found = read_upload(json.dumps([good, record]).encode(), "a.json")

    assert found.samples[0].turns[0].text == "a\nb"
    assert findings(found) == [f"a.json:1: refused: {said}"]


def test_other_names_for_the_sides_are_known():
    talk = {"conversations": [{"from": "user", "value": "a"}, {"from": "chatgpt", "value": "b"}], "system": "甲"}

    found = read_upload(json.dumps([talk]).encode(), "a.json")

    assert [one.role for one in found.samples[0].turns] == [HEARD, SAID]
    assert found.system_prompt == "甲"


def test_a_spreadsheet_never_sees_a_formula():
    table = export(VERSION, SAMPLES, format="csv")

    assert table.startswith(b"\xef\xbb\xbf")
    assert '"\'=不冷。\n真的。"' in table.decode()
    assert "''你来了。" in table.decode()


def test_programs_get_the_words_as_they_are():
    table = export(VERSION, SAMPLES, format="csv-plain").decode()

    assert '"=不冷。\n真的。"' in table
    assert table.startswith("sample,split,turn,role,speaker,text,")


def test_a_table_with_semicolons_in_another_encoding_is_read():
    table = "sample;role;text;mood\n1;user;冷么？;x\n1;assistant;不冷。;x\n2;user;a;x;y\n".encode("gb18030")

    found = read_upload(table, "talks.csv")

    assert [one.text for one in found.samples[0].turns] == ["冷么？", "不冷。"]
    assert found.report.unknown_fields == {"mood": 1}
    assert findings(found) == [
        "noted: talks.csv is not UTF-8; it was read as GB18030",
        "talks.csv:4: refused: the row has more or fewer cells than the head",
    ]


def test_a_table_row_with_a_strange_role_refuses_its_sample():
    found = read_upload(b"sample,role,text\n1,user,a\n1,assistant,b\n2,narrator,c\n2,assistant,d\n", "a.csv")

    assert findings(found) == ["a.csv:4: refused: the role is neither user nor assistant"]
    assert found.report.read == 1


def test_numbers_that_two_samples_share_are_given_anew():
    found = read_upload(b"sample,role,text\n1,assistant,a\n2,assistant,b\n1,assistant,c\n", "a.csv")

    assert [one.ordinal for one in found.samples] == [0, 1, 2]
    assert findings(found) == ["noted: several samples have the same number; they are numbered anew"]


def reviewed() -> Origins:
    """Two lines of one turn: one accepted, one pending."""
    first = line("沈青", "=不冷。", 1, start=0, status=ReviewStatus.ACCEPTED)
    second = line("沈青", "真的。", 1, start=9, kind=UtteranceKind.THOUGHT, extractor="kor")
    return Origins(SOURCES, {one.id: one for one in (first, second)})


def tasks(*samples: Any, origins: Origins = ORIGINS) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = json.loads(label_studio.write(VERSION, samples, HER, origins)["tasks.json"])
    return content


def test_what_a_curator_accepted_is_an_annotation_and_the_rest_a_prediction():
    task = tasks(SAMPLES[0], origins=reviewed())[0]

    assert [region["value"].get("paragraphlabels") for region in task["annotations"][0]["result"]] == [["沈青"], None]
    assert {one["model_version"] for one in task["predictions"]} == {"rules", "kor"}
    kinds = [
        region["value"]["choices"]
        for one in task["predictions"]
        for region in one["result"]
        if region["from_name"] == "kind"
    ]
    assert sorted(kinds) == [["speech"], ["thought"]]


def test_offsets_count_as_browsers_do():
    said = sample(turn(HEARD, "a"), turn(SAID, "𠮷𠮷真的。", "沈青", "src-1.1.9"))

    region = tasks(said, origins=reviewed())[0]["predictions"][0]["result"][0]["value"]

    assert (region["start"], region["startOffset"], region["endOffset"], region["text"]) == ("1", 4, 7, "真的。")


def test_a_speaker_corrected_in_label_studio_comes_back_with_the_side():
    task = tasks(sample(turn(HEARD, "甲说。", "甲"), turn(HEARD, "乙说。", "乙"), turn(SAID, "丙。", "沈青")))[0]
    labels = {"type": "paragraphlabels", "from_name": "speaker", "to_name": "dialogue"}
    task["annotations"] = [{"result": [{**labels, "value": {"start": "1", "end": "1", "paragraphlabels": ["沈青"]}}]}]

    found = read_upload(json.dumps([task]).encode(), "tasks.json")

    assert [(one.role, one.speaker) for one in found.samples[0].turns] == [(HEARD, "甲"), (SAID, "沈青")]


def test_a_cancelled_annotation_changes_nothing():
    task = tasks(SAMPLES[0])[0]
    region = {"value": {"start": "1", "paragraphlabels": ["甲"]}}
    task["annotations"] = [{"was_cancelled": True, "result": [region]}]

    assert read_upload(json.dumps([task]).encode(), "t.json").samples[0].turns == SAMPLES[0].turns


def test_a_task_that_does_not_say_who_is_who_is_refused():
    task = {"data": {"dialogue": [{"author": "甲", "text": "a"}]}}

    with pytest.raises(InvalidInputError, match="whether turn 1 is the persona's"):
        read_upload(json.dumps([task]).encode(), "t.json")


def test_a_card_goes_into_a_picture_and_replaces_the_one_in_it():
    picture = export(VERSION, SAMPLES, format="card-png", persona=HER)
    card = card_in(picture, "a.png")
    other = replace(card, persona={**card.persona, "name": "别人"})

    twice = embedded(picture, other)

    assert card_in(twice, "a.png").persona["name"] == "别人"
    assert sorted(png.texts(twice)) == ["ccv3", "chara"]


def test_the_newer_card_of_a_picture_counts():
    old, new = (export(VERSION, SAMPLES, format=name, persona=HER) for name in ("card-v2", "card-v3"))
    import base64

    both = {"chara": base64.b64encode(old.replace("沈青".encode(), "旧青".encode())), "ccv3": base64.b64encode(new)}
    found = read_upload(png.with_texts(png.plain(1, 1, (0, 0, 0)), both), "a.png")

    assert found.persona == HER


def test_what_a_persona_has_no_place_for_is_told():
    card = json.loads(export(VERSION, SAMPLES, format="card-v2", persona=HER))
    card["data"] |= {"alternate_greetings": ["x"], "system_prompt": ""}

    found = read_upload(json.dumps(card).encode(), "card.json")

    assert "no system prompt" in findings(found)[0]
    assert "alternate_greetings" in findings(found)[1]


def test_files_of_an_operating_system_are_passed_over():
    zipped = export_archive(VERSION, SAMPLES, format="openai", persona=HER, origins=ORIGINS)
    files = unpacked(zipped, "a.zip") | {"__MACOSX/._train.jsonl": b"\0", ".DS_Store": b"\0"}

    found = read_upload(packed(files), "a.zip")

    assert list(found.samples) == SAMPLES


def test_a_folder_of_files_without_a_manifest_has_its_sides_by_name():
    files = {
        name: json.dumps([{"conversation": [{"input": "a", "output": name}]}]).encode()
        for name in ("x/val.json", "x/train.json")
    }

    found = read_upload(packed(files), "a.zip")

    assert [(one.split, one.turns[1].text) for one in found.samples] == [
        (Split.TRAIN, "x/train.json"),
        (Split.HELD_OUT, "x/val.json"),
    ]
