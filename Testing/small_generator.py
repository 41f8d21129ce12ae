"""A training that is done and has made a generator: a real one of recipe ``um``, small, as an engine would find it."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

from Testing.um_heads import SMALL

from pseudonormal.cli.main import main

GENERATOR = "9e0e7a70"
TRAINER = {"steps": 2, "workers": 0, "pool": 4, "batch": 1, "checks": 0, "minutes": 1000}
"""The least that a training can do."""


def put_generator(store: Path, identity: str = GENERATOR) -> Path:
    """Train it on the accepted cases of a store; the model that finds brains must be known.

    :param store: the case store's folder.
    :returns: the training's folder.
    """
    folder = store / "trainings" / identity
    settings = [word for key, value in (SMALL | TRAINER).items() for word in ("--set", f"{key}={value}")]
    call = ["retrain", str(store), "-o", str(folder / "run"), "--recipe", "um", "--device", "cpu", "--json", *settings]
    with contextlib.redirect_stdout(io.StringIO()) as said:
        assert main(call) == 0
    record = {
        "id": identity,
        "created": "2026-11-20T09:30:00+00:00",
        "request": {"recipe": "um"},
        "state": "done",
        **json.loads(said.getvalue().splitlines()[-1]),
    }
    (folder / "training.json").write_text(json.dumps(record), encoding="utf-8")
    return folder
