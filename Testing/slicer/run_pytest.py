"""Runs the scene and panel tests inside a real Slicer; ``launch.py`` starts Slicer with this.

Fails closed: no pytest, an error while collecting, or no test that passed, and the exit code is not 0.
"""

from __future__ import annotations

import ast
import json
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("Testing/scene", "Testing/panels")
RESULT = "PSEUDONORMAL_TEST_RESULT"
"""Environment variable: the file that takes the outcome."""

ENGINE_FIXTURES = frozenset({"a_head", "models_folder", "known_models", "an_engine", "command"})
"""Made with the engine's libraries (torch), which Slicer's Python does not have; ``make test`` runs these tests."""


ENGINE_LIBRARIES = ("pseudonormal", "torch", "monai", "trame_slicer")


def needs_engine(file: Path) -> bool:
    """Whether a test file cannot be loaded in Slicer: it, or a module of Testing/ that it loads, imports the engine."""
    body = ast.parse(file.read_text(encoding="utf-8")).body
    names = [node.module for node in body if isinstance(node, ast.ImportFrom)]
    names += [alias.name for node in body if isinstance(node, ast.Import) for alias in node.names]
    if any(name.partition(".")[0] in ENGINE_LIBRARIES for name in names):
        return True
    ours = (ROOT / f"{name.replace('.', '/')}.py" for name in names if name.startswith("Testing."))
    return any(needs_engine(module) for module in ours if module.is_file())


class Outcome:
    """A pytest plugin that leaves out what needs the engine's Python and counts the rest."""

    def __init__(self) -> None:
        self.counts = {"passed": 0, "failed": 0, "skipped": 0, "left_out": 0, "files_left_out": 0}

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        file = collection_path / "conftest.py" if collection_path.is_dir() else collection_path
        if file.suffix == ".py" and file.is_file() and needs_engine(file):
            self.counts["files_left_out"] += 1
            return True
        return None

    def pytest_collection_modifyitems(self, config, items) -> None:
        left_out = [item for item in items if ENGINE_FIXTURES & set(item.fixturenames)]
        self.counts["left_out"] += len(left_out)
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]

    def pytest_collectreport(self, report) -> None:
        self.counts["failed"] += report.failed

    def pytest_runtest_logreport(self, report) -> None:
        if report.when == "call" or report.failed or report.skipped:
            self.counts[report.outcome] += 1

    def pytest_configure(self, config) -> None:
        from hypothesis import settings

        settings.register_profile("slicer", deadline=None, derandomize=True)
        settings.load_profile("slicer")

    def verdict(self, codes: list[int]) -> int:
        """0 when tests ran and all passed.

        :param codes: what pytest returned, except where a selection of tests left a folder without any.
        """
        return 0 if self.counts["passed"] and not self.counts["failed"] and not any(codes) else 1


def run(arguments: list[str]) -> int:
    """Run pytest on each folder and write the counts where ``RESULT`` says.

    :param arguments: files or folders instead of ours, and options for pytest.
    """
    import pytest

    targets = [argument for argument in arguments if (ROOT / argument).exists()]
    options = [argument for argument in arguments if argument not in targets]
    outcome, codes = Outcome(), []
    for target in map(ROOT.joinpath, targets or FOLDERS):
        # Testing/conftest.py is the engine's: it is not read in here.
        folder = target if target.is_dir() else target.parent
        ours = [f"--rootdir={ROOT}", f"--confcutdir={folder}", "-p", "no:cacheprovider", str(target)]
        code = int(pytest.main([*ours, *options], plugins=[outcome]))
        codes.append(0 if options and code == pytest.ExitCode.NO_TESTS_COLLECTED else code)
    verdict = outcome.verdict(codes)
    if RESULT in os.environ:
        Path(os.environ[RESULT]).write_text(json.dumps({**outcome.counts, "exit": verdict}), encoding="utf-8")
    return verdict


def main() -> int:
    """The exit code, whatever happens."""
    os.chdir(ROOT)
    try:
        return run(sys.argv[1:])
    except ImportError as error:
        sys.stderr.write(f"{error}: PythonSlicer -m pip install pytest pytest-timeout hypothesis\n")
        return 2


if __name__ == "__main__":
    code = main()
    import slicer

    if hasattr(slicer, "app"):
        slicer.util.exit(code)
    else:
        sys.exit(code)
