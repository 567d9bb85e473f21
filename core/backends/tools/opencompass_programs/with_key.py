"""Starts OpenCompass with a key it looks for under one name, taken from another: `with_key.py NAME arguments…`.

It reads `OPENAI_API_KEY` alone, and writes a key given any other way into its work folder. Servers without keys
get a word instead. Imports nothing but the standard library and OpenCompass.
"""

from __future__ import annotations

import os
import runpy
import sys


def start() -> None:
    """Hand over to OpenCompass's own command line."""
    name = sys.argv.pop(1)
    os.environ["OPENAI_API_KEY"] = os.environ.get(name) or "none"
    runpy.run_module("opencompass.cli.main", run_name="__main__")


if __name__ == "__main__":
    start()
