"""What the engine's tests share."""

from __future__ import annotations

from pathlib import Path

import pytest
from Testing.engine_process import running_engine
from Testing.reviewed_cases import fill

from pseudonormal.store.store import Store


@pytest.fixture(scope="module")
def an_engine(models_folder, tmp_path_factory):
    """A real engine process with the small model and a case store."""
    folder = tmp_path_factory.mktemp("an_engine")
    with running_engine(models_folder, folder / "data", folder / "store") as engine:
        yield engine


@pytest.fixture
def a_store(tmp_path: Path) -> Store:
    """An empty case store."""
    return Store.open(tmp_path / "store")


@pytest.fixture
def reviewed(a_store: Store, tmp_path: Path) -> dict[str, str]:
    """Cases in ``a_store`` that readers have decided on: their ids by what happened to them."""
    return fill(a_store, tmp_path)
