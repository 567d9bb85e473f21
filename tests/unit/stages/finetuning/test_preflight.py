"""The check before a training: what forbids the start, what is only said, and the figures of the plan."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from core.domain.identity import now
from core.domain.run import RunState
from core.domain.training import Base
from core.errors import InvalidInputError, MissingArtifactError, SettingsError
from core.jobs.capacity import Capacity, GpuMemory, capacity, gpus_in
from core.stages.finetuning.bases.inspecting import BaseProblem, BaseReport
from core.stages.finetuning.checking import check, pace_of, written
from core.stages.finetuning.preflight import Reading, Surroundings, preflight, require
from core.stages.finetuning.settings import FinetuneSettings, preset_values
from tests.unit.stages.finetuning.conftest import version
from tests.unit.stages.runs import begun

GIGABYTE = 10**9
LARGE = BaseReport(
    architecture="LlamaForCausalLM",
    model_type="llama",
    parameters=1_889_110_016,
    hidden=2048,
    layers=24,
    heads=16,
    kv_heads=8,
    intermediate=8192,
    vocabulary=92544,
    context=32768,
    tied=False,
    dtype="bfloat16",
    bytes=3_778_220_032,
    prompt_template="internlm2_chat",
    needs_conversion=False,
    problems=(),
)
TINY_MACHINE = Capacity(memory_total=8 * GIGABYTE, memory_free=6 * GIGABYTE, disk_free=50 * GIGABYTE)
SHORT = [[False, False, True, True]] * 10
"""Ten samples of four tokens, the last two of them hers."""


def settings(**changes):
    return FinetuneSettings(**{"max_length": 16, **changes})


def qlora(**changes):
    return FinetuneSettings(**{**preset_values("internlm2-chat-1.8b-qlora"), **changes})


def gpu(free=24 * GIGABYTE, count=1):
    return replace(TINY_MACHINE, memory_free=60 * GIGABYTE, gpus=(GpuMemory("card", 24 * GIGABYTE, free),) * count)


def looked(wanted=None, *, base=None, losses=SHORT, machine=TINY_MACHINE, elsewhere=False, marks=(), **around):
    reading = Reading(losses, len(losses), marks) if isinstance(losses, list) else losses
    return preflight(
        wanted or settings(), version(), base, reading, Surroundings(machine, elsewhere=elsewhere, **around)
    )


def said(found, *, blocking=False):
    return [one.message.format(**one.values) for one in found.findings if one.blocking is blocking]


def test_the_usual_training_of_the_tiny_model_meets_nothing_in_its_way():
    found = looked()

    assert found.findings == ()
    require(found)


def test_a_version_without_samples_forbids_the_start():
    empty = preflight(settings(), version(train_samples=0), None, None, Surroundings(TINY_MACHINE))

    with pytest.raises(InvalidInputError) as refusal:
        require(empty)
    assert "第一版" in str(refusal.value)


def test_samples_whose_replies_are_all_cut_off_forbid_the_start():
    found = looked(losses=[[False] * 16 + [True] * 4] * 3)

    assert "Of 3 samples none has a reply within the longest sequence of 16 tokens." in said(found, blocking=True)


def test_samples_that_lose_every_reply_are_counted_beside_those_that_are_only_cut():
    lost = [False] * 16 + [True]
    cut = [False] * 10 + [True] * 10

    found = looked(losses=[*SHORT, lost, cut, cut])

    assert found.plan
    assert (found.plan.cut, found.plan.lost, found.plan.samples) == (3, 1, 12)
    assert said(found) == ["1 of 13 samples lose every reply when they are cut at 16 tokens, and teach nothing."]
    assert said(looked(losses=[*SHORT, cut])) == ["1 of 11 samples are longer than 16 tokens and are cut."]


def test_figures_of_samples_drawn_by_lot_stand_for_all():
    reading = Reading(SHORT, samples=1000)

    found = preflight(settings(pack=False), version(), None, reading, Surroundings(TINY_MACHINE))

    assert found.plan
    assert (found.plan.samples, found.plan.measured, found.plan.tokens_per_epoch) == (1000, 10, 4000)


def test_an_epoch_is_what_the_sequences_fill():
    packed = looked(settings(batch_size=2, max_steps=0, epochs=3)).plan
    apart = looked(settings(batch_size=2, max_steps=0, epochs=3, pack=False)).plan

    assert packed
    assert apart
    assert (packed.sequences, packed.steps_per_epoch, packed.steps) == (2, 1, 3)  # 40 tokens fill two of 16
    assert (apart.sequences, apart.steps_per_epoch, apart.steps) == (10, 5, 15)


def test_every_device_and_every_summed_step_makes_the_batch_larger():
    wanted = qlora(batch_size=2, optimizer={"accumulate": 8}, launcher={"devices": 4})

    plan = looked(wanted, base=LARGE, machine=gpu(count=4)).plan

    assert plan
    assert plan.effective_batch == 2 * 8 * 4


def test_what_is_wrong_with_the_base_forbids_the_start_with_its_own_remedy():
    broken = replace(LARGE, problems=(BaseProblem("{file} is not whole.", "Fetch it again.", {"file": "a"}),))

    with pytest.raises(InvalidInputError) as refusal:
        require(looked(qlora(), base=broken, machine=gpu()))
    assert str(refusal.value) == "a is not whole. Fetch it again."


def test_a_base_that_runs_code_of_its_own_is_converted_first():
    found = looked(qlora(), base=replace(LARGE, needs_conversion=True), machine=gpu())

    assert "internlm2-chat-1_8b must be converted to the Llama form before it can be trained." in said(
        found, blocking=True
    )


def test_another_chat_form_than_the_bases_own_is_only_said():
    found = looked(qlora(prompt_template="llama3_chat"), base=LARGE, machine=gpu())

    assert said(found) == [
        "The base model was made for the chat form internlm2_chat, and will be trained with llama3_chat."
    ]
    assert not found.blocking


def test_marks_that_the_tokenizer_does_not_know_are_named():
    found = looked(qlora(), base=LARGE, machine=gpu(), marks=("<|im_start|>",))

    assert "<|im_start|>" in said(found)[0]
    assert not found.blocking


def test_a_reader_that_refuses_is_heard_and_the_rest_is_still_told():
    found = looked(losses=SettingsError("No form {name}.", remedy="Choose another.", name="x"))

    assert said(found) == ["No form x."]
    assert found.plan is None
    assert found.memory


def test_without_a_gpu_a_gpu_training_starts_only_where_other_machines_work():
    here, elsewhere = looked(qlora(), base=LARGE), looked(qlora(), base=LARGE, elsewhere=True)

    assert said(here, blocking=True) == ["These settings need a GPU, and this machine has none."]
    assert said(elsewhere) == ["These settings need a GPU, and this machine has none."]


def test_more_gpus_than_there_are_forbid_the_start():
    found = looked(qlora(launcher={"devices": 2}), base=LARGE, machine=gpu())

    assert said(found, blocking=True) == ["These settings need 2 GPUs, and this machine has 1."]


def test_memory_that_is_short_is_said_and_memory_that_cannot_be_had_forbids():
    short = looked(qlora(method="lora"), base=LARGE, machine=gpu(free=10 * GIGABYTE))
    hopeless = looked(qlora(method="full"), base=LARGE, machine=gpu())

    assert not short.blocking
    assert "10 GB are free" in said(short)[0].replace("10.0", "10")
    assert "24.0 GB at all" in said(hopeless, blocking=True)[0]


def test_the_memory_of_the_tightest_of_the_gpus_that_will_be_used_counts():
    cards = (GpuMemory("a", 24 * GIGABYTE, GIGABYTE), GpuMemory("b", 24 * GIGABYTE, 20 * GIGABYTE))
    machine = replace(gpu(), gpus=cards)

    assert looked(qlora(), base=LARGE, machine=machine).memory_free == 20 * GIGABYTE
    assert looked(qlora(launcher={"devices": 2}), base=LARGE, machine=machine).memory_free == GIGABYTE


def test_the_machines_own_memory_counts_beside_the_gpus():
    wanted = qlora(method="full", precision="bfloat16")

    found = looked(wanted, base=LARGE, machine=replace(gpu(), memory_free=4 * GIGABYTE))

    assert any("the machine's own memory" in one for one in said(found))


def test_a_disk_that_is_too_full_forbids_the_start_and_what_is_written_already_counts():
    full = replace(TINY_MACHINE, disk_free=10_000_000)

    assert "are free on the disk" in said(looked(machine=full), blocking=True)[0]
    assert not looked(machine=full, written=60_000_000).blocking


def test_what_forbids_stands_before_what_is_only_said():
    found = looked(qlora(prompt_template="llama3_chat"), base=LARGE)

    assert [one.blocking for one in found.findings] == [True, False]


def test_the_driver_of_a_gpu_tells_its_memory_in_mebibytes():
    told = gpus_in("NVIDIA A100-SXM4-80GB, 81920, 80000\nBroken, [N/A], [N/A]\n\n")

    assert told == (GpuMemory("NVIDIA A100-SXM4-80GB", 81920 << 20, 80000 << 20),)


def test_this_machine_has_memory_and_disk(tmp_path):
    here = capacity(tmp_path)

    assert 0 < here.memory_free <= here.memory_total
    assert here.disk_free > 0


def test_a_base_is_found_by_its_id_and_else_taken_as_a_folder(store):
    store.bases.put(Base("bamboo", "Bamboo", "folder:bamboo", "bases/bamboo-1", "internlm2_chat", now()))

    assert store.bases.folder_of("bamboo") == "bases/bamboo-1"
    assert store.bases.folder_of("some/folder") == "some/folder"


def test_a_base_that_is_not_there_is_told_with_a_remedy(store):
    with pytest.raises(MissingArtifactError) as refusal:
        check(settings(base="gone"), version(), store=store, read=None, around=Surroundings(TINY_MACHINE))

    assert "gone" in str(refusal.value)


def test_a_base_folder_with_nothing_in_it_is_looked_at_and_not_read(store, tmp_path):
    (store.workspace / "hollow").mkdir(parents=True)

    def read(*_):
        raise AssertionError

    found = check(settings(base="hollow"), version(), store=store, read=read, around=Surroundings(TINY_MACHINE))

    assert any("config.json" in one for one in said(found, blocking=True))


def test_the_configuration_is_shown_before_anything_is_written(store, tmp_path):
    file = written(settings(learning_rate=3e-4), version(), store=store, python=tmp_path / "python")

    assert file.name == "xtuner_config.py"
    assert "lr = 0.0003" in file.text
    assert file.name in file.command
    compile(file.text, file.name, "exec")


def test_the_pace_is_that_of_the_newest_run_that_cost_the_same_a_step(store):
    wanted = settings()
    begun(store, "finetuning")
    run = store.runs.get("run-0000000001")
    done = replace(
        run,
        settings=wanted.model_dump(mode="json"),
        state=RunState.SUCCEEDED,
        result={"steps": 100},
        started_at=run.created_at,
        finished_at=run.created_at + timedelta(seconds=90),
    )
    slower = replace(done, id="run-2", settings={**done.settings, "batch_size": 8})

    pace = pace_of(wanted, [slower, done], lambda one: [{"step": 1, "step_seconds": 0.5}])

    assert pace
    assert pace.run_id == done.id
    assert pace.seconds(100) == pytest.approx(90)
    assert pace.seconds(200) == pytest.approx(140)
    assert pace_of(wanted, [slower], lambda one: [{"step": 1, "step_seconds": 0.5}]) is None
    assert pace_of(wanted, [done], lambda one: []) is None
