"""Starts a real Slicer on the scene and panel tests: ``python -m Testing.slicer.launch SLICER [file] [-k expression]``.

Slicer's Python needs pytest once: ``PythonSlicer -m pip install pytest pytest-timeout hypothesis``.
On a machine without a screen, set ``QT_QPA_PLATFORM=offscreen`` or use xvfb-run.

Slicer's own exit code is not trusted, since it is 0 too when the script never ran: what counts is the file with the
number of tests that passed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from Testing.slicer.run_pytest import RESULT, ROOT

MODULES = tuple(f"SlicerPseudoNormal/PseudoNormal{name}" for name in ("", "Review", "Training"))
LIMIT = 1800  # s


def command_line(slicer: str, arguments: list[str]) -> list[str]:
    """How Slicer is called; the module paths stand before the script, or they would be the script's arguments."""
    quiet = ["--testing", "--no-splash", "--no-main-window", "--ignore-slicerrc"]
    paths = ["--additional-module-paths", *(str(ROOT / module) for module in MODULES)]
    return [slicer, *quiet, *paths, "--python-script", str(ROOT / "Testing/slicer/run_pytest.py"), *arguments]


def launch(slicer: str, arguments: list[str]) -> str | None:
    """Run the tests in Slicer.

    :returns: why they do not count as passed, in one line; None when they do.
    """
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        try:
            code = subprocess.run(
                command_line(slicer, arguments), env={**os.environ, RESULT: str(result)}, timeout=LIMIT, check=False
            ).returncode
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"Slicer did not run to its end: {error}"
        if not result.exists():
            return f"no test ran: Slicer ended with exit code {code} before the tests did"
        counts = json.loads(result.read_text(encoding="utf-8"))
    sys.stdout.write(f"inside Slicer: {counts}\n")
    if counts["exit"] or not counts["passed"]:
        return f"not all passed: {counts}"
    return f"all passed, yet Slicer ended with exit code {code}" if code else None


if __name__ == "__main__":
    sys.exit(
        launch(sys.argv[1], sys.argv[2:])
        if len(sys.argv) > 1
        else "say where Slicer is: python -m Testing.slicer.launch SLICER"
    )
