"""The arena: two models answer the same words unseen, and votes become ratings."""
