"""The keys of the review: the one place that says which key does what."""

from __future__ import annotations

from dataclasses import dataclass

from PseudoNormalLib.i18n import _


@dataclass(frozen=True)
class Shortcut:
    """One action that has a key.

    :param action: its name in code, such as ``"reject_finding"``.
    :param key: the key as Qt writes it, such as ``"Ctrl+Z"``.
    :param text: what it does, for people.
    """

    action: str
    key: str
    text: str


def shortcuts() -> tuple[Shortcut, ...]:
    """All shortcuts in the order in which people meet them."""
    return (
        Shortcut("next_finding", "N", _("Go to the next finding")),
        Shortcut("previous_finding", "P", _("Go to the previous finding")),
        Shortcut("accept_finding", "A", _("Accept the finding: it is a lesion")),
        Shortcut("reject_finding", "X", _("Reject the finding: its voxels leave the mask")),
        Shortcut("keep_finding", "K", _("Keep the finding without a decision")),
        Shortcut("grow", "G", _("Grow to the difference map at the crosshair")),
        Shortcut("shrink", "H", _("Shrink to the difference map at the crosshair")),
        Shortcut("distrust", "D", _("Draw what is not to be trusted, or the lesion again")),
        Shortcut("larger_brush", "]", _("Larger brush")),
        Shortcut("smaller_brush", "[", _("Smaller brush")),
        Shortcut("flicker", "F", _("Flicker between the scan and its pseudo-normal")),
        Shortcut("undo", "Ctrl+Z", _("Undo")),
        Shortcut("redo", "Ctrl+Y", _("Redo")),
        Shortcut("save", "Ctrl+S", _("Save a draft now")),
        Shortcut("accept_case", "Ctrl+Return", _("Accept the case")),
        Shortcut("help", "?", _("Show these keys")),
    )


def help_text() -> str:
    """All keys, one a line, to be shown at ``?``."""
    table = shortcuts()
    width = max(len(shortcut.key) for shortcut in table)
    return "\n".join(f"{shortcut.key:<{width}}  {shortcut.text}" for shortcut in table)
