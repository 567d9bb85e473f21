"""Addresses of servers, as people give them."""

from __future__ import annotations

from urllib.parse import urlsplit


def is_address(url: str) -> bool:
    """Whether that is an address without a password in it: addresses are stored and shown, secrets are not."""
    try:
        parts = urlsplit(url)
    except ValueError:  # a bracket that is never closed
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
