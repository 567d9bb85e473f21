"""Corpus: an imported text becomes chapters and passages, each with its place in the file."""
