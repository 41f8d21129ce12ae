"""A picture of the engine's, as the page takes it."""

from __future__ import annotations

import base64


def address_of(picture: bytes | None) -> str:
    """A PNG as an address of its own; empty for none."""
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}" if picture else ""
