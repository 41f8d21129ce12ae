"""Where the weights lie that come with the package."""

from __future__ import annotations

from pathlib import Path

_IN_PLACE = Path(__file__).parents[2] / "Resources"
SHIPPED = _IN_PLACE if _IN_PLACE.is_dir() else Path(__file__).parent / "shipped"  # see setup.py
