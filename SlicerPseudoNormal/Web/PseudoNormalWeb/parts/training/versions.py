"""The versions of the models: which is current, how each one did, promote and roll back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from PseudoNormalLib.i18n import _
from PseudoNormalLib.training.versions import comparisons_in_words, version_row, version_titles
from trame.widgets import html
from trame_server.utils.typed_state import TypedState

from PseudoNormalWeb.parts.training.table import table
from PseudoNormalWeb.window.forms import button, note, section

if TYPE_CHECKING:
    from PseudoNormalLib.engine.training_replies import VersionInfo

    from PseudoNormalWeb.window.window import Window


@dataclass
class VersionsState:
    """The list and what can be done with the chosen one.

    :param current: the chosen row; -1 for none.
    :param compared: how the chosen version did against others.
    :param no_promoting: why it cannot be promoted; empty when it can be tried.
    :param no_way_back: why its model cannot be rolled back; empty when it can.
    :param asked: whether a second question is open.
    """

    rows: list[list[str]] = field(default_factory=list)
    current: int = -1
    compared: str = ""
    no_promoting: str = ""
    no_way_back: str = ""
    message: str = ""
    asked: bool = False


class VersionsPart:
    """Versions, one a row, the last first. A version that is worse is promoted only after a second question."""

    def __init__(self, window: Window) -> None:
        self._versions = versions = window.training.versions
        self._state = TypedState(window.server.state, VersionsState)
        self._model = ""
        self._refused: VersionInfo | None = None
        self._signals = (
            (versions.changed, self._show),
            (versions.done, self._say),
            (versions.failed, self._say),
            (versions.refused, self._ask),
        )
        for signal, listener in self._signals:
            signal.connect(listener)
        self._show()

    def build(self) -> None:
        """Make the widgets, inside the trame layout that is open."""
        name = self._state.name
        with section(_("Versions of the models")):
            note(_("There are no versions yet: the first training makes them."), v_show=f"!{name.rows}.length")
            table(version_titles(), name.rows, name.current, self._choose)
            note(f"{{{{ {name.compared} }}}}", style="white-space: pre-line;")
            with html.Div(classes="pn-row"):
                tip = _("Let its model's name mean this version from now on")
                button(_("Promote"), self._promote, tip=tip, reason=name.no_promoting)
                tip = _("Let the version that was current before be so again")
                button(_("Roll back"), self._roll_back, tip=tip, reason=name.no_way_back)
            note(f"{{{{ {name.message} }}}}", classes=(f"{name.asked} ? 'pn-note pn-warn' : 'pn-note'",))
            with html.Div(classes="pn-row", v_show=(name.asked,)):
                button(_("Promote it nevertheless"), self._promote_nevertheless)
                button(_("Leave it"), self._forget)

    def close(self) -> None:
        """Follow no more; the part is not used again."""
        for signal, listener in self._signals:
            signal.disconnect(listener)

    @property
    def _chosen(self) -> VersionInfo | None:
        return next((version for version in self._versions.all if version.model == self._model), None)

    def _say(self, line: str) -> None:
        self._state.data.message = line

    def _show(self) -> None:
        self._state.data.rows = [version_row(version) for version in self._versions.all]
        self._describe()

    def _choose(self, row: int) -> None:
        if 0 <= row < len(self._versions.all):
            self._model = self._versions.all[row].model
            self._forget()
            self._describe()

    def _describe(self) -> None:
        data, version = self._state.data, self._chosen
        data.current = self._versions.all.index(version) if version is not None else -1
        data.compared = comparisons_in_words(version)
        data.no_promoting = self._versions.promote_obstacle(version)
        data.no_way_back = self._versions.back_obstacle(version)

    def _promote(self) -> None:
        self._say("")
        if self._chosen is not None:
            self._versions.promote(self._chosen)

    def _roll_back(self) -> None:
        self._say("")
        if self._chosen is not None:
            self._versions.roll_back(self._chosen.name)

    def _ask(self, version: VersionInfo, reason: str) -> None:
        self._refused, self._state.data.asked = version, True
        self._say(reason)

    def _promote_nevertheless(self) -> None:
        version = self._refused
        self._forget()
        if version is not None:
            self._versions.promote(version, force=True)

    def _forget(self) -> None:
        if self._refused is not None:
            self._say("")
        self._refused, self._state.data.asked = None, False
