"""A folder of one case's results, with the files that the command line writes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PseudoNormalLib.engine.transfer import Volume
from PseudoNormalLib.export.atomic import new_folder
from PseudoNormalLib.export.image_files import write_lesion_mask, write_nifti

MASK = "lesion_mask"
REPORT = "report.json"
PAGE = "report.html"


def write_case_folder(
    folder: Path, volumes: Mapping[str, Volume], report: Mapping[str, Any] | None, page: bytes | None
) -> None:
    """Write ``<name>.nii.gz`` for each volume, ``lesion.seg.nrrd`` and the report; all of them or none.

    :param folder: made by this; it may be there if it is empty.
    :param volumes: by the command line's names: ``pseudo_normal``, ``difference``, ``difference_z``, ``lesion_mask``.
    :param report: the engine's; it is written with the names of the files that are really there.
    :param page: the engine's report for reading.
    :raises ExportError: the folder is not empty or cannot be written.
    """
    with new_folder(folder) as temporary:
        for name, volume in volumes.items():
            write_nifti(temporary / f"{name}.nii.gz", volume)
        if MASK in volumes:
            write_lesion_mask(temporary / "lesion.seg.nrrd", volumes[MASK])
        if page:
            (temporary / PAGE).write_bytes(page)
        if report is not None:
            files = sorted({REPORT, *(path.name for path in temporary.iterdir())})
            text = json.dumps({**report, "files": files}, indent=2, ensure_ascii=False)
            (temporary / REPORT).write_text(text + "\n", encoding="utf-8")
