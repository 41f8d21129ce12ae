"""Fill each lesion with a mean normal brain, coloured like the scan and fitted to the tissue around."""

from __future__ import annotations

from functools import cache
from importlib import resources

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from pseudonormal.fills.components import components
from pseudonormal.fills.matching import MARGIN_MM, matched
from pseudonormal.fills.normalised_convolution import normalised_convolution_fill
from pseudonormal.regions import moments

TEMPLATE_FILE = "brain_tissue.nii.gz"
TEMPLATE_MM = 2.0
COARSE_MM = 4
TISSUE_NAMES = ("csf", "grey", "white", "deep grey")
# What a registration looks at: the tissues far apart from each other and from the outside (0).
ALIGNMENT_VALUES = (1.0, 2.0, 3.0, 2.4)
# How far outside the brain the outline still guides the registration.
OUTLINE_MM = 8
SCALE_LIMITS = (0.8, 1.25)
ITERATIONS = 80
FEWEST_TO_REGISTER = 200  # voxels of 4 mm
IN_BRAIN = 0.25


def template_fill(
    image: NDArray[np.float32], lesion: NDArray[np.bool_], foreground: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """A mean normal brain with this scan's tissue intensities, matched to the surroundings of each lesion.

    The tissue probabilities (csf, grey, white, deep grey matter; 16 brains, see ``template_build.py``) are aligned
    affinely by mutual information at 4 mm; a regression of the scan on them over normal tissue gives each tissue
    its intensity; around each component a line and a smooth offset fit the result to the scan. Where there is too
    little brain to align, and outside the template's brain, the normalised convolution stands in.

    :param image: (D, H, W) on the model grid (RAS axes, 1 mm), any unit.
    :param lesion: (D, H, W) voxels to replace.
    :param foreground: (D, H, W) the brain; lesions in it are never taken as normal tissue.
    :returns: (D, H, W) equal to the image outside the lesion.
    :raises InputError: when the lesions leave no foreground at all.
    """
    filled = normalised_convolution_fill(image, lesion, foreground)
    normal = foreground & ~lesion
    if not lesion.any() or np.count_nonzero(normal) < FEWEST_TO_REGISTER * COARSE_MM**3 or min(image.shape) < 32:
        return filled
    reference = np.float32(np.median(image[normal]))
    scan = np.where(normal, image - reference, np.float32(0))
    coarse, coarse_normal, coarse_foreground = (_shrunk(array) for array in (scan, normal, foreground))
    coarse = sitk.Divide(coarse, sitk.Maximum(coarse_normal, 1e-6))
    transform = register_template(coarse, coarse_normal, coarse_foreground)
    coloured = _coloured(coarse, coarse_normal, transform)
    brain = _image(tissue_probabilities().sum(axis=0))
    for component in components(lesion, foreground, MARGIN_MM):
        guess, inside = (_in_box(template, transform, component.box) for template in (coloured, brain))
        wanted = component.mask & (inside > IN_BRAIN)
        estimate = matched(image[component.box] - reference, guess, component, inside > IN_BRAIN)
        if estimate is not None:
            filled[component.box][wanted] = estimate[wanted] + reference
    return filled


@cache
def tissue_probabilities() -> NDArray[np.float32]:
    """(4, D, H, W) csf, grey, white, deep grey; 0..1; RAS axes, 2 mm."""
    with resources.as_file(resources.files(__package__) / TEMPLATE_FILE) as path:
        return sitk.GetArrayFromImage(sitk.ReadImage(str(path))).astype(np.float32) / np.float32(255)


def register_template(coarse: sitk.Image, normal: sitk.Image, foreground: sitk.Image) -> sitk.AffineTransform:
    """Affine alignment of the template to a scan by Mattes mutual information.

    :param coarse: the scan at 4 mm, lesion and background 0; positions are array positions (x, y, z) in mm.
    :param normal: share of normal tissue in each voxel.
    :param foreground: share of brain in each voxel.
    :returns: from the scan's positions to the template's.
    """
    template = _image(np.tensordot(np.asarray(ALIGNMENT_VALUES, np.float32), tissue_probabilities(), axes=1))
    brain = sitk.Greater(foreground, 0.5)
    around = sitk.BinaryDilate(brain, [OUTLINE_MM // COARSE_MM] * 3)
    lesion = sitk.And(brain, sitk.LessEqual(normal, 0.5))
    # Background gets a value of its own, well below all tissue, so that the outline takes part.
    values = sitk.GetArrayViewFromImage(coarse)[sitk.GetArrayViewFromImage(normal) > 0.5]
    low, high = (float(value) for value in np.percentile(values, [1, 99]))
    fixed = sitk.Clamp(coarse, sitk.sitkFloat32, low, high)
    fixed = sitk.Mask(fixed, brain, outsideValue=low - 0.3 * (high - low or 1.0))

    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(32)
    method.SetMetricFixedMask(sitk.And(around, sitk.Not(lesion)))
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(4.0, 0.02, ITERATIONS, 0.6, 1e-6)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetNumberOfThreads(1)  # sums in another order would give other digits
    start = _start(foreground)
    method.SetInitialTransform(start, inPlace=True)
    method.Execute(fixed, sitk.SmoothingRecursiveGaussian(template, COARSE_MM / 2))
    return start


def _start(foreground: sitk.Image) -> sitk.AffineTransform:
    """Centre on centre, and the brain's extents on the template's."""
    centre, extent = _moments(sitk.GetArrayViewFromImage(foreground), np.asarray(foreground.GetSpacing()))
    centre += np.asarray(foreground.GetOrigin())
    template_centre, template_extent = _moments(tissue_probabilities().sum(axis=0), np.full(3, TEMPLATE_MM))
    transform = sitk.AffineTransform(3)
    transform.SetCenter(centre.tolist())
    transform.SetMatrix(np.diag(np.clip(template_extent / extent, *SCALE_LIMITS)).ravel().tolist())
    transform.SetTranslation((template_centre - centre).tolist())
    return transform


def _moments(mass: NDArray, spacing: NDArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Centre and standard deviation along x, y, z in mm."""
    centre, spread = moments(mass)
    return centre[::-1] * spacing, np.maximum(spread[::-1] * spacing, 1.0)


def _coloured(coarse: sitk.Image, normal: sitk.Image, transform: sitk.AffineTransform) -> sitk.Image:
    """The template with each tissue's intensity in this scan (least squares over normal tissue)."""
    where = sitk.GetArrayViewFromImage(normal) > 0.5
    tissues = tissue_probabilities()
    at_scan = [sitk.Resample(_image(tissue), coarse, transform, sitk.sitkLinear) for tissue in tissues]
    shares = np.stack([sitk.GetArrayViewFromImage(tissue)[where] for tissue in at_scan], axis=1).astype(np.float64)
    columns = np.column_stack([shares, 1 - shares.sum(axis=1)])
    values = sitk.GetArrayViewFromImage(coarse)[where].astype(np.float64)
    intensities = np.linalg.lstsq(columns, values, rcond=1e-3)[0].astype(np.float32)
    rest = 1 - tissues.sum(axis=0)
    return _image(np.tensordot(intensities[:-1], tissues, axes=1) + intensities[-1] * rest)


def _in_box(
    template: sitk.Image, transform: sitk.AffineTransform, box: tuple[slice, slice, slice]
) -> NDArray[np.float32]:
    target = sitk.Image([axis.stop - axis.start for axis in box[::-1]], sitk.sitkUInt8)
    target.SetOrigin([float(axis.start) for axis in box[::-1]])
    return sitk.GetArrayFromImage(sitk.Resample(template, target, transform, sitk.sitkLinear, 0.0, sitk.sitkFloat32))


def _shrunk(array: NDArray) -> sitk.Image:
    return sitk.BinShrink(sitk.GetImageFromArray(array.astype(np.float32)), [COARSE_MM] * 3)


def _image(tissue: NDArray[np.float32]) -> sitk.Image:
    image = sitk.GetImageFromArray(np.ascontiguousarray(tissue, np.float32))
    image.SetSpacing((TEMPLATE_MM,) * 3)
    return image
