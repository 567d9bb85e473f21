"""What becomes of a finished model: a smaller copy, an export with its card, removal."""
