"""The engine's trainings and synthetic databases, whoever asked for them: what runs, what waits, what is over."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from PseudoNormalLib.i18n import _
from PseudoNormalLib.training.words import queue_rows, queue_titles, waiting_in_words
from trame_server.utils.typed_state import TypedState

from PseudoNormalWeb.parts.training.table import table
from PseudoNormalWeb.window.forms import note, section

if TYPE_CHECKING:
    from PseudoNormalWeb.window.window import Window


@dataclass
class QueueState:
    """The list.

    :param current: the followed one's row; -1 for none.
    """

    rows: list[list[str]] = field(default_factory=list)
    current: int = -1
    waiting: str = ""


class QueuePart:
    """Trainings and databases, one a row; a click follows one."""

    def __init__(self, window: Window) -> None:
        self._watch = watch = window.training.watch
        self._state = TypedState(window.server.state, QueueState)
        self._signals = ((watch.changed, self._show), (watch.followed, self._show))
        for signal, listener in self._signals:
            signal.connect(listener)
        self._show()

    def build(self) -> None:
        """Make the widgets, inside the trame layout that is open."""
        name = self._state.name
        with section(_("Trainings and databases on this engine")):
            table(queue_titles(), name.rows, name.current, self._follow, title=_("Click one to follow it"))
            note(_("There is no training yet."), v_show=f"!{name.rows}.length")
            note(f"{{{{ {name.waiting} }}}}")

    def close(self) -> None:
        """Follow no more; the part is not used again."""
        for signal, listener in self._signals:
            signal.disconnect(listener)

    def _show(self, *_news: object) -> None:
        trainings, followed, data = self._watch.trainings, self._watch.current, self._state.data
        ids = [training.id for training in trainings]
        data.rows = queue_rows(trainings)
        data.current = ids.index(followed.id) if followed is not None and followed.id in ids else -1
        data.waiting = waiting_in_words(trainings)

    def _follow(self, row: int) -> None:
        if 0 <= row < len(self._watch.trainings):
            self._watch.follow(self._watch.trainings[row].id)
