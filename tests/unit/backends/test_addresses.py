"""Which addresses of servers are taken."""

from __future__ import annotations

import pytest

from core.backends.addresses import is_address


@pytest.mark.parametrize("url", ["http://127.0.0.1:9880", "https://models.example.org/v1", "http://[::1]:8000/v1"])
def test_an_address_has_a_protocol_and_a_host(url: str):
    assert is_address(url)


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:9880", "ftp://a/v1", "file:///etc/passwd", "http://", "http://:80/v1", "http://["]
)
def test_anything_else_is_none(url: str):
    assert not is_address(url)


@pytest.mark.parametrize("url", ["http://me:secret@127.0.0.1/v1", "http://me@127.0.0.1/v1"])
def test_an_address_with_a_password_in_it_is_none(url: str):
    assert not is_address(url)
