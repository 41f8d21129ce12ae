"""Keys that hold while a panel is shown, and not a moment longer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import qt
import slicer


class Shortcuts:
    """Keys of the main window on behalf of a panel: installed when it is entered, removed when it is left.

    :param actions: what to do, by key as Qt writes it, such as ``"F"`` or ``"Ctrl+Z"``.
    """

    def __init__(self, actions: Mapping[str, Callable[[], Any]]) -> None:
        self._actions = dict(actions)
        self._installed: list[Any] = []

    def install(self) -> None:
        """From now on the keys do what they say; without a main window there are none."""
        window = slicer.util.mainWindow()
        if window is None or self._installed:
            return
        for key, action in self._actions.items():
            shortcut = qt.QShortcut(window)
            shortcut.setKey(qt.QKeySequence(key))
            shortcut.connect("activated()", action)
            self._installed.append(shortcut)

    def remove(self) -> None:
        """The keys mean again what they meant before."""
        for shortcut in self._installed:
            shortcut.setEnabled(False)
            shortcut.setParent(None)
            shortcut.deleteLater()
        self._installed = []
