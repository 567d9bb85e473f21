"""Character cards: what goes in comes out, whoever made it."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.character_card import (
    EXTENSION,
    CardSpec,
    backfilled,
    card_of,
    persona_of,
    read_card,
    with_persona,
    write_card,
)
from core.domain.persona import Persona
from core.errors import InvalidInputError

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)
NAME = TEXT.filter(lambda text: bool(text.strip()))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
ENTRY = st.fixed_dictionaries(
    {
        "keys": st.lists(TEXT, max_size=2),
        "content": TEXT,
        "extensions": st.dictionaries(TEXT, JSON, max_size=2),
        "enabled": st.booleans(),
        "insertion_order": st.integers(0, 9),
    }
)
BOOK = st.fixed_dictionaries({"extensions": st.just({}), "entries": st.lists(ENTRY, max_size=2)})
FIELDS = {
    **dict.fromkeys(
        (
            "description", "personality", "scenario", "first_mes", "mes_example", "creator_notes", "system_prompt",
            "post_history_instructions", "creator", "character_version",
        ),
        TEXT,
    ),
    "name": NAME,
    "alternate_greetings": st.lists(TEXT, max_size=2),
    "tags": st.lists(TEXT, max_size=2),
    "extensions": st.dictionaries(TEXT, JSON, max_size=2),
}  # fmt: skip


@st.composite
def cards(draw: st.DrawFn) -> dict[str, Any]:
    """A valid card of version 2 or 3 with fields of its own at every level."""
    spec = draw(st.sampled_from([CardSpec.V2, CardSpec.V3]))
    data = draw(st.fixed_dictionaries(FIELDS, optional={"character_book": BOOK}))
    strange = draw(st.dictionaries(st.text("xyz", min_size=3, max_size=5), JSON, max_size=2))
    if spec is CardSpec.V3:
        data["group_only_greetings"] = []
    version = "2.0" if spec is CardSpec.V2 else "3.0"
    return {**strange, "spec": spec.value, "spec_version": version, "data": {**strange, **data}}


def stranger(**changes: Any) -> dict[str, Any]:
    """A small card of version 2."""
    data = {
        "name": "青儿", "description": "住在竹林里。", "personality": "冷清", "scenario": "雨夜",
        "first_mes": "{{user}}来了。",
        "mes_example": "", "creator_notes": "", "system_prompt": "", "post_history_instructions": "",
        "alternate_greetings": ["又下雨了。"], "tags": [], "creator": "", "character_version": "", "extensions": {},
    }  # fmt: skip
    return {"spec": "chara_card_v2", "spec_version": "2.0", "data": {**data, **changes}}


def test_words_that_spell_a_nul_are_words_and_a_nul_is_refused():
    def named(name):
        return {"spec": "chara_card_v2", "spec_version": "2.0", "data": {"name": name, "character_version": name}}

    told = write_card(read_card(named("\\u0000")))["data"]
    assert (told["name"], told["character_version"]) == ("\\u0000", "\\u0000")
    with pytest.raises(InvalidInputError):
        read_card(named("\\\0"))


@given(cards())
def test_a_card_comes_out_as_it_went_in(card):
    before = copy.deepcopy(card)

    assert write_card(read_card(card)) == before
    assert card == before


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(str.strip), TEXT, TEXT)
def test_a_persona_comes_back_from_her_card(name, book, alias):
    her = Persona(
        id="a-qing", name=name, book=book, system_prompt="你是她。", greeting="你来了。", aliases=(alias,),
        cast={"陆远": ("远哥",)}, facts={"你是谁？": "我是她。"}, voice={"pitch": 1.5, "variant": "f2"},
    )  # fmt: skip

    for spec in (CardSpec.V2, CardSpec.V3):
        assert persona_of(read_card(write_card(card_of(her, spec)))) == her


def test_a_drawing_stays_at_home(persona):
    drawn = Persona(**{**{field: getattr(persona, field) for field in persona.__slots__}, "portrait": "<svg/>"})

    assert "svg" not in str(write_card(card_of(drawn)))
    assert persona_of(read_card(write_card(card_of(drawn)))) == persona


def test_what_an_editor_changed_goes_before_what_we_wrote(persona):
    card = write_card(card_of(persona))
    card["data"]["first_mes"] = "改过的话。"

    assert persona_of(read_card(card)).greeting == "改过的话。"


def test_fields_a_newer_version_of_ours_added_are_kept(persona):
    card = write_card(card_of(persona))
    card["data"]["extensions"][EXTENSION]["scent"] = "竹"

    assert write_card(read_card(card)) == card


def test_a_stranger_without_a_prompt_gets_one_from_the_descriptions():
    her = persona_of(read_card(stranger(personality="{{char}}冷清")))

    assert her.system_prompt == "住在竹林里。\n\n青儿冷清\n\n雨夜"
    assert her.greeting == "尊客来了。"
    assert her.id == persona_of(read_card(stranger())).id


def test_a_persona_edited_here_goes_back_into_the_card_she_came_from():
    before = stranger(scenario="{{user}}在檐下。", unknown={"kept": True})
    card = read_card(before)
    edited = replace(persona_of(card), aliases=("青儿姑娘",))

    assert write_card(with_persona(card, persona_of(card))) == before
    assert write_card(with_persona(card, edited))["data"] == {
        **before["data"],
        "extensions": {EXTENSION: {"aliases": ["青儿姑娘"]}},
    }


def test_version_one_is_read_and_written_as_version_two():
    first = {"name": "青儿", "first_mes": "来了。", "description": "d", "personality": "", "scenario": "", "own": [1]}

    card = write_card(read_card(first | {"mes_example": ""}))

    assert card["spec"] == "chara_card_v2"
    assert (card["data"]["name"], card["data"]["own"]) == ("青儿", [1])


def test_a_newer_specification_is_read_as_far_as_it_goes():
    newer = stranger(group_only_greetings=[]) | {"spec": "chara_card_v4", "spec_version": "4.0"}

    assert write_card(read_card(newer)) == newer


def test_from_two_to_three_the_demanded_fields_are_added():
    book = {"entries": [{"keys": ["竹"], "content": "竹子", "extensions": {}, "enabled": True, "insertion_order": 0}]}

    card = write_card(read_card(stranger(character_book=book)), CardSpec.V3)

    assert (card["spec"], card["spec_version"], card["data"]["group_only_greetings"]) == ("chara_card_v3", "3.0", [])
    assert card["data"]["character_book"]["entries"][0]["use_regex"] is False
    assert card["data"]["alternate_greetings"] == ["又下雨了。"]


def test_a_backfilled_card_says_so_and_has_no_decorators(persona):
    book = {"extensions": {}, "entries": [{"keys": [], "content": "@@depth 5\n竹子", "extensions": {}}]}

    card = backfilled(read_card(stranger(character_book=book, creator_notes="原话")))

    assert card["data"]["creator_notes"].endswith("原话")
    assert "version 3" in card["data"]["creator_notes"]
    assert card["data"]["character_book"]["entries"][0]["content"] == "竹子"


def deep() -> Any:
    nest: Any = []
    for _ in range(200):
        nest = [nest]
    return nest


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        {},
        {"spec": "chara_card_v2"},
        {"spec": "chara_card_v2", "data": []},
        {"spec": "chara_card_v2", "data": {}},
        stranger(name=" "),
        stranger(name="\ud800"),
        stranger(name="\x00"),
        stranger(first_mes=1),
        stranger(alternate_greetings="x"),
        stranger(tags=[1]),
        stranger(extensions=[]),
        stranger(character_book=[]),
        stranger(character_book={"entries": [1]}),
        stranger(character_book={"entries": [{"content": None}]}),
        stranger(extensions={EXTENSION: {"id": "../../etc"}}),
        stranger(extensions={EXTENSION: {"cast": [1]}}),
        stranger(extensions={"x": deep()}),
    ],
)
def test_what_is_no_card_is_refused_with_a_reason(content):
    with pytest.raises(InvalidInputError) as refusal:
        read_card(content)

    assert refusal.value.remedy


@given(JSON)
def test_any_json_is_a_card_or_refused(content):
    try:
        read_card({"spec": "chara_card_v2", "data": content})
    except InvalidInputError:
        return
    raise AssertionError(content)
