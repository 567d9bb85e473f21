"""What we export is accepted by the programs it is for: their own readers where they install, their rules where not."""

from __future__ import annotations

import base64
import io
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, TypeAdapter

from core.domain.run import Command
from core.domain.text import TurnRole
from core.jobs.door import run_briefly
from core.stages.dataset.export import export, export_archive
from core.stages.dataset.formats.archive import unpacked
from core.stages.dataset.formats.rows import Origins
from tests.conftest import PROJECT, persona_a_qing
from tests.unit.stages.dataset.makers import line
from tests.unit.stages.dataset.talks import ORIGINS, SAMPLES, SOURCES, VERSION, sample, turn

HER = persona_a_qing()
READ_IN_XTUNER = Path(__file__).with_name("read_in_xtuner.py")
TRAIN = [SAMPLES[0], SAMPLES[2]]
REPLIES = [[turn.text for turn in one.turns if turn.role is TurnRole.PERSONA] for one in TRAIN]


def exported(name: str, folder: Path, origins: Origins = ORIGINS) -> Path:
    """Unpack an export as a person would, and return its folder."""
    target = folder / name
    zipped = export_archive(VERSION, SAMPLES, format=name, persona=HER, origins=origins)
    for file, data in unpacked(zipped, "a.zip").items():
        (target / file).parent.mkdir(parents=True, exist_ok=True)
        (target / file).write_bytes(data)
    return target


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`datasets.load_dataset` with a cache of its own."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    return lambda *arguments, **named: datasets.load_dataset(*arguments, cache_dir=str(tmp_path / "cache"), **named)


def test_datasets_loads_the_folder_by_its_card(load, tmp_path):
    loaded = load(str(exported("huggingface", tmp_path)))

    assert {side: len(rows) for side, rows in loaded.items()} == {"train": 2, "test": 1}
    assert [message["role"] for message in loaded["test"][0]["messages"]] == [
        "system",
        "user",
        "assistant",
        "user",
        "assistant",
    ]
    assert loaded["train"][0]["utterances"] == ["", "src-1.0.0", "src-1.1.0 src-1.1.9"]
    assert loaded["train"][0]["source_sha256"] == "a" * 64


def test_the_hub_reads_the_head_of_the_card(tmp_path):
    from huggingface_hub import DatasetCard

    card = DatasetCard((exported("huggingface", tmp_path) / "README.md").read_text(encoding="utf-8"))

    assert card.data.to_dict()["configs"][0]["data_files"] == [
        {"split": "train", "path": "data/train.jsonl"},
        {"split": "test", "path": "data/test.jsonl"},
    ]
    assert card.data.to_dict()["language"] == ["zh"]


@pytest.mark.parametrize(
    ("name", "builder", "file", "rows"),
    [
        ("xtuner", "json", "train.json", 2),
        ("openai", "json", "train.jsonl", 2),
        ("alpaca", "json", "train.json", 2),
        ("sharegpt", "json", "train.json", 2),
        ("csv", "csv", "turns.csv", 7),
        ("csv-plain", "csv", "turns.csv", 7),
        ("parquet", "parquet", "turns.parquet", 7),
    ],
)
def test_datasets_loads_each_file(load, tmp_path, name, builder, file, rows):
    loaded = load(builder, data_files=str(exported(name, tmp_path) / file), split="train")

    assert len(loaded) == rows


def test_pandas_reads_the_tables_word_for_word(tmp_path):
    import pandas as pd

    plain = pd.read_csv(exported("csv-plain", tmp_path) / "turns.csv", keep_default_na=False)
    typed = pd.read_parquet(exported("parquet", tmp_path) / "turns.parquet")

    texts = [turn.text for one in SAMPLES for turn in one.turns]
    assert list(plain["text"]) == texts
    assert list(typed["text"]) == texts
    assert str(typed["chapter"].dtype) == "int64"


GENERATION = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.role == 'assistant' %}{% generation %}{{ m.content }}"
    "{% endgeneration %}{% else %}{{ m.content }}{% endif %}<|im_end|>\n{% endfor %}"
)
STRICT = (
    "{% if messages[0].role == 'system' %}{% set rest = messages[1:] %}{% else %}{% set rest = messages %}{% endif %}"
    "{% for m in rest %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('order') }}{% endif %}"
    "{{ m.content }}{% endfor %}"
)
"""As the templates of Llama 2 and Mistral insist: a user begins, and the two take turns."""


def chats(tmp_path: Path) -> Iterator[list[dict[str, str]]]:
    folder = exported("openai", tmp_path)
    for file in ("train.jsonl", "test.jsonl"):
        for row in (folder / file).read_text(encoding="utf-8").splitlines():
            yield json.loads(row)["messages"]


def tokenizer_of(template: str) -> Any:
    """Return a tokenizer of characters: transformers marks a character of several tokens by its first one only."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = sorted({letter for one in SAMPLES for turn in one.turns for letter in turn.text})
    built = Tokenizer(models.WordLevel({letter: place for place, letter in enumerate(["?", *letters])}, unk_token="?"))
    built.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    built.decoder = decoders.Fuse()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=built, unk_token="?")
    tokenizer.chat_template = template
    return tokenizer


def test_a_chat_template_marks_the_replies_and_nothing_else(tmp_path):
    tokenizer, learned = tokenizer_of(GENERATION), []
    for chat in chats(tmp_path):
        marked = tokenizer.apply_chat_template(chat, return_dict=True, return_assistant_tokens_mask=True)
        pairs = zip(marked["input_ids"], marked["assistant_masks"], strict=True)
        learned.append(tokenizer.decode([token for token, mask in pairs if mask]))

    assert learned == ["=不冷。\n真的。", "我是沈青。", "'你来了。坐。"]


def test_a_strict_template_takes_every_chat(tmp_path):
    tokenizer = tokenizer_of(STRICT)

    assert all(tokenizer.apply_chat_template(chat, tokenize=False) for chat in chats(tmp_path))


def test_the_openai_library_knows_the_messages(tmp_path):
    from openai.types.chat import ChatCompletionMessageParam

    known: TypeAdapter[Any] = TypeAdapter(list[ChatCompletionMessageParam])

    for chat in chats(tmp_path):
        assert len(list(known.validate_python(chat))) == len(chat)


class Description(BaseModel):
    """An entry of `dataset_info.json`, as far as LLaMA-Factory's data/README.md knows it for local files."""

    model_config = ConfigDict(extra="forbid")

    file_name: str
    formatting: Literal["alpaca", "sharegpt"]
    columns: dict[str, str]


def as_llama_factory_reads(rows: Any, about: Description) -> list[tuple[str, list[str], list[str]]]:
    """Return system prompt, what is asked and what is learned, after the rules of its converter; it drops the unfit.

    Columns that `dataset_info.json` does not name are not there. ShareGPT: human in odd places, gpt in even ones, both
    as often. Alpaca: history first, then instruction and input joined by a line; an empty output makes it unsupervised.
    """
    at, read = about.columns.get, []
    for row in rows:
        if about.formatting == "sharegpt":
            talk = row[at("messages", "")]
            assert len(talk) % 2 == 0
            assert [one["from"] for one in talk] == ["human", "gpt"] * (len(talk) // 2)
            assert all(isinstance(one["value"], str) for one in talk)
            said = [one["value"] for one in talk]
        else:
            assert all(len(pair) == 2 for pair in row[at("history", "")])
            query = [row[at(column, "")] for column in ("prompt", "query") if row[at(column, "")]]
            assert isinstance(row[at("response", "")], str)
            assert row[at("response", "")]
            said = [one for pair in row[at("history", "")] for one in pair] + [
                "\n".join(query),
                row[at("response", "")],
            ]
        read.append((row[at("system", "")], said[::2], said[1::2]))
    return read


@pytest.mark.parametrize("name", ["sharegpt", "alpaca"])
def test_llama_factory_drops_nothing_and_learns_every_reply(load, tmp_path, name):
    folder = exported(name, tmp_path)
    described = json.loads((folder / "dataset_info.json").read_text(encoding="utf-8"))
    about = {entry: Description.model_validate(one) for entry, one in described.items()}

    assert list(about) == ["a-qing-第一版-train", "a-qing-第一版-test"]
    train, test = (
        as_llama_factory_reads(load("json", data_files=str(folder / one.file_name), split="train"), one)
        for one in about.values()
    )
    assert train == [("你是沈青。", ["冷么？"], ["=不冷。\n真的。"]), ("你是沈青。", ["你是谁？"], ["我是沈青。"])]
    assert test == [("你是沈青。", ["", "来了。"], ["'你来了。", "坐。"])]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Value(_Strict):
    """Of a region in paragraphs: tag Paragraphs, "Sample Results JSON"."""

    start: str
    end: str
    startOffset: int  # noqa: N815 - Label Studio's name
    endOffset: int  # noqa: N815 - Label Studio's name
    text: str
    paragraphlabels: list[str] = []
    choices: list[str] = []


class Region(_Strict):
    """A result: "Label Studio JSON format of annotated tasks"."""

    id: str
    from_name: Literal["speaker", "kind"]
    to_name: Literal["dialogue"]
    type: Literal["paragraphlabels", "choices"]
    value: Value


class Annotation(_Strict):
    result: list[Region]
    was_cancelled: bool
    ground_truth: bool


class Prediction(_Strict):
    result: list[Region]
    model_version: str
    score: float


class Task(_Strict):
    data: dict[str, Any]
    annotations: list[Annotation]
    predictions: list[Prediction]


def test_label_studio_knows_every_region_label_and_paragraph(tmp_path):
    from xml.etree import ElementTree

    lines = [line("沈青", "=不冷。", 1), line("陆远", "冷么？", 0)]
    folder = exported("label-studio", tmp_path, Origins(SOURCES, {one.id: one for one in lines}))
    interface = ElementTree.parse(folder / "label_config.xml").getroot()
    tasks = [Task.model_validate(one) for one in json.loads((folder / "tasks.json").read_text(encoding="utf-8"))]

    labels = {one.get("value") for one in interface.iter("Label")}
    kinds = {one.get("value") for one in interface.iter("Choice")}
    assert {tag.get("name") for tag in interface} == {"speaker", "kind", "dialogue"}
    regions = [(task, region) for task in tasks for one in task.predictions for region in one.result]
    assert len(regions) == 4
    for task, region in regions:
        paragraph = task.data["dialogue"][int(region.value.start)]["text"]
        assert paragraph[region.value.startOffset : region.value.endOffset] == region.value.text
        assert set(region.value.paragraphlabels) <= labels
        assert set(region.value.choices) <= kinds


class CardData(_Strict):
    """`data` of version 2: spec_v2.md, "New fields"."""

    name: str
    description: str
    personality: str
    scenario: str
    first_mes: str
    mes_example: str
    creator_notes: str
    system_prompt: str
    post_history_instructions: str
    alternate_greetings: list[str]
    tags: list[str]
    creator: str
    character_version: str
    extensions: dict[str, Any]


class NewerCardData(CardData):
    """`data` of version 3: SPEC_V3.md, "CharacterCard Object"."""

    group_only_greetings: list[str]


class CardV2(_Strict):
    spec: Literal["chara_card_v2"]
    spec_version: Literal["2.0"]
    data: CardData


class CardV3(_Strict):
    spec: Literal["chara_card_v3"]
    spec_version: Literal["3.0"]
    data: NewerCardData


def test_cards_are_what_their_specifications_say():
    second = CardV2.model_validate_json(export(VERSION, SAMPLES, format="card-v2", persona=HER))
    third = CardV3.model_validate_json(export(VERSION, SAMPLES, format="card-v3", persona=HER))

    assert second.data.first_mes == third.data.first_mes == HER.greeting
    assert third.data.mes_example.startswith("<START>\n{{user}}: 冷么？\n{{char}}: =不冷。\n真的。\n<START>")


def test_pillow_reads_both_cards_out_of_the_picture():
    image = pytest.importorskip("PIL.Image")

    with image.open(io.BytesIO(export(VERSION, SAMPLES, format="card-png", persona=HER))) as picture:
        picture.load()
        texts = picture.text

    assert picture.size == (400, 600)
    assert CardV3.model_validate_json(base64.b64decode(texts["ccv3"])).data.name == "沈青"
    assert CardV2.model_validate_json(base64.b64decode(texts["chara"])).data.creator_notes


@pytest.mark.slow
@pytest.mark.tools
def test_xtuner_learns_every_reply_and_nothing_else(tmp_path):
    pythons = sorted(PROJECT.glob("workspace/toolchains/xtuner-*/bin/python"))
    if not pythons:
        pytest.skip("XTuner's environment is not built here: `make toolchains` builds it")
    known = (turn(TurnRole.COUNTERPART, "甲"), turn(TurnRole.PERSONA, "别处学的。"))
    more = sample(
        known[0], replace(known[1], context=True), turn(TurnRole.COUNTERPART, "乙"), turn(TurnRole.PERSONA, "丙。")
    )
    xtuner = tmp_path / "train.json"
    xtuner.write_bytes(export(VERSION, [*TRAIN, more]))
    openai = exported("openai", tmp_path) / "train.jsonl"
    script = shutil.copy(READ_IN_XTUNER, tmp_path)
    command = Command(
        (str(pythons[-1]), str(script), str(xtuner), str(openai), str(tmp_path / "cache")),
        tmp_path,
        {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
    )

    answer = run_briefly(command, timeout=300)

    assert answer.returncode == 0, answer.stderr.decode()
    found = json.loads(answer.stdout.splitlines()[-1])
    learned = {
        format: [[one.replace("<|im_end|>", "").replace("</s>", "") for one in row["learned"]] for row in rows]
        for format, rows in found.items()
    }
    assert learned == {"xtuner": [*REPLIES, ["丙。"]], "openai": REPLIES}
    assert all(row["text"].count("你是沈青。") == 1 for rows in found.values() for row in rows[:1])
    assert "别处学的。" in found["xtuner"][2]["text"]
