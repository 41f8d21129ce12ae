"""A training that is done and has made a generator: a real one of recipe ``um``, small, as an engine would find it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from Testing.um_heads import SMALL

from pseudonormal.cli.main import main
from pseudonormal.retraining.material import gather
from pseudonormal.store.store import Store

GENERATOR = "9e0e7a70"
TRAINER = {"steps": 2, "workers": 0, "pool": 4, "batch": 1, "checks": 0, "minutes": 1000}


def put_generator(place: Path, identity: str = GENERATOR) -> Path:
    """Train it on the accepted cases of a store; the model that finds brains must be known.

    :param place: the case store's folder.
    :returns: the training's folder.
    """
    folder = place / "trainings" / identity
    store = Store.open(place)
    material = gather(store, folder / "material")
    store.close()
    settings = [word for key, value in (SMALL | TRAINER).items() for word in ("--set", f"{key}={value}")]
    listed = folder / "material" / "cases.csv"
    assert main(["train", "um", str(listed), "-o", str(folder / "run"), "--device", "cpu", *settings]) == 0
    shutil.move(folder / "material", folder / "run" / "material")
    record = {
        "id": identity,
        "created": "2026-11-20T09:30:00+00:00",
        "request": {"recipe": "um"},
        "state": "done",
        "generator": {"recipe": "um", "subjects": len({case.subject for case in material.of("train")})},
    }
    (folder / "training.json").write_text(json.dumps(record), encoding="utf-8")
    return folder
