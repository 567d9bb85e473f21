"""Durable runs, the one door that starts programs, and the environments those programs live in."""
