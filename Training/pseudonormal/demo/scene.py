"""The demo's scan: the MNI152 brain that nilearn ships, with a lesion of known truth put into it.

The template is a mean of many people, symmetric to the last voxel and free of noise. A scan is neither, and either
would make the demo too easy (its other half would be the exact answer), so the brain is first bent a little, by a
smooth random field, and given a scanner's noise.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pseudonormal.lesions.appearance import FAMILIES
from pseudonormal.lesions.shapes import SmoothBlob
from pseudonormal.lesions.source import LesionSource
from pseudonormal.scan.conform import Conformed, conform, mask_to_model
from pseudonormal.scan.reading import read_scan
from pseudonormal.scan.scan import Geometry, Scan, Storage
from pseudonormal.scan.writing import write_image, write_like
from pseudonormal.simulate.native import simulate_lesion

VOLUME_ML = (7.5, 8.5)
FAMILY = "additive_dark"  # as white-matter lesions and old strokes are on T1
CENTRE_RAS = (-34.0, -32.0, 36.0)  # left parietal: white matter and cortex
REACH_MM = 24.0
SEED = 5
GREY_LEVELS = 1000  # the template's brightest voxel; scanners store integers
NOISE = 10.0  # standard deviation, in grey levels
BENT_MM = 2.0  # root mean square along each axis
BEND_GRID = 40  # voxels between the points where the field is drawn


@dataclass(frozen=True)
class Scene:
    """Files of a scan whose truth is known, all on one grid (NIfTI, MNI space, 1 mm).

    :param scan: the brain with the lesion, int16.
    :param truth: the brain without it.
    :param mask: the lesion.
    :param brain: the brain mask.
    """

    scan: Path
    truth: Path
    mask: Path
    brain: Path

    @classmethod
    def at(cls, folder: Path) -> Scene:
        """The scene of a folder."""
        return cls(*(folder / f"{name}.nii.gz" for name in ("scan", "truth", "lesion", "brain")))


def make_scene(folder: Path) -> None:
    """Write the demo's scan into an existing folder; the same files every time.

    :raises InputError: the folder cannot be written.
    """
    scene = Scene.at(folder)
    brain_scan, tissue = _template(folder)
    write_like(brain_scan, brain_scan.array, scene.truth)
    scan = read_scan(scene.truth)
    write_image(scan.array > 0, scan.geometry, scene.brain)
    conformed = conform(scan)
    foreground = conformed.image > 0
    allowed = mask_to_model(tissue, conformed) & _near(CENTRE_RAS, conformed)
    lesion = simulate_lesion(
        scan,
        conformed,
        foreground,
        np.zeros_like(foreground),
        LesionSource([SmoothBlob()], {FAMILY: FAMILIES[FAMILY]}),
        np.random.default_rng(SEED),
        allowed=allowed,
        volume_ml=VOLUME_ML,
    )
    assert lesion is not None, "the seed is chosen so that a place is found"
    write_like(scan, lesion.array, scene.scan)
    write_image(lesion.mask, scan.geometry, scene.mask)
    (folder / "lesion.json").write_text(json.dumps(lesion.record, indent=2) + "\n", encoding="utf-8")


def _template(folder: Path) -> tuple[Scan, NDArray[np.bool_]]:
    """MNI152 T1 at 1 mm (brain only), bent and noisy, as a scan, and where it is grey or white matter."""
    from nilearn import datasets

    image = datasets.load_mni152_template(resolution=1)
    rng = np.random.default_rng(SEED)
    parts = [datasets.load_mni152_gm_template(resolution=1), datasets.load_mni152_wm_template(resolution=1)]
    tissue = sum(np.asarray(part.dataobj, np.float32).transpose(2, 1, 0) for part in parts)
    head = np.asarray(image.dataobj, np.float32).transpose(2, 1, 0)
    places = _bent(head.shape, rng)
    head, tissue = (ndimage.map_coordinates(array, places, order=1) for array in (head, tissue))
    values = np.maximum(head / head.max() * GREY_LEVELS + rng.normal(0, NOISE, head.shape), 1.0)
    stored = np.where(head > 0.02, np.rint(values), 0).astype(np.int16)
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ image.affine  # RAS to LPS
    x, y, z = (float(value) for value in affine[:3, 3])
    direction = tuple(float(value) for value in affine[:3, :3].flat)  # voxels are 1 mm
    depth, height, width = stored.shape
    geometry = Geometry((width, height, depth), (1.0, 1.0, 1.0), (x, y, z), direction)
    return Scan(stored, geometry, folder, Storage(stored.dtype)), tissue > 0.5


def _bent(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float32]:
    """Where each voxel's value comes from: (3, D, H, W) indices."""
    places = np.indices(shape, np.float32)
    for field in places:
        coarse = rng.standard_normal([-(-n // BEND_GRID) + 1 for n in shape]).astype(np.float32)
        smooth = ndimage.zoom(coarse, [n / m for n, m in zip(shape, coarse.shape, strict=True)], order=3)
        field += smooth * (BENT_MM / smooth.std())
    return places


def _near(centre_ras: tuple[float, float, float], conformed: Conformed) -> NDArray[np.bool_]:
    """A ball on the model grid, (D, H, W)."""
    centre_xyz = np.linalg.inv(conformed.geometry.affine_ras()) @ (*centre_ras, 1.0)
    z, y, x = np.ogrid[tuple(slice(0, n) for n in conformed.image.shape)]
    squares = (x - centre_xyz[0]) ** 2 + (y - centre_xyz[1]) ** 2 + (z - centre_xyz[2]) ** 2  # voxels are 1 mm
    return np.asarray(squares <= REACH_MM**2)
