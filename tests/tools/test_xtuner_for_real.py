"""The real XTuner on a CPU: a tiny model is built, trained in every way, merged, registered and talked to."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import psutil
import pytest

from core.backends.tools import ReaderSource
from core.backends.tools.xtuner import XTuner
from core.backends.tools.xtuner.encoding import reader
from core.domain.conversations import xtuner_conversations
from core.domain.identity import now
from core.domain.persona import Persona
from core.domain.recipe import FineTuning, Recipe
from core.domain.run import Command, Run, RunState
from core.domain.text import DatasetVersion, Sample, Split, Turn, TurnRole
from core.errors import RunCancelledError, ToolFailedError
from core.jobs.context import RunContext
from core.jobs.door import run_briefly
from core.settings import load_settings
from core.stages.finetuning.run import inputs, run
from core.stages.finetuning.settings import FinetuneSettings, preset_values
from core.stages.finetuning.watching import TrainingWatch
from core.store import Store
from tests.tools.little_world import HOURS, PEOPLE, exchanges

pytestmark = [pytest.mark.slow, pytest.mark.tools, pytest.mark.timeout(1800)]

HERE = Path(__file__).parent
SYSTEM = "你是沈青。"
LEARNT, HELD_OUT = 120, 24
MARGIN = 1.0
"""Nats per token by which the model foresees held-out answers better than its base, at least."""

TINY = {"reads": "lines", "steps": 200, "vocabulary": 512}
SHORT: dict[str, Any] = {
    "questions": ["清早，老周在桥头做什么？"],
    "max_steps": 100,
    "batch_size": 16,
    "pack": False,
    "intervals": {"save_every": 50, "log_every": 5, "probe_every": 50, "probe_tokens": 24},
}


@dataclass
class Trained:
    """A finished fine-tuning."""

    store: Store
    folder: Path
    result: dict[str, Any]

    @property
    def home(self) -> Path:
        """The registered model's folder."""
        return self.store.workspace / self.store.models.get(self.result["model"]).folder

    @property
    def points(self) -> list[dict[str, float]]:
        """The training's curves."""
        rows = [json.loads(line) for line in (self.folder / "metrics.jsonl").read_text().splitlines()]
        return [row for row in rows if "loss" in row]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    workspace = tmp_path_factory.mktemp("workspace")
    opened = Store(f"sqlite:///{workspace / 'store.db'}", workspace)
    opened.personas.put(Persona("a-qing", "沈青", "竹声", SYSTEM, "你来了。"))
    samples = [_sample(number, *texts) for number, texts in enumerate(exchanges(LEARNT + HELD_OUT, seed=1))]
    version = DatasetVersion("dsv-1", "a-qing", "第一版", "", "f" * 64, SYSTEM, {}, LEARNT, HELD_OUT, now())
    opened.datasets.add(version, samples)
    yield opened
    opened.close()


def _sample(number: int, asked: str, answered: str) -> Sample:
    turns = (Turn(TurnRole.COUNTERPART, "陆远", asked), Turn(TurnRole.PERSONA, "沈青", answered))
    return Sample(number, "src-1", 1, Split.TRAIN if number < LEARNT else Split.HELD_OUT, turns)


@pytest.fixture(scope="module")
def python(store: Store) -> Path:
    """XTuner's interpreter: of the settings, or built once in the project's own workspace."""
    from core.backends.tools.toolchains import ensure

    return ensure("xtuner", settings=load_settings(), context=_context(store, "run-environment"))


def _context(
    store: Store,
    run_id: str,
    attempt: int = 1,
    settings: dict[str, Any] | None = None,
    read: dict[str, Any] | None = None,
) -> RunContext:
    record = Run(
        id=run_id,
        kind="finetuning",
        persona_id="a-qing",
        queue="gpu",
        state=RunState.RUNNING,
        settings=settings or {},
        inputs=read or {},
        created_at=now(),
        created_by="test",
        attempt=attempt,
    )
    if attempt == 1:
        store.runs.add(record)
    return RunContext(record, store=store, folder=store.workspace / "runs" / run_id, poll=0.2, grace=5)


def _finetune(store: Store, python: Path, run_id: str, attempt: int = 1, **changes: Any) -> Trained:
    settings = FinetuneSettings.model_validate({**preset_values("tiny-cpu"), "tiny": TINY, **SHORT, **changes})
    context = _context(store, run_id, attempt, settings.model_dump(mode="json"), inputs(settings, store, "a-qing"))
    result = run(settings, context=context, store=store, environment=lambda name: python)
    return Trained(store, context.folder, result)


@pytest.fixture(scope="module")
def models(store: Store, python: Path) -> dict[str, Trained]:
    """A model of each method: qlora, the default, on a base built on the spot, and the others from the same base.

    They go on side by side as soon as there is a base; the full training is killed on its way, and resumed.
    """
    with ThreadPoolExecutor(3) as threads:
        qlora = threads.submit(_finetune, store, python, "run-qlora", learning_rate=4e-3)
        folder = store.workspace / "runs" / "run-qlora"
        while not (folder / "commands" / "base" / "exit.json").exists():
            assert not qlora.done(), qlora.exception()
            time.sleep(0.1)
        base = str(folder / "base")
        lora = threads.submit(_finetune, store, python, "run-lora", method="lora", learning_rate=4e-3, base=base)
        full = threads.submit(_killed_and_resumed, store, python, base)
        return {"qlora": qlora.result(), "lora": lora.result(), "full": full.result()}


@pytest.fixture(scope="module")
def qlora(models: dict[str, Trained]) -> Trained:
    """The default, on a base built on the spot."""
    return models["qlora"]


@pytest.fixture(scope="module")
def base(qlora: Trained) -> Path:
    """The same base for everything else."""
    return qlora.folder / "base"


def _killed_and_resumed(store: Store, python: Path, base: str) -> Trained:
    changes: dict[str, Any] = {"method": "full", "learning_rate": 3e-3, "base": base}
    with _once_a_checkpoint_is_there(store.workspace / "runs" / "run-full", _kill), pytest.raises(ToolFailedError):
        _finetune(store, python, "run-full", **changes)
    return _finetune(store, python, "run-full", attempt=2, **changes)


class _once_a_checkpoint_is_there:  # noqa: N801
    """Does something to a training, while the block runs it, as soon as it has left a checkpoint."""

    def __init__(self, folder: Path, act: Callable[[Path], None]) -> None:
        self._folder = folder
        self._act = act
        self._thread = threading.Thread(target=self._wait, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._thread.join(timeout=10)

    def _wait(self) -> None:
        while not (self._folder / "work" / "last_checkpoint").exists():
            time.sleep(0.05)
        self._act(self._folder)


def _kill(folder: Path) -> None:
    """Kill what was started, and all in its group, as the kernel would when memory is short."""
    process = json.loads((folder / "commands" / "train" / "process.json").read_text())
    os.killpg(process["pid"], signal.SIGKILL)


@pytest.fixture(scope="module")
def examined(models: dict[str, Trained], python: Path) -> dict[str, Any]:
    """What only XTuner's own environment can tell of those models, and of the configuration for InternLM2."""
    folder = models["qlora"].folder
    preset = FinetuneSettings.model_validate(preset_values("internlm2-chat-1.8b-qlora"))
    internlm = folder / "internlm2"
    internlm.mkdir()
    XTuner(python).prepare(
        FineTuning(folder=internlm, base=Path("base"), recipe=preset.recipe(), system="{", questions=("}",))
    )
    homes = [str(models[method].home) for method in ("qlora", "lora")]
    environment = {"OMP_NUM_THREADS": "1", "PYTHONPATH": "."}
    command = Command((str(python), str(HERE / "examine_in_xtuner.py"), *homes), folder, environment)
    answer = run_briefly(command, timeout=300)
    assert answer.returncode == 0, answer.stderr.decode()
    found: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return found


METHODS = pytest.mark.parametrize("method", ["qlora", "lora", "full"])


@METHODS
def test_a_model_foresees_answers_that_it_has_never_read(method: str, models: dict[str, Trained]):
    losses = models[method].result["held_out_loss"]

    assert losses["merged"] < losses["base"] - MARGIN
    assert models[method].result["answers"]["merged"] != models[method].result["answers"]["base"]


@METHODS
def test_the_loss_falls_and_never_runs_off(method: str, models: dict[str, Trained]):
    losses = [point["loss"] for point in models[method].points]

    assert losses[-1] < losses[0] / 2
    assert max(losses) < losses[0] + 0.5


@METHODS
def test_a_training_ends_at_its_exact_step_and_every_point_tells_everything(method: str, models: dict[str, Trained]):
    points = models[method].points

    assert models[method].result["steps"] == points[-1]["step"] == SHORT["max_steps"]
    assert len({point["step"] for point in points}) == len(points)
    for point in points:
        assert {"learning_rate", "grad_norm", "step_seconds", "tokens_per_second", "memory_mb"} <= set(point)
        assert 100 < point["memory_mb"] < 4000


@METHODS
def test_tokens_are_those_of_the_samples_without_what_pads_them(method: str, models: dict[str, Trained], base: Path):
    samples = json.loads((models[method].folder / "conversations.json").read_text(encoding="utf-8"))
    lengths = [len(tokens) for tokens in reader(ReaderSource(base, "internlm2_chat")).losses(samples)]
    counted = mean(point["tokens_per_second"] * point["step_seconds"] for point in models[method].points)

    assert counted == pytest.approx(SHORT["batch_size"] * mean(lengths), rel=0.003)
    assert max(lengths) > mean(lengths) * 1.006  # padding would show


def test_a_killed_training_went_on_at_its_checkpoint(store: Store, models: dict[str, Trained]):
    started = [command["argv"] for command in store.runs.get("run-full").commands if command["name"] == "train"]

    assert len(started) == 2
    assert started[1][-2:] == ["--resume", "work/iter_50.pth"]


def test_the_app_loads_the_model_and_it_says_what_it_learned(qlora: Trained):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(qlora.home, trust_remote_code=False)
    model: Any = AutoModelForCausalLM.from_pretrained(qlora.home, trust_remote_code=False, use_safetensors=True).float()
    talk = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": "傍晚，云姑在书房做什么？"}]
    prompt = tokenizer.apply_chat_template(talk, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    reply = model.generate(**prompt, max_new_tokens=60, do_sample=False)[0, prompt["input_ids"].shape[1] :]

    assert reply[-1] == tokenizer.convert_tokens_to_ids("<|im_end|>")
    said = tokenizer.decode(reply, skip_special_tokens=True)
    assert any(doing in said for doing in PEOPLE.values())
    assert any(weather in said for weather in HOURS.values())
    assert tokenizer.decode(tokenizer.encode("𠮷字，沈青\n听雨。"), skip_special_tokens=True) == "𠮷字，沈青\n听雨。"


def test_the_manifest_names_data_commands_versions_and_seed(qlora: Trained):
    manifest = json.loads((qlora.home / "manifest.json").read_text(encoding="utf-8"))

    assert manifest["dataset_version"]["id"] == "dsv-1"
    assert [command["name"] for command in manifest["commands"]][-5:] == ["base", "train", "convert", "merge", "trial"]
    assert manifest["versions"]["xtuner"] == "0.2.0"
    assert (manifest["seed"], manifest["steps"]) == (42, SHORT["max_steps"])
    assert "model.safetensors" in manifest["files"]


def test_a_chat_has_exactly_the_form_of_the_training(examined: dict[str, Any]):
    assert examined["chat_tokens"] == examined["training_tokens"]


@pytest.mark.parametrize("number", [0, 1], ids=["qlora", "lora"])
def test_the_merged_model_equals_base_and_adapter(number: int, examined: dict[str, Any]):
    logits = examined["merged"][number]

    assert logits["difference"] < 0.005 * logits["scale"]  # XTuner merges in float16
    assert logits["without_adapter"] > 20 * logits["difference"]


def test_gradients_survive_the_sample_answers(examined: dict[str, Any]):
    assert examined["gradient_difference"] < 1e-5


OURS_ALONE = {
    "pretrained_model_name_or_path": "the base is in the Llama form, in a folder",
    "tokenizer.pretrained_model_name_or_path": "",
    "model.llm.pretrained_model_name_or_path": "",
    "tokenizer.trust_remote_code": "nothing runs code of a model's own",
    "model.llm.trust_remote_code": "",
    "model.llm.use_safetensors": "",
    "model.lora.target_modules": "named, because XTuner's own choice includes the output head",
    "alpaca_en_path": "the data is a version of ours, in XTuner's own form",
    "data_files": "",
    "dataset.dataset.path": "",
    "dataset.dataset.data_files.train": "",
    "dataset.dataset_map_fn": "",
    "dataset.map_num_proc": "four processes for a small dataset, not thirty-two",
    "SYSTEM": "the persona's prompt and questions",
    "evaluation_inputs": "",
    "custom_hooks.EvaluateChatHook.system": "",
    "custom_hooks.EvaluateChatHook.evaluation_inputs": "",
    "custom_hooks.EvaluateChatHook.max_new_tokens": "written out; the same as XTuner's default",
    "custom_hooks.StopOnInvalidLoss.type": "a loss that is no number ends the training",
    "custom_hooks.MeasureStep.type": "tokens and memory are measured",
    "log_processor.custom_cfg": "the mean of the tokens, as of the times",
    "log_processor.window_size": "written out; the same as XTuner's default",
    "randomness.seed": "a run can be made again",
    "sequence_parallel_size": "left out, which means the same",
    "sampler": "",
}
"""Every setting in which the preset is not XTuner's own configuration, and why; an empty reason is the one before."""


def test_the_qlora_preset_is_xtuners_own_configuration_but_for_what_is_meant(examined: dict[str, Any]):
    ours, theirs = examined["preset"], examined["original"]
    different = {name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name)}

    assert different == set(OURS_ALONE)
    assert len(set(ours) & set(theirs)) > 100
    assert ours["custom_hooks.EvaluateChatHook.max_new_tokens"] == str(float(examined["answer_length"]))
    assert ours["log_processor.window_size"] == str(float(examined["window_size"]))


def _training(store: Store, base: Path, run_id: str, attempt: int = 1, **recipe: Any) -> tuple[RunContext, FineTuning]:
    """Return a run with what a training reads, for what is not worth a whole fine-tuning."""
    context = _context(store, run_id, attempt)
    wanted = Recipe.model_validate(
        {"method": "full", "learning_rate": 1e-3, "batch_size": 4, "max_length": 64, **recipe}
    )
    version = store.datasets.get("dsv-1")
    samples = xtuner_conversations(version, store.datasets.samples(version.id, split=Split.TRAIN))
    (context.folder / "conversations.json").write_text(json.dumps(samples, ensure_ascii=False), encoding="utf-8")
    work = FineTuning(folder=context.folder, base=base, recipe=wanted, system=SYSTEM, questions=("冷么？",))
    return context, work


def _train(python: Path, context: RunContext, work: FineTuning) -> TrainingWatch:
    tuner = XTuner(python)
    watch = TrainingWatch(context, tuner, work, span=(0.0, 1.0))
    tuner.prepare(work)
    context.execute("train", lambda: tuner.train(work), on_line=watch.on_line, on_poll=watch.on_poll)
    return watch


def _points(context: RunContext) -> list[dict[str, float]]:
    return [json.loads(line) for line in (context.folder / "metrics.jsonl").read_text().splitlines()]


def _still_in(folder: Path) -> list[int]:
    """Return the processes that work in a folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(folder) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


TWO_PROCESSES: dict[str, Any] = {
    "max_steps": 40,
    "intervals": {"save_every": 10, "log_every": 1, "probe_every": 40, "probe_tokens": 4},
    "launcher": {"devices": 2},
}


def test_two_processes_under_torchrun_killed_leave_nobody_behind_and_go_on(store: Store, python: Path, base: Path):
    # at first so long that nobody who was left behind could have come to its end by himself
    context, work = _training(store, base, "run-group", **{**TWO_PROCESSES, "max_steps": 5000})
    with _once_a_checkpoint_is_there(context.folder, _kill), pytest.raises(ToolFailedError):
        _train(python, context, work)
    deadline = time.monotonic() + 10
    while _still_in(context.folder) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert _still_in(context.folder) == []
    again, work = _training(store, base, "run-group", attempt=2, **TWO_PROCESSES)
    _train(python, again, work)

    reached = XTuner(python).last_checkpoint(work)
    assert "--resume" in store.runs.get("run-group").commands[-1]["argv"]
    assert reached is not None
    assert reached.step == 40
    steps = [point["step"] for point in _points(again)]
    assert steps == list(range(1, 41))
    tokens = [point["tokens_per_second"] * point["step_seconds"] for point in _points(again)]
    assert all(round(one) == 2 * 4 * 64 for one in tokens)  # packed sequences of both


SRUN = """\
#!{python}
import itertools, os, signal, subprocess, sys
options = list(itertools.takewhile(lambda one: one.startswith("-"), sys.argv[1:]))
program = sys.argv[1 + len(options):]
tasks = int(next(one for one in options if one.startswith("--ntasks=")).partition("=")[2])
def variables(task):
    return {{"SLURM_PROCID": str(task), "SLURM_LOCALID": str(task), "SLURM_NTASKS": str(tasks), "SLURM_NODELIST": "n1"}}
started = [subprocess.Popen(program, env={{**os.environ, **variables(task)}}) for task in range(tasks)]
signal.signal(signal.SIGTERM, lambda *_: [one.terminate() for one in started])
sys.exit(max(abs(one.wait()) for one in started))
"""
SCONTROL = '#!/bin/sh\n[ "$*" = "show hostname n1" ] && echo 127.0.0.1\n'


def test_slurm_starts_a_training_of_two_tasks_and_a_stop_ends_both(
    store: Store, python: Path, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for name, text in (("srun", SRUN.format(python=sys.executable)), ("scontrol", SCONTROL)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    launcher = {"devices": 2, "scheduler": "slurm", "slurm_options": ["--partition=any"]}
    context, work = _training(store, base, "run-slurm", **{**TWO_PROCESSES, "max_steps": 5000, "launcher": launcher})
    with (
        _once_a_checkpoint_is_there(context.folder, lambda folder: store.runs.request_stop("run-slurm")),
        pytest.raises(RunCancelledError),
    ):
        _train(python, context, work)

    assert _still_in(context.folder) == []
    kept = XTuner(python).last_checkpoint(work)
    assert kept is not None
    assert kept.step >= 10
    assert round(_points(context)[0]["tokens_per_second"] * _points(context)[0]["step_seconds"]) == 2 * 4 * 64


def test_the_shown_command_trains_by_hand_and_leaves_the_run_alone(store: Store, python: Path, base: Path):
    context, work = _training(store, base, "run-by-hand", max_steps=3, method="lora")
    config = XTuner(python).prepare(work)
    shown = re.findall(r"^#     (.+)$", config.read_text(encoding="utf-8"), re.MULTILINE)
    path = f"{python.parent}:{os.environ['PATH']}"
    answer = run_briefly(Command(("sh", "-c", *shown), context.folder, {"PATH": path}), timeout=300)

    assert answer.returncode == 0, answer.stderr.decode()[-2000:]
    assert (context.folder / "by_hand" / "iter_3.pth").exists()
    assert not (context.folder / "work").exists()


TROUBLES: dict[str, tuple[dict[str, Any], str]] = {
    "loss": ({"learning_rate": 1.0, "max_steps": 20, "optimizer": {"weight_decay": 1e6}}, "stopped being a number"),
    "samples": ({}, "No sample was left"),
    "targets": ({"method": "lora", "adapter": {"target_modules": ["wqkv"]}}, "no layers of the names"),
    "template": ({"prompt_template": "somebody_chat"}, "no chat form called somebody_chat"),
    "gpu": ({"method": "lora", "device": "gpu", "precision": "bfloat16"}, "sees no GPU"),
    "warm-up": ({"max_steps": 0, "epochs": 1, "optimizer": {"warmup_ratio": 0.01}}, "too short for its warm-up"),
    "disk": ({"max_steps": 2}, "disk is full"),
    "base": ({}, "not complete"),
}
"""Name -> what is asked for, and what is said about it."""


@pytest.fixture(scope="module")
def troubled(store: Store, python: Path, base: Path) -> dict[str, Path]:
    """The folders of trainings that cannot go well, all tried."""
    folders = {}
    for name, (recipe, _) in TROUBLES.items():
        context, work = _training(store, base, f"run-trouble-{name}", **{"max_steps": 4, **recipe})
        folders[name] = context.folder
        XTuner(python).prepare(work)
    (folders["samples"] / "conversations.json").write_text(
        json.dumps([{"conversation": [{"system": "长" * 80, "input": "冷么？", "output": "不冷。"}]}])
    )
    (folders["disk"] / "work").mkdir()
    (folders["disk"] / "work" / "iter_2.pth").symlink_to("/dev/full")
    shutil.copytree(base, folders["base"] / "base")
    (folders["base"] / "base" / "config.json").unlink()
    config = folders["base"] / "xtuner_config.py"
    config.write_text(config.read_text(encoding="utf-8").replace(repr(str(base)), "'base'"), encoding="utf-8")
    environment = {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "HF_HOME": str(store.workspace / "cache")}
    environment["CUDA_VISIBLE_DEVICES"] = ""  # one of them wants a GPU in vain
    command = (str(python), str(HERE / "train_in_forks.py"), *map(str, folders.values()))
    answer = run_briefly(Command(command, store.workspace, environment), timeout=600)
    codes = json.loads(answer.stdout.splitlines()[-1])
    assert set(codes.values()) == {1}, codes
    return folders


@pytest.mark.parametrize("name", TROUBLES)
def test_a_trouble_is_told_with_its_remedy(name: str, troubled: dict[str, Path], python: Path):
    trouble = XTuner(python).explain((troubled[name] / "train.log").read_text(encoding="utf-8"))

    assert trouble is not None
    assert TROUBLES[name][1] in str(trouble)
    assert trouble.remedy
