"""Each power has one door: starting programs, reading the environment, the face, the session."""

from __future__ import annotations

import sys

from tests.architecture.source_files import imports, modules, users

STARTS_PROGRAMS = (
    "subprocess",
    "multiprocessing",
    "pty",
    *(f"os.{verb}" for verb in ("fork", "forkpty", "system", "popen", "posix_spawn", "posix_spawnp", "startfile")),
    *(f"os.{verb}{how}" for verb in ("exec", "spawn") for how in ("l", "le", "lp", "lpe", "v", "ve", "vp", "vpe")),
    "asyncio.create_subprocess_exec",
    "asyncio.create_subprocess_shell",
    "concurrent.futures.ProcessPoolExecutor",
)


def test_only_the_jobs_start_programs():
    assert {path for path in users(*STARTS_PROGRAMS) if not path.startswith("core/jobs/")} == set()


def test_only_the_settings_read_the_environment():
    runs_without_settings = {
        "core/jobs/environments.py",  # before anything is installed
        "core/jobs/launcher.py",  # hands its own environment on to the program it starts
        "core/backends/tools/opencompass_programs/with_key.py",  # in OpenCompass's environment, where ours is not
    }

    assert users("os.environ", "os.environb", "os.getenv") - runs_without_settings == {"core/settings.py"}


def test_only_home_and_pages_know_streamlit():
    faces = users("streamlit", "streamlit_chat", "st_audiorec")

    assert {path for path in faces if not (path.startswith("pages/") or path == "Home.py")} == set()


def test_only_the_state_module_touches_the_session():
    assert users("st.session_state", "streamlit.session_state") <= {"pages/ui/state.py"}


def test_pages_know_no_backend():
    meddling = users("core.backends", "core.store.tables", "sqlalchemy", "dbos")

    assert {path for path in meddling if path.startswith("pages/") or path == "Home.py"} == set()


def test_what_runs_before_installation_needs_nothing_installed():
    first = {
        "core.errors": "core/errors.py",
        "core.translation": "core/translation.py",
        "core.jobs.environments": "core/jobs/environments.py",
        "core.jobs.wheels": "core/jobs/wheels.py",
    }
    on_the_way = ("core/__init__.py", "core/jobs/__init__.py")
    used = {use for path in (*first.values(), *on_the_way) for use in imports(modules()[path])}
    foreign = {use for use in used if use.partition(".")[0] not in sys.stdlib_module_names}

    assert {use for use in foreign if use.rpartition(".")[0] not in first} == set()
