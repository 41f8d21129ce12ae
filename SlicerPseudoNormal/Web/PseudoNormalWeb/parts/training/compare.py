"""Two models side by side on a scan."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import slicer
from PseudoNormalLib.i18n import _
from PseudoNormalLib.observation import Observation
from PseudoNormalLib.scene.scans import nodes_in, scans_in
from PseudoNormalLib.training.comparing import (
    Outcome,
    comparable_models,
    compare_obstacle,
    first_pair,
    outcome_in_words,
)
from trame.widgets import html
from trame.widgets import vuetify3 as v3
from trame_server.utils.typed_state import TypedState

from PseudoNormalWeb.parts.training.offers import Offers, items
from PseudoNormalWeb.window.forms import button, note, section

if TYPE_CHECKING:
    from PseudoNormalWeb.window.window import Window


@dataclass
class CompareState:
    """What can be chosen, as Vuetify's items, and what is.

    :param obstacle: why nothing can be compared now; empty when it can.
    :param percent: done, while it runs.
    :param failed: whether the message says what went wrong.
    """

    scans: Offers = field(default_factory=list)
    scan: str = ""
    masks: Offers = field(default_factory=list)
    mask: str = ""
    models: Offers = field(default_factory=list)
    a: str = ""
    b: str = ""
    obstacle: str = ""
    running: bool = False
    percent: float = 0.0
    message: str = ""
    failed: bool = False


class ComparePart:
    """Chooses a scan and two models, and compares them."""

    def __init__(self, window: Window) -> None:
        self._training, self._comparing = window.training, window.training.comparing
        self._scene, self._worked_on = window.host.scene, ""
        self._state = TypedState(window.server.state, CompareState)
        name = self._state.name
        self._state.bind_changes(dict.fromkeys((name.scan, name.mask, name.a, name.b), self._offer))
        self._signals = (
            (window.training.offered, self._show_models),
            (window.training.versions.changed, self._show_models),
            (window.bench.choices.changed, self._show_scans),
            (self._comparing.progress, self._progress),
            (self._comparing.finished, self._finished),
            (self._comparing.failed, self._failed),
            (self._comparing.cancelled, self._cancelled),
        )
        for signal, listener in self._signals:
            signal.connect(listener)
        events = (slicer.vtkMRMLScene.NodeAddedEvent, slicer.vtkMRMLScene.NodeRemovedEvent)
        self._observations = [Observation(self._scene, event, self._look) for event in events]
        self._bench = window.bench
        self._show_models()
        self._show_scans()

    def build(self) -> None:
        """Make the widgets, inside the trame layout that is open."""
        name = self._state.name
        with section(_("Compare two models on a scan"), collapsed=True):
            v3.VSelect(v_model=(name.scan,), items=(name.scans,), label=_("Scan"))
            v3.VSelect(v_model=(name.mask,), items=(name.masks,), label=_("Lesion mask"))
            with html.Div(classes="pn-row"):
                v3.VSelect(v_model=(name.a,), items=(name.models,), label=_("Model A"))
                v3.VSelect(v_model=(name.b,), items=(name.models,), label=_("Model B"))
            tip = _("Generate with both, and show them side by side with their differences")
            button(_("Compare"), self._start, tip=tip, reason=name.obstacle, wide=True)
            note(f"{{{{ {name.obstacle} }}}}", v_show=f"!{name.running}")
            with html.Div(v_show=(name.running,), classes="pn-row"):
                v3.VProgressLinear(
                    model_value=(name.percent,), height=6, rounded=True, color="primary", style="flex: 1 1 auto;"
                )
                with html.Div(style="flex: 0 0 auto;"):
                    button(_("Cancel"), self._comparing.cancel, tip=_("End this; nothing in the scene changes"))
            note(
                f"{{{{ {name.message} }}}}",
                classes=(f"{name.failed} ? 'pn-note pn-error' : 'pn-note'",),
                style="white-space: pre-line;",
            )

    def close(self) -> None:
        """Let go of the scene; the part is not used again."""
        for signal, listener in self._signals:
            signal.disconnect(listener)
        for observation in self._observations:
            observation.stop()

    def _look(self, _scene: Any, _event: str) -> None:
        self._show_scans()

    def _show_scans(self, *_news: Any) -> None:
        """Offer the scene's scans; unless somebody chose another one, that which is worked on."""
        data = self._state.data
        data.scans = items((node.GetName(), node.GetID()) for node in scans_in(self._scene))
        masks = nodes_in(self._scene, "vtkMRMLSegmentationNode")
        data.masks = [*items([(_("Each finds the lesions itself"), "")]),
                      *items((node.GetName(), node.GetID()) for node in masks)]  # fmt: skip
        if self._node(data.scan) is None or data.scan == self._worked_on:
            chosen = self._bench.choices.values.image
            data.scan = self._worked_on = chosen.GetID() if chosen is not None else ""
        if self._node(data.mask) is None:
            data.mask = ""
        self._offer()

    def _show_models(self) -> None:
        """Offer every version, and models that have none; at first the current one and the last."""
        data, names = self._state.data, comparable_models(self._training)
        first = first_pair(self._training)
        data.models = items((name, name) for name in names)
        data.a = data.a if data.a in names else first[0]
        data.b = data.b if data.b in names else first[1]
        self._offer()

    def _offer(self, *_news: Any) -> None:
        data = self._state.data
        data.running = self._comparing.running
        data.obstacle = compare_obstacle(self._training, self._node(data.scan), (data.a, data.b))

    def _node(self, node_id: str) -> Any:
        return self._scene.GetNodeByID(node_id) if node_id else None

    def _start(self) -> None:
        data = self._state.data
        data.percent, data.message, data.failed = 0.0, _("Beginning…"), False
        try:
            self._comparing.start(self._node(data.scan), (data.a, data.b), self._node(data.mask))
        except ValueError as error:
            self._failed(str(error))
        self._offer()

    def _progress(self, fraction: float, message: str, _seconds_left: float | None) -> None:
        self._state.data.percent, self._state.data.message = round(100 * fraction, 1), message

    def _finished(self, a: Outcome, b: Outcome) -> None:
        self._end("\n".join([outcome_in_words("A", a), outcome_in_words("B", b)]))

    def _failed(self, line: str) -> None:
        self._end(line, failed=True)

    def _cancelled(self) -> None:
        self._end(_("Cancelled"))

    def _end(self, message: str, *, failed: bool = False) -> None:
        self._state.data.message, self._state.data.failed = message, failed
        self._offer()
