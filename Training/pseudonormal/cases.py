"""Cases: who was scanned, what is known about the scan, and the CSV that lists them."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pseudonormal.errors import InputError

COLUMNS = ("case", "subject", "split", "image", "mask", "normal", "foreground")
EXTRA_PATHS = ("labels", "change_mask", "doubtful", "weight", "parcellation")  # extra columns that name files
TRAIN, VALIDATION = "train", "validation"
SYNTHETIC = "synthetic"  # extra column: what marks a scan that a network made

Kind = Literal["labelled", "unlabelled", "normal", "shape", "anatomy"]

_SPLIT_WORDS = {"training": TRAIN, "val": VALIDATION, "valid": VALIDATION, "testing": "test"}


@dataclass(frozen=True)
class Case:
    """A subject's scan and what is known about it.

    :param case: name of the case, unique in its list.
    :param subject: the person; all cases of a person stand in one split.
    :param split: "train", "validation", "test" or another word; empty when not known.
    :param image: scan file or DICOM folder.
    :param mask: lesion mask on the image's grid.
    :param normal: the same scan without its lesions; names the image itself when the scan is known to be normal.
    :param foreground: mask of the organ (the brain), lesions included.
    :param extra: the list's further columns; those of ``EXTRA_PATHS`` hold absolute paths.
    """

    case: str
    subject: str
    split: str = ""
    image: Path | None = None
    mask: Path | None = None
    normal: Path | None = None
    foreground: Path | None = None
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> Kind:
        """What the case can be used for.

        "normal": the scan is its own normal; "labelled": its lesions are marked; "unlabelled": they are not;
        "shape": a lesion mask without a scan; "anatomy": a label map without a scan.
        """
        if self.image is None:
            return "anatomy" if self.extra.get("labels") else "shape"
        if self.normal == self.image:
            return "normal"
        return "labelled" if self.mask is not None else "unlabelled"

    @property
    def synthetic(self) -> bool:
        """Whether a network made it; such a case stands in split "train", never where anything is measured."""
        return self.extra.get(SYNTHETIC, "").lower() in ("1", "true", "yes")

    @property
    def has_truth(self) -> bool:
        """Whether both the lesion and what the scan would show without it are known (a simulated lesion)."""
        return self.kind == "labelled" and self.normal is not None


def read_cases(csv_path: Path) -> list[Case]:
    """Read a list of cases: CSV (UTF-8) with the columns ``case,subject,split,image,mask,normal,foreground``.

    Paths are relative to the file; empty means not known. An empty subject is taken to be the case itself. Further
    columns are kept in ``Case.extra``.

    :raises InputError: the file cannot be read, a column is missing, a named file does not exist, a case stands
        there twice, one subject stands in two splits, or a synthetic case outside split "train".
    """
    csv_path = Path(csv_path)
    rows = _rows(csv_path)
    _, header = next(rows, (0, []))
    header = [name.strip() for name in header]
    missing = [column for column in COLUMNS if column not in header]
    if missing:
        raise InputError(f"{csv_path}: line 1 lacks the column(s) {', '.join(missing)}: write {','.join(COLUMNS)}")
    if len(set(header)) < len(header):
        raise InputError(f"{csv_path}: line 1 names a column twice: give each column its own name")

    cases: list[Case] = []
    lines: dict[str, int] = {}
    splits: dict[str, tuple[str, int]] = {}
    for line, fields in rows:
        where = f"{csv_path}: line {line}"
        if len(fields) != len(header):
            raise InputError(f"{where} has {len(fields)} fields instead of {len(header)}: quote a comma inside a field")
        case = _case(dict(zip(header, (text.strip() for text in fields), strict=True)), csv_path.parent, where)
        if case.case in lines:
            raise InputError(f"{where}: case '{case.case}' stands already in line {lines[case.case]}: rename one")
        lines[case.case] = line
        split, first = splits.setdefault(case.subject, (case.split, line))
        if split != case.split:
            raise InputError(
                f"{where}: subject '{case.subject}' is in split '{case.split}' here and in '{split}' in line {first}: "
                "put all cases of a subject in one split"
            )
        cases.append(case)
    if not cases:
        raise InputError(f"{csv_path}: lists no case: add one line for each scan")
    return cases


def read_lists(paths: Sequence[Path]) -> list[Case]:
    """Read several lists of cases as one.

    :raises InputError: see :func:`read_cases`; a case stands in two lists, or a subject in two splits.
    """
    cases: list[Case] = []
    known: dict[str, Path] = {}
    splits: dict[str, str] = {}
    for path in paths:
        for case in read_cases(path):
            if case.case in known:
                raise InputError(f"{path}: case '{case.case}' stands in {known[case.case]} too: name each case once")
            known[case.case] = path
            if splits.setdefault(case.subject, case.split) != case.split:
                raise InputError(
                    f"{path}: subject '{case.subject}' is in split '{case.split}' here and in "
                    f"'{splits[case.subject]}' in another list: put all cases of a subject in one split"
                )
            cases.append(case)
    return cases


def _rows(csv_path: Path) -> Iterator[tuple[int, list[str]]]:
    """Non-empty rows with the line they end on."""
    try:
        with csv_path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, strict=True)
            for fields in reader:
                if any(text.strip() for text in fields):
                    yield reader.line_num, fields
    except FileNotFoundError:
        raise InputError(f"{csv_path}: there is no such file: give a CSV list of cases") from None
    except OSError as error:
        raise InputError(f"{csv_path}: cannot be read ({error.strerror}): give a CSV list of cases") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{csv_path}: is not a CSV file in UTF-8 ({error}): save it as CSV UTF-8") from None


def _case(row: dict[str, str], folder: Path, where: str) -> Case:
    name = row["case"]
    if not name:
        raise InputError(f"{where}: the case has no name: fill the column 'case'")
    if "/" in name or "\\" in name or name in (".", ".."):
        raise InputError(f"{where}: case '{name}' cannot name an output folder: use no slashes")
    image, mask, normal, foreground = (_path(row, column, folder, where) for column in COLUMNS[3:])
    extra = {key: value for key, value in row.items() if key not in COLUMNS}
    for column in EXTRA_PATHS:
        path = _path(extra, column, folder, where)
        if path is not None:
            extra[column] = str(path)
    if image is None and mask is None and not extra.get("labels"):
        raise InputError(f"{where}: case '{name}' names no image and no mask: fill at least one")
    split = row["split"].lower()
    case = Case(
        case=name,
        subject=row["subject"] or name,
        split=_SPLIT_WORDS.get(split, split),
        image=image,
        mask=mask,
        normal=normal,
        foreground=foreground,
        extra=extra,
    )
    if case.synthetic and case.split != TRAIN:
        raise InputError(f"{where}: case '{name}' is synthetic, which is for training only: put it in split '{TRAIN}'")
    return case


def _path(row: Mapping[str, str], column: str, folder: Path, where: str) -> Path | None:
    text = row.get(column, "")
    if not text:
        return None
    path = (folder / text).absolute()
    if not path.exists():
        raise InputError(f"{where}: {column} {path} does not exist: correct the path (relative to the list's folder)")
    return path
