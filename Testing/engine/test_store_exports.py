"""What holds for everything that leaves the case store, whatever the layout."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from Testing.reviewed_cases import listing

from pseudonormal.errors import InputError
from pseudonormal.store.exchange import export_bids, export_cases, export_datalist
from pseudonormal.store.store import Store


@pytest.mark.parametrize("export", [export_datalist, export_cases, export_bids])
def test_exporting_changes_nothing_in_the_store_and_again_gives_the_same_files(
    a_store: Store, reviewed: dict[str, str], tmp_path: Path, export: Callable[..., Path]
) -> None:
    before = {name: sha for name, sha in listing(tmp_path / "store").items() if name.startswith("blobs")}
    export(a_store, tmp_path / "out")
    first = listing(tmp_path / "out")
    (tmp_path / "out" / "notes.txt").write_text("my own", encoding="utf-8")
    export(a_store, tmp_path / "out")
    again = listing(tmp_path / "out")
    assert again.pop("notes.txt")
    assert again == first
    for path in (tmp_path / "out").rglob("*.nii.gz"):
        path.write_bytes(b"scribble")
    assert {name: sha for name, sha in listing(tmp_path / "store").items() if name.startswith("blobs")} == before
    assert a_store.check() == []


@pytest.mark.parametrize("export", [export_datalist, export_cases, export_bids])
def test_an_export_that_cannot_be_is_one_line_and_leaves_nothing(
    a_store: Store, tmp_path: Path, export: Callable[..., Path]
) -> None:
    with pytest.raises(InputError, match="no case that is accepted") as caught:
        export(a_store, tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".*"))
