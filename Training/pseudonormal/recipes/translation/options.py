"""What can be chosen in a training of recipe ``translation``."""

from __future__ import annotations

from dataclasses import dataclass

from pseudonormal.recipes.um.options import UmOptions
from pseudonormal.training.ranges import check_options

TRANSLATORS = ("pix2pix", "spade", "pix2pixhd", "cyclegan")
MAPS = ("tissue", "superpixels", "groups", "parcellation")
MULTIPLE = 16  # what edges must be divisible by: the deepest translator halves four times


@dataclass(frozen=True)
class TranslationOptions:
    """Translator, label maps, grid and losses.

    :param translator: "pix2pix", "spade", "pix2pixhd" or "cyclegan"; the last learns without pairs.
    :param maps: what scans are made from: "tissue" (classes of intensity, left and right apart), "superpixels" (recipe
        um's unsupervised masks), "groups" (column ``parcellation`` in FreeSurfer's numbers) or "parcellation" (the
        same column, any numbers up to ``parcels``).
    :param classes: of maps "tissue".
    :param lesion_grades: labels of a lesion, from its darkest part to its brightest.
    :param superpixel_mm: of maps "superpixels", edge; granularity: grey levels of 255 that make one label.
    :param parcels: of maps "parcellation": the highest number.
    :param dimensions: 2: axial slices; 3: patches.
    :param voxel_mm: of the grid, a whole number.
    :param patch: edge in voxels, a multiple of 16.
    :param width: maps of the translator's finest level; judge_width: of the discriminator's first.
    :param adv_weight: the discriminator takes the image for the scan.
    :param image_weight: the image is the scan; in cyclegan, the scan that went to a map and back.
    :param map_weight: cyclegan only: the map that went to an image and back is the map.
    :param outside_weight: without its lesion the image is the same, outside of it and its rim.
    :param label_weight: with pairs: a network that learns on scans finds the lesion of the map in the image.
    :param feature_weight: pix2pixhd only: the judge's layers see in the image what they see in the scan.
    :param lesion_weight: how much more a lesion's voxel counts than another one.
    :param noise: standard deviation of what is added to what the discriminator sees; falls to 0.
    """

    translator: str = "spade"
    maps: str = "tissue"
    classes: int = 12
    lesion_grades: int = 3
    superpixel_mm: float = 6.0
    granularity: int = 10
    parcels: int = 255
    dimensions: int = 2
    voxel_mm: int = 2
    patch: int = 96
    width: int = 16
    judge_width: int = 24
    adv_weight: float = 1.0
    image_weight: float = 10.0
    map_weight: float = 1.0
    outside_weight: float = 10.0
    label_weight: float = 1.0
    feature_weight: float = 2.0
    lesion_weight: float = 4.0
    noise: float = 0.2

    def __post_init__(self) -> None:
        """Refuse what cannot be meant.

        :raises InputError: naming the option and what it may be.
        """
        rules = {
            "translator": (self.translator in TRANSLATORS, ", ".join(TRANSLATORS)),
            "maps": (self.maps in MAPS, ", ".join(MAPS)),
            "classes": (2 <= self.classes <= 12, "from 2 to 12"),
            "lesion_grades": (1 <= self.lesion_grades <= 8, "from 1 to 8"),
            "parcels": (1 <= self.parcels <= 4000, "from 1 to 4000"),
            "dimensions": (self.dimensions in (2, 3), "2 or 3"),
            "patch": (self.patch % MULTIPLE == 0 and self.patch >= 2 * MULTIPLE, "a multiple of 16, 32 at least"),
            "width": (self.width >= 4, "at least 4"),
            "judge_width": (self.judge_width >= 4, "at least 4"),
        }
        check_options(self, rules, ("noise",))
        self.superpixels()

    @property
    def finds(self) -> bool:
        """Whether a network that finds lesions learns beside the translator."""
        return self.label_weight > 0 and self.translator != "cyclegan"

    def superpixels(self) -> UmOptions:
        """How recipe ``um`` would cut superpixels of this size on this grid.

        :raises InputError: it cannot.
        """
        return UmOptions(
            dimensions=self.dimensions,
            voxel_mm=self.voxel_mm,
            superpixel_mm=self.superpixel_mm,
            granularity=self.granularity,
        )
