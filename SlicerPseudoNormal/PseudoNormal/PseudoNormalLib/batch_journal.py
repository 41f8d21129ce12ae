"""What a batch has done so far, on disk, so that it can be taken up again; and its summary for a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from PseudoNormalLib.export.atomic import new_file
from PseudoNormalLib.export.case_folder import REPORT

JOURNAL = "batch.json"
SUMMARY = "summary.csv"
RUNNING, DONE, FAILED, CANCELLED = "running", "done", "failed", "cancelled"


@dataclass(frozen=True)
class Entry:
    """One case of a batch.

    :param case: its name, which is also its folder's.
    :param source: name of its scan.
    :param stamp: tells whether the scan is still the same.
    :param settings: what it was generated with.
    :param state: ``running``, ``done``, ``failed`` or ``cancelled``.
    :param message: what went wrong, one line.
    :param findings: how many.
    :param lesion_ml: their volume in ml.
    :param model: name and version of the model.
    :param seconds: from its beginning to its end.
    :param store_case: the case's id in the case store; empty where it was not sent there.
    """

    case: str
    source: str
    stamp: str
    settings: str
    state: str = RUNNING
    message: str = ""
    findings: int | None = None
    lesion_ml: float | None = None
    model: str = ""
    seconds: float | None = None
    store_case: str = ""


class Journal:
    """The entries of all batches into one folder.

    :param out: the folder; its journal is read if there is one. One that cannot be read counts as empty: folders of
        cases are never overwritten, so nothing can be lost by that.
    """

    def __init__(self, out: Path) -> None:
        self._out = out
        self._entries = {entry.case: entry for entry in _read(out / JOURNAL)}

    def earlier(self, entry: Entry) -> Entry | None:
        """The case as an earlier batch completed it, from the same scan and with the same settings.

        A case's folder appears whole: one that was written counts even if the batch was killed or cancelled right
        then.
        """
        known = self._entries.get(entry.case)
        same = known is not None and all(
            getattr(known, name) == getattr(entry, name) for name in ("source", "stamp", "settings")
        )
        there = (self._out / entry.case / REPORT).is_file()
        return known if same and known.state != FAILED and there else None

    def put(self, entry: Entry) -> None:
        """Note how a case stands; on disk when this returns.

        :raises ExportError: the folder cannot be written.
        """
        self._entries[entry.case] = entry
        with new_file(self._out / JOURNAL) as temporary:
            content = {"entries": [asdict(one) for one in self._entries.values()]}
            temporary.write_text(json.dumps(content, indent=1, ensure_ascii=False), encoding="utf-8")

    def write_summary(self) -> Path:
        """Write a table of all cases.

        :returns: the CSV file.
        :raises ExportError: the folder cannot be written.
        """
        path = self._out / SUMMARY
        names = [field.name for field in fields(Entry) if field.name != "stamp"]
        table = io.StringIO(newline="")
        writer = csv.DictWriter(table, names, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(asdict(entry) for entry in self._entries.values())
        with new_file(path) as temporary:
            temporary.write_text(table.getvalue(), encoding="utf-8-sig", newline="")  # spreadsheets need the mark
        return path


def _read(path: Path) -> Iterable[Entry]:
    names = {field.name for field in fields(Entry)}
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["entries"]
        return [Entry(**{name: value for name, value in one.items() if name in names}) for one in entries]
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return []
