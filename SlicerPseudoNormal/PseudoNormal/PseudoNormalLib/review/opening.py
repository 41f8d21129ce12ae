"""A case from the store into the scene: fetched on a worker thread, made into nodes on the main thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from PseudoNormalLib.engine.transfer import Volume, decode
from PseudoNormalLib.review.place import Place, from_comment
from PseudoNormalLib.review.submitting import read_distrusted, read_mask, submit_left_behind
from PseudoNormalLib.scene.case_nodes import CaseNodes, link, set_report
from PseudoNormalLib.scene.lesions import add_distrusted, new_lesions
from PseudoNormalLib.scene.results import NAMES, VOLUMES, WIDE
from PseudoNormalLib.scene.volumes import new_volume, new_volume_like

if TYPE_CHECKING:
    from PseudoNormalLib.engine.client import EngineClient
    from PseudoNormalLib.engine.replies import CaseDetails, Lease
    from PseudoNormalLib.hosts import Host
    from PseudoNormalLib.review.journal import Entry, Journal


@dataclass(frozen=True, eq=False)
class OpenCase:
    """A leased case as it came from the store.

    :param volumes: by the store's names, ``image`` is always there.
    :param mask: of the newest revision; None when nobody has drawn anything yet.
    :param distrusted: (D, H, W) bool, where that mask is not to be trusted; None where all of it counts.
    :param place: where this annotator left it; None when somebody else had it last.
    :param stranded: what this annotator left on this computer and somebody else has overtaken.
    """

    lease: Lease
    details: CaseDetails
    volumes: dict[str, Volume]
    mask: Volume | None
    distrusted: np.ndarray | None
    place: Place | None
    stranded: tuple[Entry, ...]


def fetch(engine: EngineClient, journal: Journal, lease: Lease, annotator: str) -> OpenCase:
    """Everything about a leased case; what an earlier sitting left behind is saved first. For worker threads.

    :raises EngineError: the engine cannot be reached or a file cannot be read.
    """
    saved, stranded = submit_left_behind(engine, journal, lease, annotator)
    details = engine.case(lease.case.id)
    volumes = {
        name: decode(engine.case_volume(lease.case.id, name), f"{name}.nii.gz")
        for name in details.volumes
        if name in ("image", *VOLUMES, WIDE)
    }
    head = details.history[-1] if details.history else None
    comments = [entry.comment for entry in saved] or ([head.comment] if head and head.author == annotator else [])
    return OpenCase(
        lease=lease,
        details=details,
        volumes=volumes,
        mask=None if head is None else read_mask(engine, lease.case.id, head.id),
        distrusted=None if head is None else read_distrusted(engine, lease.case.id, head),
        place=from_comment(comments[-1]) if comments else None,
        stranded=tuple(stranded),
    )


def make_nodes(host: Host, opened: OpenCase) -> CaseNodes:
    """The nodes of a case, all on the image's grid, none of them shown yet.

    :raises ValueError: the store's volumes do not fit each other.
    """
    picture = opened.volumes["image"]
    image = new_volume(host.scene, opened.lease.case.id, picture.array, picture.ijk_to_ras)
    made: dict[str, Any] = {
        role: new_volume_like(image, NAMES[role].format(scan=image.GetName()), volume.array)
        for role, volume in opened.volumes.items()
        if role != "image"
    }
    nothing = np.zeros(picture.array.shape, bool)
    mask = nothing if opened.mask is None else opened.mask.array
    lesions = new_lesions(host, image, mask, NAMES["lesions"].format(scan=image.GetName()))
    add_distrusted(lesions, image, nothing if opened.distrusted is None else opened.distrusted)
    case = CaseNodes(image, **made, lesions=lesions)
    link(case)
    if opened.details.report:
        set_report(case, opened.details.report)
    return case


def remove_nodes(host: Host, case: CaseNodes) -> None:
    """Take a case's nodes out of the scene."""
    for node in (*reversed(case.made), case.image):
        host.scene.RemoveNode(node)
