"""MONAI comes without the libraries that make its loading slow, and they are there for everybody else."""

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


def test_what_is_not_needed_is_not_loaded_and_can_be_afterwards():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
