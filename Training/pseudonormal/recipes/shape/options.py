"""What can be chosen in a training of recipe ``shape``: the frame, the auxiliary masks, losses, what is left out."""

from __future__ import annotations

from dataclasses import dataclass

from pseudonormal.training.ranges import check_options

DIVISOR = 16  # of the frame's edge: what shape space divides by
SOURCES = ("masks", "ellipses", "lesions")
REGIONS = ("brain", "head")


@dataclass(frozen=True)
class ShapeOptions:
    """The frame, where masks come from, weights, and what is left out.

    A shape is judged as a whole: scans and masks are brought into a cubic frame, cut into its axial slices in 2D.

    :param dimensions: 3, or 2 for axial slices.
    :param edge: of the frame, in its voxels, a multiple of 16.
    :param voxel_mm: of the frame's voxels; edge * voxel_mm is what the frame shows.
    :param region: "brain": the frame is centred on the brain and shows nothing else; "head": the whole scan.
    :param source: auxiliary masks are the cases that are masks without a scan ("masks"), ellipses ("ellipses"), or
        simulated lesions in the scans' brains ("lesions").
    :param radius_low: of ellipses: mean semi-axis, share of the edge; radius_high likewise.
    :param elongation: of ellipses: longest to shortest semi-axis, at most.
    :param off_centre: of ellipses: farthest from the frame's centre along each axis, share of the edge.
    :param lesion_ml: of simulated lesions: least volume; lesion_ml_high: greatest.
    :param empty: in 2D, share of auxiliary masks that are empty: about that of slices without the object.
    :param one_piece: an object is one connected piece; 0: several, as lesions may be.
    :param width: of the two generators, channels at full resolution.
    :param latent: dimensions of shape space.
    :param shape_share: share of the training in which shape space is learnt, before all else.
    :param patch_judge: masks are judged by a PatchGAN instead of in shape space (ablation).
    :param no_calibration: generators get no word of the discriminator (ablation: no DGCC).
    :param adv_weight: discriminators take masks and pictures for real.
    :param image_weight: a picture comes back from its mask, in what a mask can say of it.
    :param mask_weight: a mask comes back from its picture.
    :param prior_weight: a mask is like its own reconstruction from shape space.
    :param beta: of the divergence in shape space.
    :param noise: standard deviation of what is added to masks and pictures before they are translated back, against
        pictures that are hidden in masks.
    """

    dimensions: int = 3
    edge: int = 64
    voxel_mm: float = 3.0
    region: str = "brain"
    source: str = "masks"
    radius_low: float = 0.18
    radius_high: float = 0.32
    elongation: float = 1.6
    off_centre: float = 0.15
    lesion_ml: float = 1.0
    lesion_ml_high: float = 60.0
    empty: float = 0.0
    one_piece: bool = True
    width: int = 12
    latent: int = 32
    shape_share: float = 0.4
    patch_judge: bool = False
    no_calibration: bool = False
    adv_weight: float = 1.0
    image_weight: float = 3.0
    mask_weight: float = 10.0
    prior_weight: float = 5.0
    beta: float = 0.01
    noise: float = 0.1

    def __post_init__(self) -> None:
        """Refuse what cannot be meant.

        :raises InputError: naming the option and what it may be.
        """
        rules = {
            "dimensions": (self.dimensions in (2, 3), "2 or 3"),
            "source": (self.source in SOURCES, " or ".join(SOURCES)),
            "region": (self.region in REGIONS, " or ".join(REGIONS)),
            "edge": (
                self.edge % DIVISOR == 0 and self.edge >= 2 * DIVISOR,
                f"a multiple of {DIVISOR}, {2 * DIVISOR} at least",
            ),
            **{name: (0 <= getattr(self, name) < 1, "a share, from 0 to below 1") for name in ("shape_share", "empty")},
            **{name: (getattr(self, name) > 0, "above 0") for name in ("voxel_mm", "lesion_ml", "width", "latent")},
            "lesion_ml_high": (self.lesion_ml <= self.lesion_ml_high, f"at least lesion_ml, {self.lesion_ml:g}"),
        }
        check_options(self, rules, ("beta", "noise"))

    @property
    def shape(self) -> tuple[int, ...]:
        """Of what networks see, (H, W) or (D, H, W)."""
        return (self.edge,) * self.dimensions
