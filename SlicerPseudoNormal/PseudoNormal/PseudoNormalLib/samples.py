"""Scans to try the extension with, for Slicer's module Sample Data."""

from __future__ import annotations

from pathlib import Path

CATEGORY = "PseudoNormal"
_STORE = "https://github.com/Slicer/SlicerTestingData/releases/download/SHA256/"
_TUMOUR = "998cb522173839c78657f4bc0ea907cea09fd04e44601f17c82ea27927937b95"

SAMPLES = (
    {
        "sampleName": "Brain tumour, T1 with contrast agent",
        "uris": _STORE + _TUMOUR,
        # Not the name that Slicer's own sample has in the cache, so that removing one does not remove the other.
        "fileNames": "PseudoNormal-brain-tumour.nrrd",
        "nodeNames": "Brain tumour",
        "checksums": f"SHA256:{_TUMOUR}",
    },
)
"""Slicer's MRBrainTumor1 (7 MB), under a name that says what it is good for. Nothing is downloaded before a click."""


def register(icons: Path) -> None:
    """Offer the samples in the module Sample Data of the running application.

    :param icons: folder with the picture of the extension.
    """
    import SampleData

    for sample in SAMPLES:
        SampleData.SampleDataLogic.registerCustomSampleDataSource(
            category=CATEGORY, thumbnailFileName=str(icons / "PseudoNormal.png"), **sample
        )
