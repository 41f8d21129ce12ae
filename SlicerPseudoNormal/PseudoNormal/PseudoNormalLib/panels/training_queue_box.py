"""The engine's trainings and synthetic databases, whoever asked for them: what runs, what waits, what is over."""

from __future__ import annotations

from PseudoNormalLib.i18n import _
from PseudoNormalLib.panels.forms import note, section
from PseudoNormalLib.panels.tables import fill, plain_table
from PseudoNormalLib.training.bench import TrainingBench
from PseudoNormalLib.training.words import queue_rows, queue_titles, waiting_in_words

HEIGHT = 110  # px


class TrainingQueueBox:
    """Trainings and databases, one a row; a click follows one.

    :ivar widget: the section.
    """

    def __init__(self, training: TrainingBench) -> None:
        self._training = training
        self.widget, form = section(_("Trainings and databases on this engine"))
        self.table = plain_table(queue_titles(), stretched=3, height=HEIGHT)
        self.table.toolTip = _("Click one to follow it")
        self.table.cellClicked.connect(self._follow)
        self.message = note()
        form.addRow(self.table)
        form.addRow(self.message)
        self._signals = ((training.watch.changed, self._show), (training.watch.followed, self._show))
        for signal, listener in self._signals:
            signal.connect(listener)
        self._show()

    def close(self) -> None:
        """Follow no more."""
        for signal, listener in self._signals:
            signal.disconnect(listener)

    def _show(self, *_news: object) -> None:
        trainings = self._training.watch.trainings
        fill(self.table, queue_rows(trainings))
        followed = self._training.current
        ids = [training.id for training in trainings]
        self.table.setCurrentCell(ids.index(followed.id) if followed is not None and followed.id in ids else -1, 0)
        self.message.text = waiting_in_words(trainings)
        self.message.visible = bool(self.message.text)

    def _follow(self, number: int, _column: int) -> None:
        self._training.watch.follow(self._training.watch.trainings[number].id)
