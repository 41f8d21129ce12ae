"""The project's own set-up: exact versions, the private .venv, who may import what."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
# Only builds of torch for NVIDIA GPUs bring these; which versions depends on the build.
CUDA_PACKAGES = re.compile(r"cuda-|nvidia-|triton$")
PYTHONS = ("3.10", "3.11", "3.12", "3.13")


def pins_for(python: str) -> dict[str, str]:
    """Package -> version in constraints.txt under a Python."""
    pins: dict[str, str] = {}
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        requirement = Requirement(line)
        if requirement.marker is not None and not requirement.marker.evaluate({"python_version": python}):
            continue
        name = canonicalize_name(requirement.name)
        assert name not in pins, f"{name} is pinned twice for Python {python}"
        assert re.fullmatch(r"==[0-9][0-9a-z.]*", str(requirement.specifier)), f"not an exact version: {line}"
        pins[name] = str(requirement.specifier).removeprefix("==")
    return pins


def requirements_of(distribution: str, extras: set[str]) -> list[Requirement]:
    requirements = [Requirement(text) for text in metadata.requires(distribution) or ()]
    return [
        requirement
        for requirement in requirements
        if requirement.marker is None or any(requirement.marker.evaluate({"extra": e}) for e in extras | {""})
    ]


@pytest.mark.parametrize("python", PYTHONS)
def test_pins_lie_within_the_ranges_of_the_package(python: str) -> None:
    pins = pins_for(python)
    for requirement in requirements_of("pseudonormal", {"dev", "web"}):
        version = pins[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), f"{requirement} against {version}"


def test_every_transitive_dependency_is_pinned_and_satisfied() -> None:
    pins = pins_for(f"{sys.version_info.major}.{sys.version_info.minor}")
    waiting, seen = [("pseudonormal", {"dev"})], set()
    while waiting:
        distribution, extras = waiting.pop()
        for requirement in requirements_of(distribution, extras):
            name = canonicalize_name(requirement.name)
            if CUDA_PACKAGES.match(name):
                continue
            assert name in pins, f"{distribution} needs {name}, which constraints.txt does not pin"
            assert requirement.specifier.contains(pins[name]), f"{distribution} needs {requirement}, not {pins[name]}"
            if name not in seen:
                seen.add(name)
                waiting.append((name, requirement.extras))
    assert {"torch", "numpy", "pytest"} <= seen


def test_pins_name_no_host() -> None:
    assert "://" not in (ROOT / "constraints.txt").read_text(encoding="utf-8")


@pytest.fixture
def a_checkout(tmp_path: Path) -> Path:
    checkout = tmp_path / "check out"  # a path with a space
    checkout.mkdir()
    for name in ("constraints.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, checkout)
    shutil.copytree(ROOT / ".ci", checkout / ".ci")
    return checkout


def make_venv(checkout: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", ".ci/venv"],
        cwd=checkout,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_unsuitable_python_is_refused_in_words(a_checkout: Path) -> None:
    done = make_venv(a_checkout, PYTHON="no-such-python")
    assert done.returncode == 1
    assert "no-such-python" in done.stderr
    assert "make PYTHON=" in done.stderr
    assert not (a_checkout / ".venv").exists()


def test_an_installation_that_failed_does_not_count_as_done(a_checkout: Path) -> None:
    no_packages = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(a_checkout), "PIP_CONFIG_FILE": os.devnull}
    done = make_venv(a_checkout, PYTHON=sys.executable, **no_packages)
    assert done.returncode != 0
    assert not (a_checkout / ".venv" / ".complete").exists()


@pytest.mark.parametrize(
    ("file", "allowed"),
    [("SlicerPseudoNormal/PseudoNormalLib/client.py", False), ("Training/pseudonormal/networks/new.py", True)],
)
@pytest.mark.parametrize("library", ["torch", "monai.networks.nets", "pseudonormal.scan"])
def test_only_the_engine_may_import_the_engines_libraries(file: str, allowed: bool, library: str) -> None:
    code = f'"""A module."""\n\nimport {library}\n\nLIBRARY = {library}\n'
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--select", "TID251", "--stdin-filename", file, "-"],
        cwd=ROOT,
        input=code,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode == 0) is allowed, done.stdout
