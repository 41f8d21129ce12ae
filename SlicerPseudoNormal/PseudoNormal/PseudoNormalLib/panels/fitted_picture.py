"""A picture that is as wide as the box it stands in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import qt

LEAST_WIDTH = 300  # px


class FittedPicture:
    """Shows a file, or nothing.

    :param box: as wide as this is it shown.
    :ivar widget: the label.
    """

    def __init__(self, box: Any) -> None:
        self.widget = qt.QLabel()
        self.widget.setMinimumWidth(1)  # a picture must not keep the panel from being made narrower
        self._box = box
        self._picture, self._width = qt.QPixmap(), 0
        self.fit()

    @property
    def shown(self) -> bool:
        """Whether there is a picture."""
        return not self._picture.isNull()

    def show(self, path: Path | None) -> None:
        """Show another file; None for nothing."""
        self._picture, self._width = qt.QPixmap(str(path)) if path is not None else qt.QPixmap(), 0
        self.fit()

    def fit(self) -> None:
        """Be as wide as the box is now."""
        width = max(LEAST_WIDTH, self._box.width)
        if self.shown and width != self._width:
            self._width = width
            self.widget.setPixmap(self._picture.scaledToWidth(width, qt.Qt.SmoothTransformation))
        self.widget.visible = self.shown
