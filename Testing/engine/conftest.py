"""What the engine's tests share."""

from __future__ import annotations

import pytest
from Testing.engine_process import running_engine


@pytest.fixture(scope="module")
def an_engine(models_folder, tmp_path_factory):
    """A real engine process with the small model and a case store."""
    folder = tmp_path_factory.mktemp("an_engine")
    with running_engine(models_folder, folder / "data", folder / "store") as engine:
        yield engine
