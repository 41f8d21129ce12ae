"""Settings that hold for all tests."""

from __future__ import annotations

from hypothesis import settings

# Tests share the machine with each other: how long one example took says nothing about the code.
# Whatever else hypothesis has chosen (under CI: the same examples every time) stays.
settings.register_profile("project", deadline=None)
settings.load_profile("project")
