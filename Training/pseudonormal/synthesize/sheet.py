"""A contact sheet: some of what was made, at a glance."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pseudonormal.recipes.example_picture import FOUND, TEXT, dark_panels, outline, write_figure
from pseudonormal.scan.reading import read_scan
from pseudonormal.synthesize.dataset import WHITE_STORED

MOST, COLUMNS = 24, 6
WHITE = 1.5 * WHITE_STORED


def write_sheet(path: Path, out: Path, records: Sequence[Mapping[str, Any]]) -> None:
    """Draw up to 24 cases, spread over all: the axial slice with most lesion and its outline.

    :param out: where the cases' folders are.
    :raises InputError: a case cannot be read, or the picture not be written.
    """
    chosen = [records[int(place)] for place in np.unique(np.linspace(0, len(records) - 1, MOST).round())]
    rows = math.ceil(len(chosen) / COLUMNS)
    figure, panels = dark_panels(rows, COLUMNS, width=1.8 * COLUMNS, height=2.0 * rows + 0.4)
    for axes, record in zip(panels.flat, chosen, strict=False):
        folder = out / str(record["case"])
        shown = "mask" if record["lesion_ml"] else "foreground"
        image, part = (read_scan(folder / f"{name}.nii.gz").array for name in ("image", shown))
        level = int((part > 0).sum(axis=(1, 2)).argmax())
        axes.imshow(image[level], cmap="gray", vmin=0, vmax=WHITE, origin="lower")
        if record["lesion_ml"]:
            outline(axes, part[level] > 0, FOUND)
        axes.set_title(f"{record['number']} · {record['lesion_ml']:.1f} ml", color=TEXT, fontsize=8)
    figure.suptitle(f"SYNTHETIC: {len(chosen)} of {len(records)}", color=FOUND, fontsize=10)
    write_figure(figure, path)
