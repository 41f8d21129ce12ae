"""From a trained generator or segmentor to masks of whole scans, and how far each is to be trusted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor, nn

from pseudonormal.recipes.shape.drawing import as_seen
from pseudonormal.recipes.shape.material import Framed
from pseudonormal.recipes.shape.networks import Networks, segmented
from pseudonormal.regions import connected, largest, sizes

GAINS = (0.9, 1.0, 1.1)  # views of a picture, each also mirrored
BATCH = 8
LEAST_WEIGHT = 0.1
NOWHERE = 0.05  # probability below which nothing is seen
VARIANCE = 0.1  # tau: how fast trust falls with the views' disagreement
CRUMB = 0.1  # of the largest piece: smaller ones are left out where there may be several

Answer = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Label:
    """What was found in a scan.

    :param probability: (D, H, W) float32, mean over the views.
    :param mask: (D, H, W), cleaned.
    :param trust: for each slice in 2D, else one number: in [0, 1], 1 where all views agree on a plausible shape.
    """

    probability: NDArray[np.float32]
    mask: NDArray[np.bool_]
    trust: NDArray[np.float32]

    @property
    def weight(self) -> NDArray[np.float32]:
        """(D, H, W) in [0.1, 1]: how sure each voxel is, times the trust in its slice or volume.

        What no view takes for the object is background whatever the trust.
        """
        trust = np.where(self.probability < NOWHERE, 1, self.trust.reshape(-1, 1, 1))
        return np.maximum(self.sure * trust, LEAST_WEIGHT).astype(np.float32)

    @property
    def sure(self) -> NDArray[np.float32]:
        """(D, H, W) in [0, 1], ``|2p - 1|``; 0 where cleaning went against the probability."""
        sure = np.abs(2 * self.probability - 1)
        return np.where(self.mask == (self.probability >= 0.5), sure, 0).astype(np.float32)


def answer_of(networks: Networks) -> Answer:
    """The generator's last word on a picture: (B, 1, *S) to probabilities."""
    return lambda picture: segmented(networks, picture)[1].sigmoid()


def label(answer: Answer, scan: Framed, *, dimensions: int, one_piece: bool, shapes: nn.Module | None = None) -> Label:
    """Segment a scan from several views, clean the mask and say how far to trust it.

    ``trust = exp(-V / 0.1) * Dice(m, Dec(E(m)))`` with V the views' variance, summed and divided by the mask's size:
    the first factor is about what the network is unsure of, the second about shapes that no auxiliary mask has.

    :param answer: probabilities of a batch.
    :param one_piece: only the largest piece is kept; else crumbs are left out.
    :param shapes: shape space of the scan's frame; None: the second factor is 1.
    """
    levels: Sequence[int | slice] = scan.levels if dimensions == 2 else [slice(None)]
    probability, variance = np.zeros(scan.image.shape, np.float32), np.zeros(scan.image.shape, np.float32)
    for first in range(0, len(levels), BATCH):
        some = levels[first : first + BATCH]
        seen = np.stack([as_seen(scan.image[level]) for level in some])
        views = _views(answer, torch.from_numpy(seen)[:, None])
        for place, level in enumerate(some):
            probability[level], variance[level] = views[:, place].mean(0), views[:, place].var(0)
    probability, variance = probability * scan.region, variance * scan.region
    mask = cleaned(probability >= 0.5, dimensions=dimensions, one_piece=one_piece)
    axes = (1, 2) if dimensions == 2 else (0, 1, 2)
    area = np.maximum(np.atleast_1d(mask.sum(axes)), 1)
    trust = np.exp(-np.atleast_1d(variance.sum(axes)) / area / VARIANCE).astype(np.float32)
    if shapes is not None:
        trust *= plausibility(shapes, mask, dimensions)
    return Label(probability, mask, trust)


def cleaned(mask: NDArray[np.bool_], *, dimensions: int, one_piece: bool) -> NDArray[np.bool_]:
    """Without holes; its largest piece, or all but crumbs. In 2D each slice by itself.

    :param mask: (D, H, W).
    """
    done = []
    for part in pictures_in(mask, dimensions):
        if one_piece:
            part = largest(part)
        else:
            labels, _ = connected(part)
            counts = sizes(labels)
            part = (counts >= CRUMB * counts.max())[labels] & part
        done.append(ndimage.binary_fill_holes(part[0])[None] if dimensions == 2 else ndimage.binary_fill_holes(part))
    return np.concatenate(done)


def pictures_in(array: NDArray, dimensions: int) -> list[NDArray]:
    """What is looked at by itself: (1, H, W) each slice in 2D, (D, H, W) the volume in 3D."""
    return [level[None] for level in array] if dimensions == 2 else [array]


def plausibility(shapes: nn.Module, mask: NDArray[np.bool_], dimensions: int) -> NDArray[np.float32]:
    """Dice of each mask with its own reconstruction from shape space; 1 for an empty one.

    :param mask: (D, H, W): D masks in 2D, one in 3D.
    :returns: (D,) or (1,).
    """
    rows = torch.from_numpy(mask.astype(np.float32))
    rows = rows[:, None] if dimensions == 2 else rows[None, None]
    with torch.no_grad():
        there = next(shapes.parameters()).device
        again = shapes.shape_at(shapes.place(rows.to(there))).cpu() > 0.5  # type: ignore[operator]  # a MaskVae
    overlap = (again * rows).flatten(1).sum(1)
    total = again.flatten(1).sum(1) + rows.flatten(1).sum(1)
    there_is = rows.flatten(1).any(1)
    return torch.where(there_is, 2 * overlap / total.clamp_min(1), torch.ones_like(total)).numpy().astype(np.float32)


def agreement(labels: Sequence[Label]) -> float:
    """Mean trust in labels that are not empty: the estimate where no truth is known; 0 where all are empty."""
    found = [float(t) for one in labels for t, drawn in zip(one.trust, _drawn(one), strict=True) if drawn]
    return float(np.mean(found)) if found else 0.0


def _drawn(one: Label) -> list[bool]:
    return [bool(part.any()) for part in one.mask] if len(one.trust) == len(one.mask) else [bool(one.mask.any())]


def _views(answer: Answer, picture: Tensor) -> NDArray[np.float32]:
    """Answers to all views, (V, B, *S)."""
    gained = [((picture + 1) * gain - 1).clamp(-1, 1.2) for gain in GAINS]
    views = [view for seen in gained for view in (seen, seen.flip(-1))]
    with torch.no_grad():
        if picture.ndim == 4:  # few slices at a time waste a processor; volumes would fill the memory
            found = list(answer(torch.cat(views)).split(len(picture)))
        else:
            found = [answer(view) for view in views]
    found[1::2] = [mirrored.flip(-1) for mirrored in found[1::2]]
    return torch.stack(found)[:, :, 0].float().cpu().numpy()
