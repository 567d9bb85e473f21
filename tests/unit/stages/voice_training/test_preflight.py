"""What a check before a voice training finds: what forbids it comes first, each with a remedy."""

from __future__ import annotations

import json

import pytest

from core.domain.checkout import CheckoutReport, FileState, ModelReport, NeededFile
from core.errors import InvalidInputError, MissingToolError
from core.stages.voice_training.preflight import preflight, require
from core.stages.voice_training.settings import VoiceTrainingSettings
from tests.unit.stages.voice_dataset.sets import set_clip

CPU = {"version": "v2", "device": "cpu", "precision": "float32"}
GIGABYTE = 10**9


def clips(count=30, **changes):
    return [set_clip(number, **changes) for number in range(count)]


def needed(path, state=FileState.THERE, *, trains=True):
    size = 0 if state is FileState.MISSING else 90
    return NeededFile(path, state, size, 100, trains=trains, speaks=not trains)


def tool(*files, gpus=("NVIDIA A",), **changes):
    models = tuple(ModelReport(version, files if version == "v2" else ()) for version in ("v2", "v2Pro"))
    values = {"problems": (), "commit": "c" * 40, "gpus": gpus, "models": models, "sources": "Get them there."}
    return CheckoutReport(**{**values, **changes})


def found(some=None, report=None, *, here=1, disk_needed=3 * GIGABYTE, disk_free=90 * GIGABYTE, **settings):
    return preflight(
        VoiceTrainingSettings(**{**CPU, **settings}),
        clips() if some is None else some,
        tool() if report is None else report,
        disk_needed=disk_needed,
        disk_free=disk_free,
        gpus=here,
    )


def said(checked):
    return [one.message.format(**one.values) for one in checked.findings]


def only_blocking(checked):
    (one,) = checked.blocking
    assert checked.findings[0] is one
    return f"{one.message} {one.remedy}".format(**one.values)


def test_nothing_stands_in_the_way_of_a_good_set_and_the_figures_are_told():
    checked = found()

    assert checked.blocking == ()
    assert (checked.clips, checked.held_out, checked.seconds) == (26, 4, 104)
    assert (checked.disk_needed, checked.disk_free) == (3 * GIGABYTE, 90 * GIGABYTE)
    require(checked)


def test_everything_found_can_be_told_as_json():
    told = json.loads(json.dumps(found(clips(3)).plain()))

    assert told["clips"] == 3
    assert told["findings"][0]["message"]


def test_a_tool_that_nobody_has_set_up_forbids_the_start_with_its_own_remedy():
    nobody = MissingToolError("Nobody has said where.", remedy="Give the folder.")
    checked = found(report=nobody)

    assert only_blocking(checked) == "Nobody has said where. Give the folder."
    with pytest.raises(InvalidInputError, match="Give the folder"):
        require(checked)


def test_what_is_wrong_with_the_tool_forbids_the_start():
    lacks = MissingToolError("It lacks {modules}.", remedy="Install {modules}.", modules="peft")

    assert only_blocking(found(report=tool(problems=(lacks,)))) == "It lacks peft. Install peft."


def test_missing_pretrained_files_are_named_with_where_to_get_them():
    report = tool(needed("models/s2G.pth", FileState.MISSING), needed("models/s2D.pth"))
    told = only_blocking(found(report=report))

    assert "models/s2G.pth" in told
    assert "models/s2D.pth" not in told
    assert told.endswith("Get them there.")


def test_files_of_other_versions_or_for_speaking_only_forbid_nothing():
    gone = needed("models/s2G.pth", FileState.MISSING)
    spoken = needed("models/lid.176.bin", FileState.MISSING, trains=False)

    assert found(report=tool(gone), version="v2Pro").blocking == ()
    assert found(report=tool(spoken)).blocking == ()


def test_a_file_of_an_odd_size_is_told_and_forbids_nothing():
    checked = found(report=tool(needed("models/s2G.pth", FileState.ODD)))

    assert checked.blocking == ()
    assert "1 pretrained files of v2 have another size than upstream's." in said(checked)


@pytest.mark.parametrize(
    ("seen", "here", "wanted", "forbidden"),
    [((), 1, 1, True), (("A",), 0, 1, True), (("A",), 1, 1, False), (("A", "B"), 1, 2, True)],
    ids=["torch sees none", "none for runs", "one is enough", "two are wanted"],
)
def test_a_gpu_must_be_there_for_the_tool_and_for_runs(seen, here, wanted, forbidden):
    gpu = {"device": "gpu", "precision": "float16", "gpus": wanted}
    checked = found(report=tool(gpus=seen), here=here, **gpu)

    assert bool(checked.blocking) is forbidden
    assert checked.hours is None


def test_without_a_clip_of_the_right_length_nothing_begins_and_only_that_is_told_of_the_clips():
    checked = found(clips(5, seconds=0.5))

    assert "0.6 to 54 seconds" in only_blocking(checked)
    assert checked.clips == 0
    assert found([]).blocking


def test_a_language_that_gpt_sovits_does_not_know_is_named():
    told = only_blocking(found([*clips(), set_clip(99, language="fr")]))

    assert "fr" in told
    assert "zh, ja, en, ko, yue" in told


def test_a_set_without_a_reference_is_refused_before_hours_are_spent():
    assert "reference" in only_blocking(found(clips(40, seconds=2.5)))


def test_a_small_set_is_told_and_forbids_nothing():
    checked = found(clips(6))

    assert checked.blocking == ()
    assert (checked.clips, checked.held_out) == (4, 2)
    assert any("less than a minute" in one for one in said(checked))
    assert any("too small to keep 4 clips back" in one for one in said(checked))


def test_a_full_disk_forbids_the_start():
    assert "disk" in only_blocking(found(disk_free=2 * GIGABYTE))


def test_on_a_processor_the_hours_are_told_and_more_clips_or_epochs_take_more():
    few, many = found(clips(20)), found(clips(400))
    longer = found(clips(20), sovits={"epochs": 16})

    assert any("hours" in one for one in said(many))
    assert few.hours < many.hours
    assert few.hours < longer.hours


def test_the_cpu_preset_is_honest_about_a_few_clips():
    short = {"sovits": {"epochs": 4, "save_every": 2, "segment_size": 2560}, "gpt": {"epochs": 6, "save_every": 3}}

    assert 0.2 < found(clips(8), **short).hours < 1
