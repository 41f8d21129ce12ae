"""The brain that nilearn ships, with two lesions: for the whole story, measures and pictures."""

from __future__ import annotations

import numpy as np
from nilearn.datasets import load_mni152_template

from pseudonormal.lesions.shapes import SmoothBlob
from pseudonormal.lesions.source import LesionSource

LESIONS = {(-22.0, -20.0, 30.0): (4.0, 5.0), (20.0, 6.0, 30.0): (1.5, 2.0)}
"""Where (RAS mm) and how large (ml)."""


def sick_brain(brightness):
    """MNI152 T1 with two bright lesions.

    :param brightness: of the lesions above the tissue; the template's brightest voxel is 1.
    :returns: array (D, H, W) and its matrix from (i, j, k, 1) to RAS mm, 1 mm.
    """
    template = load_mni152_template(resolution=1)
    brain = np.asarray(template.dataobj, np.float32).transpose(2, 1, 0)
    source, rng = LesionSource([SmoothBlob()]), np.random.default_rng(3)
    z, y, x = np.indices(brain.shape, sparse=True)
    for centre, volume_ml in LESIONS.items():
        i, j, k = (np.linalg.inv(template.affine) @ (*centre, 1.0))[:3]
        near = (x - i) ** 2 + (y - j) ** 2 + (z - k) ** 2 < 14**2
        lesion = source.place(near & (brain > 0.4), rng, volume_ml=volume_ml)
        brain[lesion.box] += brightness * lesion.opacity
    return brain, template.affine
