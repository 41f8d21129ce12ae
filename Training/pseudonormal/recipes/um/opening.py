"""A finished run of recipe ``um``, ready to make scans."""

from __future__ import annotations

from pathlib import Path

from pseudonormal.errors import InputError
from pseudonormal.recipes.synthesizer import Wanted
from pseudonormal.recipes.um.material import um_sources
from pseudonormal.recipes.um.options import UmOptions
from pseudonormal.recipes.um.recipe import GENERATOR, um_generator
from pseudonormal.recipes.um.synthesizing import UmSynthesizer
from pseudonormal.training.run_weights import with_weights
from pseudonormal.training.settings import read_options
from pseudonormal.training.streams import Streams


def open_um(run: Path, streams: Streams, wanted: Wanted) -> UmSynthesizer:
    """The generator of a run, and the scans that it is to make others from.

    :param wanted: its extent: see :class:`UmSynthesizer`.
    :raises InputError: the run has not ended or is damaged, or the scans cannot be used.
    """
    if wanted.masks is not None:
        raise InputError(f"{run}: recipe um draws its masks itself: leave --masks away")
    options = read_options(run, UmOptions())
    generator = with_weights(um_generator(options), run, GENERATOR, wanted.device)
    return UmSynthesizer(generator, options, um_sources(streams, options), wanted.extent)
