"""Settings that hold for all tests, and what the command line's tests share: a small head and a small model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from Testing.engine_process import RunningEngine, running_engine

from pseudonormal.cli.main import main
from pseudonormal.scan.scan import Geometry
from pseudonormal.scan.writing import write_image
from pseudonormal.store.store import Store

# Tests share the machine with each other: how long one example took says nothing about the code.
# The same examples every time: a red run means that a change broke something, not that luck found an old fault.
# To look for those: pytest --hypothesis-profile=search
settings.register_profile("search", deadline=None)
settings.register_profile("project", deadline=None, derandomize=True)
settings.load_profile("project")

ROOT = Path(__file__).resolve().parents[1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take long begin first, then those with the most tests."""
    tests = Counter(item.path for item in items)
    long = {item.path for item in items if item.get_closest_marker("long")}
    items.sort(key=lambda item: (item.path not in long, -tests[item.path]))  # a file's own order stays


@dataclass(frozen=True)
class Head:
    """A ball of noisy tissue with one bright lesion, 1 mm, LPS axes; arrays (D, H, W).

    :param scan: int16.
    """

    scan: Path
    mask: Path
    brain: Path
    array: np.ndarray
    lesion: np.ndarray
    foreground: np.ndarray
    geometry: Geometry


@pytest.fixture(scope="session")
def a_head(tmp_path_factory: pytest.TempPathFactory) -> Head:
    shape = (64, 66, 62)
    z, y, x = np.indices(shape) - np.array([31.5, 32.5, 30.5])[:, None, None, None]
    foreground = (z / 30) ** 2 + (y / 31) ** 2 + (x / 29) ** 2 < 1  # 113 ml
    lesion = (z - 4) ** 2 + (y + 6) ** 2 + (x - 10) ** 2 < 5.5**2
    noise = np.random.default_rng(0).normal(0, 20, shape)
    array = np.where(foreground, 500 + 3 * z + 40 * np.sin(y / 4) + noise, 0)
    array = np.where(lesion, array + 600, array).astype(np.int16)
    geometry = Geometry(shape[::-1], (1.0, 1.0, 1.0), (-30.0, -20.0, 10.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    folder = tmp_path_factory.mktemp("head")
    head = Head(
        folder / "head.nii.gz", folder / "mask.nii.gz", folder / "brain.nii.gz", array, lesion, foreground, geometry
    )
    write_image(array, geometry, head.scan)
    write_image(lesion, geometry, head.mask)
    write_image(foreground, geometry, head.brain)
    return head


@pytest.fixture(scope="session")
def models_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one model, ``brain-mr``, that knows no more than what is bright.

    Its brain is what is brighter than the mean, its lesions what lies far above the brain, and its restorer is
    untrained: a mean of classical fills.
    """
    import torch
    from safetensors.torch import save_file

    from pseudonormal.models.bundle import NETWORKS, Calibration, write_bundle

    folder = tmp_path_factory.mktemp("models")
    torch.manual_seed(0)
    networks = {name: factory() for name, factory in NETWORKS.items()}
    answer_with_first_channel(networks["brain"])
    answer_with_first_channel(networks["lesion"])
    weights = {name: folder / f"{name}.safetensors" for name in networks}
    for name, network in networks.items():
        save_file({key: value.contiguous() for key, value in network.state_dict().items()}, weights[name])
    card = {"version": "0", "description": "for tests", "trained_families": ["rim"], "data": "none", "readme": "# Card"}
    calibration = Calibration(lesion_threshold=0.99995)
    write_bundle(folder / "brain-mr", weights, card, calibration, licence=ROOT / "LICENSE")
    return folder


@pytest.fixture(scope="session")
def an_engine(models_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEngine]:
    """A real engine with an empty case store, as on a server; its model may still be loading."""
    folder = tmp_path_factory.mktemp("Données de Zoë")
    with running_engine(models_folder, folder / "data", folder / "store") as engine:
        yield engine


@pytest.fixture
def a_store(an_engine: RunningEngine) -> Iterator[Store]:
    """The engine's store, opened beside it."""
    store = Store.open(an_engine.data.parent / "store")
    yield store
    store.close()


def answer_with_first_channel(network: Any) -> None:
    """Choose weights so that the network's answer is its first input channel, standardised over the picture.

    The U-Net's first layer subsamples it, its last one interpolates linearly; everything between answers 0.
    """
    import torch

    down, _, up = network.model
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if not name.endswith(".A.weight"):  # the slopes of the activations
                weight.zero_()
        down.residual.weight[0, 0, 1, 1, 1] = 1.0
        line = torch.tensor([0.5, 1.0, 0.5])
        up[0].conv.weight[0, 0] = line[:, None, None] * line[:, None] * line


@pytest.fixture
def known_models(
    models_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The small model stands in for the shipped one."""
    monkeypatch.setenv("PSEUDONORMAL_MODELS", str(models_folder))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
    return models_folder


@dataclass(frozen=True)
class Said:
    """What a command gave: exit code and text."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """Lines on stderr."""
        return self.err.splitlines()


@pytest.fixture
def command(known_models: Path, capfd: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Runs ``pseudonormal`` in this process, as its entry point does."""

    def run(*arguments: object) -> Said:
        capfd.readouterr()
        code = main([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return Said(code, out, err)

    return run
