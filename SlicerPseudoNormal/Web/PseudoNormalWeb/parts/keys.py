"""Keys: what they do, and the table of them that ``?`` shows."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PseudoNormalLib.i18n import _
from PseudoNormalLib.review.keys import shortcuts
from trame.widgets import client, html
from trame.widgets import vuetify3 as v3
from trame_server.utils.typed_state import TypedState

if TYPE_CHECKING:
    from PseudoNormalWeb.window.window import Window

PRESSED = "keys__pressed"
Actions = Mapping[str, Callable[[], Any]]

# Whoever types writes: in a field of text keys mean letters.
LISTEN = """
if (window.pnKeys) { window.removeEventListener('keydown', window.pnKeys, true); }
window.pnKeys = (event) => {
  const at = event.target.closest ? event.target : document.body;
  const typed = 'input:not([type=checkbox]):not([type=radio]):not([type=range]), textarea, select';
  if (at.closest(typed) || at.isContentEditable || event.altKey) { return; }
  const held = (event.ctrlKey || event.metaKey) ? 'Ctrl+' : '';
  const letter = event.key === 'Enter' ? 'Return' : event.key.length === 1 ? event.key.toUpperCase() : event.key;
  if (%(known)s.includes(held + letter)) {
    event.preventDefault();
    window.trame.trigger('%(pressed)s', [held + letter]);
  }
};
window.addEventListener('keydown', window.pnKeys, true);
"""


@dataclass
class KeysState:
    """Whether the table is shown."""

    shown: bool = False


class KeysPart:
    """Hands keys on, and shows what they do.

    :param actions: what to do in the tab that is open, by the names in :mod:`PseudoNormalLib.review.keys`.
    """

    def __init__(self, window: Window, actions: Callable[[], Actions]) -> None:
        self._actions = actions
        self._state = TypedState(window.server.state, KeysState)
        self._names = {shortcut.key: shortcut.action for shortcut in shortcuts()}
        window.server.trigger(PRESSED)(self._press)

    def build(self) -> None:
        """Make the widgets, inside the trame layout that is open."""
        client.Script(LISTEN % {"known": json.dumps(list(self._names)), "pressed": PRESSED})
        with v3.VDialog(v_model=(self._state.name.shown,), max_width=560), v3.VCard(classes="pa-4"):
            html.Div(_("Keys"), classes="pn-title mx-0 mb-2")
            with html.Table(classes="pn-keys"):
                for shortcut in shortcuts():
                    with html.Tr():
                        with html.Td():
                            html.Kbd(shortcut.key)
                        html.Td(shortcut.text)

    def show(self) -> None:
        """Show the table, or hide it."""
        self._state.data.shown = not self._state.data.shown

    def close(self) -> None:
        """Nothing is to be let go of."""

    def _press(self, key: str) -> None:
        action = self._actions().get(self._names.get(key, ""))
        if action is not None:
            action()
