"""The whole story with a stand-in for XTuner: what is done, what is kept, what is done again after a trouble."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from core.domain.identity import now
from core.domain.training import ModelKind
from core.errors import MissingArtifactError, RunCancelledError, SettingsError, ToolFailedError
from core.store import Store
from tests.unit.stages.finetuning.conftest import Desk, sample, version


def test_a_dataset_version_becomes_a_registered_model(desk: Desk):
    result = desk.finetune()

    model = desk.store.models.get(result["model"])
    home = desk.store.workspace / model.folder
    assert (model.kind, model.persona_id, model.dataset_version_id) == (ModelKind.TEXT, "a-qing", "dsv-1")
    assert (model.run_id, model.base, model.name) == ("run-0123456789", "tiny", "tiny · 第一版")
    assert (home / "model.safetensors").exists()
    assert (home / "manifest.json").exists()


def test_the_programs_are_started_in_their_order_and_never_the_xtuner_command(desk: Desk):
    desk.finetune()

    programs = [next(part.rpartition("/")[2] for part in call if part != "-m") for call in desk.calls()]
    assert programs == [
        "list_versions.py",
        "build_tiny_model.py",
        "xtuner.tools.train",
        "xtuner.tools.model_converters.pth_to_hf",
        "xtuner.tools.model_converters.merge",
        "try_models.py",
    ]


def test_a_full_training_needs_no_merge(desk: Desk):
    result = desk.finetune(method="full")

    assert desk.started("converters.merge") == []
    assert (desk.store.workspace / "models" / result["model"] / "model.safetensors").exists()


def test_the_manifest_tells_how_to_make_the_model_again(desk: Desk):
    result = desk.finetune(seed=7)

    manifest = desk.store.models.get(result["model"]).manifest
    written = json.loads((desk.store.workspace / "models" / result["model"] / "manifest.json").read_text())
    assert manifest == written
    assert manifest["dataset_version"]["fingerprint"] == "f" * 64
    assert manifest["versions"]["xtuner"] == "0.2.0"
    assert manifest["seed"] == manifest["settings"]["seed"] == 7
    assert [command["name"] for command in manifest["commands"]] == ["base", "train", "convert", "merge", "trial"]
    assert manifest["steps"] == 100
    own = {"config.json", "model.safetensors"}
    assert set(manifest["files"]) == {*own, *(f"adapter/{name}" for name in own)}
    assert set(manifest["base"]["files"]) == {"config.json", "model.safetensors"}
    assert len(manifest["inputs"]["conversations.json"]) == 64


def test_only_training_samples_reach_the_trainer(desk: Desk):
    desk.finetune()

    conversations = json.loads((desk.folder / "conversations.json").read_text(encoding="utf-8"))
    request = json.loads((desk.folder / "trial_request.json").read_text(encoding="utf-8"))
    assert [one["conversation"][0]["output"] for one in conversations] == ["第0答。", "第1答。"]
    assert [one["conversation"][0]["output"] for one in request["held_out"]] == ["第2答。"]


def test_the_curves_hold_every_step_once(desk: Desk):
    desk.finetune()

    steps = [point["step"] for point in desk.metrics() if "loss" in point]
    assert steps == list(range(1, 101))
    assert [point["step"] for point in desk.metrics() if "base_loss" in point] == [10, 20]


def test_the_sample_answers_are_kept_by_step(desk: Desk):
    desk.finetune()

    rounds = json.loads((desk.folder / "probes.json").read_text(encoding="utf-8"))
    assert [one["step"] for one in rounds] == [20, 40, 60, 80, 100]
    assert rounds[0]["answers"] == ["答1", "答2"]


def test_the_result_compares_base_and_model(desk: Desk):
    result = desk.finetune()

    assert result["held_out_loss"] == {"base": 5.0, "merged": 3.0}
    assert result["answers"]["merged"] == {"你是谁？": "嗯。", "冷么？": "嗯。"}
    assert (result["steps"], result["first_loss"], result["final_loss"]) == (100, 6.0, 0.06)


def test_every_point_of_the_curves_tells_speed_and_memory(desk: Desk):
    desk.finetune()

    points = [point for point in desk.metrics() if "loss" in point]
    assert {point["tokens_per_second"] for point in points} == {5000.0}
    assert {point["memory_mb"] for point in points} == {640.0}


def test_several_machines_are_told_what_to_start(desk: Desk):
    desk.finetune(launcher={"devices": 2, "machines": 3, "rendezvous": "10.0.0.7:29500"})

    script = desk.folder / "other_machines.sh"
    said = [line for line in (desk.folder / "run.log").read_text().splitlines() if "other machines" in line]
    assert len(said) == 1
    assert said[0].endswith(f"sh {script} 1")
    assert script.exists()


def test_a_killed_training_goes_on_at_its_last_checkpoint(desk: Desk):
    desk.goes_wrong(train={"die_at": 47})
    with pytest.raises(ToolFailedError):
        desk.finetune()
    result = desk.finetune()

    first, second = desk.started("xtuner.tools.train")
    assert "--resume" not in first
    assert second[-2:] == ["--resume", "work/iter_40.pth"]
    assert len(desk.started("build_tiny_model")) == 1
    assert result["steps"] == 100
    assert [point["step"] for point in desk.metrics() if "loss" in point] == list(range(1, 101))


def test_a_conversion_that_failed_does_not_cost_the_training(desk: Desk):
    desk.goes_wrong(convert={"say": "OSError: [Errno 28] No space left on device"})
    with pytest.raises(ToolFailedError) as failure:
        desk.finetune()
    desk.finetune()

    assert "disk is full" in failure.value.message
    assert len(desk.started("xtuner.tools.train")) == 1


def test_a_stopped_training_keeps_its_checkpoint(desk: Desk):
    desk.goes_wrong(train={"wait_at": 45})
    stopper = threading.Thread(target=_stop_at_checkpoint, args=(desk,))
    stopper.start()
    with pytest.raises(RunCancelledError):
        desk.finetune()
    stopper.join()

    assert (desk.folder / "work" / "iter_40.pth").exists()
    assert not (desk.store.workspace / "models").exists()


def _stop_at_checkpoint(desk: Desk) -> None:
    while not (desk.folder / "work" / "iter_40.pth").exists():
        time.sleep(0.02)
    desk.store.runs.request_stop("run-0123456789")


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("FloatingPointError: loss became nan at step 12", "smaller learning rate"),
        ("ModuleNotFoundError: No module named 'mmengine'", "make toolchains"),
        ("torch.OutOfMemoryError: CUDA out of memory.", "batch"),
        ("OSError: [Errno 28] No space left on device", "Free some space"),
    ],
)
def test_a_known_trouble_comes_with_its_remedy(desk: Desk, said: str, remedy: str):
    desk.goes_wrong(train={"say": said})
    with pytest.raises(ToolFailedError) as failure:
        desk.finetune()

    assert remedy in failure.value.remedy


def test_an_unknown_trouble_points_to_the_log(desk: Desk):
    desk.goes_wrong(train={"say": "KeyError: 'something new'"})
    with pytest.raises(ToolFailedError) as failure:
        desk.finetune()

    assert "log" in failure.value.remedy


def test_without_any_version_the_dataset_page_is_named(store: Store, tmp_path: Path):
    empty = Desk(store, tmp_path / "environment")
    with pytest.raises(MissingArtifactError) as failure:
        empty.finetune()

    assert "dataset page" in failure.value.remedy


def test_the_newest_version_is_taken_where_none_is_named(desk: Desk):
    later = now() + timedelta(hours=1)
    desk.store.datasets.add(version(id="dsv-2", created_at=later), [sample(0)])
    result = desk.finetune()

    assert result["dataset_version"] == "dsv-2"


def test_a_run_goes_on_with_the_version_it_was_asked_for(desk: Desk):
    desk.goes_wrong(train={"die_at": 47})
    with pytest.raises(ToolFailedError):
        desk.finetune()
    desk.store.datasets.add(version(id="dsv-2", created_at=now() + timedelta(hours=1)), [sample(0)])
    result = desk.finetune()

    assert result["dataset_version"] == "dsv-1"


def test_a_version_without_samples_is_refused_before_anything_starts(desk: Desk):
    desk.store.datasets.add(version(id="dsv-empty", train_samples=0), [])
    with pytest.raises(MissingArtifactError) as failure:
        desk.finetune(dataset_version_id="dsv-empty")

    assert "no sample" in failure.value.message
    assert desk.started("build_tiny_model") == []


def test_a_version_whose_replies_are_all_context_is_refused_as_well(desk: Desk):
    heard, said = sample(0).turns
    only_context = replace(sample(0), turns=(heard, replace(said, context=True)))
    desk.store.datasets.add(version(id="dsv-context", train_samples=1), [only_context])
    with pytest.raises(MissingArtifactError) as failure:
        desk.finetune(dataset_version_id="dsv-context")

    assert "no sample" in failure.value.message
    assert desk.started("build_tiny_model") == []


def test_a_base_model_with_code_of_its_own_is_refused(desk: Desk):
    folder = desk.store.workspace / "bases" / "strange"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"auto_map": {"AutoModel": "modeling.Strange"}}')
    (folder / "model.safetensors").write_bytes(b"")
    with pytest.raises(MissingArtifactError) as failure:
        desk.finetune(base="bases/strange")

    assert "code of its own" in failure.value.message


def test_a_given_base_model_is_used_as_it_is(desk: Desk):
    folder = desk.store.workspace / "bases" / "given"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"")
    result = desk.finetune(base="bases/given", name="新声")

    model = desk.store.models.get(result["model"])
    assert (model.base, model.name) == ("given", "新声")
    assert desk.started("build_tiny_model") == []
    assert str(folder) in (desk.folder / "xtuner_config.py").read_text()


def test_an_unknown_trainer_is_refused(desk: Desk):
    with pytest.raises(SettingsError):
        desk.finetune(trainer="abacus")
