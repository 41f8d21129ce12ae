"""What leaves the case store for others: BIDS derivatives."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from pseudonormal.scan.nifti import read_nifti
from pseudonormal.store.exchange import export_bids, import_folder
from pseudonormal.store.store import Store


def test_bids_derivatives_say_what_they_are_and_name_nobody(
    a_store: Store, reviewed: dict[str, str], tmp_path: Path
) -> None:
    root = export_bids(a_store, tmp_path / "bids")
    description = json.loads((root / "dataset_description.json").read_text(encoding="utf-8"))
    assert description["DatasetType"] == "derivative"
    assert description["GeneratedBy"][0]["Name"] == "PseudoNormal"
    masks = sorted(root.rglob("*_desc-lesion_mask.nii.gz"))
    assert len(masks) == 4
    for mask in masks:
        sidecar = json.loads(mask.with_name(mask.name.replace(".nii.gz", ".json")).read_text(encoding="utf-8"))
        revision = a_store.revision(sidecar["Revision"])
        assert (sidecar["State"], sidecar["Author"]) == ("accepted", "reader-1")
        image = root / sidecar["Sources"][0].removeprefix("bids::")
        original = read_nifti(a_store.volume_path(revision.case_id, "image"), None)
        np.testing.assert_array_equal(read_nifti(image, None).array, original.array)
        assert mask.read_bytes() == a_store.mask_path(revision.id).read_bytes()
        assert image.parent == mask.parent and image.parent.name == "anat"
    participants = (root / "participants.tsv").read_text(encoding="utf-8").splitlines()
    assert sorted(participants[1:]) == sorted(path.name for path in root.glob("sub-*"))
    everything = b"".join(path.read_bytes() for path in root.rglob("*") if path.suffix in (".json", ".tsv"))
    assert b"Eva" not in everything and b"private" not in everything
    assert all(path.name.removeprefix("sub-").isalnum() for path in root.glob("sub-*"))


def test_scans_of_one_subject_are_its_sessions(a_store: Store, reviewed: dict[str, str], tmp_path: Path) -> None:
    root = export_bids(a_store, tmp_path / "bids")
    sessions = sorted(root.glob("sub-*/ses-*/anat/*_desc-lesion_mask.nii.gz"))
    assert len(sessions) == 2
    assert len({path.parents[2] for path in sessions}) == 1
    names = {path.name.rsplit("_", 1)[1] for path in root.rglob("anat/*.nii.gz")}
    assert names == {"FLAIR.nii.gz", "image.nii.gz", "mask.nii.gz"}
    assert (root / ".bidsignore").read_text(encoding="utf-8") == "*_image.nii.gz\n"


def test_an_export_comes_back_into_another_store_voxel_for_voxel(
    a_store: Store, reviewed: dict[str, str], tmp_path: Path
) -> None:
    other = Store.open(tmp_path / "other")
    back = import_folder(other, export_bids(a_store, tmp_path / "bids"))
    assert len(back) == 4
    for case in back:
        image = other.volume_path(case.id, "image").read_bytes()
        (seed,) = other.history(case.id)
        (source,) = (c for c in reviewed.values() if a_store.volume_path(c, "image").read_bytes() == image)
        first = a_store.history(source)[0]
        np.testing.assert_array_equal(
            other.read_mask(case.id, other.mask_path(seed.id)), a_store.read_mask(source, a_store.mask_path(first.id))
        )
    assert len({case.subject for case in back}) == 3
