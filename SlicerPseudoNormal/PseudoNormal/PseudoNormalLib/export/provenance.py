"""Who made a result: what DICOM files say about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from PseudoNormalLib.scene.findings import label_lesions

MANUFACTURER = "PseudoNormal"
NOTICE = "Research software, not a medical device; not for diagnosis."


@dataclass(frozen=True)
class Provenance:
    """The software and the model behind a result, in plain ASCII, for files have many character sets.

    :param software: version of the engine; empty when it is not known.
    :param model: name of the model; empty where none was used (a mask drawn by hand).
    :param model_version: version of the model.
    """

    software: str = ""
    model: str = ""
    model_version: str = ""

    @classmethod
    def of(cls, report: dict[str, Any] | None) -> Provenance:
        """What the engine's report says; empty without a report."""
        model = (report or {}).get("model", {})
        words = ((report or {}).get("software_version"), model.get("name"), model.get("version"))
        return cls(*(str(word or "").encode("ascii", "replace").decode() for word in words))

    @property
    def sentence(self) -> str:
        """For instance "PseudoNormal 1.0, model brain-mr 3"."""
        maker = f"{MANUFACTURER} {self.software}".strip()
        return f"{maker}, model {self.model} {self.model_version}".strip() if self.model else maker


def was_edited(mask: np.ndarray, report: dict[str, Any]) -> bool:
    """Whether a lesion mask is another than the one that a report describes.

    Told by the number, the sizes and the places of the findings.

    :param mask: (D, H, W) lesion mask.
    """
    labels, count = label_lesions(mask)
    boxes = [tuple((axis.start, axis.stop) for axis in box) for box in ndimage.find_objects(labels)]
    voxels = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    findings = report.get("findings", [])
    volumes = [float(finding["volume_ml"]) for finding in findings]
    ml_a_voxel = sum(volumes) / max(1, int(voxels.sum()))
    described = sorted((tuple(map(tuple, one["bounding_box"])), round(one["volume_ml"], 6)) for one in findings)
    return described != sorted((box, round(n * ml_a_voxel, 6)) for box, n in zip(boxes, voxels.tolist(), strict=True))
