"""A studio whose service can be asked in this process, or over a connection."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from core.services import Services
from core.settings import ApiSettings
from tests.api_service import Service, studio_of_a_qing


@pytest.fixture
def opened(tmp_path: Path, migrated: Path) -> Iterator[Callable[..., Services]]:
    """Open a studio with settings of the service and files of configs/."""
    with ExitStack() as stack:

        def opening(configs: dict[str, str] | None = None, **api: object) -> Services:
            settings = ApiSettings.model_validate({"requests_per_minute": 100_000, **api})
            own = studio_of_a_qing(tmp_path, migrated=migrated, api=settings, configs=configs or {})
            return stack.enter_context(own)

        yield opening


@pytest.fixture
def studio(opened: Callable[..., Services]) -> Services:
    return opened()


@pytest.fixture
def service(studio: Services) -> Iterator[Service]:
    with Service(studio) as running:
        yield running
