"""What a generator of recipe ``um`` is measured by: fidelity, variety, control, memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage
from skimage.metrics import structural_similarity
from torch import nn

from pseudonormal.evaluate.detection import dice
from pseudonormal.evaluate.features import at_resolution, default_features, features_of
from pseudonormal.evaluate.realism import Features, realism
from pseudonormal.evaluate.slices import slices_of
from pseudonormal.recipes.synthesizer import Synthetic
from pseudonormal.recipes.um.checking import guide_for
from pseudonormal.recipes.um.cuts import Cuts
from pseudonormal.recipes.um.guides import unsupervised_mask
from pseudonormal.recipes.um.options import GREY_LEVELS, UmOptions
from pseudonormal.recipes.um.predicting import made_from
from pseudonormal.recipes.um.superpixels import WHITE, means
from pseudonormal.regions import bounding_box
from pseudonormal.training.references import Reference

RESOLUTIONS = (24, 48, 96)
RAISED = 40  # grey levels of 255
SUPERPIXELS = 60  # that are raised
LEAST_LESION = 20  # voxels of a slice whose lesion is moved
COARSE = 32  # pixels along the edge of slices whose distance is measured
Row = dict[str, Any]


def slices_made(made: Sequence[Synthetic]) -> NDArray[np.float32]:
    """Slices of synthetic scans as :func:`pseudonormal.evaluate.slices.slices_of` has them."""
    parts = []
    for one in made:
        nothing = np.zeros(one.foreground.shape, bool)
        parts.append(slices_of(Reference("", one.image, one.foreground, None, nothing)))
    return np.concatenate(parts)


def features(slices: NDArray[np.float32]) -> Features:
    """By the extractors that ship, at three resolutions."""
    return features_of(slices, default_features(), RESOLUTIONS)


def truth_and_variety(real: Features, made: Features) -> Row:
    """MM-FID and MM-STD with their intervals, and each entry by "extractor@resolution", normalised and raw."""
    found = realism(real, {"made": made})
    fid, std = found.fid["made"], found.std["made"]

    def by_name(entries: dict[tuple[str, int], float]) -> dict[str, float]:
        return {f"{name}@{edge}": value for (name, edge), value in entries.items()}

    return {
        "mm_fid": [fid.value, fid.low, fid.high],
        "mm_std": [std.value, std.low, std.high],
        "fid": by_name(fid.entries),
        "fid_raw": by_name(fid.raw),
        "std": by_name(std.entries),
        "std_raw": by_name(std.raw),
        "slices": found.count,
    }


def through_its_guide(generator: nn.Module, options: UmOptions, scan: Reference, cuts: Cuts) -> Row:
    """A scan made again from its own guide: "ssim" and "error" in the foreground, "dice" of the head (UM only)."""
    assert scan.lesion is not None
    image, probability = made_from(generator, guide_for(scan, options, cuts), scan.brain, options)
    truth = np.where(scan.brain, np.clip(scan.image, 0, WHITE), 0)
    levels = np.flatnonzero(scan.brain.any(axis=(1, 2)))
    similar = [
        structural_similarity(truth[level], image[level], data_range=WHITE, full=True)[1][scan.brain[level]]
        for level in levels
    ]
    row: Row = {"case": scan.case, "subject": scan.subject, "ssim": float(np.concatenate(similar).mean())}
    row["error"] = float(np.abs(image - truth)[scan.brain].mean())
    if options.guide == "um":
        row["dice"] = dice(probability >= 0.5, scan.lesion & scan.brain)
    return row


def raised(generator: nn.Module, options: UmOptions, scans: Sequence[Reference], cuts: Cuts, rng: Generator) -> Row:
    """One superpixel 40 grey levels brighter: "inside", "outside": mean change of the image, scaled intensities.

    :returns: also "leak": the mean of outside / inside, over superpixels.
    """
    inside, outside = [], []
    for _ in range(SUPERPIXELS):
        scan = scans[int(rng.integers(len(scans)))]
        area = scan.brain.sum(axis=(1, 2))
        levels = np.flatnonzero(area >= 0.5 * area.max())
        level = int(rng.choice(levels))
        here = slice(level, level + 1)
        image, brain = scan.image[here], scan.brain[here]
        labels = cuts.of_slices(scan, here, options)
        values = means(image, labels)
        chosen = int(rng.integers(1, len(values)))
        brighter = values.copy()
        brighter[chosen] += RAISED / GREY_LEVELS * WHITE
        before, after = (
            made_from(generator, unsupervised_mask(each, labels[0], options)[:, None], brain, options)[0]
            for each in (values, brighter)
        )
        change = np.abs(after - before)
        place = labels == chosen
        if place.any():
            inside.append(float(change[place].mean()))
            outside.append(float(change[brain & ~place].mean()))
    leak = [o / max(i, 1e-6) for i, o in zip(inside, outside, strict=True)]
    return {"inside": float(np.mean(inside)), "outside": float(np.mean(outside)), "leak": float(np.mean(leak))}


def moved(generator: nn.Module, options: UmOptions, scans: Sequence[Reference], cuts: Cuts) -> Row:
    """The superpixels of a lesion taken to the other side: what of the mask stays, what comes along.

    In each scan the slice with most lesion. "old_before", "old_after", "new_before", "new_after": share of the old and
    of the new place that the head calls lesion; "iou": of what it calls lesion afterwards with the new place, of the
    slices in which it had found half of the lesion before; "slices": how many those are of "tried".
    """
    rows = []
    for scan in scans:
        assert scan.lesion is not None
        level = int((scan.lesion & scan.brain).sum(axis=(1, 2)).argmax())
        lesion, brain = scan.lesion[level], scan.brain[level]
        labels = cuts.of_slice(scan, level, options)
        share = means(lesion.astype(np.float32), labels)
        old = (share[labels] >= 0.5) & brain
        box = bounding_box(brain[None])
        if old.sum() < LEAST_LESION or box is None:
            continue
        new = _other_side(old, box[2])
        if (new & brain).sum() < 0.9 * old.sum() or (new & old).sum() > 0.1 * old.sum():
            continue
        values = means(scan.image[level], labels)
        shown = values[labels]
        around = ndimage.binary_dilation(old, iterations=6) & brain & ~ndimage.binary_dilation(old, iterations=2)
        taken = np.where(old, np.median(shown[around]) if around.any() else np.median(shown[brain]), shown)
        taken = np.where(new, _other_side(shown, box[2]), taken)
        cut = np.where(new, _other_side(labels, box[2]) + labels.max() + 1, labels)
        before = _head(generator, options, shown, labels, brain)
        after = _head(generator, options, taken, cut, brain)
        met = (after & new).sum() / max(1, (after | (new & brain)).sum())
        rows.append([before[old].mean(), after[old & ~new].mean(), before[new].mean(), after[new].mean(), met])
    found = np.array([row for row in rows if row[0] >= 0.5]).reshape(-1, 5)
    names = ("old_before", "old_after", "new_before", "new_after", "iou")
    means_of = found.mean(0) if len(found) else np.full(5, np.nan)
    return {**dict(zip(names, map(float, means_of), strict=True)), "slices": len(found), "tried": len(rows)}


def memory(
    made: NDArray[np.float32], training: Sequence[NDArray[np.float32]], test: NDArray[np.float32]
) -> dict[str, float]:
    """Median distance to the nearest training slice, root mean square at 32 x 32 pixels in [-1, 1].

    :param training: slices of each subject.
    :returns: of "made" and of "test" slices; of training slices to those of "others" and to the "next" of their own.
    """
    small = [at_resolution(slices, COARSE) for slices in training]
    everything = np.concatenate(small)
    others = [_nearest(one, np.concatenate(small[:number] + small[number + 1 :])) for number, one in enumerate(small)]
    own = [np.sqrt(((one[1:] - one[:-1]) ** 2).mean((1, 2))) for one in small]
    return {
        "made": float(np.median(_nearest(at_resolution(made, COARSE), everything))),
        "test": float(np.median(_nearest(at_resolution(test, COARSE), everything))),
        "others": float(np.median(np.concatenate(others))),
        "next": float(np.median(np.concatenate(own))),
    }


def _nearest(some: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float64]:
    a, b = (one.reshape(len(one), -1).astype(np.float64) for one in (some, others))
    squared = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
    return np.asarray(np.sqrt(np.clip(squared.min(1), 0, None) / a.shape[1]))


def _other_side(picture: NDArray, across: slice) -> NDArray:
    """Mirrored across the middle of the brain; (H, W)."""
    return np.roll(picture[:, ::-1], across.start + across.stop - picture.shape[1], 1)


def _head(
    generator: nn.Module, options: UmOptions, shown: NDArray, labels: NDArray, brain: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """What the head calls lesion, from values by voxel."""
    guide = unsupervised_mask(means(shown, labels), labels.astype(np.int32), options)
    return np.asarray(made_from(generator, guide[:, None], brain[None], options)[1][0] >= 0.5)
