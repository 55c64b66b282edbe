"""Readers of public layouts and the built-in generator; each yields samples lazily."""
