"""What recipe ``um`` learns from: slices, or whole scans in 3D, drawn and not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pseudonormal.errors import InputError
from pseudonormal.recipes.um.options import UmOptions
from pseudonormal.training.coarse import coarse_scan
from pseudonormal.training.references import Reference
from pseudonormal.training.streams import Streams

LEAST_FOREGROUND = 0.2  # of the largest slice: smaller ones show little
SEEN = 4  # voxels of lesion that a slice must show to count as one with a lesion


@dataclass(frozen=True)
class Unit:
    """A slice, or in 3D a scan: what is drawn in or not.

    :param scan: its place in the list of scans.
    :param level: the slice's place along z; 0 in 3D.
    """

    scan: int
    level: int


@dataclass
class UmMaterial:
    """Scans on the recipe's grid, and which of their slices may teach what.

    :param scans: all to learn from.
    :param lesions: of each scan (D, H, W), False wherever nothing may be known.
    :param ill: drawn units with a lesion; calm: drawn ones without; unlabelled: the others.
    :param validation: drawn scans that are not learnt from.
    """

    scans: list[Reference]
    lesions: list[NDArray[np.bool_]]
    ill: list[Unit]
    calm: list[Unit]
    unlabelled: list[Unit]
    validation: list[Reference] = field(default_factory=list)

    @property
    def drawn_subjects(self) -> set[str]:
        """Whose lesions are known."""
        return {self.scans[unit.scan].subject or self.scans[unit.scan].case for unit in self.ill}


def um_material(streams: Streams, options: UmOptions) -> UmMaterial:
    """Read the scans of a split and bring them to the recipe's grid.

    :raises InputError: a file cannot be used, or there is no lesion to learn from.
    """
    scans = [coarse_scan(scan, options.voxel_mm) for scan in streams.scans]
    validation = [coarse_scan(scan, options.voxel_mm) for scan in streams.validation]
    return sorted_units(scans, options, validation)


def um_sources(streams: Streams, options: UmOptions) -> UmMaterial:
    """Scans to make others from; lesions need to be drawn in them for the control only.

    :raises InputError: a file cannot be used, or a guide of drawn lesions has none.
    """
    scans = [coarse_scan(scan, options.voxel_mm) for scan in streams.scans]
    return sorted_units(scans, options, lesions_needed=options.guide == "mask")


def sorted_units(
    scans: Sequence[Reference],
    options: UmOptions,
    validation: Sequence[Reference] = (),
    *,
    lesions_needed: bool = True,
) -> UmMaterial:
    """Sort the slices (in 3D, the scans) by what may be known of them.

    Where ``options.labels`` asks for some drawn ones only, they are taken from all subjects in turn, those with a
    lesion; whatever else is drawn counts as not drawn.

    :param scans: on the recipe's grid.
    :raises InputError: no lesion is drawn in any of them, or a scan shows nothing.
    """
    for scan in scans:
        _check_contrast(scan)
    drawn = [unit for unit in _units(scans, options) if _known(scans[unit.scan], unit, options)]
    ill = [unit for unit in drawn if _shown(scans[unit.scan], unit, options) >= SEEN]
    if lesions_needed and not ill:
        raise InputError(
            "no lesion is drawn in any case of the split: recipe um learns from drawn lesions where lesions are; name "
            "masks in the column mask, a handful will do"
        )
    if options.labels:
        ill, drawn = _some(scans, ill, options), []
    kept = set(ill)
    calm = [unit for unit in drawn if _shown(scans[unit.scan], unit, options) == 0]
    known = kept | set(calm)
    lesions = [np.zeros(scan.brain.shape, bool) for scan in scans]
    for unit in ill:
        part = slice(None) if options.dimensions == 3 else slice(unit.level, unit.level + 1)
        lesion = scans[unit.scan].lesion
        assert lesion is not None
        lesions[unit.scan][part] = lesion[part]
    others = [unit for unit in _units(scans, options) if unit not in known]
    return UmMaterial(list(scans), lesions, ill, calm, others, list(validation))


def _units(scans: Sequence[Reference], options: UmOptions) -> list[Unit]:
    if options.dimensions == 3:
        return [Unit(number, 0) for number in range(len(scans))]
    units = []
    for number, scan in enumerate(scans):
        area = scan.brain.sum(axis=(1, 2))
        units += [Unit(number, int(level)) for level in np.flatnonzero(area >= LEAST_FOREGROUND * area.max())]
    return units


def _part(array: NDArray, unit: Unit, options: UmOptions) -> NDArray:
    return array if options.dimensions == 3 else array[unit.level]


def _known(scan: Reference, unit: Unit, options: UmOptions) -> bool:
    """Whether somebody drew here, and is to be trusted."""
    if scan.lesion is None:
        return False
    return scan.weight is None or bool((_part(scan.weight, unit, options) > 0).any())


def _shown(scan: Reference, unit: Unit, options: UmOptions) -> int:
    assert scan.lesion is not None
    return int((_part(scan.lesion, unit, options) & _part(scan.brain, unit, options)).sum())


def _some(scans: Sequence[Reference], ill: Sequence[Unit], options: UmOptions) -> list[Unit]:
    """So many of the drawn units with a lesion, subjects in turn, slices that show more of it likelier."""
    rng = np.random.default_rng([options.label_seed, 9])
    waiting: dict[str, list[Unit]] = {}
    for unit in ill:
        waiting.setdefault(scans[unit.scan].subject or scans[unit.scan].case, []).append(unit)
    for subject, units in waiting.items():
        sizes = np.array([_shown(scans[unit.scan], unit, options) for unit in units], float)
        order = rng.choice(len(units), len(units), replace=False, p=sizes / sizes.sum())
        waiting[subject] = [units[int(place)] for place in order]
    names = list(waiting)
    names = [names[int(place)] for place in rng.permutation(len(names))]
    chosen: list[Unit] = []
    while len(chosen) < options.labels and any(waiting.values()):
        chosen += [waiting[name].pop(0) for name in names if waiting[name]][: options.labels - len(chosen)]
    return chosen


def _check_contrast(scan: Reference) -> None:
    values = scan.image[scan.brain]
    if values.size == 0 or float(np.ptp(values)) < 1e-3:
        raise InputError(
            f"case '{scan.case}': its foreground shows nothing (all values are alike): check that this is the right "
            "image, and in CT its window"
        )
