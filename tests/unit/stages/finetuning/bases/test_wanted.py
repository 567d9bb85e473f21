"""Only what a base model needs is fetched."""

from __future__ import annotations

from core.stages.finetuning.bases.wanted import wanted


def test_weights_words_tokenizer_and_licence_are_wanted_and_nothing_else():
    needed = {
        "config.json",
        "generation_config.json",
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
        "model.safetensors.index.json",
        "tokenizer.json",
        "tokenizer.model",
        "merges.txt",
        "chat_template.jinja",
        "LICENSE",
        "LICENSE-MODEL.txt",
        "README.md",
    }
    others = {
        "pytorch_model.bin",
        "pytorch_model.bin.index.json",
        "pytorch_model-00001-of-00002.bin",
        "consolidated.safetensors",
        "modeling_internlm2.py",
        "model.onnx",
        "model-q4_k_m.gguf",
        "consolidated.00.pth",
        "original/config.json",
        "onnx/model.safetensors",
        "../config.json",
        ".gitattributes",
        "config.json/../../x.json",
        "evil\n.json",
        "-rf.json",
    }

    assert set(wanted(needed | others)) == needed


def test_where_the_weights_are_in_one_file_its_parts_are_not_wanted():
    names = ["model.safetensors", "model-00001-of-00002.safetensors", "model.safetensors.index.json", "config.json"]

    assert wanted(names) == ("config.json", "model.safetensors")
