"""Training her voice with GPT-SoVITS from a checkout of the user's; choosing weights, keeping and serving voices."""
