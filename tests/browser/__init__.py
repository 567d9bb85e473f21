"""Tests in a real Chromium against the real app: what a person sees, does and hears."""
