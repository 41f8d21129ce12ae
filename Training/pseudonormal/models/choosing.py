"""Which model a scan of some contrast gets when nobody names one."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from pseudonormal.errors import InputError
from pseudonormal.models.bundle import find_bundle, model_folders, trained_contrasts
from pseudonormal.scan.contrast import IN_WORDS, Contrast


def fitting_bundle(default: str, contrast: Contrast | None) -> Path:
    """The default, unless it was trained for other contrasts and another model for this one.

    :param default: see :func:`pseudonormal.models.bundle.find_bundle`.
    :param contrast: the scan's; None: not known.
    :returns: the bundle's folder.
    :raises InputError: there is no such default, or it is damaged.
    """
    chosen = find_bundle(default)
    if unfamiliar(contrast, trained_contrasts(chosen)) is None:
        return chosen
    for folder in model_folders().values():
        with suppress(InputError):  # a damaged one is no choice
            if contrast in trained_contrasts(folder):
                return folder
    return chosen


def unfamiliar(contrast: Contrast | None, trained: tuple[str, ...]) -> str | None:
    """What speaks against a model for a scan of this contrast, in one line; None: nothing that is known.

    :param trained: the contrasts that the model was trained for; none where nobody says.
    """
    if contrast is None or not trained or contrast in trained:
        return None
    known = ", ".join(words for word, words in IN_WORDS.items() if word in trained)
    return f"the model was trained for {known}, not for {IN_WORDS[contrast]}: look at its findings with more doubt"
