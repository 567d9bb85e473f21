"""Writes the configuration that OpenCompass reads: models, datasets, how the work is parted, groups of the summary.

Command-line flags would not do: they cannot choose subjects, add no groups of C-Eval, and start a process per subject.
Source: OpenCompass 0.5.4, `opencompass/configs`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from core.domain.examination import Examination, QuestionFile, ServedModel, SubjectData

CONFIG, OUT, TOKENIZER = "opencompass_config.py", "out", "tokenizer"

_HEAD = """\
# Written by chat-daiyu for OpenCompass 0.5. To run it by hand, in this folder, with the environment's `opencompass`:
#     {by_hand}
"""
_IMPORTS = """\
from mmengine.config import read_base

with read_base():
{imports}

"""
_TAIL = """
_parts = dict(type='opencompass.partitioners.NaivePartitioner', n=1000)
infer = dict(
    partitioner=dict(_parts),
    runner=dict(type='opencompass.runners.LocalRunner', max_num_workers=1,
                task=dict(type='opencompass.tasks.OpenICLInferTask')))
eval = dict(
    partitioner=dict(_parts),
    runner=dict(type='opencompass.runners.LocalRunner', max_num_workers=1,
                task=dict(type='opencompass.tasks.OpenICLEvalTask')))
del _parts
"""
_LETTERS = ("A", "B", "C", "D")


@dataclass(frozen=True, slots=True)
class _Published:
    """Where a benchmark stands in OpenCompass."""

    module: str
    variable: str
    groups: str
    """Its groups in the summary."""


PUBLISHED: Mapping[str, _Published] = {
    "ceval": _Published("ceval.ceval_gen_5f30c7", "ceval_datasets", "ceval"),
    "cmmlu": _Published("cmmlu.cmmlu_gen_c13365", "cmmlu_datasets", "cmmlu"),
}


def render(work: Examination, by_hand: str) -> str:
    """Return the configuration's text; values of people are written as Python literals, never as code."""
    named = [(one, PUBLISHED[one.benchmark]) for one in work.subjects]
    imports = [f"    from opencompass.configs.datasets.{one.module} import {one.variable}" for _data, one in named]
    imports += [
        f"    from opencompass.configs.summarizers.groups.{one.groups} import {one.groups}_summary_groups"
        for _data, one in named
    ]
    parts = [_HEAD.format(by_hand=by_hand)]
    parts += [_IMPORTS.format(imports="\n".join(imports))] if imports else []  # a block with nothing in it is refused
    parts.append("datasets = []\n")
    parts += [_subjects(data, known, work.most) for data, known in named]
    parts += [_own(one, work.most) for one in work.own]
    parts.append(f"models = [dict({_arguments(_model(work))})]\n")
    parts.append(_summary(named))
    return "".join([*parts, _TAIL])


def _subjects(data: SubjectData, known: _Published, most: int | None) -> str:
    more = f", reader_cfg=dict(one['reader_cfg'], test_range='[:{most}]')" if most else ""
    wanted = repr(list(data.subjects))
    return (
        f"datasets += [dict(one, path={str(data.folder)!r}{more}) for one in {known.variable}\n"
        f"             if one['name'] in {wanted}]\n"
    )


def _own(one: QuestionFile, most: int | None) -> str:
    values: dict[str, object] = {
        "abbr": one.name,
        "path": str(one.file),
        "data_type": one.kind,
        "infer_method": "gen",
        "input_columns": ["question", *(_LETTERS if one.kind == "mcq" else ())],
        "output_column": "answer",
    }
    if one.kind == "mcq":
        values["options"] = list(_LETTERS)
        options = "".join(f"\n{letter}. {{{letter}}}" for letter in _LETTERS)
        values["human_prompt"] = "请选出正确答案的字母。\n{question}" + options + "\n答案: "
        values["bot_prompt"] = "{answer}"
    if most:
        values["test_range"] = f"[:{most}]"
    return f"datasets.append(dict({_arguments(values)}))\n"


def _model(work: Examination) -> Mapping[str, object]:
    who = work.examinee
    usual: dict[str, object] = {
        "abbr": who.id,
        "max_seq_len": work.context_tokens,
        "max_out_len": work.reply_tokens,
        "batch_size": work.batch_size,
    }
    if who.served is not None:
        return usual | _served(who.served)
    gpu = work.device == "gpu"
    return usual | {
        "type": "opencompass.models.HuggingFacewithChatTemplate",
        "path": str(who.folder),
        "model_kwargs": {
            "device_map": "auto" if gpu else "cpu",
            "torch_dtype": work.precision,
            "trust_remote_code": False,
        },
        "tokenizer_kwargs": {"trust_remote_code": False},
        "generation_kwargs": {"do_sample": False},
        **({"tokenizer_path": TOKENIZER} if (work.folder / TOKENIZER).is_dir() else {}),
        "run_cfg": {"num_gpus": int(gpu)},
    }


def _served(served: ServedModel) -> dict[str, object]:
    roles = [{"role": "HUMAN", "api_role": "HUMAN"}, {"role": "BOT", "api_role": "BOT", "generate": True}]
    return {
        "type": "opencompass.models.OpenAISDK",
        "path": served.model,
        "key": "ENV",  # a key written here would be copied into the work folder
        "openai_api_base": served.address.rstrip("/") + "/",
        "tokenizer_path": TOKENIZER,  # otherwise one is fetched, which fails offline
        "meta_template": {"round": roles},
        "temperature": 0,
        "query_per_second": 100,  # the servers' own limits hold; a batch is what goes out together
        "batch_size": served.at_once,
        "max_workers": served.at_once,
        "retry": 3,
        "run_cfg": {"num_gpus": 0},
    }


def _summary(named: list[tuple[SubjectData, _Published]]) -> str:
    groups = [f"*{one.groups}_summary_groups" for _data, one in named]
    groups += [
        repr({"name": f"{data.benchmark}-selected", "subsets": [f"{data.benchmark}-{name}" for name in data.subjects]})
        for data, _known in named
    ]
    return f"summarizer = dict(summary_groups=[{', '.join(groups)}])\n"


def _arguments(values: Mapping[str, object]) -> str:
    return "".join(_lines(values))


def _lines(values: Mapping[str, object]) -> Iterator[str]:
    for name, value in values.items():
        yield f"\n    {name}={value!r},"
