from __future__ import annotations

from collections.abc import Callable, Sequence

from core.jobs.wheels import choose_torch, parse_pip_config, pinned, translated, without_gpu_packages

LOCK = """# made by uv
nvidia-cublas==13.1 ; sys_platform == 'linux'  # via torch
cuda-toolkit==13.0 ; sys_platform == 'linux'  # via torch
numpy==2.4.6 ; python_full_version < '3.12'
torch==2.13.0             # via -r requirements.txt
torchvision==0.15.2
triton==3.7.1 ; sys_platform == 'linux'  # via torch
"""


def offers(*answers: tuple[str, tuple[str, ...]]) -> Callable[[str, Sequence[str]], bool]:
    """Return a package source that has just these requirements, asked with just these arguments."""
    return lambda requirement, arguments: (requirement, tuple(arguments)) in answers


def test_pip_settings_of_the_environment_beat_those_of_files():
    listing = ":env:.find-links='/mine'\nglobal.find-links='/everybody'\nglobal.cert='/ca.pem'\n"

    assert parse_pip_config(listing) == {"find-links": "/mine", "cert": "/ca.pem"}


def test_install_settings_beat_global_ones_in_whatever_order_they_are_listed():
    listing = "install.index-url='https://a.example/simple'\nglobal.index-url='https://b.example/simple'\n"

    assert parse_pip_config(listing) == {"index-url": "https://a.example/simple"}


def test_settings_of_other_pip_commands_and_stray_lines_are_ignored():
    assert parse_pip_config("freeze.all='1'\nWARNING: something\n\n") == {}


def test_folders_and_mirrors_of_pip_reach_uv():
    pip = {
        "find-links": "/wheels\n/more-wheels",
        "index-url": "https://mirror.example/simple",
        "extra-index-url": "https://a.example/simple\nhttps://b.example/simple",
        "cert": "/ca.pem",
        "trusted-host": "a.example",
        "default-timeout": "60",
    }

    assert translated(pip, {}) == {
        "UV_FIND_LINKS": "/wheels,/more-wheels",
        "UV_DEFAULT_INDEX": "https://mirror.example/simple",
        "UV_INDEX": "https://a.example/simple https://b.example/simple",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "SSL_CERT_FILE": "/ca.pem",
        "UV_INSECURE_HOST": "a.example",
        "UV_HTTP_TIMEOUT": "60",
    }


def test_a_home_folder_in_find_links_is_spelled_out():
    assert not translated({"find-links": "~/wheels"}, {})["UV_FIND_LINKS"].startswith("~")


def test_what_is_set_for_uv_already_stays_also_under_its_older_name():
    pip = {"find-links": "/pip", "index-url": "https://pip.example/simple"}
    environ = {"UV_FIND_LINKS": "/uv", "UV_INDEX_URL": "https://uv.example/simple"}

    assert translated(pip, environ) == {}


def test_no_index_counts_only_when_it_is_switched_on():
    assert translated({"no-index": "true"}, {}) == {"UV_NO_INDEX": "1"}
    assert translated({"no-index": "0"}, {}) == {}


def test_a_pin_is_found_without_its_marker_and_not_by_a_longer_name():
    assert pinned("torch", LOCK) == "2.13.0"
    assert pinned("numpy", LOCK) == "2.4.6"
    assert pinned("vision", LOCK) is None


def test_the_lock_leaves_out_what_only_a_cuda_build_needs():
    kept = without_gpu_packages(LOCK).splitlines()

    assert [line.split("==")[0] for line in kept] == ["# made by uv", "numpy", "torch", "torchvision"]


def test_a_machine_without_gpu_takes_the_cpu_build_that_its_pip_offers():
    source = offers(("torch==2.13.0+cpu", ()), ("torch==2.13.0", ("--torch-backend", "cpu")))

    assert choose_torch("2.13.0", linux=True, gpu=False, resolves=source).arguments == ("torch==2.13.0+cpu",)


def test_without_such_an_offer_it_takes_pytorchs_own_cpu_build():
    source = offers(("torch==2.13.0", ("--torch-backend", "cpu")))

    assert choose_torch("2.13.0", linux=True, gpu=False, resolves=source).arguments == ("--torch-backend", "cpu")


def test_when_no_cpu_build_can_be_had_the_large_one_is_announced():
    choice = choose_torch("2.13.0", linux=True, gpu=False, resolves=offers())

    assert choice.arguments == ()
    assert "several GB" in choice.note


def test_a_machine_with_gpu_lets_uv_match_the_driver():
    source = offers(("torch==2.13.0", ("--torch-backend", "auto")), ("torch==2.13.0+cpu", ()))

    assert choose_torch("2.13.0", linux=True, gpu=True, resolves=source).arguments == ("--torch-backend", "auto")


def test_a_machine_with_gpu_but_without_pytorchs_index_takes_the_package_indexs_build():
    assert choose_torch("2.13.0", linux=True, gpu=True, resolves=offers()).arguments == ()


def test_systems_with_a_single_build_are_asked_nothing():
    assert choose_torch("2.13.0", linux=False, gpu=False, resolves=offers()).arguments == ()
