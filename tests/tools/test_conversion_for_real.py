"""InternLM2 in the Llama form: logits and tokens as by its own code, whatever interrupts, and XTuner trains it."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from core.backends.tools.toolchains import python_of
from core.backends.tools.xtuner import PROGRAMS, XTuner
from core.backends.tools.xtuner.conversion import InternLM2Conversion
from core.domain.recipe import FineTuning, Recipe
from core.domain.run import Command
from core.jobs.door import BriefResult, run_briefly
from core.settings import inherited_environment, load_settings
from core.stages.finetuning.settings import FinetuneSettings, preset_values

pytestmark = [pytest.mark.slow, pytest.mark.tools, pytest.mark.timeout(1800)]

HERE = Path(__file__).parent
EXCHANGES = json.loads((HERE.parent / "data" / "tools" / "exchanges.json").read_text(encoding="utf-8"))
ENGLISH = "The rain went on until the morning, and nobody came to the house by the bamboo."

CHAT: dict[str, Any] = {
    "vocab_size": 1024,
    "hidden_size": 128,
    "intermediate_size": 512,
    "num_hidden_layers": 3,
    "num_attention_heads": 16,
    "num_key_value_heads": 8,
    "shards": 3,
}
"""InternLM2-chat-1.8B, narrower and less deep."""

SCALED = {
    **CHAT,
    "num_hidden_layers": 2,
    "num_key_value_heads": 2,
    "max_position_embeddings": 32,
    "bias": True,
    "tie_word_embeddings": True,
    "torch_dtype": "float16",
    "shards": 1,
}
"""What that one leaves out: biases, one table for both ends, and talks longer than the positions it was made for."""


@pytest.fixture(scope="module")
def python() -> Path:
    found = python_of("xtuner", load_settings())
    if found is None:
        pytest.skip("XTuner's environment is not built")
    return found


@pytest.fixture(scope="module")
def converter(python: Path) -> InternLM2Conversion:
    return InternLM2Conversion(python)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("conversion")


@pytest.fixture(scope="module")
def sources(folder: Path, python: Path) -> Path:
    """Both checkpoints, as they would be downloaded."""
    texts = [text for exchange in EXCHANGES for text in exchange] + [ENGLISH] * 8
    (folder / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
    settings = json.dumps({"chat": CHAT, "scaled": SCALED})
    _ran(_program(python, folder, "random_internlm2.py", "sources", "texts.json", settings))
    return folder / "sources"


@pytest.fixture(scope="module")
def chat(sources: Path, folder: Path, converter: InternLM2Conversion) -> Path:
    """The first one, converted and compared."""
    target = folder / "targets" / "chat"
    converted = _ran(converter.convert(sources / "chat", target, folder))
    steps = [converter.read_line(line) for line in converted.stdout.decode().splitlines()]
    assert [(step.step, step.steps) for step in steps if step] == [(n + 1, len(steps)) for n in range(len(steps))]
    _ran(converter.compare(sources / "chat", target, folder))
    return target


@pytest.fixture(scope="module")
def scaled(sources: Path, folder: Path, converter: InternLM2Conversion) -> Path:
    """The second one, converted after an attempt that was killed with its first tensor just written."""
    target = folder / "targets" / "scaled"
    command = converter.convert(sources / "scaled", target, folder)
    draft = _killed_while_writing(command, target)
    assert not target.exists()
    assert list(draft.glob("*.safetensors"))
    _ran(command)
    assert not draft.exists()
    return target


@pytest.fixture(scope="module")
def examined(sources: Path, chat: Path, scaled: Path, folder: Path, python: Path) -> dict[str, Any]:
    """What only XTuner's own environment can tell."""
    answer = _ran(_program(python, folder, "examine_conversion.py", "sources", "targets", "broken", "damaged"))
    found: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return found


def test_a_converted_checkpoint_is_equal_layer_by_layer_and_text_by_text(
    chat: Path, folder: Path, converter: InternLM2Conversion
):
    comparison = converter.comparison(folder)

    assert comparison.equal
    assert comparison.logits_difference < 1e-4 * comparison.logits_scale
    assert comparison.texts > 20
    assert comparison.unequal_texts == ()


@pytest.mark.parametrize("name", ["chat", "scaled"])
def test_the_whole_models_say_the_same(name: str, examined: dict[str, Any]):
    assert examined[name]["scale"] > 1
    assert examined[name]["difference"] < 1e-4 * examined[name]["scale"]


def test_the_layered_comparison_holds_with_biases_one_table_and_long_talks(examined: dict[str, Any]):
    assert examined["layered"]["logits_difference"] < 1e-4 * examined["layered"]["logits_scale"]


def test_two_swapped_rows_are_found(examined: dict[str, Any], folder: Path, converter: InternLM2Conversion):
    comparison = converter.comparison(folder / "broken")

    assert not comparison.equal
    assert comparison.logits_difference > 10 * 1e-3 * comparison.logits_scale


def test_tokens_are_those_of_sentencepiece_and_of_the_slow_tokenizer(chat: Path, examined: dict[str, Any]):
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(chat, trust_remote_code=False)
    special = tokenizer.convert_tokens_to_ids(["<|plugin|>", "<|im_end|>", "<|im_start|>"])

    assert examined["ids"] == examined["slow_ids"]
    assert [tokenizer(text)["input_ids"] for text in examined["texts"]] == examined["ids"]
    assert special == [1018, 1022, 1023]
    assert {1022, 1023} <= {number for ids in examined["ids"] for number in ids}


def test_the_app_computes_the_same_loss_and_ends_where_a_turn_ends(chat: Path, examined: dict[str, Any]):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model: Any = AutoModelForCausalLM.from_pretrained(chat, trust_remote_code=False, use_safetensors=True).float()
    tokens = torch.tensor([examined["tokens"]])
    with torch.no_grad():
        loss = model(input_ids=tokens, labels=tokens).loss.item()
    tokenizer: Any = AutoTokenizer.from_pretrained(chat, trust_remote_code=False)
    talk = tokenizer.apply_chat_template(
        [{"role": "user", "content": "冷么？"}], tokenize=False, add_generation_prompt=True
    )

    assert loss == pytest.approx(examined["chat"]["loss"], abs=1e-4)
    assert model.generation_config.eos_token_id == [2, 1022]
    assert talk == "<s><|im_start|>user\n冷么？<|im_end|>\n<|im_start|>assistant\n"


def test_nothing_in_the_folder_is_code(chat: Path):
    assert {file.suffix for file in chat.iterdir()} <= {".json", ".safetensors", ".jinja"}
    assert all("auto_map" not in file.read_text(encoding="utf-8") for file in chat.glob("*.json"))


def test_xtuner_trains_it_with_the_preset_of_internlm2(chat: Path, folder: Path, python: Path):
    work = _preset_work(folder / "training", chat)
    tuner = XTuner(python)
    tuner.prepare(work)
    _ran(tuner.train(work))
    _ran(tuner.convert(work))
    _ran(tuner.merge(work))
    checkpoint = tuner.last_checkpoint(work)
    adapter = json.loads((work.folder / "adapter" / "adapter_config.json").read_text(encoding="utf-8"))

    assert checkpoint is not None
    assert checkpoint.step == 64
    losses = [values["loss"] for _, values in tuner.measurements(work, after=0)]
    assert losses
    assert all(1 < loss < 50 for loss in losses)
    assert (adapter["r"], adapter["lora_alpha"], adapter["lora_dropout"]) == (64, 16, 0.1)
    before, after = _loss(chat), _loss(tuner.merged(work))
    assert before - 0.5 < after < before  # four updates


def _preset_work(folder: Path, base: Path) -> FineTuning:
    """Return the preset's training, changed only where a CPU demands it."""
    folder.mkdir()
    preset = FinetuneSettings.model_validate(preset_values("internlm2-chat-1.8b-qlora")).recipe().model_dump()
    intervals = {**preset["intervals"], "log_every": 4}
    on_cpu = {"device": "cpu", "precision": "float32", "max_steps": 64, "max_length": 64, "threads": 1}
    recipe = Recipe.model_validate({**preset, **on_cpu, "intervals": intervals})
    talks = [{"conversation": [{"system": "你是沈青。", "input": i, "output": o}]} for i, o in EXCHANGES]
    (folder / "conversations.json").write_text(json.dumps(talks, ensure_ascii=False), encoding="utf-8")
    return FineTuning(folder=folder, base=base, recipe=recipe)


def _loss(model_folder: Path) -> float:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(model_folder, trust_remote_code=False)
    model: Any = AutoModelForCausalLM.from_pretrained(model_folder, trust_remote_code=False, use_safetensors=True)
    tokens = tokenizer("".join(answered for _, answered in EXCHANGES), return_tensors="pt")["input_ids"]
    with torch.no_grad():
        return float(model.float()(input_ids=tokens, labels=tokens).loss)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        ("pickles", "The weights are pickles, which could run code; only safetensors are read."),
        ("missing", "Weights are missing: model-00002-of-00003.safetensors."),
        ("cut", "model-00002-of-00003.safetensors is not whole"),
        ("other", "This is a checkpoint of the kind qwen2, not internlm2."),
        ("outside", "Weights are missing: passwd."),
    ],
)
def test_what_cannot_be_converted_is_refused_with_its_reason(damage: str, reason: str, examined: dict[str, Any]):
    told, left = examined["refusals"][damage]

    assert told.startswith(reason)
    assert left == []


def _program(python: Path, folder: Path, program: str, *arguments: str) -> Command:
    environment = {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(PROGRAMS)}
    return Command((str(python), str(HERE / program), *arguments), folder, environment)


def _ran(command: Command) -> BriefResult:
    answer = run_briefly(command, timeout=600)
    assert answer.returncode == 0, answer.stderr.decode()
    return answer


def _killed_while_writing(command: Command, target: Path) -> Path:
    """Start the program with nobody listening, so that it waits at its first step; kill it there."""
    reading, writing = os.pipe()
    with os.fdopen(reading), os.fdopen(writing, "wb", buffering=0) as full:
        full.write(b" " * fcntl.fcntl(writing, fcntl.F_GETPIPE_SZ))
        with subprocess.Popen(
            command.argv, cwd=command.cwd, env={**inherited_environment(), **command.env}, stdout=full
        ) as program:
            draft = target.with_name(f".{target.name}.draft")
            while not any(file.stat().st_size > 10_000 for file in draft.glob("*.safetensors")):
                assert program.poll() is None
                time.sleep(0.05)
            program.send_signal(signal.SIGKILL)
    return draft
