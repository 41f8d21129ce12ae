"""What is to be trained: recipe, model to begin from, data, time."""

from __future__ import annotations

from typing import Any

import qt

from PseudoNormalLib.engine.training_replies import MaterialInfo, RecipeInfo
from PseudoNormalLib.i18n import _
from PseudoNormalLib.panels.forms import allow, button, note, row, section
from PseudoNormalLib.training.bench import TrainingBench
from PseudoNormalLib.training.plan import CONTRASTS, Plan, settings_in

LONGEST = 7 * 24 * 60  # minutes


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
        self.model_combo.toolTip = _("The training begins with this model's weights, so that it does not forget")
        self.contrast_combo = qt.QComboBox()
        for contrast in CONTRASTS:
            self.contrast_combo.addItem(_contrast_in_words(contrast), contrast)
        self.contrast_combo.toolTip = _("Which of the store's scans are used")
        self.material = note()
        self.refresh_button = button(_("Look again"), _("Count the store's cases again"), training.refresh)
        self.minutes_spin = qt.QSpinBox()
        self.minutes_spin.minimum = 1
        self.minutes_spin.maximum = LONGEST
        self.minutes_spin.value = 10
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
        name = self.recipe_combo.currentData
        return next((recipe for recipe in self._training.recipes if recipe.name == name), None)

    def close(self) -> None:
        """Follow no more."""
        for signal, listener in self._signals:
            signal.disconnect(listener)

    def _show(self) -> None:
        recipes, models = self._training.recipes, self._training.models
        default = next((recipe.name for recipe in recipes if recipe.default), "")
        texts = [(recipe.name if recipe.trainable else _("{name} (not from a case store)").format(name=recipe.name),
                  recipe.name) for recipe in recipes]  # fmt: skip
        _fill(self.recipe_combo, texts, self.recipe_combo.currentData or default)
        own = next((f"{model.name} {model.version}" for model in models if model.default), "")
        first = _("Automatic ({name})").format(name=own) if own else _("Automatic")
        named = [(f"{model.name} {model.version}", model.name) for model in models]
        _fill(self.model_combo, [(first, ""), *named], self.model_combo.currentData or "")
        self._describe()

    def _describe(self, *_state: Any) -> None:
        recipe, material = self.recipe, self._training.material
        self.explanation.text = recipe.explanation if recipe is not None else ""
        self.explanation.visible = recipe is not None
        self.material.text = material_in_words(material) if material is not None else ""
        self.material.visible = material is not None
        allow(self.start_button, _("Put it into the engine's queue"), self._obstacle(recipe, material))
        allow(self.refresh_button, _("Count the store's cases again"), self._training.obstacle())

    def _obstacle(self, recipe: RecipeInfo | None, material: MaterialInfo | None) -> str:
        if self._training.obstacle():
            return self._training.obstacle()
        if recipe is None or material is None:
            return _("The engine has not said yet what it can train")
        if not recipe.trainable:
            return _("This recipe cannot learn from a case store: choose another one")
        try:
            settings_in(self.settings_edit.text)
        except ValueError as error:
            return str(error)
        return material.refusal

    def _look(self) -> None:
        self._training.choose_contrast(self.contrast_combo.currentData or "")

    def _start(self) -> None:
        recipe = self.recipe
        assert recipe is not None
        plan = Plan(
            recipe.name,
            self.model_combo.currentData or "",
            float(self.minutes_spin.value),
            self.contrast_combo.currentData or "",
            settings_in(self.settings_edit.text),
        )
        self._training.start(plan)


def material_in_words(material: MaterialInfo) -> str:
    """What a training would use, a line each; what stands in its way, or should be known, comes last."""
    counts = {name: material.subjects.get(name, 0) for name in ("train", "validation", "test")}
    cases = _(
        "It would use {labelled} cases with an accepted mask ({weighted} of them with voxels not to be trusted) and "
        "{unlabelled} without one."
    )
    subjects = _("Subjects: {train} to learn from, {validation} to choose numbers, {test} to judge.")
    lines = [
        cases.format(labelled=material.labelled, weighted=material.weighted, unlabelled=material.unlabelled),
        subjects.format(**counts),
        *(_("Note: {line}").format(line=line) for line in material.problems),
    ]
    return "\n".join(lines)


def _contrast_in_words(contrast: str) -> str:
    words = {"": _("All, which must be of one contrast"), "any": _("All, contrasts mixed"), "pd": _("PD only"),
             "flair": _("FLAIR only"), "t1": _("T1 only"), "t2": _("T2 only")}  # fmt: skip
    return words[contrast]


def _fill(combo: Any, texts: list[tuple[str, str]], chosen: str) -> None:
    """Put these texts with their values into a combo box; what was chosen stays so."""
    combo.blockSignals(True)
    combo.clear()
    for text, value in texts:
        combo.addItem(text, value)
    combo.setCurrentIndex(max(0, combo.findData(chosen)) if texts else -1)
    combo.blockSignals(False)
