"""Bringing a mask into the store, and what was left behind by a sitting that ended without it. For worker threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import numpy as np

from PseudoNormalLib.engine.client import EngineClient
from PseudoNormalLib.engine.errors import Conflict, EngineError
from PseudoNormalLib.engine.replies import Lease, RevisionInfo
from PseudoNormalLib.engine.transfer import Volume, decode, encode
from PseudoNormalLib.review.journal import Entry, Journal
from PseudoNormalLib.review.place import from_comment


def submit(engine: EngineClient, entry: Entry, lease: str) -> RevisionInfo:
    """Save an entry as a revision.

    When the store has it already (the answer got lost on its way) the revision there is the answer. When the newest
    revision came from the same sitting, the entry goes on top of it.

    :raises Conflict: somebody else has saved the case meanwhile.
    :raises EngineError: the lease has expired, or the engine cannot be reached.
    """
    mask = encode(Volume(entry.mask, entry.matrix))
    with _sent_weights(engine, entry) as weights:
        try:
            return _add(engine, entry, mask, weights, lease, entry.parent)
        except Conflict:
            head = engine.case(entry.case).history[-1]
            if not _same_sitting(head, entry):
                raise
            if head.state == entry.state and _says_the_same(engine, head, entry):
                return head
            return _add(engine, entry, mask, weights, lease, head.id)


def submit_left_behind(
    engine: EngineClient, journal: Journal, lease: Lease, annotator: str
) -> tuple[list[Entry], list[Entry]]:
    """Save what earlier sittings of this annotator left behind of a case leased to them.

    :returns: the entries that the store has now, and those that stay in the journal because somebody else has gone on
        with the case meanwhile.
    :raises EngineError: the engine cannot be reached.
    """
    saved, stranded = [], []
    for entry in journal.left_behind(lease.case.id, annotator):
        try:
            submit(engine, entry, lease.lease)
        except Conflict:
            stranded.append(entry)
        else:
            journal.remove(entry.sitting)
            saved.append(entry)
    return saved, stranded


def read_mask(engine: EngineClient, case: str, revision: str) -> Volume:
    """The mask of a revision, bool (D, H, W)."""
    volume = decode(engine.revision_mask(case, revision), "mask.nii.gz")
    return Volume(volume.array > 0, volume.ijk_to_ras)


def read_distrusted(engine: EngineClient, case: str, revision: RevisionInfo) -> np.ndarray | None:
    """Where the mask of a revision is not to be trusted, bool (D, H, W); None where all of it counts."""
    if revision.weights_sha256 is None:
        return None
    return decode(engine.revision_weights(case, revision.id), "weights.nii.gz").array == 0


@contextmanager
def _sent_weights(engine: EngineClient, entry: Entry) -> Iterator[str | None]:
    """The id under which the engine has the entry's voxel weights for a while; None where all voxels count."""
    if entry.distrusted is None:
        yield None
        return
    sent = engine.upload(encode(Volume(~entry.distrusted, entry.matrix)), "weights.nrrd")
    try:
        yield sent
    finally:
        with suppress(EngineError):  # it forgets uploads by itself
            engine.delete_volume(sent)


def _add(
    engine: EngineClient, entry: Entry, mask: bytes, weights: str | None, lease: str, parent: str | None
) -> RevisionInfo:
    return engine.add_revision(
        entry.case,
        mask,
        lease=lease,
        state=entry.state,
        parent=parent,
        comment=entry.comment,
        suffix="nrrd",
        weights=weights,
    )


def _says_the_same(engine: EngineClient, head: RevisionInfo, entry: Entry) -> bool:
    """Whether a revision has the very mask of an entry, and trusts it in the same places."""
    distrusted = read_distrusted(engine, entry.case, head)
    if (distrusted is None) != (entry.distrusted is None):
        return False
    same = distrusted is None or np.array_equal(distrusted, entry.distrusted)
    return same and np.array_equal(read_mask(engine, entry.case, head.id).array, entry.mask)


def _same_sitting(head: RevisionInfo, entry: Entry) -> bool:
    if head.author != entry.annotator:
        return False
    if head.state != "draft":
        return head.parent == entry.parent and head.state == entry.state
    place = from_comment(head.comment)
    return place is not None and place.sitting == entry.sitting
