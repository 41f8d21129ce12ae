"""What recipe ``smile`` learns from: scans by what is known of them, lesion shapes, heads to paint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pseudonormal.lesions.shapes import ShapeSource, Transplant
from pseudonormal.training.anatomies import Anatomy, mean_anatomies
from pseudonormal.training.references import Reference
from pseudonormal.training.streams import Streams


@dataclass
class SmileMaterial:
    """Training material; all arrays on the model grid.

    :param labelled: scans with drawn lesions.
    :param unlabelled: scans whose lesions nobody has drawn.
    :param normal: scans without lesions.
    :param shapes: what simulated lesions are shaped like, besides the drawn ones.
    :param anatomies: heads to paint for rehearsal.
    :param mirrored: the groups of each, reflected through its plane of symmetry.
    :param validation: scans with drawn lesions that are not learnt from; may be empty.
    :param synthetic: scans that a network made together with their lesions: they teach where lesions are, and nothing
        of what tissue looks like.
    """

    labelled: Sequence[Reference]
    unlabelled: Sequence[Reference]
    normal: Sequence[Reference]
    shapes: Sequence[ShapeSource]
    anatomies: Sequence[Anatomy]
    mirrored: Sequence[NDArray[np.uint8]]
    validation: Sequence[Reference] = ()
    synthetic: Sequence[Reference] = ()

    def lesion_shapes(self) -> list[ShapeSource]:
        """The given shapes, and those of the drawn lesions."""
        drawn = Transplant([trusted_lesion(scan) for scan in self.labelled])
        return [*self.shapes, *([drawn] if len(drawn) else [])]


def smile_material(streams: Streams) -> SmileMaterial:
    """Sort the scans of a split by what is known of them.

    Where no label map is given, heads are made from the mean brain that the software ships.

    :raises InputError: a file cannot be used, or no case has a scan.
    """
    scans = [scan for scan in streams.scans if not scan.synthetic]
    ill = [scan for scan in streams.scans if trusted_lesion(scan).any()]
    anatomies, mirrored = streams.label_maps, streams.mirrored_anatomies if streams.label_maps else []
    if not anatomies:
        anatomies = list(mean_anatomies())
        mirrored = [anatomy.groups[:, :, ::-1] for anatomy in anatomies]  # their middle is that of the array
    return SmileMaterial(
        labelled=[scan for scan in ill if not scan.synthetic],
        unlabelled=[scan for scan in scans if scan.lesion is None],
        normal=[scan for scan in scans if scan.lesion is not None and not scan.lesion.any()],
        shapes=streams.shapes,
        anatomies=anatomies,
        mirrored=mirrored,
        validation=streams.validation,
        synthetic=[scan for scan in ill if scan.synthetic],
    )


def trusted_lesion(scan: Reference) -> NDArray[np.bool_]:
    """The drawn lesions without those that a reviewer does not trust; (D, H, W), empty where nobody drew."""
    if scan.lesion is None:
        return np.zeros(scan.brain.shape, bool)
    return scan.lesion if scan.weight is None else scan.lesion & (scan.weight > 0)


def with_share_of_labels(material: SmileMaterial, share: float, seed: int) -> SmileMaterial:
    """The material as if only a share of the masks had been drawn; the other scans count as unlabelled.

    Whole subjects are drawn first. What is left of the share is drawn in one more subject: in neighbouring axial
    slices that hold that part of its lesions; nothing is known of the others.

    :param share: in [0, 1].
    """
    if share >= 1:
        return material
    subjects = sorted({scan.subject or scan.case for scan in material.labelled})
    order = np.random.default_rng([seed, 6]).permutation(len(subjects))
    wanted = share * len(subjects)
    shares = {subjects[int(place)]: float(np.clip(wanted - rank, 0, 1)) for rank, place in enumerate(order)}
    parts = [(scan, shares[scan.subject or scan.case]) for scan in material.labelled]
    kept = [_partly_drawn(scan, part, seed) if part < 1 else scan for scan, part in parts if part > 0]
    hidden = [replace(scan, lesion=None, doubtful=np.zeros_like(scan.doubtful)) for scan, part in parts if part == 0]
    return replace(
        material,
        labelled=[scan for scan in kept if scan.lesion is not None and scan.lesion.any()],
        unlabelled=[*material.unlabelled, *hidden],
    )


def _partly_drawn(scan: Reference, share: float, seed: int) -> Reference:
    """A scan of which only some neighbouring slices were drawn, with so much of its lesion volume."""
    assert scan.lesion is not None
    profile = scan.lesion.sum(axis=(1, 2)).cumsum() / max(1, scan.lesion.sum())
    low = float(np.random.default_rng([seed, 7]).uniform(0, 1 - share))
    first, last = np.searchsorted(profile, [low, low + share])
    drawn = np.zeros(scan.lesion.shape, bool)
    drawn[first : last + 1] = True
    weight = np.ones(drawn.shape, np.float32) if scan.weight is None else scan.weight
    return replace(
        scan,
        lesion=scan.lesion & drawn,
        doubtful=(scan.doubtful & drawn) | ~drawn,
        weight=np.where(drawn, weight, np.float32(0)),
    )
