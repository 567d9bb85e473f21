"""Stands for the model of speech features."""

from __future__ import annotations

import os

cnhubert_base_path: str | None = None


def get_model() -> str:
    """Return the model's file; an error without."""
    file = f"{cnhubert_base_path}/pytorch_model.bin"
    if not os.path.exists(file):
        raise OSError(f"Error no file named pytorch_model.bin found in directory {cnhubert_base_path}.")
    return file
