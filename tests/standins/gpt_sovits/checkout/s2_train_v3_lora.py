"""Stands for `s2_train_v3_lora.py`: an adapter for SoVITS of v3 and v4."""

from __future__ import annotations

from s2_training import train  # type: ignore[import-not-found]  # lies beside it in the checkout

if __name__ == "__main__":
    train(adapter=True)
