"""Base models: fetched from a hub or taken from a folder, brought into a form that runs no code of its own, checked."""
