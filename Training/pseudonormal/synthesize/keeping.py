"""Take what was made into a case store, as synthetic cases."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pseudonormal.store.results import FOREGROUND, PSEUDO_NORMAL
from pseudonormal.store.store import Store


def take_in(store: Store, out: Path, records: Sequence[Mapping[str, Any]], progress: Callable[[int, str], None]) -> int:
    """Add each scan with its mask, its organ and, where it is known, its pseudo-normal.

    Scans that the store has already are passed over, so that an interrupted call can be made again.

    :param out: where the cases' folders are.
    :param records: their records.
    :param progress: told how many are done and which is next.
    :returns: how many were added.
    :raises InputError: a file cannot be read, or the store not be written.
    """
    added = 0
    for done, record in enumerate(records):
        progress(done, str(record["case"]))
        files = {name: out / record["case"] / f"{name}.nii.gz" for name in record["files"]}
        if store.find_case(files["image"]) is not None:
            continue
        volumes = {FOREGROUND: files[FOREGROUND]}
        if "normal" in files:
            volumes[PSEUDO_NORMAL] = files["normal"]
        store.add_case(
            files["image"],
            mask=files["mask"],
            volumes=volumes,
            model=f"{record['recipe']}-{record['model']}",
            subject=record["subject"],
            contrast=record["contrast"],
            synthetic=True,
        )
        added += 1
    return added
