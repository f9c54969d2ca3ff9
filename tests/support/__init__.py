"""Helpers that the test layers share; importable as `support` (pytest puts `tests` on the path)."""
