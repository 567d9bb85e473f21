"""The doctor of a checkout: what is there, what is missing, what looks like half a download."""

from __future__ import annotations

import pytest

from core.backends.tools.gpt_sovits.checkout import commit, examine
from core.domain.checkout import Checkout, FileState
from tests.standins.gpt_sovits.layout import hollow, lay_out

MODELS = "GPT_SoVITS/pretrained_models"


@pytest.fixture(scope="module")
def laid_out(tmp_path_factory):
    return lay_out(tmp_path_factory.mktemp("gpt-sovits"))


def report_of(stand_in):
    return examine(Checkout(stand_in.checkout, stand_in.python))


def model(report, version):
    return next(one for one in report.models if one.version == version)


def test_a_whole_checkout_is_fine_for_every_version(laid_out):
    report = report_of(laid_out)

    assert report.fine
    assert report.versions["torch"] == "2.0+standin"
    assert [one.version for one in report.models] == ["v2", "v2Pro", "v2ProPlus", "v3", "v4"]
    assert {(one.missing(), one.missing(speaking=True), one.odd) for one in report.models} == {((), (), ())}
    assert "lj1995/GPT-SoVITS" in report.sources


@pytest.mark.parametrize(
    ("file", "train", "speak"),
    [
        (f"{MODELS}/v2Pro/s2Gv2Pro.pth", {"v2Pro"}, set()),
        (f"{MODELS}/sv/pretrained_eres2netv2w24s4ep4.ckpt", {"v2Pro", "v2ProPlus"}, {"v2Pro", "v2ProPlus"}),
        (f"{MODELS}/gsv-v4-pretrained/vocoder.pth", set(), {"v4"}),
        (f"{MODELS}/gsv-v4-pretrained/s2Gv4.pth", {"v4"}, {"v4"}),
        (f"{MODELS}/s1v3.ckpt", {"v2Pro", "v2ProPlus", "v3", "v4"}, set()),
        (f"{MODELS}/fast_langdetect/lid.176.bin", set(), {"v2", "v2Pro", "v2ProPlus", "v3", "v4"}),
        ("GPT_SoVITS/text/G2PWModel/g2pW.onnx",) + ({"v2", "v2Pro", "v2ProPlus", "v3", "v4"},) * 2,
    ],
)
def test_a_missing_file_stops_those_who_need_it_and_nobody_else(laid_out, file, train, speak):
    away = (laid_out.checkout / file).rename(laid_out.checkout / f"{file}.away")
    try:
        report = report_of(laid_out)
    finally:
        away.rename(laid_out.checkout / file)

    assert {one.version for one in report.models if file in one.missing()} == train
    assert {one.version for one in report.models if file in one.missing(speaking=True)} == speak
    assert report.fine


@pytest.mark.parametrize(
    ("size", "state"), [(106_035_259, "there"), (107_000_000, "there"), (60_000_000, "odd"), (0, "missing")]
)
def test_sizes_are_compared_with_tolerance(laid_out, size, state):
    file = f"{MODELS}/gsv-v2final-pretrained/s2G2333k.pth"
    hollow(laid_out.checkout / file, size)
    try:
        found = next(one for one in model(report_of(laid_out), "v2").files if one.path == file)
    finally:
        hollow(laid_out.checkout / file, 106_035_259)

    assert found.state is FileState(state)
    assert (found.size, found.expected) == (size, 106_035_259)


def test_a_file_of_odd_size_is_shown_but_not_missed(laid_out):
    file = f"{MODELS}/chinese-hubert-base/pytorch_model.bin"
    hollow(laid_out.checkout / file, 135)
    try:
        report = report_of(laid_out)
    finally:
        hollow(laid_out.checkout / file, 188_811_417)

    assert file in model(report, "v2").odd
    assert model(report, "v2").missing() == ()


def test_a_folder_that_is_no_checkout_says_what_to_fetch(tmp_path):
    report = examine(Checkout(tmp_path, tmp_path / "python"))

    assert not report.fine
    assert "s1_train.py" in str(report.problems[0])
    assert "RVC-Boss/GPT-SoVITS" in report.problems[0].remedy


def test_an_environment_that_lacks_modules_or_ffmpeg_says_so(tmp_path):
    bare = lay_out(tmp_path)
    (tmp_path / "environment/site/pytorch_lightning.py").unlink()
    (tmp_path / "environment/site/peft.py").unlink()
    (tmp_path / "environment/bin/ffmpeg").unlink()
    script = bare.python.read_text().replace(":$PATH", "")
    bare.python.write_text(script)
    report = report_of(bare)

    assert "pytorch_lightning, peft" in str(report.problems[0])
    assert "ffmpeg" in str(report.problems[1])
    assert all(problem.remedy for problem in report.problems)


def test_a_python_that_is_not_there_is_a_problem_beside_the_files(laid_out, tmp_path):
    report = examine(Checkout(laid_out.checkout, tmp_path / "nowhere/python"))

    assert not report.fine
    assert model(report, "v4").missing() == ()


def test_the_commit_is_read_from_branches_packed_refs_and_worktrees(tmp_path):
    plain, packed, loose, tree = (tmp_path / name for name in ("plain", "packed", "loose", "tree"))
    plain.mkdir()
    for folder, head in ((packed, "ref: refs/heads/main"), (loose, "a" * 40)):
        (folder / ".git").mkdir(parents=True)
        (folder / ".git/HEAD").write_text(f"{head}\n")
    (packed / ".git/packed-refs").write_text(f"# pack-refs\n{'b' * 40} refs/heads/main\n")
    (packed / ".git/worktrees/tree").mkdir(parents=True)
    (packed / ".git/worktrees/tree/HEAD").write_text("ref: refs/heads/main\n")
    (packed / ".git/worktrees/tree/commondir").write_text("../..\n")
    tree.mkdir()
    (tree / ".git").write_text(f"gitdir: {packed}/.git/worktrees/tree\n")

    assert [commit(one) for one in (plain, packed, loose, tree)] == ["", "b" * 40, "a" * 40, "b" * 40]
