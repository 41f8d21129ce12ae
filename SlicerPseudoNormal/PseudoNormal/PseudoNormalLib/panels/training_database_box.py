"""A synthetic database: a few scans to look at, then as many as are wanted into the case store."""

from __future__ import annotations

from typing import Any

import qt

from PseudoNormalLib.engine.training_replies import TrainingStatus
from PseudoNormalLib.i18n import _
from PseudoNormalLib.panels.fitted_picture import FittedPicture
from PseudoNormalLib.panels.forms import allow, button, fill_combo, note, section
from PseudoNormalLib.training.bench import TrainingBench
from PseudoNormalLib.training.database import (
    MOST,
    USUAL_COUNT,
    build_obstacle,
    build_plan,
    explanation,
    generator_named,
    generator_offers,
    preview_plan,
)
from PseudoNormalLib.training.words import database_title


class TrainingDatabaseBox:
    """Chooses a generator, shows what it makes, and builds.

    :ivar widget: the section.
    """

    def __init__(self, training: TrainingBench) -> None:
        self._training = training
        self._shown: bytes | None = None
        self._offers: list[tuple[str, str]] = []
        self.widget, form = section(database_title())
        self.explanation = note(explanation())
        self.generator_combo = qt.QComboBox()
        self.preview_button = button(_("Preview"), "", self._preview)
        self.sheet = FittedPicture(self.explanation)
        self.count_spin = qt.QSpinBox()
        self.count_spin.minimum = 1
        self.count_spin.maximum = MOST
        self.count_spin.value = USUAL_COUNT
        self.build_button = button(_("Build"), "", self._build)
        self.obstacle = note()
        form.addRow(self.explanation)
        form.addRow(_("Generator:"), self.generator_combo)
        form.addRow(self.preview_button)
        form.addRow(self.sheet.widget)
        form.addRow(_("Scans:"), self.count_spin)
        form.addRow(self.build_button)
        form.addRow(self.obstacle)
        self._signals = (
            (training.watch.changed, self._show),
            (training.watch.followed, self._follow),
            (training.offered, self._offer),
            (training.bench.connection.changed, self._offer),
        )
        for signal, listener in self._signals:
            signal.connect(listener)
        self._show()

    @property
    def generator(self) -> TrainingStatus | None:
        """The training whose generator is chosen."""
        return generator_named(self._training, self.generator_combo.currentData or "")

    def close(self) -> None:
        """Follow no more."""
        for signal, listener in self._signals:
            signal.disconnect(listener)

    def _show(self) -> None:
        offers = generator_offers(self._training)
        if offers != self._offers:  # a list that somebody has open is not to be closed whenever a training gets on
            generator, self._offers = self.generator, offers
            fill_combo(self.generator_combo, offers, generator.id if generator is not None else "")
        self._offer()

    def _follow(self, _training: TrainingStatus) -> None:
        if self._training.sheet != self._shown:
            self._shown = self._training.sheet
            self.sheet.show(self._training.file_of(self._shown))
        self.sheet.fit()

    def _offer(self, *_state: Any) -> None:
        obstacle = build_obstacle(self._training, self.generator)
        allow(self.preview_button, _("Make a few scans to look at; none is kept"), obstacle)
        allow(self.build_button, _("Make them and put them into the case store, as synthetic cases"), obstacle)
        self.obstacle.text = obstacle
        self.obstacle.visible = bool(obstacle)

    def _preview(self) -> None:
        generator = self.generator
        assert generator is not None
        self._training.build(preview_plan(self._training, generator))

    def _build(self) -> None:
        generator = self.generator
        assert generator is not None
        self._training.build(build_plan(self._training, generator, int(self.count_spin.value)))
