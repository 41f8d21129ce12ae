"""The recipes that can be trained, by name, and how."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from pseudonormal.errors import InputError
from pseudonormal.recipes.brain import BrainRecipe
from pseudonormal.recipes.encoder import EncoderRecipe, encoder_anatomies
from pseudonormal.recipes.lesion import LesionRecipe
from pseudonormal.recipes.mask_gan.material import mask_gan_material
from pseudonormal.recipes.mask_gan.options import MaskGanOptions
from pseudonormal.recipes.mask_gan.recipe import MaskGanRecipe
from pseudonormal.recipes.restore import RestoreRecipe
from pseudonormal.recipes.shape.options import ShapeOptions
from pseudonormal.recipes.shape.reading import shape_material
from pseudonormal.recipes.shape.recipe import ShapeRecipe
from pseudonormal.recipes.smile.material import smile_material
from pseudonormal.recipes.smile.options import SmileOptions
from pseudonormal.recipes.smile.recipe import SmileRecipe
from pseudonormal.recipes.translation.material import translation_material
from pseudonormal.recipes.translation.options import TranslationOptions
from pseudonormal.recipes.translation.recipe import TranslationRecipe
from pseudonormal.recipes.um.material import um_material
from pseudonormal.recipes.um.options import UmOptions
from pseudonormal.recipes.um.recipe import UmRecipe
from pseudonormal.training.settings import Settings
from pseudonormal.training.streams import Streams
from pseudonormal.training.trainable import Trainable


@dataclass(frozen=True)
class TrainingRecipe:
    """How networks are trained.

    :param explanation: what they learn and from what, one paragraph.
    :param build: from the training material and the options; reads what it needs of the material.
    :param settings: what the shipped model was trained with.
    :param options: what can be chosen beyond the settings, a frozen dataclass of numbers, truth values and words; None
        where there is nothing.
    :param from_store: what comes of the scans and masks of a case store alone: a model, or a generator of annotated
        scans; None: it needs label maps too, or is of no use to a lab.
    """

    explanation: str
    build: Callable[[Streams, Any], Trainable]
    settings: Settings
    options: type | None = None
    from_store: Literal["model", "scans"] | None = None

    def default_options(self) -> Any:
        """The options that hold where nobody chooses others, or None."""
        return self.options() if self.options else None


RECIPES: dict[str, TrainingRecipe] = {
    "brain": TrainingRecipe(
        "Finds the brain in a head of any contrast, with or without skull. Learns from label maps alone: each sample "
        "is a head of random pose, contrast, lesions, stripping and field of view, painted from a label map at 2 mm.",
        lambda streams, _: BrainRecipe(streams.anatomies),
        Settings(minutes=19, batch=3, reuse=4, pool=64, learning_rate=2e-3),
    ),
    "lesion": TrainingRecipe(
        "Finds lesions on any contrast. Learns from the drawn lesions of real scans, and from lesions simulated "
        "in real normal tissue and in heads of any contrast painted from label maps.",
        lambda streams, _: LesionRecipe(streams.anatomies, streams.references, streams.shapes, streams.in_place),
        Settings(minutes=92, batch=2, reuse=5, pool=100, learning_rate=2e-3),
    ),
    "restore": TrainingRecipe(
        "Says what was there before the lesion: blends and corrects classical fills and the other hemisphere. "
        "Learns from lesions simulated in real normal tissue and in painted heads, so that the truth is known.",
        lambda streams, _: RestoreRecipe(
            streams.anatomies, streams.mirrored_anatomies, streams.references, streams.planes, streams.shapes
        ),
        Settings(minutes=88, batch=5, reuse=7, pool=140, learning_rate=1.5e-3),
    ),
    "smile": TrainingRecipe(
        "Finds lesions and removes them, from few masks and many scans (SMILE). Learns from drawn and from simulated "
        "lesions, from scans in which nobody has drawn any, and from normal ones: what is restored must look healthy, "
        "and the scan must come back from it when the lesion is painted in again.",
        lambda streams, options: SmileRecipe(smile_material(streams), options),
        Settings(minutes=10, batch=1, reuse=4, pool=60, learning_rate=2e-3),
        SmileOptions,
        from_store="model",
    ),
    "mask-gan": TrainingRecipe(
        "Draws lesion masks that nobody has drawn, of a size and on a side that are asked for. Learns from masks, with "
        "or without their scans, each in the frame of its brain. Simulated lesions and synthetic scans take their "
        "shapes from it.",
        lambda streams, options: MaskGanRecipe(mask_gan_material(streams, options), options),
        Settings(minutes=30, batch=8, reuse=40, pool=400, learning_rate=5e-4, momentum=0.0),
        MaskGanOptions,
    ),
    "um": TrainingRecipe(
        "Makes annotated scans, from a handful of drawn lesions and many scans without (UM-guided synthesis): from the "
        "superpixels of any scan an image and, with it, where the lesion is. What it has learnt is used by "
        "pseudonormal synthesize; it finds and restores nothing itself.",
        lambda streams, options: UmRecipe(um_material(streams, options), options),
        Settings(minutes=30, batch=2, reuse=6, pool=80, learning_rate=1e-3),
        UmOptions,
        from_store="scans",
    ),
    "translation": TrainingRecipe(
        "Makes scans from label maps, with lesions where the map has them (pix2pix, SPADE, pix2pixHD or CycleGAN): the "
        "same map without them gives the pseudo-normal beside it. Learns from scans whose lesions are drawn; maps come "
        "from their intensities, from superpixels or from a parcellation. Used by pseudonormal synthesize.",
        lambda streams, options: TranslationRecipe(translation_material(streams, options), options),
        Settings(minutes=30, batch=2, reuse=8, pool=80, learning_rate=1e-3, momentum=0.5, average=0.995),
        TranslationOptions,
        from_store="scans",
    ),
    "encoder": TrainingRecipe(
        "Learns the features by which evaluate --metric mm-fid compares images. Learns from painted heads alone: of "
        "each slice, its contrast, height and lesions, and how blurred, noisy or coarse it is.",
        lambda streams, _: EncoderRecipe(encoder_anatomies(streams)),
        Settings(minutes=6, batch=32, reuse=6, pool=600, learning_rate=2e-3),
    ),
    "shape": TrainingRecipe(
        "Finds objects that nobody has drawn, from scans and from masks of other subjects (or a shape model): scans "
        "become masks and masks scans, and masks are judged by their shape. Then: pseudonormal seed.",
        lambda streams, options: ShapeRecipe(shape_material(streams, options), options),
        Settings(minutes=60, batch=4, reuse=4, pool=200, learning_rate=1e-3, momentum=0.5, average=0.99),
        ShapeOptions,
    ),
}


def find_recipe(name: str) -> TrainingRecipe:
    """A recipe by its name.

    :raises InputError: there is none of that name.
    """
    if name not in RECIPES:
        raise InputError(f"recipe '{name}' is not known: name one of {', '.join(RECIPES)}")
    return RECIPES[name]
