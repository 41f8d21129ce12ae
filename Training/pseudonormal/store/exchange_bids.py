"""Reviewed masks as BIDS derivatives."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pseudonormal import __version__
from pseudonormal.scan.atomic import OutputFolder
from pseudonormal.store.bids_names import UNKNOWN, label, scan_name
from pseudonormal.store.exchange_out import ACCEPTED
from pseudonormal.store.reviewed import Reviewed, copy_blob, reviewed_cases, write_json
from pseudonormal.store.store import Store

_BIDS_VERSION = "1.10.0"


def export_bids(store: Store, out: Path, *, states: Sequence[str] = ACCEPTED) -> Path:
    """Write a BIDS derivative dataset: ``OUT/sub-XX/anat/`` with each scan, its lesion mask and the mask's sidecar.

    Subjects are pseudonyms. A subject with several scans has a session for each case (``sub-XX/ses-YY/anat``). Authors
    are numbered, not named: the sidecar's ``Author`` is the same for all masks of one person within one export.

    :param states: of the revisions to export.
    :returns: the folder.
    :raises InputError: no case is in these states, or the folder cannot be written; nothing is left behind then.
    """
    cases = reviewed_cases(store, states)
    subjects = [reviewed.subject for reviewed in cases]
    readers = {author: f"reader-{n}" for n, author in enumerate(sorted({r.revision.author for r in cases}), start=1)}
    with OutputFolder(out) as folder:
        write_json(folder / "dataset_description.json", _description())
        if any(scan_name("", reviewed.case.contrast).endswith(UNKNOWN) for reviewed in cases):
            (folder / ".bidsignore").write_text(f"*_{UNKNOWN}.nii.gz\n", encoding="utf-8")
        participants = ["participant_id", *dict.fromkeys(f"sub-{label(subject)}" for subject in subjects)]
        (folder / "participants.tsv").write_text("\n".join(participants) + "\n", encoding="utf-8")
        for reviewed in cases:
            parts = [f"sub-{label(reviewed.subject)}"]
            if subjects.count(reviewed.subject) > 1:
                parts.append(f"ses-{label(reviewed.case.id)}")
            _write_case(store, reviewed, folder, parts, readers[reviewed.revision.author])
    return out


def _write_case(store: Store, reviewed: Reviewed, folder: Path, parts: list[str], reader: str) -> None:
    case, revision = reviewed.case, reviewed.revision
    prefix, anat = "_".join(parts), folder.joinpath(*parts, "anat")
    image = copy_blob(store.volume_path(case.id, "image"), anat / f"{scan_name(prefix, case.contrast)}.nii.gz")
    mask = f"{prefix}_desc-lesion_mask"
    copy_blob(store.mask_path(revision.id), anat / f"{mask}.nii.gz")
    sidecar = {
        "Type": "Lesion",
        "Description": "Voxels that are diseased (1) as a reader left them",
        "Sources": [f"bids::{image.relative_to(folder).as_posix()}"],
        "Case": case.id,
        "Revision": revision.id,
        "State": revision.state,
        "Author": reader,
        "Created": revision.created.isoformat(),
        "SeedModel": case.model,
    }
    write_json(anat / f"{mask}.json", sidecar)


def _description() -> dict[str, object]:
    return {
        "Name": "Lesion masks reviewed with PseudoNormal",
        "BIDSVersion": _BIDS_VERSION,
        "DatasetType": "derivative",
        "GeneratedBy": [{"Name": "PseudoNormal", "Version": __version__}],
    }
