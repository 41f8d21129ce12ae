"""Cases to review: an ellipsoid of tissue with bright lesions, their mask and their difference map."""

from __future__ import annotations

import numpy as np
from PseudoNormalLib.engine.transfer import Volume, encode


def add_drawn_head(store, folder, mask, matrix, *, centre, radii):
    """Add a case of its own, more urgent than those before it; its id.

    :param folder: gets the files.
    :param mask: (D, H, W) bool, the lesions.
    :param matrix: (4, 4) from voxel index to RAS mm.
    :param centre: of the tissue, voxels (z, y, x); radii likewise.
    """
    number = store.cases()[1]
    z, y, x = ((np.indices(mask.shape).T - centre) / radii).T
    tissue = np.where(z**2 + y**2 + x**2 < 1, 500, 0) + np.random.default_rng(number).integers(0, 40, mask.shape)
    arrays = {"image": tissue + 400 * mask, "pseudo_normal": tissue, "difference": 400.0 * mask}
    arrays["difference_z"] = arrays["difference"] / 50
    files = {}
    for name, voxels in {**arrays, "mask": mask}.items():
        kind = bool if name == "mask" else np.float32 if "difference" in name else np.int16
        files[name] = folder / f"{number} {name}.nrrd"
        files[name].write_bytes(encode(Volume(voxels.astype(kind), matrix)))
    image, seed = files.pop("image"), files.pop("mask")
    return store.add_case(image, mask=seed, volumes=files, model="brain-mr", priority=1000.0 + number).id
