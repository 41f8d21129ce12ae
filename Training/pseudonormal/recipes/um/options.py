"""What can be chosen in a training of recipe ``um``."""

from __future__ import annotations

from dataclasses import dataclass

from pseudonormal.networks.two_heads import TwoHeadGenerator
from pseudonormal.training.ranges import check_options

GUIDES = ("um", "mask")
METHODS = ("slic", "felzenszwalb")
GREY_LEVELS = 255.0
MONTAGE = 2  # slices along each edge of a montage


@dataclass(frozen=True)
class UmOptions:
    """Grid, guide, losses and what is left out.

    :param dimensions: 2: axial slices; 3: patches.
    :param montage: 2D only: four slices of a scan, from low to high, tiled 2 x 2.
    :param voxel_mm: of the grid, a whole number; a slice or the patch of a small network shall show the whole organ.
    :param patch: edge in voxels, a multiple of 8; of one slice in a montage.
    :param guide: what images are made from: "um", the unsupervised mask; "mask", foreground and drawn lesion (the
        control, which can learn from drawn slices only).
    :param method: what cuts the scan into superpixels, "slic" or "felzenszwalb" (2D only).
    :param superpixel_mm: edge of a superpixel.
    :param compactness: of SLIC on intensities in [0, 1]: how much place counts beside intensity.
    :param granularity: grey levels of 255 that a superpixel's mean is rounded down to.
    :param no_boundary: leave the boundaries of superpixels out of the guide.
    :param no_gate: believe pseudo-labels everywhere.
    :param no_unlabelled: supervised only.
    :param sure: what the discriminator must answer, of 1, where a pseudo-label is believed.
    :param noise: standard deviation of what is added to images that the discriminator sees, in [-1, 1]: without it the
        grain of a scan gives every image away at once, and nothing else is learnt from it.
    :param labels: so many drawn slices (in 3D, scans) may be used, the others count as not drawn; 0: all.
    :param label_seed: decides which.
    :param width: maps of the generator's first layer.
    :param judge_width: maps of the discriminator's first layer.
    :param adv_weight: the discriminator takes the image for real.
    :param image_weight: the image is the scan that the guide comes from.
    :param seg_weight: drawn lesions are found.
    :param unl_weight: undrawn lesions are where the generator's own average says.
    """

    dimensions: int = 2
    montage: bool = False
    voxel_mm: int = 2
    patch: int = 96
    guide: str = "um"
    method: str = "slic"
    superpixel_mm: float = 6.0
    compactness: float = 0.1
    granularity: int = 10
    no_boundary: bool = False
    no_gate: bool = False
    no_unlabelled: bool = False
    sure: float = 0.5
    noise: float = 0.15
    labels: int = 0
    label_seed: int = 0
    width: int = 16
    judge_width: int = 16
    adv_weight: float = 1.0
    image_weight: float = 10.0
    seg_weight: float = 10.0
    unl_weight: float = 0.5

    def __post_init__(self) -> None:
        """Refuse what cannot be meant.

        :raises InputError: naming the option and what it may be.
        """
        multiple = TwoHeadGenerator.multiple()
        slic = self.method == "slic" or self.dimensions == 2
        rules = {
            "patch": (
                self.patch % multiple == 0 and self.patch >= 4 * multiple,
                f"a multiple of {multiple}, {4 * multiple} at least",
            ),
            "dimensions": (self.dimensions in (2, 3), "2 or 3"),
            "guide": (self.guide in GUIDES, " or ".join(GUIDES)),
            "method": (self.method in METHODS and slic, " or ".join(METHODS) if slic else "slic in 3D"),
            "montage": (not self.montage or self.dimensions == 2, "0 in 3D, where a patch shows many slices anyway"),
            "voxel_mm": (1 <= self.voxel_mm <= 10, "a whole number from 1 to 10"),
            "superpixel_mm": (self.superpixel_mm >= self.voxel_mm, f"at least voxel_mm, {self.voxel_mm}"),
            "compactness": (self.compactness > 0, "above 0"),
            "granularity": (1 <= self.granularity <= 128, "from 1 to 128 grey levels"),
            "sure": (0 <= self.sure < 1, "from 0 up to but not 1"),
            "labels": (self.labels >= 0, "0 (all) or a number of drawn slices"),
            "width": (self.width >= 4, "at least 4"),
            "judge_width": (self.judge_width >= 4, "at least 4"),
        }
        check_options(self, rules, ("noise",))

    @property
    def tiles(self) -> int:
        """Slices along an edge of what the networks see."""
        return MONTAGE if self.montage else 1

    @property
    def unlabelled(self) -> bool:
        """Whether scans that nobody drew in are learnt from."""
        return not self.no_unlabelled and self.guide == "um"
