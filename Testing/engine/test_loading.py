"""Processes start without the libraries that make loading slow, and these are there for everybody else."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
from pseudonormal.monai_parts import NOT_NEEDED
loaded = [name for name in NOT_NEEDED if name in sys.modules]
assert not loaded, loaded
import importlib
for name in NOT_NEEDED:
    importlib.import_module(name)
"""

CATALOGUE = """
import sys
from pseudonormal.server.catalogue import recipes
assert len(recipes()) > 5
loaded = [name for name in ("matplotlib", "pandas", "scipy.stats") if name in sys.modules]
assert not loaded, loaded
"""


def test_what_is_not_needed_is_not_loaded_and_can_be_afterwards():
    run(PROGRAM)


def test_an_engine_tells_its_recipes_without_loading_what_draws_plots():
    run(CATALOGUE)


def run(program):
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
