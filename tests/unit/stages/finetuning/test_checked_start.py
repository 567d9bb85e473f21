"""The check runs again where the training does: what cannot succeed ends at once, before anything is built."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.domain.identity import now
from core.domain.run import RunState
from core.errors import MissingArtifactError
from core.services import Services, open_services
from core.settings import load_settings
from core.store.runs import Worker
from tests.unit.stages.finetuning.conftest import sample, version


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    opened = open_services(load_settings().model_copy(update={"workspace": tmp_path}))
    persona = opened.settings.persona
    opened.store.datasets.add(version(persona_id=persona, train_samples=2), [sample(0), sample(1)])
    yield opened
    opened.close()


def test_a_run_that_cannot_succeed_fails_with_the_remedy_and_starts_no_program(services):
    persona = services.settings.persona
    unheard_of = {"device": "gpu", "launcher": {"devices": 64}}

    done = services.execution.here("finetuning", persona, unheard_of, who="test")

    assert done.state is RunState.FAILED
    assert done.error
    assert "GPU" in done.error.message
    assert "worker" in done.error.remedy
    assert done.commands == ()


def test_the_page_is_told_the_same_before_the_start(services):
    found = services.check_training(services.settings.persona, {"max_length": 512, "batch_size": 1})

    assert found.blocking == ()
    assert found.plan
    assert found.plan.samples == 2
    assert found.memory
    assert 0 < found.memory.total < found.memory_total


@pytest.mark.parametrize(("host", "forbidden"), [("named-here", True), ("another", False)])
def test_a_missing_gpu_forbids_the_start_unless_another_machine_has_a_worker(tmp_path, host, forbidden):
    settings = load_settings()
    jobs = settings.jobs.model_copy(update={"host": "named-here"})
    services = open_services(settings.model_copy(update={"workspace": tmp_path, "jobs": jobs}))
    persona = services.settings.persona
    services.store.datasets.add(version(persona_id=persona, train_samples=2), [sample(0), sample(1)])
    services.store.runs.heartbeat(Worker("w", 1, host, now(), now()))

    found = services.check_training(persona, {"device": "gpu", "launcher": {"devices": 64}})

    assert any("GPU" in one.message for one in found.findings)
    assert any("GPU" in one.message for one in found.blocking) is forbidden
    services.close()


def test_the_check_of_the_tiny_base_knows_what_is_cut(services):
    found = services.check_training(services.settings.persona, {"max_length": 16})

    assert [one.blocking for one in found.findings] == [True]
    assert found.findings[0].values["longest"] == 16


def test_a_base_that_was_never_brought_in_is_told_with_a_remedy(services):
    with pytest.raises(MissingArtifactError):
        services.check_training(services.settings.persona, {"base": "bases/gone"})


def test_the_configuration_can_be_read_before_a_run_exists(services):
    file = services.write_training(services.settings.persona, {"learning_rate": 5e-4})

    assert "lr = 0.0005" in file.text
    assert not list(services.settings.runs.glob("*"))


def test_without_a_former_run_nobody_knows_the_pace(services):
    assert services.training_pace({}) is None
