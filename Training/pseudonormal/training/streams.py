"""What recipes train on: anatomies (label maps), reference scans (real ones) and lesion shapes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pseudonormal.cases import TRAIN, VALIDATION, Case
from pseudonormal.errors import InputError
from pseudonormal.fills.symmetry import SymmetryPlane, symmetry_plane
from pseudonormal.lesions.in_place import BrainFrame, InPlace
from pseudonormal.lesions.shapes import ShapeSource, SmoothBlob, Transplant
from pseudonormal.scan.conform import conform, mask_to_model
from pseudonormal.scan.reading import read_mask, read_scan
from pseudonormal.training.anatomies import Anatomy, mirrored_groups, read_anatomy
from pseudonormal.training.references import FindForeground, Reference, read_reference

__all__ = ["Anatomy", "FindForeground", "Reference", "Streams", "load_streams"]


class Streams:
    """The training material in a list of cases, each kind read when a recipe first asks for it.

    All arrays are on the model grid (RAS axes, 1 mm). Every property raises ``InputError`` where a file cannot be
    used or the cases hold nothing of its kind.
    """

    def __init__(self, cases: Sequence[Case], foreground_of: FindForeground, kept_aside: Sequence[Case] = ()) -> None:
        """Take the cases of one split, and those of another that training is checked on; reads nothing yet."""
        self.cases, self.kept_aside = list(cases), list(kept_aside)
        self.foreground_of = foreground_of

    @cached_property
    def anatomies(self) -> list[Anatomy]:
        """A head for each case whose column ``labels`` names a label map."""
        return _some(self.label_maps, "names a label map: add one and name it in a column 'labels'")

    @cached_property
    def label_maps(self) -> list[Anatomy]:
        """As ``anatomies``; there may be none."""
        return [anatomy for _, anatomy in self.heads()]

    def heads(self) -> Iterator[tuple[Case, Anatomy]]:
        """Each case whose column ``labels`` names a label map, with its head."""
        for case in self.cases:
            if case.extra.get("labels"):
                yield case, read_anatomy(case)

    @cached_property
    def mirrored_anatomies(self) -> list[NDArray[np.uint8]]:
        """The groups of each anatomy, reflected through its plane of symmetry."""
        return [mirrored_groups(anatomy) for anatomy in self.anatomies]

    @cached_property
    def references(self) -> list[Reference]:
        """A real scan for each case with an image."""
        found = [read_reference(case, self.foreground_of) for case in self.cases if case.image is not None]
        return _some(found, "has an image: add scans with a mask, or normal ones")

    @cached_property
    def scans(self) -> list[Reference]:
        """As ``references``, and those too of which nothing is known (unlabelled)."""
        found = [
            read_reference(case, self.foreground_of, unknown=True) for case in self.cases if case.image is not None
        ]
        return _some(found, "has an image: add scans, some of them with a mask")

    @cached_property
    def drawn_scans(self) -> list[Reference]:
        """The scans whose lesions are known: labelled ones and normal ones; there may be none."""
        known = [case for case in self.cases if case.kind in ("labelled", "normal")]
        return [read_reference(case, self.foreground_of) for case in known]

    @cached_property
    def validation(self) -> list[Reference]:
        """The scans with a mask of the split that training is checked on; there may be none."""
        labelled = [case for case in self.kept_aside if case.kind == "labelled"]
        return [read_reference(case, self.foreground_of) for case in labelled]

    @cached_property
    def planes(self) -> list[SymmetryPlane]:
        """The plane of symmetry of each reference."""
        return [symmetry_plane(r.image, r.brain, r.doubtful) for r in self.references]

    @cached_property
    def shapes(self) -> list[ShapeSource]:
        """Where lesion shapes are drawn from, each with equal odds: blobs, then each pool of lesion masks.

        Masks without an image are the shapes. Their column ``pool`` names the pools they belong to, separated by
        spaces; those that name none stand in one pool. A mask in two pools is drawn more often.
        """
        pools: dict[str, list[NDArray[np.bool_]]] = {}
        for case in self.cases:
            if case.kind == "shape" and case.mask is not None:
                scan = read_scan(case.mask)
                mask = mask_to_model(scan.array > 0, conform(scan))
                for pool in case.extra.get("pool", "").split() or [""]:
                    pools.setdefault(pool, []).append(mask)
        transplants = [Transplant(masks) for masks in pools.values()]
        return [SmoothBlob(), *(shapes for shapes in transplants if len(shapes))]

    @cached_property
    def in_place(self) -> InPlace:
        """Lesion masks without an image that lie where their lesions were, in the brain that their case names."""
        return InPlace([(mask, frame) for case, mask, frame in self.masks_in_brains() if case.foreground is not None])

    def masks_in_brains(self) -> Iterator[tuple[Case, NDArray[np.bool_], BrainFrame]]:
        """Each lesion mask without an image, one after the other, and the brain that it lies in.

        A mask whose case names no foreground is taken to lie in MNI space.
        """
        for case in self.cases:
            if case.kind == "shape" and case.mask is not None:
                scan = read_scan(case.mask)
                conformed = conform(scan)
                if case.foreground is None:
                    frame = BrainFrame.in_mni(conformed.geometry)
                else:
                    brain, _ = read_mask(case.foreground, scan)
                    frame = BrainFrame.of(mask_to_model(brain, conformed))
                yield case, mask_to_model(scan.array > 0, conformed), frame


def load_streams(cases: Sequence[Case], *, foreground_of: FindForeground, split: str = TRAIN) -> Streams:
    """The training material of one split, and of split ``validation`` what it is checked on.

    :param foreground_of: finds the brain in (D, H, W) float32 on the model grid, in the scan's units; asked only for
        scans whose case names no foreground.
    :raises InputError: no case is in that split.
    """
    chosen = [case for case in cases if case.split == split]
    if not chosen:
        raise InputError(f"no case is in split '{split}': write {split} into the column split of the cases to train on")
    kept_aside = [case for case in cases if case.split == VALIDATION and split != VALIDATION]
    return Streams(chosen, foreground_of, kept_aside)


def _some(found: list, lacking: str) -> list:
    if not found:
        raise InputError(f"no case of the split {lacking}")
    return found
