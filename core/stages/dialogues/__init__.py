"""Dialogues: passages become utterances — what is said, who says it, and why we think so."""
