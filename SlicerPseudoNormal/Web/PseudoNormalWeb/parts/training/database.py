"""A synthetic database: a few scans to look at, then as many as are wanted into the case store."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from PseudoNormalLib.i18n import _
from PseudoNormalLib.training.database import (
    MOST,
    USUAL_COUNT,
    build_obstacle,
    build_plan,
    count_in,
    explanation,
    generator_named,
    generator_offers,
    preview_plan,
)
from PseudoNormalLib.training.words import database_title
from trame.widgets import html
from trame.widgets import vuetify3 as v3
from trame_server.utils.typed_state import TypedState

from PseudoNormalWeb.parts.training.offers import Offers, items
from PseudoNormalWeb.parts.training.picture import address_of
from PseudoNormalWeb.window.forms import button, note, section

if TYPE_CHECKING:
    from PseudoNormalLib.engine.training_replies import TrainingStatus

    from PseudoNormalWeb.window.window import Window


@dataclass
class DatabaseState:
    """What can be chosen, as Vuetify's items, and what is.

    :param count: as it was typed.
    :param sheet: some of the scans as the address of a picture; empty for none.
    :param obstacle: why nothing can be made now; empty when it can.
    :param no_count: why not as many can be made as are wanted; empty when they can.
    """

    generators: Offers = field(default_factory=list)
    generator: str = ""
    count: str = str(USUAL_COUNT)
    sheet: str = ""
    obstacle: str = ""
    no_count: str = ""


class DatabasePart:
    """Chooses a generator, shows what it makes, and builds."""

    def __init__(self, window: Window) -> None:
        self._training = training = window.training
        self._state = TypedState(window.server.state, DatabaseState)
        self._state.bind_changes({self._state.name.count: self._offer})
        self._shown: bytes | None = None
        self._signals = (
            (training.watch.changed, self._show),
            (training.watch.followed, self._follow),
            (training.offered, self._offer),
            (training.bench.connection.changed, self._offer),
        )
        for signal, listener in self._signals:
            signal.connect(listener)
        self._show()

    def build(self) -> None:
        """Make the widgets, inside the trame layout that is open."""
        name = self._state.name
        with section(database_title()):
            note(explanation())
            v3.VSelect(v_model=(name.generator,), items=(name.generators,), label=_("Generator"))
            tip = _("Make a few scans to look at; none is kept")
            button(_("Preview"), self._preview, tip=tip, reason=name.obstacle)
            html.Img(src=(name.sheet,), v_show=(name.sheet,), classes="pn-sheet")
            v3.VTextField(v_model=(name.count,), label=_("Synthetic scans"), type="number", min=1, max=MOST)
            tip = _("Make them and put them into the case store, as synthetic cases")
            reason = f"{name.obstacle} || {name.no_count}"
            button(_("Build"), self._build, tip=tip, reason=reason, wide=True, color="primary", variant="flat",
                   size="default")  # fmt: skip
            note(f"{{{{ {reason} }}}}")

    def close(self) -> None:
        """Follow no more; the part is not used again."""
        for signal, listener in self._signals:
            signal.disconnect(listener)

    @property
    def _generator(self) -> TrainingStatus | None:
        return generator_named(self._training, self._state.data.generator)

    def _show(self) -> None:
        data, generator = self._state.data, self._generator
        data.generators = items(generator_offers(self._training))
        data.generator = generator.id if generator is not None else ""
        self._offer()

    def _follow(self, _training: TrainingStatus) -> None:
        if self._training.sheet != self._shown:
            self._shown = self._training.sheet
            self._state.data.sheet = address_of(self._shown)

    def _offer(self, *_news: Any) -> None:
        data = self._state.data
        data.obstacle = build_obstacle(self._training, self._generator)
        line = _("Give the scans as a whole number, from 1 to {most}").format(most=MOST)
        data.no_count = "" if count_in(data.count) else line

    def _preview(self) -> None:
        generator = self._generator
        if generator is not None:
            self._training.build(preview_plan(self._training, generator))

    def _build(self) -> None:
        generator, count = self._generator, count_in(self._state.data.count)
        if generator is not None and count:
            self._training.build(build_plan(self._training, generator, count))
