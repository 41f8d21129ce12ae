"""Make the sample anew: ``python -m Resources.sample.make``, from the repository's folder.

The MNI152 brain that nilearn ships, T1, 1 mm, with two bright lesions (``Testing/sick_brain.py``) and a scanner's
noise.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk
from Testing.sick_brain import sick_brain

FILE = Path(__file__).parent / "brain.nii.gz"
BRIGHTNESS = 1.0  # of the lesions; the template's brightest voxel is 1
GREY_LEVELS = 400  # of the template's brightest voxel
NOISE = 4.0  # standard deviation, grey levels
SEED = 5


def sample() -> tuple[np.ndarray, np.ndarray]:
    """The sample's voxels (D, H, W), int16, and their matrix from (i, j, k, 1) to RAS mm."""
    brain, matrix = sick_brain(BRIGHTNESS)
    noise = np.random.default_rng(SEED).normal(0, NOISE, brain.shape)
    return np.where(brain > 0.02, np.rint(GREY_LEVELS * brain + noise), 0).clip(0).astype(np.int16), matrix


def main() -> None:
    """Write the file."""
    voxels, matrix = sample()
    lps = np.diag([-1.0, -1.0, 1.0, 1.0]) @ matrix
    image = sitk.GetImageFromArray(voxels)
    image.SetOrigin(lps[:3, 3].tolist())
    image.SetDirection(lps[:3, :3].ravel().tolist())  # voxels are 1 mm
    sitk.WriteImage(image, str(FILE), True)


if __name__ == "__main__":
    main()
