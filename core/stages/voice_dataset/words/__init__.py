"""The words: read from subtitles, found again in the book, or written down by a recogniser."""
