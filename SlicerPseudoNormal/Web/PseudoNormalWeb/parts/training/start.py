"""What is to be trained: recipe, model to begin from, data, time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from PseudoNormalLib.i18n import _
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
from trame.widgets import html
from trame.widgets import vuetify3 as v3
from trame_server.utils.typed_state import TypedState

from PseudoNormalWeb.parts.training.offers import Offers, items
from PseudoNormalWeb.window.forms import button, note, section

if TYPE_CHECKING:
    from PseudoNormalWeb.window.window import Window


@dataclass
class StartState:
    """What can be chosen, as Vuetify's items, and what is.

    :param anew: why no model to begin from can be chosen; empty when one can.
    :param obstacle: why nothing can be started now; empty when it can.
    :param no_look: why cases cannot be counted now; empty when they can.
    """

    recipes: Offers = field(default_factory=list)
    recipe: str = ""
    explanation: str = ""
    models: Offers = field(default_factory=list)
    model: str = ""
    anew: str = ""
    begin_tip: str = field(default_factory=begin_tip)
    contrasts: Offers = field(default_factory=list)
    contrast: str = ""
    material: str = ""
    minutes: str = str(USUAL_MINUTES)
    settings: str = ""
    obstacle: str = ""
    no_look: str = ""


class StartPart:
    """Chooses and starts."""

    def __init__(self, window: Window) -> None:
        self._training = training = window.training
        self._state = TypedState(window.server.state, StartState)
        self._state.data.contrasts = items(contrast_offers())
        name = self._state.name
        self._state.bind_changes({
            name.recipe: self._describe,
            name.settings: self._describe,
            name.minutes: self._describe,
            name.contrast: training.choose_contrast,
        })  # fmt: skip
        self._signals = ((training.offered, self._show), (training.bench.connection.changed, self._describe))
        for signal, listener in self._signals:
            signal.connect(listener)
        self._show()

    def build(self) -> None:
        """Make the widgets, inside the trame layout that is open."""
        name = self._state.name
        with section(_("New training")):
            v3.VSelect(v_model=(name.recipe,), items=(name.recipes,), label=_("Recipe"))
            note(f"{{{{ {name.explanation} }}}}")
            v3.VSelect(
                v_model=(name.model,),
                items=(name.models,),
                label=_("Begin from"),
                disabled=(f"!!{name.anew}",),
                title=(f"{name.anew} || {name.begin_tip}",),
            )
            v3.VSelect(
                v_model=(name.contrast,),
                items=(name.contrasts,),
                label=_("Scans"),
                title=_("Which of the store's scans are used"),
            )
            note(f"{{{{ {name.material} }}}}", style="white-space: pre-line;")
            look = _("Count the store's cases again")
            button(_("Look again"), self._training.refresh, tip=look, reason=name.no_look)
            with html.Div(classes="pn-row"):
                v3.VTextField(
                    v_model=(name.minutes,),
                    label=_("Minutes"),
                    type="number",
                    min=1,
                    max=LONGEST_MINUTES,
                    title=_("How long it learns; judging the outcome takes some minutes more"),
                )
                v3.VTextField(
                    v_model=(name.settings,),
                    label=_("Settings"),
                    placeholder=_("none; such as batch=1 seed=3"),
                    title=_("Settings of the trainer and of the recipe, for those who know them"),
                )
            button(
                _("Start"), self._start, tip=_("Put it into the engine's queue"), reason=name.obstacle, wide=True,
                color="primary", variant="flat", size="default",
            )  # fmt: skip
            note(f"{{{{ {name.obstacle} }}}}")

    def close(self) -> None:
        """Follow no more; the part is not used again."""
        for signal, listener in self._signals:
            signal.disconnect(listener)

    def _show(self) -> None:
        data = self._state.data
        recipe = recipe_named(self._training, data.recipe)
        data.recipes, data.recipe = items(recipe_offers(self._training)), recipe.name if recipe is not None else ""
        data.models = items(start_model_offers(self._training))
        if data.model not in [model.name for model in self._training.models]:
            data.model = ""
        self._describe()

    def _describe(self, *_news: Any) -> None:
        data, material = self._state.data, self._training.material
        recipe = recipe_named(self._training, data.recipe)
        data.explanation = recipe.explanation if recipe is not None else ""
        data.anew = begin_obstacle(recipe)
        data.material = material_in_words(material, recipe) if material is not None else ""
        data.no_look = self._training.obstacle()
        data.obstacle = start_obstacle(self._training, recipe, data.settings) or self._no_minutes()

    def _no_minutes(self) -> str:
        try:
            fits = 1 <= float(self._state.data.minutes) <= LONGEST_MINUTES
        except ValueError:
            fits = False
        return "" if fits else _("Give the minutes as a number, from 1 to {most}").format(most=LONGEST_MINUTES)

    def _start(self) -> None:
        data = self._state.data
        settings = settings_in(data.settings)
        model = "" if data.anew else data.model
        self._training.start(Plan(data.recipe, model, float(data.minutes), data.contrast, settings))
