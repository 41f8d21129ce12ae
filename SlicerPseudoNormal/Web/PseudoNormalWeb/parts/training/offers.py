"""What can be chosen, as Vuetify's selectors want it."""

from __future__ import annotations

from collections.abc import Iterable

Offers = list[dict[str, str]]


def items(offers: Iterable[tuple[str, str]]) -> Offers:
    """Texts with their values."""
    return [{"title": text, "value": value} for text, value in offers]
