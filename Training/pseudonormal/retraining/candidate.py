"""From a finished training to a bundle that the engine can use, with a card that says where it comes from."""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pseudonormal.cases import VALIDATION
from pseudonormal.models.bundle import NETWORKS, Model, load_model, read_metadata, write_bundle
from pseudonormal.models.comparison import Comparison
from pseudonormal.models.packing import pack
from pseudonormal.models.versions import Entry
from pseudonormal.retraining.begun import Begun
from pseudonormal.retraining.calibrating import recalibrated
from pseudonormal.retraining.material import Material
from pseudonormal.training.interrupt import heeding
from pseudonormal.training.references import FindForeground


@dataclass(frozen=True)
class Candidate:
    """A model that was trained and judged, and waits to be promoted.

    :param entry: in the registry.
    """

    entry: Entry

    @property
    def against(self) -> Comparison:
        """The candidate minus its parent on the same cases."""
        return self.entry.comparisons[str(self.entry.parent)]

    def as_json(self) -> dict[str, Any]:
        """What is told of it at the end of a training."""
        names = {"name": self.entry.name, "version": self.entry.version, "parent": self.entry.parent}
        return {**names, "metrics": dict(self.entry.metrics), **self.against.as_json()}


def make_bundle(
    folder: Path,
    begun: Begun,
    parent: Model,
    weights: Mapping[str, Path],
    facts: Mapping[str, Any],
    foreground_of: FindForeground,
    stop: threading.Event,
) -> None:
    """The parent's networks with those that were trained in their place, calibrated anew; whole or not at all.

    :param folder: where; its name is the model's.
    :param parent: the model that the training began with, loaded.
    :param weights: of the trained networks; each file is called as its network.
    :param facts: for the card, see :func:`facts_of`.
    :param foreground_of: finds the brain in validation cases.
    :raises InputError: the weights cannot be used, or the folder cannot be written.
    :raises Stopped: ``stop`` was set.
    """
    metadata = read_metadata(begun.bundle)
    card = {
        "version": begun.version,
        "description": metadata.get("description", ""),
        "data": f"{metadata.get('data_source', '')}; and a lab's own cases, fingerprint {facts['data']}",
        "trained_families": parent.trained_families,
        "trained_contrasts": parent.trained_contrasts,
        "readme": _card(folder.name, facts, begun.bundle),
        "retrained": dict(facts),
    }
    runs = {key: weights[key].parent if key in weights else begun.bundle / "models" for key in NETWORKS}
    licence = begun.bundle / "LICENSE"
    with tempfile.TemporaryDirectory() as scratch:
        packed = Path(scratch) / folder.name
        pack(runs, packed, card=card, calibration=parent.calibration, licence=licence, full_where_needed=True)
        model = load_model(str(packed), parent.device)
        with heeding([model.lesion, model.restore], stop):
            chosen = recalibrated(model, begun.material.of(VALIDATION), foreground_of, restores="restore" in weights)
        folder.parent.mkdir(parents=True, exist_ok=True)
        sources = {key: packed if key in weights else begun.bundle for key in NETWORKS}
        files = {key: source / "models" / f"{key}.safetensors" for key, source in sources.items()}
        write_bundle(folder, files, card, chosen, licence=licence)


def facts_of(version: str, parent: str, material: Material, recipe: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What a retrained bundle says about itself.

    :param parent: version that it was trained from.
    :param settings: all that the run was trained by.
    """
    survey = material.survey
    return {
        "version": version,
        "parent": parent,
        "data": material.fingerprint,
        "labelled": survey.labelled,
        "unlabelled": survey.unlabelled,
        "subjects": dict(survey.subjects),
        "recipe": recipe,
        "settings": dict(settings),
    }


def _card(name: str, facts: Mapping[str, Any], parent: Path) -> str:
    before = parent / "docs" / "README.md"
    subjects = ", ".join(f"{count} {split}" for split, count in facts["subjects"].items())
    earlier = before.read_text(encoding="utf-8") if before.is_file() else "(It has no card.)"
    return f"""# {name} {facts["version"]}

Retrained from version {facts["parent"]} with recipe {facts["recipe"]} on the cases of a lab.
Research software, not a medical device.

| | |
|---|---|
| labelled cases | {facts["labelled"]} |
| unlabelled cases | {facts["unlabelled"]} |
| subjects | {subjects} |
| fingerprint of the data | {facts["data"]} |
| settings | `{json.dumps(facts["settings"], sort_keys=True)}` |

How it compares with its parent is kept in the model registry: `pseudonormal models history {name}`.

## The card of version {facts["parent"]}

{earlier}"""
