"""Where the case store of an engine on this computer is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ctk

from PseudoNormalLib.engine.connection import LOCAL, EngineConnection
from PseudoNormalLib.i18n import _


class StoreFolder:
    """A folder to choose; a server has its own.

    :param keep: called with another folder.
    :ivar edit: the widget.
    """

    def __init__(self, connection: EngineConnection, keep: Callable[[str], Any]) -> None:
        self._connection, self._keep = connection, keep
        self.edit = ctk.ctkPathLineEdit()
        self.edit.filters = ctk.ctkPathLineEdit.Dirs
        self.edit.currentPath = connection.choice.store
        self.edit.toolTip = _("The folder of the case store; an empty one becomes a store")
        self.edit.currentPathChanged.connect(self._choose)
        connection.changed.connect(self._follow)
        self._follow()

    def close(self) -> None:
        """Follow no more."""
        self._connection.changed.disconnect(self._follow)

    def _choose(self, path: str) -> None:
        if path != self._connection.choice.store:
            self._keep(path)

    def _follow(self, *_state: Any) -> None:
        self.edit.enabled = self._connection.choice.kind == LOCAL
