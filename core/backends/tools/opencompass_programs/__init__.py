"""Programs of ours that run in OpenCompass's environment."""
