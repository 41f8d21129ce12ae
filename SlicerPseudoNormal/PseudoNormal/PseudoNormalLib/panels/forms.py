"""How the panels are laid out: sections, rows and buttons that say why they cannot be pressed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ctk
import qt
import slicer

from PseudoNormalLib.i18n import _
from PseudoNormalLib.review.offers import Offer


def section(title: str, *, collapsed: bool = False) -> tuple[Any, Any]:
    """A part of a panel that can be folded away.

    :returns: the widget, and the form layout inside it.
    """
    widget = ctk.ctkCollapsibleButton()
    widget.text = title
    form = qt.QFormLayout(widget)
    widget.collapsed = collapsed
    return widget, form


def row(*widgets: Any) -> Any:
    """Widgets side by side, as one widget."""
    together = qt.QWidget()
    layout = qt.QHBoxLayout(together)
    layout.setContentsMargins(0, 0, 0, 0)
    for widget in widgets:
        layout.addWidget(widget)
    return together


def button(text: str, tip: str, pressed: Callable[[], Any]) -> Any:
    """A push button.

    :param tip: what it does.
    """
    made = qt.QPushButton(text)
    made.toolTip = tip
    made.clicked.connect(pressed)
    return made


def note(text: str = "") -> Any:
    """A line or more of text that wraps."""
    label = qt.QLabel(text)
    label.wordWrap = True
    return label


def research_notice() -> Any:
    """What every panel says once, at its end and in line with its sections' contents."""
    notice = note(_("Research software, not a medical device."))
    notice.setContentsMargins(9, 0, 9, 0)
    return notice


def allow(widget: Any, tip: str, reason: str = "") -> None:
    """Let a widget be used, or say in its tooltip why it cannot be.

    :param tip: what it does.
    :param reason: why it cannot be used now; empty when it can.
    """
    widget.enabled = not reason
    widget.toolTip = reason or tip


def follow(widget: Any, offer: Offer) -> None:
    """Let a widget be used if its offer stands, or say in its tooltip why not."""
    allow(widget, offer.tip, offer.reason)


def fill_combo(combo: Any, texts: list[tuple[str, str]], chosen: str) -> None:
    """Put these texts with their values into a combo box; what was chosen stays so."""
    combo.blockSignals(True)
    combo.clear()
    for text, value in texts:
        combo.addItem(text, value)
    combo.setCurrentIndex(max(0, combo.findData(chosen)) if texts else -1)
    combo.blockSignals(False)


def node_selector(kind: str, none: str) -> Any:
    """Chooses a node of the scene, or none.

    :param kind: the nodes' class; those that are derived from it are not offered.
    :param none: what it says while none is chosen.
    """
    selector = slicer.qMRMLNodeComboBox()
    selector.nodeTypes = [kind]
    selector.showChildNodeTypes = False
    selector.addEnabled = False
    selector.removeEnabled = False
    selector.noneEnabled = True
    selector.noneDisplay = none
    return selector
