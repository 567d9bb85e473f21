"""How much memory and disk a training will need, computed from shapes before anything is loaded.

Per trained parameter: weight, gradient and AdamW's two averages (Rajbhandari et al., ZeRO, 2020, section 3). A 4-bit
weight with double quantisation takes 4 + 8/64 + 32/(64·256) bits (Dettmers et al., QLoRA, 2023, section 3). With
checkpointing each layer keeps its input, and one layer at a time is computed again with everything it needs
(Korthikanti et al., Reducing Activation Recomputation, 2022, section 3). What XTuner and peft do beside that was read
in their sources: before an adapter is added, whatever of the base is not 4-bit becomes float32. The rest is measured:
`python -m benchmarks.memory_estimate` holds the sum against the real trainer.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace

from core.domain.recipe import Precision, Recipe, TinyBase

_BYTES: dict[Precision, int] = {"float32": 4, "float16": 2, "bfloat16": 2}
NF4 = (4 + 8 / 64 + 32 / (64 * 256)) / 8
"""Bytes of a weight in 4 bits, with what is kept to read it."""

_FLOAT = 4
_AVERAGES = 2
"""Numbers AdamW keeps for each trained parameter, in the parameter's own format."""
_MASTER = 12
"""Bytes DeepSpeed keeps for it: the same in float32, and a float32 copy of the parameter itself."""
_PROGRAM_ON_CPU = 550_000_000
"""Python, torch, XTuner and what they import; measured."""
_HEAP = 1.45
"""On a CPU: what the allocator holds for the activations, times what is used; measured."""
_SAVING = 1.125
"""mmengine puts a checkpoint together in memory before it writes it, in a buffer that grows by an eighth."""
_PROGRAM_ON_GPU = 900_000_000
"""The CUDA context and the kernels; what a GPU shows as taken before the first weight."""
_FRAGMENTS = 0.08
"""Share of the rest that a GPU's allocator holds without using it."""
_SMALL = 20_000_000
"""Tokenizer, configuration and logs on the disk."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a decoder of the Llama kind."""

    hidden: int
    layers: int
    heads: int
    kv_heads: int
    intermediate: int
    vocabulary: int
    parameters: int

    @property
    def keys(self) -> int:
        """Width of the keys, and of the values."""
        return self.hidden * self.kv_heads // self.heads

    @property
    def layer_weights(self) -> int:
        """Weights of one layer's linear maps; what QLoRA squeezes."""
        return self.hidden * (2 * self.hidden + 2 * self.keys + 3 * self.intermediate)


@dataclass(frozen=True, slots=True)
class MemoryEstimate:
    """Bytes on each device at the worst moment, by what they are for."""

    weights: int
    adapter: int
    gradients: int
    optimizer: int
    activations: int
    saving: int
    """On a CPU: the checkpoint, put together in memory before it is written."""
    program: int
    """What is taken before the first weight, and what a GPU's allocator keeps."""
    host: int = 0
    """With GPUs, in the machine's own memory: the checkpoint, and what DeepSpeed moves off them."""

    @property
    def total(self) -> int:
        """Return what one device needs."""
        trained = self.adapter + self.gradients + self.optimizer
        return self.weights + trained + self.activations + self.saving + self.program

    def plain(self) -> dict[str, int]:
        """Return the parts and their sum as JSON values."""
        return {**asdict(self), "total": self.total}


@dataclass(frozen=True, slots=True)
class DiskEstimate:
    """Bytes a run writes, by what they are for."""

    base: int
    """The tiny base, which is built in the run's folder."""
    checkpoints: int
    """Those kept, and one more while it is being written."""
    model: int
    """The finished model, and its adapter."""

    @property
    def total(self) -> int:
        """Return what must be free before the run begins."""
        return self.base + self.checkpoints + self.model + _SMALL

    def plain(self) -> dict[str, int]:
        """Return the parts and their sum as JSON values."""
        return {**asdict(self), "total": self.total}


def tiny_shape(tiny: TinyBase) -> Shape:
    """Return the shape of the base model that is built on the spot."""
    hidden, layers = tiny.hidden, tiny.layers
    heads = max(1, hidden // 32)
    intermediate = math.ceil(hidden * 8 / 3 / 64) * 64
    vocabulary = math.ceil(tiny.vocabulary / 64) * 64
    parameters = vocabulary * hidden + layers * (4 * hidden**2 + 3 * hidden * intermediate + 2 * hidden) + hidden
    return Shape(hidden, layers, heads, heads, intermediate, vocabulary, parameters)


def memory(shape: Shape, recipe: Recipe) -> MemoryEstimate:
    """Return what each device needs for a training of that shape by that recipe."""
    trained, width = trained_parameters(shape, recipe), _width(recipe)
    parts = MemoryEstimate(
        weights=_weights(shape, recipe, width),
        adapter=trained * width if recipe.makes_adapter else 0,
        gradients=trained * width,
        optimizer=trained * _optimizer_bytes(recipe),
        activations=_activations(shape, recipe, width),
        saving=trained * (width + _optimizer_bytes(recipe)),
        program=0,
    )
    return _spread(recipe, parts)


def disk(shape: Shape, recipe: Recipe, *, builds_base: bool) -> DiskEstimate:
    """Return what a run of that recipe writes: a checkpoint holds what is trained and the optimizer's numbers."""
    trained = trained_parameters(shape, recipe)
    checkpoint = trained * (_width(recipe) + _optimizer_bytes(recipe))
    model = 2 * shape.parameters + (2 * trained if recipe.makes_adapter else 0)  # both in float16
    base = _FLOAT * shape.parameters if builds_base else 0
    return DiskEstimate(base, (recipe.intervals.keep_checkpoints + 1) * checkpoint, model)


def trained_parameters(shape: Shape, recipe: Recipe) -> int:
    """Return how many numbers the training moves."""
    if not recipe.makes_adapter:
        return shape.parameters
    maps = _maps(shape)
    usual = (shape.hidden, shape.hidden)
    ends = sum(sum(maps.get(target, usual)) for target in recipe.adapter.target_modules)
    return shape.layers * recipe.adapter.rank * ends


def _maps(shape: Shape) -> dict[str, tuple[int, int]]:
    """Return the widths before and after each linear map of a layer."""
    hidden, keys, intermediate = shape.hidden, shape.keys, shape.intermediate
    return {
        "q_proj": (hidden, hidden),
        "k_proj": (hidden, keys),
        "v_proj": (hidden, keys),
        "o_proj": (hidden, hidden),
        "gate_proj": (hidden, intermediate),
        "up_proj": (hidden, intermediate),
        "down_proj": (intermediate, hidden),
    }


def _width(recipe: Recipe) -> int:
    """Bytes of a number that is trained or not squeezed: float32, in a full training too; DeepSpeed makes it half."""
    return _BYTES[recipe.precision] if recipe.launcher.deepspeed else _FLOAT


def _optimizer_bytes(recipe: Recipe) -> int:
    return _MASTER if recipe.launcher.deepspeed else _AVERAGES * _width(recipe)


def _weights(shape: Shape, recipe: Recipe, width: int) -> int:
    if recipe.method != "qlora":
        return shape.parameters * width
    squeezed = shape.layers * shape.layer_weights
    return round(squeezed * NF4) + max(shape.parameters - squeezed, 0) * width


def _activations(shape: Shape, recipe: Recipe, width: int) -> int:
    """Bytes of the inputs kept for every layer, and of what the head and one layer compute with.

    On a GPU the allocator gives the head's memory to the layers when they are computed again; on a CPU it is kept.
    """
    tokens, half = recipe.batch_size * recipe.max_length, _BYTES[recipe.precision] < _FLOAT
    kept = shape.layers * tokens * shape.hidden * width
    # logits, their logarithms and the gradient of both, in float32; computed in half they are there once more
    head = tokens * shape.vocabulary * _FLOAT * (4 if half else 3)
    layer = tokens * width * (10 * shape.hidden + 4 * shape.keys + 6 * shape.intermediate)
    if recipe.makes_adapter:
        # the adapter reads a float32 copy of each map's input, with its own dropout
        maps = _maps(shape)
        layer += tokens * _FLOAT * sum(maps.get(one, (shape.hidden, 0))[0] for one in recipe.adapter.target_modules)
    if recipe.method == "qlora":
        layer += shape.hidden * shape.intermediate * _BYTES[recipe.precision]  # one map at a time is unpacked
    return kept + (head + layer if recipe.device == "cpu" else max(head, layer))


def _spread(recipe: Recipe, whole: MemoryEstimate) -> MemoryEstimate:
    """Return one device's share: ZeRO 1 divides the optimizer, 2 the gradients too, 3 the weights as well."""
    devices = recipe.launcher.processes
    stage = _zero_stage(recipe)
    weights = whole.weights // devices if stage >= 3 else whole.weights
    gradients = whole.gradients // devices if stage >= 2 else whole.gradients
    if devices > 1 and stage < 2:
        gradients *= 2  # the copies that are sent to the others
    optimizer = whole.optimizer // devices if stage >= 1 else whole.optimizer
    share = replace(whole, weights=weights, gradients=gradients, optimizer=optimizer)
    return _on_gpu(recipe, share) if recipe.device == "gpu" else _on_cpu(share)


def _zero_stage(recipe: Recipe) -> int:
    zero = recipe.launcher.deepspeed
    return int(zero.removeprefix("deepspeed_zero")[0]) if zero else 0


def _on_cpu(share: MemoryEstimate) -> MemoryEstimate:
    return replace(
        share,
        activations=round(share.activations * _HEAP),
        saving=round(share.saving * _SAVING),
        program=_PROGRAM_ON_CPU,
    )


def _on_gpu(recipe: Recipe, share: MemoryEstimate) -> MemoryEstimate:
    host = round(share.saving * (1 + _SAVING))  # copied out of the GPU, then put together
    if recipe.launcher.deepspeed.endswith("offload"):
        host += share.optimizer * recipe.launcher.devices
        share = replace(share, optimizer=0)
    if recipe.launcher.deepspeed == "deepspeed_zero3_offload":
        host += share.weights * recipe.launcher.devices
        share = replace(share, weights=0)
    share = replace(share, saving=0, host=host)
    return replace(share, program=_PROGRAM_ON_GPU + round(_FRAGMENTS * share.total))
