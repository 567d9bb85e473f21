"""Training her voice with GPT-SoVITS from a checkout of the user's: formatting, both training stages, weights.

The room is still empty; the map says what is coming. Until it is furnished, replies speak with her clips or the
built-in placeholder voice.
"""
