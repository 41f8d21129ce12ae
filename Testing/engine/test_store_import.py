"""What comes into the case store from folders of scans and masks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pseudonormal.errors import InputError
from pseudonormal.scan.nifti import read_nifti
from pseudonormal.scan.reading import read_scan
from pseudonormal.scan.scan import Geometry
from pseudonormal.scan.writing import write_image, write_segmentation
from pseudonormal.store.bids_names import label, parse, scan_name
from pseudonormal.store.exchange import import_folder
from pseudonormal.store.pairing import pair_files
from pseudonormal.store.store import Store

SHAPE = (8, 10, 9)
GEOMETRY = Geometry(SHAPE[::-1], (1.0, 1.5, 2.0), (5.0, -7.0, 11.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
SHIFTED = Geometry(SHAPE[::-1], (1.0, 1.5, 2.0), (5.7, -7.0, 11.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))


def voxels(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(1, 500, SHAPE).astype(np.int16)


def lesion(seed: int) -> np.ndarray:
    """Nothing at the edges, so that a shifted grid does not push it out of the scan."""
    return np.pad(np.random.default_rng(seed).random([n - 2 for n in SHAPE]) < 0.3, 1)


@pytest.fixture
def a_tree(tmp_path: Path) -> Callable[..., Path]:
    """Makes a folder of files; the number of a file is the seed of its contents, masks are those called so."""

    def tree(files: dict[str, int], masks: tuple[str, ...] = (), geometry: Geometry = GEOMETRY) -> Path:
        for name, seed in files.items():
            path = tmp_path / "tree" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            is_mask = any(word in name for word in masks)
            if path.name.endswith(".nrrd"):
                write_segmentation(lesion(seed), geometry, path)
            else:
                write_image(lesion(seed) if is_mask else voxels(seed), geometry, path)
        return tmp_path / "tree"

    return tree


def names_of(folder: Path, masks: Path | None, pattern: str = "**/*") -> dict[str, str | None]:
    return {pair.image.name: pair.mask.name if pair.mask else None for pair in pair_files(folder, masks, pattern)}


def test_a_mask_belongs_to_the_scan_of_its_name(a_tree: Callable[..., Path]) -> None:
    root = a_tree({"images/a.nii.gz": 1, "images/b.nii.gz": 2, "images/deep/a.nii": 3, "masks/a.nrrd": 4,
                   "masks/deep/a.nii.gz": 5}, masks=("masks",))  # fmt: skip
    pairs = {
        pair.image.relative_to(root / "images").as_posix(): pair
        for pair in pair_files(root / "images", root / "masks", "**/*")
    }
    assert pairs["a.nii.gz"].mask == root / "masks" / "a.nrrd"
    assert pairs["b.nii.gz"].mask is None
    assert pairs["deep/a.nii"].mask == root / "masks" / "deep" / "a.nii.gz"
    assert [pairs[name].subject for name in ("a.nii.gz", "deep/a.nii")] == ["a", "deep"]


def test_nnunet_scans_share_the_mask_without_a_number(a_tree: Callable[..., Path]) -> None:
    root = a_tree({"imagesTr/p1_0000.nii.gz": 1, "imagesTr/p1_0001.nii.gz": 2, "imagesTr/p2_0000.nii.gz": 3,
                   "labelsTr/p1.nii.gz": 4, "labelsTr/p2.nii.gz": 5}, masks=("labels",))  # fmt: skip
    assert names_of(root, None) == {
        "p1_0000.nii.gz": "p1.nii.gz",
        "p1_0001.nii.gz": "p1.nii.gz",
        "p2_0000.nii.gz": "p2.nii.gz",
    }
    assert [pair.subject for pair in pair_files(root, None, "**/*")] == ["p1", "p1", "p2"]


def test_bids_names_tell_subject_session_contrast_and_mask(a_tree: Callable[..., Path]) -> None:
    root = a_tree(
        {
            "sub-01/ses-1/anat/sub-01_ses-1_T1w.nii.gz": 1,
            "sub-01/ses-1/anat/sub-01_ses-1_FLAIR.nii.gz": 2,
            "sub-01/ses-2/anat/sub-01_ses-2_ce-gadolinium_T1w.nii.gz": 3,
            "derivatives/lesions/sub-01/ses-1/anat/sub-01_ses-1_FLAIR_label-lesion_mask.nii.gz": 4,
            "derivatives/lesions/sub-01/ses-1/anat/sub-01_ses-1_desc-brain_mask.nii.gz": 5,
            "derivatives/lesions/sub-01/ses-2/anat/sub-01_ses-2_desc-lesion_mask.nii.gz": 6,
            "derivatives/lesions/sub-01/ses-2/anat/sub-01_ses-2_desc-preproc_T1w.nii.gz": 7,
        },
        masks=("mask",),
    )
    pairs = {pair.image.name: pair for pair in pair_files(root, None, "**/*")}
    assert {name: pair.mask.name if pair.mask else None for name, pair in pairs.items()} == {
        "sub-01_ses-1_T1w.nii.gz": None,
        "sub-01_ses-1_FLAIR.nii.gz": "sub-01_ses-1_FLAIR_label-lesion_mask.nii.gz",
        "sub-01_ses-2_ce-gadolinium_T1w.nii.gz": "sub-01_ses-2_desc-lesion_mask.nii.gz",
    }
    assert {pair.subject for pair in pairs.values()} == {"01"}
    assert [pair.contrast for pair in pairs.values()] == ["flair", "t1", "t1c"]
    assert set(names_of(root, None, "**/*FLAIR*")) == {"sub-01_ses-1_FLAIR.nii.gz"}


@pytest.mark.parametrize(
    ("files", "masks", "said"),
    [
        ({"a.nii.gz": 1}, "absent", "no such folder"),
        ({"notes/x.nii.gz": 1}, None, "holds no scan"),
        ({"images/a.nii.gz": 1, "masks/b.nii.gz": 2}, "masks", "has the name of a scan"),
        ({"images/a.nii.gz": 1, "masks/a.nii.gz": 2, "masks/a.nrrd": 2}, "masks", "keep one of the two"),
        (
            {"images/sub-1_T1w.nii": 1, "masks/sub-1_desc-lesion_mask.nii": 2, "masks/sub-1_label-lesion_roi.nii": 3},
            "masks",
            "keep one mask",
        ),
    ],
)  # fmt: skip
def test_files_that_do_not_fit_together_are_named_in_one_line(
    a_tree: Callable[..., Path], a_store: Store, files: dict[str, int], masks: str | None, said: str
) -> None:
    root = a_tree(files)
    images = root / "images"
    images.mkdir(exist_ok=True)
    with pytest.raises(InputError, match=said) as caught:
        import_folder(a_store, images, root / masks if masks else None)
    assert "\n" not in str(caught.value)
    assert a_store.cases() == ([], 0)


def test_a_folder_is_taken_in_voxel_for_voxel_with_its_progress(a_tree: Callable[..., Path], a_store: Store) -> None:
    root = a_tree({"images/a.nii.gz": 1, "images/b.nii.gz": 2, "masks/a.nii.gz": 3}, masks=("masks",))
    told: list[tuple[int, int, str]] = []
    with_mask, without = import_folder(
        a_store, root / "images", root / "masks", progress=lambda *step: told.append(step)
    )
    assert told == [(0, 2, "a.nii.gz"), (1, 2, "b.nii.gz"), (2, 2, "")]
    stored = read_scan(a_store.volume_path(with_mask.id, "image"))
    np.testing.assert_array_equal(stored.array, voxels(1))
    assert stored.geometry == read_scan(root / "images/a.nii.gz").geometry
    (seed,) = a_store.history(with_mask.id)
    np.testing.assert_array_equal(read_nifti(a_store.mask_path(seed.id), None).array > 0, lesion(3))
    assert (seed.state, a_store.history(without.id)) == ("seed", [])
    assert with_mask.subject != without.subject
    assert a_store.check() == []


def test_what_is_there_already_is_passed_over(a_tree: Callable[..., Path], a_store: Store) -> None:
    root = a_tree({"images/a.nii.gz": 1, "masks/a.nii.gz": 3}, masks=("masks",))
    assert len(import_folder(a_store, root / "images", root / "masks")) == 1
    a_tree({"images/b.nii.gz": 2})
    assert [case.revisions for case in import_folder(a_store, root / "images", root / "masks")] == [0]
    assert import_folder(a_store, root / "images", root / "masks") == []
    assert a_store.cases()[1] == 2


def test_another_mask_for_a_scan_in_the_store_is_not_lost_without_a_word(
    a_tree: Callable[..., Path], a_store: Store
) -> None:
    root = a_tree({"images/a.nii.gz": 1, "masks/a.nii.gz": 3}, masks=("masks",))
    (case,) = import_folder(a_store, root / "images", root / "masks")
    a_tree({"masks/a.nii.gz": 4}, masks=("masks",))
    with pytest.raises(InputError, match=f"{case.id} in the store already, with another mask"):
        import_folder(a_store, root / "images", root / "masks")


def test_a_mask_of_another_grid_stops_the_import_and_its_case_is_not_there(
    a_tree: Callable[..., Path], a_store: Store
) -> None:
    root = a_tree({"images/a.nii.gz": 1, "images/b.nii.gz": 2, "images/c.nii.gz": 3, "masks/a.nii.gz": 4}, ("masks",))
    a_tree({"masks/b.nii.gz": 5}, ("masks",), SHIFTED)
    with pytest.raises(InputError, match=r"masks/b\.nii\.gz: the mask is not on the scan's grid") as caught:
        import_folder(a_store, root / "images", root / "masks")
    assert "\n" not in str(caught.value)
    cases, total = a_store.cases()
    assert total == 1
    np.testing.assert_array_equal(read_scan(a_store.volume_path(cases[0].id, "image")).array, voxels(1))
    assert a_store.check() == []


words = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=8)


@given(subject=words, session=words, contrast=st.sampled_from(["t1", "t1c", "t2", "flair", "pd", ""]))
def test_a_scans_bids_name_tells_what_it_was_made_from(subject: str, session: str, contrast: str) -> None:
    name = parse(scan_name(f"sub-{label(subject)}_ses-{label(session)}", contrast))
    assert name is not None
    assert (name.entities["sub"], name.entities["ses"], name.contrast) == (subject, session, contrast)
    assert not name.is_mask


@given(text=st.text(max_size=20))
def test_any_file_name_is_parsed_or_is_none_of_bids(text: str) -> None:
    name = parse(text)
    assert name is None or (text.startswith("sub-") and text.endswith(name.suffix))
