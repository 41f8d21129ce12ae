"""The panel of the module PseudoNormalTraining, put together from its boxes."""

from __future__ import annotations

from typing import Any

import qt

from PseudoNormalLib.engine.connection import LOCAL
from PseudoNormalLib.i18n import _
from PseudoNormalLib.panels.engine_box import EngineBox
from PseudoNormalLib.panels.forms import note, research_notice, section
from PseudoNormalLib.panels.store_folder import StoreFolder
from PseudoNormalLib.panels.training_compare_box import TrainingCompareBox
from PseudoNormalLib.panels.training_curves_box import TrainingCurvesBox
from PseudoNormalLib.panels.training_database_box import TrainingDatabaseBox
from PseudoNormalLib.panels.training_queue_box import TrainingQueueBox
from PseudoNormalLib.panels.training_start_box import TrainingStartBox
from PseudoNormalLib.panels.training_state_box import TrainingStateBox
from PseudoNormalLib.panels.training_versions_box import TrainingVersionsBox
from PseudoNormalLib.training.bench import TrainingBench


class TrainingPanel:
    """What the lab sees: how the training is, a new one, curves, a database, the queue, versions, models compared.

    :param training: does the work.
    :ivar widget: the panel.
    """

    def __init__(self, training: TrainingBench) -> None:
        self._training = training
        connection = training.bench.connection
        self.state = TrainingStateBox(training)
        self.engine = EngineBox(connection, training.bench.background)
        self.store, form = section(_("Case store"), collapsed=not training.obstacle())
        self.folder = StoreFolder(connection, training.keep_store_in)
        self.store_note = note()
        form.addRow(_("Store:"), self.folder.edit)
        form.addRow(self.store_note)
        self.start = TrainingStartBox(training)
        self.curves = TrainingCurvesBox(training)
        self.database = TrainingDatabaseBox(training)
        self.queue = TrainingQueueBox(training)
        self.versions = TrainingVersionsBox(training.versions)
        self.compare = TrainingCompareBox(training)
        self.widget = qt.QWidget()
        layout = qt.QVBoxLayout(self.widget)
        layout.setContentsMargins(0, 0, 0, 0)
        before = (self.state, self.engine)
        after = (self.start, self.curves, self.database, self.queue, self.versions, self.compare)
        for widget in (*(box.widget for box in before), self.store, *(box.widget for box in after)):
            layout.addWidget(widget)
        layout.addWidget(research_notice())
        layout.addStretch(1)
        self._boxes = (*before, self.folder, *after)
        connection.changed.connect(self._follow)
        training.offered.connect(self._told)
        self._follow()

    def enter(self) -> None:
        """The panel is shown: the engine is woken, and its trainings are followed."""
        self._training.wake()

    def leave(self) -> None:
        """The panel is hidden; what runs goes on."""
        self._training.rest()

    def close(self) -> None:
        """Let go of everything; the panel is not used again."""
        self._training.bench.connection.changed.disconnect(self._follow)
        self._training.offered.disconnect(self._told)
        for box in self._boxes:
            box.close()

    def _follow(self, *_state: Any) -> None:
        choice = self._training.bench.connection.choice
        served = _("The cases are those of the server {url}.").format(url=choice.url) if choice.kind != LOCAL else ""
        self.store_note.text = self._training.obstacle() or served
        self.store_note.visible = bool(self.store_note.text)

    def _told(self) -> None:
        self.engine.show_status(self._training.status)
