"""Which scan, which mask, which model: what is to be generated."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import slicer
from PseudoNormalLib.choices import about_model, choose_scan, contrast_offers, mode_offers, model_offers
from PseudoNormalLib.i18n import _
from PseudoNormalLib.observation import Observation
from PseudoNormalLib.scene.scans import nodes_in, scans_in
from trame.widgets import html
from trame.widgets import vuetify3 as v3
from trame_server.utils.typed_state import TypedState

from PseudoNormalWeb.window.forms import note, section

if TYPE_CHECKING:
    from PseudoNormalWeb.window.window import Window

Offers = list[dict[str, str]]


@dataclass
class ScanState:
    """What can be chosen, as Vuetify's items, and what is."""

    scans: Offers = field(default_factory=list)
    scan: str = ""
    contrasts: Offers = field(default_factory=list)
    contrast: str = ""
    masks: Offers = field(default_factory=list)
    mask: str = ""
    models: Offers = field(default_factory=list)
    model: str = ""
    modes: Offers = field(default_factory=list)
    mode: str = ""
    texture: bool = False
    about: str = ""


class ScanPart:
    """Selectors of a scan and of how its pseudo-normal is generated; they follow the scene's own memory."""

    def __init__(self, window: Window) -> None:
        self._host, self._bench = window.host, window.bench
        self._choices = window.bench.choices
        self._state = TypedState(window.server.state, ScanState)
        name, keep = self._state.name, self._choices.update
        self._state.bind_changes({
            name.scan: lambda scan: choose_scan(self._choices, self._node(scan)),
            name.contrast: lambda contrast: keep(contrast=contrast),
            name.mask: lambda mask: keep(lesions=self._node(mask)),
            name.model: lambda model: keep(model=model),
            name.mode: lambda mode: keep(mode=mode),
            name.texture: lambda texture: keep(texture=texture),
        })  # fmt: skip
        scene = window.host.scene
        events = (slicer.vtkMRMLScene.NodeAddedEvent, slicer.vtkMRMLScene.NodeRemovedEvent)
        self._observations = [Observation(scene, event, self._look) for event in events]
        self._signals = (
            (self._choices.changed, self._follow),
            (self._bench.news.told, self._follow),
            (self._bench.generate.finished, self._follow),
        )
        for signal, listener in self._signals:
            signal.connect(listener)
        self._follow()

    def build(self) -> None:
        """Make the widgets, inside the trame layout that is open."""
        name = self._state.name
        with section(_("Scan")):
            tip = _("The brain MRI whose lesions are to be taken out; any contrast and orientation")
            _select(_("Scan"), name.scan, name.scans, tip)
            with html.Div(classes="pn-row"):
                tip = _(
                    "Stands in the report and in the case store, and chooses the model where that is automatic; "
                    "the numbers do not depend on it otherwise"
                )
                _select(_("Contrast"), name.contrast, name.contrasts, tip)
                tip = _("A segmentation whose mask is used instead of the one that the engine finds")
                _select(_("Lesion mask"), name.mask, name.masks, tip)
            with html.Div(classes="pn-row"):
                _select(_("Model"), name.model, name.models)
                _select(_("Restoration"), name.mode, name.modes)
            note(f"{{{{ {name.about} }}}}", v_show=(name.about,))
            v3.VCheckbox(v_model=(name.texture,), label=_("Grain in the pseudo-normal, for the eye only"))

    def close(self) -> None:
        """Let go of the scene; the part is not used again."""
        for signal, listener in self._signals:
            signal.disconnect(listener)
        for observation in self._observations:
            observation.stop()

    def _node(self, node_id: str) -> Any:
        return self._host.scene.GetNodeByID(node_id) if node_id else None

    def _look(self, _scene: Any, _event: str) -> None:
        self._follow()

    def _follow(self, *_news: Any) -> None:
        chosen, data, models = self._choices.values, self._state.data, self._bench.news.models
        data.scans = _offers([(node.GetName(), node.GetID()) for node in scans_in(self._host.scene)])
        masks = nodes_in(self._host.scene, "vtkMRMLSegmentationNode")
        data.masks = _offers([(_("Find the lesions"), ""), *((node.GetName(), node.GetID()) for node in masks)])
        data.contrasts = _offers(contrast_offers(self._host, chosen))
        data.models = _offers(model_offers(models))
        data.modes = _offers(mode_offers())
        data.scan = chosen.image.GetID() if chosen.image is not None else ""
        data.mask = chosen.lesions.GetID() if chosen.lesions is not None else ""
        data.contrast, data.model, data.mode = chosen.contrast, chosen.model, chosen.mode
        data.texture = chosen.texture
        data.about = about_model(self._host, models, chosen)


def _offers(offers: list[tuple[str, str]]) -> Offers:
    return [{"title": text, "value": word} for text, word in offers]


def _select(label: str, state: str, offers: str, tip: str = "") -> None:
    with html.Div(title=tip):
        v3.VSelect(v_model=(state,), items=(offers,), label=label)
