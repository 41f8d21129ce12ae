"""How long something will take, in words."""

from __future__ import annotations

from PseudoNormalLib.i18n import _


def time_left(seconds: float | None) -> str:
    """How long it will take, as people say it; empty where nobody knows."""
    if seconds is None:
        return ""
    if seconds < 90:
        return _("about {seconds} s left").format(seconds=max(1, round(seconds)))
    return _("about {minutes} min left").format(minutes=round(seconds / 60))
