"""Renders the extension's three columns for a scan and its results, without a window.

After ``pseudonormal generate scan.nii.gz -o results``, with ``SlicerPseudoNormal/PseudoNormal`` on ``PYTHONPATH``:
``python Resources/screenshots/comparison.py scan.nii.gz results/scan comparison.png``
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from PseudoNormalLib.hosts import Host, headless
from PseudoNormalLib.scene.case_nodes import CaseNodes, link
from PseudoNormalLib.scene.comparison import Comparison
from PseudoNormalLib.scene.findings import findings_from_report
from PseudoNormalLib.scene.lesions import new_lesions
from PseudoNormalLib.scene.navigation import jump_to_finding
from PseudoNormalLib.scene.rendering import render_columns, write_png
from PseudoNormalLib.scene.volumes import array_of

SIZE = (420, 460)


def load(host: Host, path: Path) -> Any:
    """A volume node of a file."""
    return host.volumes.AddArchetypeScalarVolume(str(path), path.name.split(".")[0], 0, None)


def main(scan: Path, results: Path, picture: Path) -> None:
    """Show the largest finding of a case in the three columns and write the picture."""
    host = headless()
    image = load(host, scan)
    names = ("pseudo_normal", "difference", "difference_z")
    volumes = {name: load(host, results / f"{name}.nii.gz") for name in names}
    mask = array_of(load(host, results / "lesion_mask.nii.gz")) > 0
    case = CaseNodes(image, **volumes, lesions=new_lesions(host, image, mask, "lesions"))
    link(case)
    comparison = Comparison(host)
    comparison.show(case)
    report = json.loads((results / "report.json").read_text(encoding="utf-8"))
    render_columns(host, SIZE, fit=True)
    jump_to_finding(image, findings_from_report(report)[0])
    write_png(render_columns(host, SIZE), picture)
    comparison.close()
    host.scene.Clear(True)


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:]))
