"""What ``pyproject.toml`` cannot say: the shipped weights and the sample scan go into the wheel, beside who reads them.

They lie in ``Resources/``, outside the packages; an installation in place reads them there.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

RESOURCES = {
    "Resources/models": "pseudonormal/shipped/models",
    "Resources/features": "pseudonormal/shipped/features",
    "Resources/sample": "PseudoNormalWeb/sample",
}
"""From the repository's folder to the wheel."""


class WithResources(build_py):
    """Copies the packages, and the resources into them."""

    def run(self) -> None:
        """Fill the folder that becomes the wheel."""
        super().run()
        if not self.editable_mode:
            for source, place in RESOURCES.items():
                target = Path(self.build_lib) / place
                shutil.copytree(
                    source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.py", "__pycache__")
                )


setup(cmdclass={"build_py": WithResources})
