"""Who reviews, and where the case store is."""

from __future__ import annotations

from typing import Any

import qt

from PseudoNormalLib.i18n import _
from PseudoNormalLib.panels.forms import note, section
from PseudoNormalLib.panels.store_folder import StoreFolder
from PseudoNormalLib.review.bench import ReviewBench


class StoreBox:
    """The annotator's name and, for an engine on this computer, the store's folder.

    :ivar widget: the section; folded away where both are known.
    """

    def __init__(self, review: ReviewBench) -> None:
        self._review = review
        self._connection = review.bench.connection
        self.widget, form = section(_("Annotator and case store"), collapsed=not review.obstacle())
        self.name_edit = qt.QLineEdit()
        self.name_edit.placeholderText = _("Stands beside everything that you save")
        self.name_edit.text = review.annotator
        self.name_edit.editingFinished.connect(self._sign)
        form.addRow(_("Your name:"), self.name_edit)
        self._folder = StoreFolder(self._connection, review.keep_store_in)
        self.folder_edit = self._folder.edit
        form.addRow(_("Store:"), self.folder_edit)
        self.message = note()
        form.addRow(self.message)
        self._connection.changed.connect(self._follow)
        self._follow()

    def close(self) -> None:
        """Follow no more."""
        self._folder.close()
        self._connection.changed.disconnect(self._follow)

    def _sign(self) -> None:
        if self.name_edit.text.strip() != self._review.annotator:
            self._review.sign(self.name_edit.text)
            self._review.wake()
        self._follow()

    def _follow(self, *_state: Any) -> None:
        self.message.text = self._review.where()
