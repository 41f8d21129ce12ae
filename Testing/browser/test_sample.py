"""The scan that is there from the beginning is what its README says."""

from __future__ import annotations

import nibabel
import numpy as np
from Resources.sample.make import FILE, sample

from PseudoNormalWeb.window.__main__ import SAMPLE


def test_the_sample_is_what_its_script_makes():
    voxels, matrix = sample()
    stored = nibabel.load(FILE)
    assert np.allclose(stored.affine, matrix)
    assert stored.get_data_dtype() == np.int16
    other = np.abs(np.asarray(stored.dataobj).transpose(2, 1, 0) - voxels) > 1  # rounding may differ between machines
    assert other.mean() < 1e-4
    assert SAMPLE == FILE
