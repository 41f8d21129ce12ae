"""Take existing folders of images and masks into the store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from pseudonormal.errors import InputError
from pseudonormal.store.pairing import Pair, pair_files
from pseudonormal.store.records import CaseRecord
from pseudonormal.store.store import Store


def import_folder(
    store: Store,
    images: Path,
    masks: Path | None = None,
    *,
    pattern: str = "**/*",
    volume: int | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> list[CaseRecord]:
    """Take a folder of scans into the store, with the lesion masks that belong to them as seed revisions.

    :func:`pseudonormal.store.pairing.pair_files` says which names and layouts are understood. Each case is added
    whole or not at all. A scan that the store holds already is passed over, so that an import that was interrupted
    can be said again.

    :param masks: folder of the masks; None where the layout tells, or where there are none.
    :param pattern: glob, relative to ``images``, of the scans to take.
    :param volume: which volume of 4D scans, counted from 0.
    :param progress: told how many are done, how many there are, and the file that is next (empty at the end).
    :returns: the cases that were added.
    :raises InputError: nothing fits together, a file cannot be used, a mask lies on another grid than its scan, or
        the store holds the scan with another mask. What was added before that stays.
    """
    pairs = pair_files(images, masks, pattern)
    added = []
    for done, pair in enumerate(pairs):
        if progress is not None:
            progress(done, len(pairs), pair.image.name)
        known = store.find_case(pair.image, volume)
        if known is None:
            case = store.add_case(
                pair.image, volume=volume, mask=pair.mask, subject=pair.subject, contrast=pair.contrast
            )
            added.append(case)
        elif pair.mask is not None:
            _check_same_seed(store, known, pair)
    if progress is not None:
        progress(len(pairs), len(pairs), "")
    return added


def _check_same_seed(store: Store, case_id: str, pair: Pair) -> None:
    """Passing over a mask that the store does not hold would lose it without a word."""
    assert pair.mask is not None
    history = store.history(case_id)
    mask = store.read_mask(case_id, pair.mask)
    if not any(np.array_equal(mask, store.read_mask(case_id, store.mask_path(revision.id))) for revision in history):
        raise InputError(
            f"{pair.mask}: {pair.image.name} is {case_id} in the store already, with another mask; "
            f"add this one by 'pseudonormal cases accept {case_id} --mask FILE'"
        )
