"""What every hub promises, asked of the hubs' own client libraries and of the program that downloads."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from core.backends.hubs import (
    HUBS,
    PART,
    Hub,
    HubRefusedError,
    HubSource,
    HubUnreachableError,
    Request,
    download_command,
    missing_bytes,
)
from core.backends.rows import build
from core.settings import PROJECT
from tests.hub_server import COMMIT, HubServer
from tests.little_base import base_files

REPOSITORY = "bamboo/little-base"
FILES = base_files()
WEIGHTS = "model.safetensors"
LARGE = bytes((place * 37 + place // 251) % 256 for place in range(900_000))


@pytest.fixture(params=list(HUBS))
def name(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest.fixture
def server():
    with HubServer({REPOSITORY: {**FILES, WEIGHTS: LARGE}}) as running:
        yield running


def hub(name: str, server: HubServer, token: str = "") -> Hub:
    return build(HUBS, name, HubSource(server.url, token))


class Download:
    """The download program on a request, in a folder of its own."""

    def __init__(self, name: str, server: HubServer, place: Path) -> None:
        listed = hub(name, server, server.gated).snapshot(REPOSITORY)
        self.files = tuple(one for one in listed.files if one.name in (WEIGHTS, "config.json", "LICENSE"))
        self.folder = place / "fetched"
        self.report = place / "fetched.json"
        self.request = place / "request.json"
        Request(
            name,
            server.url,
            "HUB_TEST_TOKEN",
            REPOSITORY,
            listed.revision,
            str(self.folder),
            str(self.report),
            self.files,
        ).write(self.request)
        self._environment = {**os.environ, "HUB_TEST_TOKEN": server.gated}

    def start(self) -> subprocess.Popen[str]:
        command = download_command(self.request)
        return subprocess.Popen(
            command.argv,
            cwd=command.cwd,
            env=self._environment,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self) -> tuple[int, list[dict[str, object]]]:
        """Run it to its end; return its code and what it said."""
        program = self.start()
        said, _ = program.communicate(timeout=60)
        return program.returncode, [json.loads(line) for line in said.splitlines() if line.startswith("{")]


@pytest.fixture
def download(name: str, server: HubServer, tmp_path: Path) -> Callable[[], Download]:
    return lambda: Download(name, server, tmp_path)


def test_the_files_of_a_repository_are_listed_with_size_and_what_tells_them_apart(name, server):
    found = hub(name, server).snapshot(REPOSITORY)
    files = {one.name: one for one in found.files}

    assert {one: files[one].size for one in files} == {
        one: len(content) for one, content in {**FILES, WEIGHTS: LARGE}.items()
    }
    assert files[WEIGHTS].sha256 == hashlib.sha256(LARGE).hexdigest()
    assert all(one.sha256 or one.blob for one in found.files)
    assert found.repository == REPOSITORY


def test_a_commit_is_told_where_the_hub_tells_one(server):
    assert hub("huggingface", server).snapshot(REPOSITORY).revision == COMMIT
    assert hub("modelscope", server).snapshot(REPOSITORY).revision == "master"


def test_bytes_come_from_any_place_on(name, server):
    with hub(name, server).open(REPOSITORY, "master" if name == "modelscope" else COMMIT, WEIGHTS, 500_000) as stream:
        assert stream.begin == 500_000
        assert b"".join(stream.pieces) == LARGE[500_000:]


def test_what_is_not_there_is_refused_with_its_name(name, server):
    with pytest.raises(HubRefusedError) as repository:
        hub(name, server).snapshot("bamboo/nothing")
    with pytest.raises(HubRefusedError):
        hub(name, server).snapshot(REPOSITORY, "no-such-revision")
    with pytest.raises(HubRefusedError), hub(name, server).open(REPOSITORY, COMMIT, "nothing.json"):
        pass

    assert repository.value.values["repository"] == "bamboo/nothing"
    assert "owner/name" in repository.value.remedy


def test_a_gated_repository_wants_the_token_and_tells_where_it_belongs(name, server):
    server.gated = "secret-token"

    with pytest.raises(HubRefusedError) as refused:
        hub(name, server).snapshot(REPOSITORY)

    assert "environment" in refused.value.remedy
    assert hub(name, server, "secret-token").snapshot(REPOSITORY).files


def test_a_silent_hub_may_be_asked_again(name, server):
    address = server.url
    server.__exit__()

    with pytest.raises(HubUnreachableError) as silent:
        build(HUBS, name, HubSource(address)).snapshot(REPOSITORY)

    assert f"http://{silent.value.values['address']}" == address


def test_a_page_in_place_of_the_list_says_nothing_of_the_repository(name, server):
    server.portal = b"<p>Sign in to use this network.</p>"

    with pytest.raises(HubUnreachableError):
        hub(name, server).snapshot(REPOSITORY)


def test_a_token_is_not_shown_to_the_storage_a_hub_sends_us_to(name, server):
    server.gated = "secret-token"
    chosen = hub(name, server, "secret-token")

    with chosen.open(REPOSITORY, "master" if name == "modelscope" else COMMIT, WEIGHTS) as stream:
        assert b"".join(stream.pieces) == LARGE

    assert server.storage_keys == []


def test_everything_is_fetched_and_told(download, server):
    wanted = download()
    code, said = wanted.run()

    assert code == 0
    assert (wanted.folder / WEIGHTS).read_bytes() == LARGE
    assert sorted(one.name for one in wanted.folder.iterdir()) == ["LICENSE", "config.json", WEIGHTS]
    assert json.loads(wanted.report.read_text())[WEIGHTS] == hashlib.sha256(LARGE).hexdigest()
    assert said[-1]["at"] == said[-1]["of"] == sum(one.size for one in wanted.files)


def test_the_token_of_a_gated_repository_stays_in_the_environment(download, server):
    server.gated = "secret-token"
    wanted = download()
    code, said = wanted.run()

    assert code == 0
    assert "secret-token" not in wanted.request.read_text() + json.dumps(said) + " ".join(
        download_command(wanted.request).argv
    )


def test_killed_in_the_middle_it_goes_on_from_the_bytes_that_are_there(download, server):
    server.hold[WEIGHTS] = 600_000
    wanted = download()
    program = wanted.start()
    part = wanted.folder / (WEIGHTS + PART)
    while not part.exists() or part.stat().st_size < 500_000:
        time.sleep(0.02)
    os.killpg(program.pid, signal.SIGKILL)
    program.communicate()
    kept = part.stat().st_size
    server.hold.clear()
    server.go_on.set()

    left = missing_bytes(wanted.folder, wanted.files)
    code, _ = wanted.run()

    assert kept <= 600_000 + 65_536
    assert left == len(LARGE) - kept
    assert code == 0
    assert (wanted.folder / WEIGHTS).read_bytes() == LARGE
    assert (WEIGHTS, kept) in server.ranges
    assert server.sent[WEIGHTS] - len(LARGE) <= 200_000  # only what was on its way when it was killed comes twice


def test_a_connection_that_breaks_is_taken_up_by_itself(download, server):
    server.cut[WEIGHTS] = 400_000
    wanted = download()
    code, _ = wanted.run()

    assert code == 0
    assert (wanted.folder / WEIGHTS).read_bytes() == LARGE
    assert server.ranges


def test_what_came_damaged_is_removed_and_named_and_the_rest_stays(download, server):
    server.damaged |= {WEIGHTS, "LICENSE"}
    wanted = download()
    code, said = wanted.run()
    error = said[-1]["error"]
    told = wanted.report.exists()
    server.damaged.clear()
    again, _ = wanted.run()

    assert code == 1
    assert set(error["values"]["names"].split(", ")) == {WEIGHTS, "LICENSE"}
    assert not told
    assert server.sent["config.json"] == len(FILES["config.json"])
    assert again == 0
    assert (wanted.folder / WEIGHTS).read_bytes() == LARGE


def test_a_file_of_another_size_than_told_is_damaged(download, server):
    server.told_size[WEIGHTS] = len(LARGE) - 1000
    wanted = download()
    code, said = wanted.run()

    assert code == 1
    assert said[-1]["error"]["values"]["names"] == WEIGHTS
    assert not (wanted.folder / WEIGHTS).exists()


def test_the_program_is_started_with_this_projects_python():
    command = download_command(Path("request.json"))

    assert command.argv[0] == sys.executable
    assert command.cwd == PROJECT
    assert not command.env
