"""A finished run of recipe ``translation``, ready to make scans."""

from __future__ import annotations

from pathlib import Path

from pseudonormal.errors import InputError
from pseudonormal.recipes.mask_gan.drawing import load_mask_gan
from pseudonormal.recipes.synthesizer import Wanted
from pseudonormal.recipes.translation.material import mapped, mapped_head
from pseudonormal.recipes.translation.networks import TRANSLATOR, translator_network
from pseudonormal.recipes.translation.options import TranslationOptions
from pseudonormal.recipes.translation.synthesizing import TranslationSynthesizer
from pseudonormal.training.coarse import coarse_scan
from pseudonormal.training.run_weights import with_weights
from pseudonormal.training.settings import read_options
from pseudonormal.training.streams import Streams


def open_translation(run: Path, streams: Streams, wanted: Wanted) -> TranslationSynthesizer:
    """The translator of a run, and the maps to make scans from: of scans whose lesions are known, and of heads.

    :param wanted: whole scans only; its masks are a run of recipe mask-gan.
    :raises InputError: a run has not ended or is damaged, or a case cannot be used.
    """
    if wanted.extent != "scan":
        raise InputError(f"--extent {wanted.extent}: recipe translation makes whole scans: leave it away")
    options = read_options(run, TranslationOptions())
    translator = with_weights(translator_network(options), run, TRANSLATOR, wanted.device)
    masks = load_mask_gan(wanted.masks, wanted.device) if wanted.masks else None
    known = [coarse_scan(scan, options.voxel_mm) for scan in streams.drawn_scans]
    contrasts = sorted({scan.contrast for scan in known if scan.contrast}) or [""]
    heads = [mapped_head(anatomy, case.case, case.subject, contrasts[0], options) for case, anatomy in streams.heads()]
    scans = [*(mapped(scan, options) for scan in known), *heads]
    if not scans:
        raise InputError(
            "no case to make scans from: list scans whose lesions are known (column mask, or normal), or label maps of "
            "heads (column labels)"
        )
    return TranslationSynthesizer(translator, options, scans, masks)
