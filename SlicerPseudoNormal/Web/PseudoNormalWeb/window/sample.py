"""A scan that is there from the beginning."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PseudoNormalLib.choices import choose_scan

if TYPE_CHECKING:
    from PseudoNormalLib.workbench import Workbench

NAME = "Sample brain T1"


def offer_sample(bench: Workbench, file: Path) -> None:
    """Load the sample and choose it; where its file is not there, nothing happens."""
    if not file.is_file() or bench.choices.values.image is not None:
        return
    image = bench.host.volumes.AddArchetypeScalarVolume(str(file), NAME, 0, None)
    if image is not None:
        choose_scan(bench.choices, image)
