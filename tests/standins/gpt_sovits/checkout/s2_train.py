"""Stands for `s2_train.py`: SoVITS of v2, v2Pro and v2ProPlus."""

from __future__ import annotations

from s2_training import train  # type: ignore[import-not-found]  # lies beside it in the checkout

if __name__ == "__main__":
    train(adapter=False)
