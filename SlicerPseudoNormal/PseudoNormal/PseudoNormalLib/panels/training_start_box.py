"""What is to be trained: recipe, model to begin from, data, time."""

from __future__ import annotations

from typing import Any

import qt

from PseudoNormalLib.engine.training_replies import RecipeInfo
from PseudoNormalLib.i18n import _
from PseudoNormalLib.panels.forms import allow, button, fill_combo, note, row, section
from PseudoNormalLib.training.bench import TrainingBench
from PseudoNormalLib.training.plan import (
    LONGEST_MINUTES,
    USUAL_MINUTES,
    Plan,
    begin_obstacle,
    begin_tip,
    contrast_offers,
    recipe_named,
    recipe_offers,
    settings_in,
    start_model_offers,
    start_obstacle,
)
from PseudoNormalLib.training.words import material_in_words


class TrainingStartBox:
    """Chooses and starts.

    :ivar widget: the section.
    """

    def __init__(self, training: TrainingBench) -> None:
        self._training = training
        self.widget, form = section(_("New training"))
        self.recipe_combo = qt.QComboBox()
        self.explanation = note()
        self.model_combo = qt.QComboBox()
        self.contrast_combo = qt.QComboBox()
        for text, contrast in contrast_offers():
            self.contrast_combo.addItem(text, contrast)
        self.contrast_combo.toolTip = _("Which of the store's scans are used")
        self.material = note()
        self.refresh_button = button(_("Look again"), _("Count the store's cases again"), training.refresh)
        self.minutes_spin = qt.QSpinBox()
        self.minutes_spin.minimum = 1
        self.minutes_spin.maximum = LONGEST_MINUTES
        self.minutes_spin.value = USUAL_MINUTES
        self.minutes_spin.toolTip = _("How long it learns; judging the outcome takes some minutes more")
        self.settings_edit = qt.QLineEdit()
        self.settings_edit.placeholderText = _("none; such as batch=1 seed=3")
        self.settings_edit.toolTip = _("Settings of the trainer and of the recipe, for those who know them")
        self.start_button = button(_("Start"), "", self._start)
        form.addRow(_("Recipe:"), self.recipe_combo)
        form.addRow(self.explanation)
        form.addRow(_("Begin from:"), self.model_combo)
        form.addRow(_("Scans:"), row(self.contrast_combo, self.refresh_button))
        form.addRow(self.material)
        form.addRow(_("Minutes:"), self.minutes_spin)
        form.addRow(_("Settings:"), self.settings_edit)
        form.addRow(self.start_button)
        self.recipe_combo.connect("currentIndexChanged(int)", self._describe)
        self.contrast_combo.connect("currentIndexChanged(int)", self._look)
        self.settings_edit.textChanged.connect(self._describe)
        self._signals = ((training.offered, self._show), (training.bench.connection.changed, self._describe))
        for signal, listener in self._signals:
            signal.connect(listener)
        self._show()

    @property
    def recipe(self) -> RecipeInfo | None:
        """The recipe that is chosen."""
        return recipe_named(self._training, self.recipe_combo.currentData or "")

    def close(self) -> None:
        """Follow no more."""
        for signal, listener in self._signals:
            signal.disconnect(listener)

    def _show(self) -> None:
        recipe = self.recipe
        fill_combo(self.recipe_combo, recipe_offers(self._training), recipe.name if recipe is not None else "")
        fill_combo(self.model_combo, start_model_offers(self._training), self.model_combo.currentData or "")
        self._describe()

    def _describe(self, *_state: Any) -> None:
        recipe, material = self.recipe, self._training.material
        self.explanation.text = recipe.explanation if recipe is not None else ""
        self.explanation.visible = recipe is not None
        self.material.text = material_in_words(material, recipe) if material is not None else ""
        self.material.visible = material is not None
        allow(self.model_combo, begin_tip(), begin_obstacle(recipe))
        obstacle = start_obstacle(self._training, recipe, self.settings_edit.text)
        allow(self.start_button, _("Put it into the engine's queue"), obstacle)
        allow(self.refresh_button, _("Count the store's cases again"), self._training.obstacle())

    def _look(self) -> None:
        self._training.choose_contrast(self.contrast_combo.currentData or "")

    def _start(self) -> None:
        recipe = self.recipe
        assert recipe is not None
        plan = Plan(
            recipe.name,
            "" if begin_obstacle(recipe) else self.model_combo.currentData or "",
            float(self.minutes_spin.value),
            self.contrast_combo.currentData or "",
            settings_in(self.settings_edit.text),
        )
        self._training.start(plan)
