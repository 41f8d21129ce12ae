"""Whether images show what their label maps say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pseudonormal.evaluate.detection import dice
from pseudonormal.recipes.synthesizer import Synthetic
from pseudonormal.recipes.translation.maps import with_lesion
from pseudonormal.recipes.translation.material import Mapped
from pseudonormal.recipes.translation.predicting import draw_latent, translated
from pseudonormal.recipes.translation.synthesizing import TranslationSynthesizer
from pseudonormal.study.painting import StudyScan
from pseudonormal.study.scores import lesion_probability_of
from pseudonormal.training.references import Reference

LIKELY = 0.5
HALF = 0.5  # of the mean change within the label: where the image counts as changed


class Together(nn.Module):
    """Several segmentors as one: the mean of their answers (logits)."""

    def __init__(self, segmentors: Sequence[nn.Module]) -> None:
        super().__init__()
        self.segmentors = nn.ModuleList(segmentors)

    def forward(self, slices: Tensor) -> Tensor:
        """(B, C, H, W) to (B, 1, H, W)."""
        return torch.stack([segmentor(slices) for segmentor in self.segmentors]).mean(0)


def consistency(
    synthesizer: TranslationSynthesizer, made: Sequence[Synthetic], elsewhere: Sequence[Synthetic], segmentor: nn.Module
) -> dict[str, float]:
    """Check a translator by the scans that it made.

    :param made: with their lesions and without, in heads that the segmentor knows; elsewhere: in other heads.
    :param segmentor: trained on real scans.
    :returns: "found": Dice of what the segmentor finds with the label that the scan was made from, and
        "found_elsewhere"; "followed": overlap (IoU) of what changes with the label, the label at its place and moved to
        the other side; "leak": mean absolute change outside the label, of the range from black (0) to the brightest
        normal tissue (1).
    """
    ill, others = ([one for one in some if one.mask.any()] for some in (made, elsewhere))
    both = [*ill, *others]
    moved = [overlap for one in synthesizer.ill if (overlap := _moved(synthesizer, one)) is not None]
    numbers = {
        "found": [found_in(segmentor, as_scan(one)) for one in ill],
        "found_elsewhere": [found_in(segmentor, as_scan(one)) for one in others],
        "followed": [*(followed(one.image, _normal(one), one.mask) for one in both), *moved],
        "leak": [leak(one.image, _normal(one), one.mask, one.foreground) for one in both],
    }
    return {name: float(np.mean(values)) if values else float("nan") for name, values in numbers.items()}


def followed(ill: NDArray[np.float32], normal: NDArray[np.float32], label: NDArray[np.bool_]) -> float:
    """Overlap (IoU) of a lesion's label with where the image changes by at least half of what it does within it.

    :param ill: (D, H, W) the image with the label, ``normal`` without it.
    """
    change = np.abs(ill - normal)
    changed = change >= max(HALF * float(change[label].mean()), 1e-6)
    return float((changed & label).sum() / (changed | label).sum())


def leak(
    ill: NDArray[np.float32], normal: NDArray[np.float32], label: NDArray[np.bool_], brain: NDArray[np.bool_]
) -> float:
    """Mean absolute change in the foreground outside a lesion's label, scaled intensities."""
    return float(np.abs(ill - normal)[brain & ~label].mean())


def _moved(synthesizer: TranslationSynthesizer, scan: Mapped) -> float | None:
    """Overlap for a lesion that is moved to the other side of its head; None where it has no place there."""
    labels = scan.labels
    there = scan.lesion[..., ::-1] & (labels > 0) & ~scan.lesion
    if there.sum() < 0.5 * scan.lesion.sum():
        return None
    grades = np.where(there, scan.grades[..., ::-1], 0).astype(np.int8)
    latent = draw_latent(np.random.default_rng(0))
    ill, normal = (
        translated(synthesizer.translator, one, latent, synthesizer.options)
        for one in (with_lesion(labels, grades, synthesizer.options), labels)
    )
    return followed(ill, normal, there)


def found_in(segmentor: nn.Module, scan: Reference) -> float:
    """Dice of what a segmentor finds more likely than not with a scan's lesions."""
    assert scan.lesion is not None
    return dice(lesion_probability_of(segmentor, StudyScan(scan, None)) >= LIKELY, scan.lesion)


def as_scan(one: Synthetic, name: str = "made") -> Reference:
    """A synthetic scan as one that somebody drew in."""
    return Reference(name, one.image, one.foreground, one.mask, one.mask, one.contrast, one.subject)


def _normal(one: Synthetic) -> NDArray[np.float32]:
    assert one.normal is not None, "translators know it"
    return one.normal
