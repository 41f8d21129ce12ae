"""One scan's way through: read, conform, segment, restore, composite, difference, findings.

Each step is a function of its own elsewhere; here they stand in order.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pseudonormal.errors import InputError
from pseudonormal.generate.brain import Brain, measure_brain
from pseudonormal.generate.composite import composite
from pseudonormal.generate.difference import difference, robust_scale
from pseudonormal.generate.findings import Finding, find
from pseudonormal.generate.texture import add_texture
from pseudonormal.generate.widening import wide_difference_z, widened
from pseudonormal.intensity import scale_from
from pseudonormal.models.bundle import Model
from pseudonormal.models.choosing import unfamiliar
from pseudonormal.recipes.correction import CorrectedFill
from pseudonormal.recipes.detection import lesion_mask, lesions_and_vessels, with_suspects, without_crumbs
from pseudonormal.recipes.foreground import find_brain
from pseudonormal.recipes.fusion import Mode
from pseudonormal.recipes.restoration import Restorer
from pseudonormal.regions import connected
from pseudonormal.scan.conform import Conformed, conform, mask_to_model, to_native
from pseudonormal.scan.contrast import Contrast
from pseudonormal.scan.reading import read_mask, read_scan
from pseudonormal.scan.scan import Scan

STAGES = ("read", "foreground", "lesions", "restore", "compare")


@dataclass(frozen=True)
class Options:
    """What the user may choose.

    :param mask: lesion mask file; None: the model finds the lesions.
    :param foreground: brain mask file; None: the model finds the brain.
    :param mode: how lesions are restored, see :class:`pseudonormal.recipes.correction.CorrectedFill`.
    :param texture: add seeded grain to the pseudo-normal (never to the difference map).
    :param seed: seed of the grain.
    :param volume: which volume of a 4D file, from 0; None: the file must hold one.
    :param recipe: restore with this classical recipe instead of the model.
    :param reach_mm: make the wide difference too, which sees so far beyond the mask; 0: do not.
    :param contrast: the scan's, as far as it is known; the report says it, and warns where the model does not know it.
    """

    mask: Path | None = None
    foreground: Path | None = None
    mode: Mode = "auto"
    texture: bool = False
    seed: int = 0
    volume: int | None = None
    recipe: Restorer | None = None
    reach_mm: float = 0.0
    contrast: Contrast | None = None


@dataclass(frozen=True)
class Result:
    """A scan and everything that was made of it; all arrays (D, H, W) on the scan's own grid.

    :param pseudo_normal: of the scan's type and units; equals the scan outside ``lesion`` bit for bit.
    :param difference: float32, scan - pseudo-normal (without grain), scan units.
    :param difference_z: the same in robust standard deviations of normal tissue.
    :param confidence: float32 in [0, 1]: 1 where nothing was changed, less where the restored value is less sure:
        ``exp(-expected absolute error / spread of normal tissue)``.
    :param labels: int32 finding numbers.
    :param z_scale: scan units per robust standard deviation.
    :param brain: the scan as a whole in a few numbers.
    :param wide_difference_z: float32, see :func:`pseudonormal.generate.widening.wide_difference_z`; None unless asked
        for. Findings and report know nothing of it.
    """

    scan: Scan
    foreground: NDArray[np.bool_]
    lesion: NDArray[np.bool_]
    pseudo_normal: NDArray
    difference: NDArray[np.float32]
    difference_z: NDArray[np.float32]
    confidence: NDArray[np.float32]
    labels: NDArray[np.int32]
    findings: list[Finding]
    z_scale: float
    brain: Brain
    wide_difference_z: NDArray[np.float32] | None = None
    warnings: tuple[str, ...] = ()
    timings: dict[str, float] = field(default_factory=dict)


Stopwatch = Callable[[str], AbstractContextManager[None]]


def generate(
    source: Path, model: Model, options: Options = Options(), progress: Callable[[str], None] = lambda _: None
) -> Result:
    """Make the pseudo-normal of one scan.

    :param source: a file or a folder with one DICOM series.
    :param model: a loaded bundle.
    :param progress: called with the name of each stage of ``STAGES`` as it begins.
    :raises InputError: the scan or a mask cannot be used.
    """
    timings: dict[str, float] = {}

    @contextmanager
    def stage(name: str) -> Iterator[None]:
        progress(name)
        started = time.perf_counter()
        yield
        timings[name] = time.perf_counter() - started

    with stage("read"):
        scan = read_scan(source, options.volume)
        mask, mask_warnings = read_mask(options.mask, scan) if options.mask else (None, ())
        given, brain_warnings = read_mask(options.foreground, scan) if options.foreground else (None, ())
        conformed = conform(scan)
    with stage("foreground"), _named(source):
        brain = mask_to_model(given, conformed) if given is not None else find_brain(conformed.image, model)
    with stage("lesions"), _named(source):
        if mask is None:
            calibration = model.calibration
            probability, vessels = lesions_and_vessels(conformed.image, brain, model)
            lesion = lesion_mask(probability, calibration)
            native_lesion = to_native(lesion.astype(np.float32), conformed) >= 0.5
            # interpolation to thick slices breaks thin regions: crumbs of that are no findings
            native_lesion = without_crumbs(native_lesion, calibration.least_ml / scan.geometry.voxel_ml)
            drawn, lesion = lesion, with_suspects(lesion, probability)
        else:
            probability, vessels = None, None
            lesion, native_lesion = mask_to_model(mask, conformed), mask
            if not conformed.exact:  # native voxels at the mask's edge are interpolated from restored ones only
                lesion = ndimage.binary_dilation(lesion)
            drawn = lesion
    with stage("restore"), _named(source):
        brain = brain | lesion
        restorer = options.recipe or CorrectedFill(model, options.mode)
        restored = _restore(conformed, lesion, brain, restorer)
        wide = _restore_widely(conformed, drawn, lesion, brain, model, options) if options.reach_mm else None
    with stage("compare"):
        result = _compare(scan, conformed, native_lesion, lesion, brain, probability, restored, options)
        if wide is not None:
            seen = wide_difference_z(scan, wide.normal, wide.region, conformed, native_lesion, result.z_scale)
            result = replace(result, wide_difference_z=seen)
    doubt = unfamiliar(options.contrast, model.trained_contrasts)
    narrow = options.reach_mm > 0 and wide is None
    notes = (
        doubt,
        _of_vessels(vessels),
        "the wide difference is left out: it would leave too little normal brain" if narrow else None,
    )
    warnings = (*mask_warnings, *brain_warnings, *(note for note in notes if note))
    return replace(result, warnings=warnings, timings=timings)


def _of_vessels(vessels: NDArray[np.bool_] | None) -> str | None:
    """What is said of that which was taken for vessels."""
    if vessels is None or not vessels.any():
        return None
    return (
        f"{np.count_nonzero(vessels) / 1000:.1f} ml of thin, winding, very bright structures were taken for vessels "
        "after contrast agent, not for lesions: draw a mask where they are none"
    )


@contextmanager
def _named(source: Path) -> Iterator[None]:
    """Say which scan it is that something is wrong with."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{source}: {error}") from error


@dataclass(frozen=True)
class _Restored:
    """A restoration in scan units on the model grid."""

    normal: NDArray[np.float32]
    error: NDArray[np.float32] | None
    modes: tuple[str, ...]


def _restore(
    conformed: Conformed, lesion: NDArray[np.bool_], brain: NDArray[np.bool_], restorer: Restorer
) -> _Restored:
    if not lesion.any():
        return _Restored(conformed.image, None, ())
    scale = scale_from(conformed.image, brain, lesion)
    restoration = restorer.restore(scale.apply(conformed.image), lesion, brain)
    error = restoration.expected_error
    span = np.float32(scale.high - scale.low)
    return _Restored(scale.invert(restoration.normal), None if error is None else error * span, restoration.modes)


@dataclass(frozen=True)
class _Wide:
    """A restoration of more than the lesions, in scan units on the model grid.

    :param region: where it is to be looked at.
    """

    normal: NDArray[np.float32]
    region: NDArray[np.bool_]


def _restore_widely(
    conformed: Conformed,
    drawn: NDArray[np.bool_],
    lesion: NDArray[np.bool_],
    brain: NDArray[np.bool_],
    model: Model,
    options: Options,
) -> _Wide | None:
    """Restore the lesions and what is within reach of their mask; None where too little normal brain is left.

    :param drawn: the mask; ``lesion`` may hold more, which is no evidence of normal tissue.
    """
    region = widened(drawn, brain, options.reach_mm, conformed.geometry.spacing)
    # Void: a restoration that looks at the lesion's own intensities would believe some of what the mask has missed.
    restorer = options.recipe or CorrectedFill(model, "void")
    try:
        return _Wide(_restore(conformed, region | lesion, brain, restorer).normal, region)
    except InputError:  # the lesions alone could be restored: this must not cost the user their result
        return None


def _compare(
    scan: Scan,
    conformed: Conformed,
    lesion: NDArray[np.bool_],
    model_lesion: NDArray[np.bool_],
    model_brain: NDArray[np.bool_],
    probability: NDArray[np.float32] | None,
    restored: _Restored,
    options: Options,
) -> Result:
    """Back on the scan's grid: composite, difference, findings."""
    brain = to_native(model_brain.astype(np.float32), conformed) >= 0.5
    normal = composite(scan, to_native(restored.normal, conformed), lesion)
    change = difference(scan.array, normal)
    z_scale = robust_scale(scan.array, brain, lesion)
    change_z = change / np.float32(z_scale)
    error_z = None if restored.error is None else to_native(restored.error, conformed) / np.float32(z_scale)
    numbers, _ = connected(model_lesion)
    native_probability = None if probability is None else to_native(probability, conformed)
    findings, labels = find(
        lesion,
        scan.geometry,
        change_z,
        brain,
        native_probability,
        error_z,
        restored.modes,
        to_native(numbers.astype(np.int32), conformed, "nearest"),
    )
    confidence = np.ones(scan.array.shape, np.float32)
    if error_z is not None:
        confidence[lesion] = np.exp(-error_z[lesion])
    shown = normal
    if options.texture and lesion.any():
        grained = add_texture(normal.astype(np.float32), lesion, scan.array.astype(np.float32), brain, options.seed)
        shown = composite(scan, grained.normal, lesion)
    facts = measure_brain(scan.array, brain | lesion, lesion, z_scale, scan.geometry, native_probability)
    return Result(scan, brain, lesion, shown, change, change_z, confidence, labels, findings, z_scale, facts)
