"""The estimate of memory and disk, against figures worked out by hand and against what must hold between settings."""

from __future__ import annotations

import pytest

from core.domain.recipe import Adapter, Intervals, Launcher, Recipe, TinyBase
from core.stages.finetuning.estimate import NF4, Shape, disk, memory, tiny_shape, trained_parameters

LARGE = Shape(2048, 24, 16, 8, 8192, 92544, 1_889_110_016)
"""InternLM2-chat-1.8B."""


def recipe(**changes):
    return Recipe(**{"device": "gpu", "precision": "bfloat16", "batch_size": 1, "max_length": 2048, **changes})


def several(**launcher):
    return Launcher(devices=4, **launcher)


def test_a_four_bit_weight_takes_a_little_more_than_half_a_byte():
    assert pytest.approx(0.516, abs=0.001) == NF4


def test_the_adapter_has_as_many_parameters_as_its_layers_have_ends():
    one_map = recipe(method="lora", adapter=Adapter(rank=8, target_modules=("q_proj", "v_proj")))

    assert trained_parameters(LARGE, one_map) == 24 * 8 * ((2048 + 2048) + (2048 + 1024))
    assert trained_parameters(LARGE, recipe(method="full")) == LARGE.parameters


def test_full_training_takes_sixteen_bytes_a_parameter_whatever_it_computes_in():
    needed = memory(LARGE, recipe(method="full", precision="bfloat16"))

    assert needed.weights + needed.gradients + needed.optimizer == 16 * LARGE.parameters
    assert needed.adapter == 0


def test_lora_holds_the_base_in_float32_and_qlora_all_but_the_embeddings_in_four_bits():
    lora, qlora = memory(LARGE, recipe(method="lora")), memory(LARGE, recipe(method="qlora"))
    squeezed = LARGE.layers * LARGE.layer_weights

    assert lora.weights == 4 * LARGE.parameters
    assert qlora.weights == pytest.approx(squeezed * NF4 + 4 * (LARGE.parameters - squeezed), rel=1e-6)
    assert lora.gradients == qlora.gradients == lora.adapter


def test_the_originals_training_fits_a_gpu_of_twelve_gigabytes_and_full_training_does_not():
    original = recipe(method="qlora", adapter=Adapter(rank=64))

    assert 6e9 < memory(LARGE, original).total < 12e9
    assert memory(LARGE, recipe(method="full")).total > 30e9


@pytest.mark.parametrize("change", [{"batch_size": 2}, {"max_length": 4096}])
def test_longer_and_more_sequences_take_more_activations_and_nothing_else(change):
    before, after = memory(LARGE, recipe(method="qlora")), memory(LARGE, recipe(method="qlora", **change))

    assert after.activations == pytest.approx(2 * before.activations, rel=0.02)
    assert (after.weights, after.optimizer) == (before.weights, before.optimizer)


def test_the_logits_of_a_large_vocabulary_outweigh_the_layers_of_a_small_model():
    small = Shape(128, 2, 4, 4, 384, 92544, 12_000_000)

    assert memory(small, recipe(method="full")).activations > 4 * 2048 * 92544 * 4


def test_zero_divides_one_part_more_with_each_stage():
    parts = [
        memory(LARGE, recipe(method="full", launcher=several(deepspeed=f"deepspeed_zero{stage}")))
        for stage in (1, 2, 3)
    ]

    assert {one.optimizer for one in parts} == {12 * LARGE.parameters // 4}
    assert [one.gradients // LARGE.parameters for one in parts[:1]] == [4]  # its own and the copy that is sent
    assert parts[1].gradients == parts[2].gradients == 2 * LARGE.parameters // 4
    assert [one.weights for one in parts] == [2 * LARGE.parameters] * 2 + [2 * LARGE.parameters // 4]


def test_what_deepspeed_moves_off_the_gpu_is_asked_of_the_machine():
    on_gpu = memory(LARGE, recipe(method="full", launcher=several(deepspeed="deepspeed_zero2")))
    moved = memory(LARGE, recipe(method="full", launcher=several(deepspeed="deepspeed_zero2_offload")))
    with_weights = memory(LARGE, recipe(method="full", launcher=several(deepspeed="deepspeed_zero3_offload")))

    assert moved.optimizer == 0
    assert moved.host - on_gpu.host == 12 * LARGE.parameters
    assert with_weights.weights == 0
    assert with_weights.host - on_gpu.host == 14 * LARGE.parameters


def test_the_tiny_base_is_counted_as_it_is_built():
    shape = tiny_shape(TinyBase(hidden=128, layers=2, vocabulary=4000))

    assert (shape.heads, shape.intermediate, shape.vocabulary) == (4, 384, 4032)
    assert shape.parameters == 4032 * 128 + 2 * (4 * 128 * 128 + 3 * 128 * 384 + 2 * 128) + 128


def test_the_disk_holds_the_checkpoints_that_are_kept_and_one_more():
    few = disk(LARGE, recipe(method="full", intervals=Intervals(keep_checkpoints=2)), builds_base=False)
    more = disk(LARGE, recipe(method="full", intervals=Intervals(keep_checkpoints=3)), builds_base=False)

    assert few.checkpoints == 3 * 12 * LARGE.parameters  # weight and two averages, four bytes each
    assert more.total - few.total == 12 * LARGE.parameters
    assert few.base == 0


def test_an_adapters_checkpoint_does_not_hold_the_base():
    lora = disk(LARGE, recipe(method="lora"), builds_base=False)

    assert lora.checkpoints == 3 * 12 * trained_parameters(LARGE, recipe(method="lora"))
    assert lora.model > 2 * LARGE.parameters


def test_the_parts_of_an_estimate_add_up():
    told = memory(LARGE, recipe(method="qlora")).plain()

    assert told["total"] == sum(value for name, value in told.items() if name not in ("host", "total"))
