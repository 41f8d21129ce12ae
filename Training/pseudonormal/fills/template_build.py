"""Build the mean normal brain that the template fill uses, from anatomical label maps.

``python -m pseudonormal.fills.template_build LABELMAPS OUT`` reads every ``*.nii.gz`` of a folder (FreeSurfer
numbers, such as the label maps of SynthSeg: Billot et al. 2023, Apache-2.0), aligns them affinely to their common
mean and writes the tissue probabilities. Deterministic.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from pseudonormal.errors import InputError
from pseudonormal.fills.template import ALIGNMENT_VALUES, TEMPLATE_MM

# FreeSurfer label numbers of each tissue, left and right.
TISSUES: dict[str, tuple[int, ...]] = {
    "csf": (4, 5, 14, 15, 24, 43, 44, 72),
    "grey": (3, 8, 17, 18, 42, 47, 53, 54),
    "white": (2, 7, 16, 25, 28, 41, 46, 57, 60, 85),
    "deep grey": (10, 11, 12, 13, 26, 49, 50, 51, 52, 58),
}
SIZE = (80, 100, 84)  # x, y, z
ROUNDS = 2
LEAST_PROBABILITY = 8  # of 255; fainter tails only cost bytes


def build_template(folder: Path) -> NDArray[np.uint8]:
    """Mean tissue probabilities of the label maps and their left-right mirror images.

    :param folder: holds the label maps, any orientation, voxels in mm.
    :returns: (4, D, H, W) csf, grey, white, deep grey; 0..255; RAS axes, 2 mm, left-right symmetric about the
        grid's centre.
    :raises InputError: when the folder holds no label maps.
    """
    paths = sorted(folder.glob("*.nii.gz"))
    if not paths:
        raise InputError(f"{folder}: no label maps (*.nii.gz) here; name a folder with FreeSurfer-numbered label maps")
    brains = [_tissues(path) for path in paths]
    mean = _symmetric_mean([_centred(brain) for brain in brains])
    for _ in range(ROUNDS):
        mean = _symmetric_mean([_aligned(brain, mean) for brain in brains])
    probabilities = np.rint(mean * 255).astype(np.uint8)
    probabilities[probabilities < LEAST_PROBABILITY] = 0
    return probabilities


def write_template(probabilities: NDArray[np.uint8], path: Path) -> None:
    """Write the probabilities as a 4D NIfTI in RAS, its centre at the origin."""
    volumes = []
    for volume in probabilities:
        image = sitk.GetImageFromArray(volume)
        image.SetSpacing((TEMPLATE_MM,) * 3)
        image.SetDirection((-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0))
        half = [(size - 1) / 2 * TEMPLATE_MM for size in image.GetSize()]
        image.SetOrigin((half[0], half[1], -half[2]))
        volumes.append(image)
    sitk.WriteImage(sitk.JoinSeries(volumes), str(path), useCompression=True, compressionLevel=9)


def _tissues(path: Path) -> NDArray[np.float32]:
    """(4, D, H, W) one-hot tissues, RAS axes, 2 mm block means."""
    labels = sitk.DICOMOrient(sitk.ReadImage(str(path)), "RAS")
    array = np.rint(sitk.GetArrayFromImage(labels)).astype(np.int32)
    maps = []
    for numbers in TISSUES.values():
        mask = sitk.GetImageFromArray(np.isin(array, numbers).astype(np.float32))
        mask.SetSpacing(labels.GetSpacing())
        factors = [max(round(TEMPLATE_MM / spacing), 1) for spacing in labels.GetSpacing()]
        maps.append(sitk.GetArrayFromImage(sitk.BinShrink(mask, factors)))
    return np.stack(maps)


def _symmetric_mean(brains: list[NDArray[np.float32]]) -> NDArray[np.float64]:
    """Mean of the brains and their mirror images."""
    mean: NDArray[np.float64] = np.mean(brains, axis=0, dtype=np.float64)
    return (mean + mean[..., ::-1]) / 2


def _centred(brain: NDArray[np.float32]) -> NDArray[np.float32]:
    transform = sitk.AffineTransform(3)
    transform.SetTranslation((_mass_centre(brain) - _grid_centre()).tolist())
    return _resampled(brain, transform)


def _aligned(brain: NDArray[np.float32], mean: NDArray) -> NDArray[np.float32]:
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMeanSquares()
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(1.0, 1e-2, 60, 0.5, 1e-6)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([4, 2])
    method.SetSmoothingSigmasPerLevel([2.0, 1.0])
    method.SetNumberOfThreads(1)  # sums in another order would give other digits
    start = sitk.AffineTransform(3)
    start.SetCenter(_grid_centre().tolist())
    start.SetTranslation((_mass_centre(brain) - _mass_centre(mean)).tolist())
    method.SetInitialTransform(start, inPlace=True)
    method.Execute(_image(_for_alignment(mean)), _image(_for_alignment(brain)))
    return _resampled(brain, start)


def _for_alignment(brain: NDArray) -> NDArray[np.float32]:
    return np.tensordot(np.asarray(ALIGNMENT_VALUES, np.float32), brain.astype(np.float32), axes=1)


def _resampled(brain: NDArray[np.float32], transform: sitk.Transform) -> NDArray[np.float32]:
    target = sitk.Image(SIZE, sitk.sitkFloat32)
    target.SetSpacing((TEMPLATE_MM,) * 3)
    return np.stack(
        [sitk.GetArrayFromImage(sitk.Resample(_image(tissue), target, transform, sitk.sitkLinear)) for tissue in brain]
    )


def _image(array: NDArray) -> sitk.Image:
    image = sitk.GetImageFromArray(np.ascontiguousarray(array, np.float32))
    image.SetSpacing((TEMPLATE_MM,) * 3)
    return image


def _grid_centre() -> NDArray[np.float64]:
    return (np.asarray(SIZE) - 1) / 2 * TEMPLATE_MM


def _mass_centre(brain: NDArray) -> NDArray[np.float64]:
    """(3,) x, y, z in mm of the brain's centre of mass."""
    mass = brain.sum(axis=0, dtype=np.float64)
    along = [(np.arange(mass.shape[axis]) * mass.sum(axis=tuple({0, 1, 2} - {axis}))).sum() for axis in (2, 1, 0)]
    return np.asarray(along) / mass.sum() * TEMPLATE_MM


def main() -> None:
    """Run the module: ``LABELMAPS OUT``."""
    if len(sys.argv) != 3:
        raise SystemExit("usage: python -m pseudonormal.fills.template_build LABELMAPS OUT.nii.gz")
    try:
        write_template(build_template(Path(sys.argv[1])), Path(sys.argv[2]))
    except InputError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
