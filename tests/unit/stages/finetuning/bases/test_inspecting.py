"""A base model's folder is judged by its headers alone: what is whole is described, what is not is named."""

from __future__ import annotations

import json
import math
import struct

import pytest

from core.stages.finetuning.bases.inspecting import inspect_base
from tests.little_base import CONFIG, INTERNLM2, TOKENIZER, base_files, safetensors, shapes, write_base

PARAMETERS = sum(map(math.prod, shapes().values()))


def messages(folder):
    report = inspect_base(folder)
    return [problem.message.format(**problem.values) for problem in report.problems]


def without(name, files=None):
    return {key: content for key, content in (files or base_files()).items() if key != name}


@pytest.mark.parametrize("shards", [1, 3])
def test_a_whole_model_is_described_and_has_no_problem(tmp_path, shards):
    report = inspect_base(write_base(tmp_path / "base", base_files(shards=shards)))

    assert report.problems == ()
    assert (report.architecture, report.model_type, report.dtype) == ("LlamaForCausalLM", "llama", "bfloat16")
    assert report.parameters == PARAMETERS
    assert (report.hidden, report.layers, report.heads, report.kv_heads) == (16, 2, 4, 2)
    assert (report.intermediate, report.vocabulary, report.context) == (32, 64, 512)
    assert not report.tied
    assert report.prompt_template == "internlm2_chat"
    assert not report.needs_conversion


def test_the_size_is_that_of_the_weights(tmp_path):
    folder = write_base(tmp_path / "base", base_files(shards=2))

    assert inspect_base(folder).bytes == sum(file.stat().st_size for file in folder.glob("*.safetensors"))


def test_tied_weights_need_no_output_layer(tmp_path):
    tied = write_base(tmp_path / "tied", base_files({**CONFIG, "tie_word_embeddings": True}, head=False))
    told_by_nobody = {name: value for name, value in CONFIG.items() if name != "tie_word_embeddings"}
    silent = write_base(tmp_path / "silent", base_files(told_by_nobody, head=False))

    assert inspect_base(tied).tied
    assert inspect_base(silent).tied
    assert messages(tied) == messages(silent) == []


def test_an_output_layer_that_should_be_there_is_missed(tmp_path):
    [message] = messages(write_base(tmp_path / "base", base_files(head=False)))

    assert "output layer" in message


@pytest.mark.parametrize("cut", [1, 200, 2000])
def test_a_file_cut_short_is_found(tmp_path, cut):
    files = base_files()
    files["model.safetensors"] = files["model.safetensors"][:-cut]

    [message] = messages(write_base(tmp_path / "base", files))

    assert message.startswith("model.safetensors is not whole")


def test_bytes_that_belong_to_no_tensor_are_found(tmp_path):
    files = base_files()
    files["model.safetensors"] += b"\0"

    assert "is not whole" in messages(write_base(tmp_path / "base", files))[0]


def test_a_missing_shard_is_named(tmp_path):
    shard = "model-00002-of-00003.safetensors"

    [message] = messages(write_base(tmp_path / "base", without(shard, base_files(shards=3))))

    assert shard in message


def test_an_index_cannot_name_files_elsewhere(tmp_path):
    files = base_files(shards=2)
    write_base(tmp_path / "other", {"model.safetensors": safetensors(shapes())})
    files["model.safetensors.index.json"] = json.dumps({"weight_map": {"a": "../other/model.safetensors"}}).encode()

    report = inspect_base(write_base(tmp_path / "base", files))

    assert report.parameters == 0
    assert "../other" in report.problems[0].values["names"]


def test_a_header_of_three_gigabytes_is_not_believed(tmp_path):
    folder = write_base(tmp_path / "base")
    with (folder / "model.safetensors").open("wb") as file:
        file.write(struct.pack("<Q", 3 << 30) + b"{")
        file.truncate(4 << 30)  # a hole: takes no room on the disk

    [message] = messages(folder)

    assert "a header of 3221225472 bytes" in message


@pytest.mark.parametrize(
    "header",
    [
        b"[]",
        b"not json",
        b"[" * 100_000,
        b"{}",
        b'{"a": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 8]}}',
        b'{"a": {"dtype": "BF16", "shape": [-2], "data_offsets": [0, 4]}}',
        b'{"a": {"dtype": "XX", "shape": [2], "data_offsets": [0, 4]}}',
        b'{"a": {"dtype": "BF16", "shape": [2], "data_offsets": [4, 8]}}',
        b'{"a": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]},'
        b' "b": {"dtype": "BF16", "shape": [1], "data_offsets": [2, 4]}}',
        b'{"a": 1}',
    ],
    ids=["list", "words", "deep", "empty", "size", "negative", "format", "gap", "overlap", "number"],
)
def test_a_header_that_cannot_be_is_told_and_breaks_nothing(tmp_path, header):
    files = base_files()
    files["model.safetensors"] = struct.pack("<Q", len(header)) + header + bytes(4)

    [message] = messages(write_base(tmp_path / "base", files))

    assert message.startswith("model.safetensors is not whole")


def test_pickles_alone_are_refused_and_beside_safetensors_ignored(tmp_path):
    pickles = without("model.safetensors") | {"pytorch_model.bin": b"\x80\x04."}

    assert "pickles" in messages(write_base(tmp_path / "pickles", pickles))[0]
    assert messages(write_base(tmp_path / "both", base_files() | {"pytorch_model.bin": b"\x80\x04."})) == []


def test_an_adapter_is_no_base(tmp_path):
    adapter = without("model.safetensors") | {"adapter_model.safetensors": safetensors({"a": (2,)})}

    assert "adapter" in messages(write_base(tmp_path / "adapter", adapter))[0]


def test_code_of_its_own_is_converted_where_that_is_known_and_refused_elsewhere(tmp_path):
    known = inspect_base(write_base(tmp_path / "known", base_files(INTERNLM2)))
    unknown = {**INTERNLM2, "model_type": "someone_elses", "architectures": ["SomeoneElsesForCausalLM"]}

    assert known.needs_conversion
    assert known.problems == ()
    assert "program code of its own" in messages(write_base(tmp_path / "unknown", base_files(unknown)))[0]


def test_a_tokenizer_with_code_of_its_own_is_refused(tmp_path):
    files = base_files() | {
        "tokenizer_config.json": json.dumps({"auto_map": {"AutoTokenizer": ["a.B", None]}}).encode()
    }

    assert "tokenizer wants to run" in messages(write_base(tmp_path / "base", files))[0]


@pytest.mark.parametrize("gone", ["tokenizer.json", "config.json"])
def test_what_is_missing_is_told(tmp_path, gone):
    expected = {"tokenizer.json": "no tokenizer", "config.json": "no config.json"}

    assert expected[gone] in messages(write_base(tmp_path / "base", without(gone)))[0]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"architectures": ["BertModel"]}, "BertModel"),
        ({"architectures": None}, "no language model"),
        ({"quantization_config": {"quant_method": "gptq"}}, "gptq"),
    ],
)
def test_what_is_no_base_to_train_from_is_refused(tmp_path, change, told):
    assert told in messages(write_base(tmp_path / "base", base_files({**CONFIG, **change})))[0]


@pytest.mark.parametrize(
    ("kind", "config", "form"),
    [
        ("llama", {"added_tokens_decoder": {"1": {"content": "<|im_start|>"}}}, "internlm2_chat"),
        ("internlm2", {"chat_template": "<|im_start|>system"}, "internlm2_chat"),
        ("qwen2", {"added_tokens_decoder": {"1": {"content": "<|im_start|>"}}}, "qwen_chat"),
        ("llama", {"chat_template": "<|start_header_id|>{{ role }}"}, "llama3_chat"),
        ("gemma2", {"chat_template": "<start_of_turn>user"}, "gemma"),
        ("phi3", {"chat_template": "<|user|><|end|><|assistant|>"}, "phi3_chat"),
        ("mistral", {"chat_template": "[INST] {{ content }} [/INST]"}, "mistral"),
        ("llama", {"chat_template": "[INST] <<SYS>>"}, "llama2_chat"),
        ("mistral", {}, ""),
        ("llama", {}, ""),
    ],
)
def test_the_chat_form_is_told_by_kind_and_tokens(tmp_path, kind, config, form):
    files = base_files({**CONFIG, "model_type": kind}) | {"tokenizer_config.json": json.dumps(config).encode()}
    files["tokenizer.json"] = json.dumps({**TOKENIZER, "added_tokens": []}).encode()

    assert inspect_base(write_base(tmp_path / "base", files)).prompt_template == form


def test_a_folder_that_is_not_there_is_a_problem_and_no_error(tmp_path):
    report = inspect_base(tmp_path / "nowhere")

    assert report.parameters == 0
    assert report.problems
