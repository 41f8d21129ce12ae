"""What is trained: the recipe, beginning with the parent's weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pseudonormal.errors import InputError
from pseudonormal.models.bundle import NETWORKS, Model
from pseudonormal.recipes.smile.material import smile_material
from pseudonormal.recipes.smile.options import SmileOptions
from pseudonormal.recipes.smile.recipe import SmileRecipe
from pseudonormal.recipes.training import find_recipe
from pseudonormal.retraining.material import Material
from pseudonormal.training.references import FindForeground
from pseudonormal.training.streams import load_streams
from pseudonormal.training.trainable import Trainable

SMILE = "smile"


def learner(recipe: str, material: Material, foreground_of: FindForeground, parent: Model, options: Any) -> Trainable:
    """The recipe with its material, read from the store.

    :raises InputError: the recipe is not known, trains no network of a model, or cannot use the material.
    """
    streams = load_streams(material.cases, foreground_of=foreground_of)
    known = find_recipe(recipe)
    taught: Trainable
    if recipe == SMILE:  # it asks its parent where unlabelled scans may be diseased, and what not to forget
        taught = SmileRecipe(smile_material(streams), options or SmileOptions(), parent)
    else:
        taught = known.build(streams, options)
    _check(recipe, taught)
    return taught


def start_weights(taught: Trainable, parent: Path) -> dict[str, Path]:
    """The parent's weights for those of its networks that are trained."""
    return {key: parent / "models" / f"{key}.safetensors" for key in taught.networks() if key in NETWORKS}


def _check(recipe: str, taught: Trainable) -> None:
    """Say before hours of training that nothing usable would come of it."""
    of_model = {key: network for key, network in taught.networks().items() if key in NETWORKS}
    if not of_model:
        raise InputError(f"recipe {recipe}: trains no network of a model: name another --recipe")
    for key, network in of_model.items():
        wanted = {name: value.shape for name, value in NETWORKS[key]().state_dict().items()}
        if {name: value.shape for name, value in network.state_dict().items()} != wanted:
            raise InputError(
                f"recipe {recipe}: its network '{key}' is not the one that models have: leave the options that change "
                "it (dimensions) as they are"
            )
