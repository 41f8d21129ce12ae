"""The list of cases: what is read from it and how its faults are named."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pseudonormal.cases import COLUMNS, Case, read_cases
from pseudonormal.errors import InputError

HEADER = ",".join(COLUMNS)


def a_list(folder: Path, *lines: str, header: str = HEADER) -> Path:
    for name in ("scan.nii.gz", "other.nii.gz", "mask.nii.gz", "labels.nii.gz"):
        (folder / name).touch()
    path = folder / "cases.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def test_a_row_becomes_a_case_with_paths_relative_to_the_list(tmp_path: Path) -> None:
    (case,) = read_cases(a_list(tmp_path, "c1,s1,test,scan.nii.gz,mask.nii.gz,,"))
    assert case == Case("c1", "s1", "test", tmp_path / "scan.nii.gz", tmp_path / "mask.nii.gz")


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("c,s,test,scan.nii.gz,mask.nii.gz,,,", "labelled"),
        ("c,s,test,scan.nii.gz,,,,", "unlabelled"),
        ("c,s,test,scan.nii.gz,,scan.nii.gz,,", "normal"),
        ("c,s,train,,mask.nii.gz,,,", "shape"),
        ("c,s,train,,,,,labels.nii.gz", "anatomy"),
    ],
)
def test_kind_follows_from_what_is_known(tmp_path: Path, line: str, kind: str) -> None:
    (case,) = read_cases(a_list(tmp_path, line, header=HEADER + ",labels"))
    assert case.kind == kind


def test_a_labelled_case_with_another_normal_has_truth(tmp_path: Path) -> None:
    with_truth, without = read_cases(
        a_list(
            tmp_path, "a,s,test,scan.nii.gz,mask.nii.gz,other.nii.gz,", "b,s,test,scan.nii.gz,mask.nii.gz,scan.nii.gz,"
        )
    )
    assert with_truth.has_truth
    assert not without.has_truth


def test_further_columns_are_kept(tmp_path: Path) -> None:
    path = a_list(tmp_path, "c,s,test,scan.nii.gz,,,,2,mask.nii.gz", header=HEADER + ",visit,change_mask")
    (case,) = read_cases(path)
    assert case.extra == {"visit": "2", "change_mask": str(tmp_path / "mask.nii.gz")}


def test_an_unknown_subject_is_the_case_itself_and_split_words_are_unified(tmp_path: Path) -> None:
    first, second = read_cases(a_list(tmp_path, "a,,Val,scan.nii.gz,,,", "b,,,scan.nii.gz,,,"))
    assert (first.subject, first.split) == ("a", "validation")
    assert (second.subject, second.split) == ("b", "")


@pytest.mark.parametrize(
    ("lines", "line", "said"),
    [
        (["c,s,test,absent.nii.gz,,,"], 2, "absent.nii.gz"),
        (["c,s,test,scan.nii.gz,,,", "c,t,test,scan.nii.gz,,,"], 3, "stands already in line 2"),
        (["a,s,train,scan.nii.gz,,,", "", "b,s,test,scan.nii.gz,,,"], 4, "'train' in line 2"),
        ([",s,test,scan.nii.gz,,,"], 2, "no name"),
        (["../c,s,test,scan.nii.gz,,,"], 2, "folder"),
        (["c,s,test,scan.nii.gz"], 2, "4 fields instead of 7"),
        (["c,s,test,,,,"], 2, "no image"),
    ],
)
def test_a_fault_is_named_with_file_and_line(tmp_path: Path, lines: list[str], line: int, said: str) -> None:
    path = a_list(tmp_path, *lines)
    with pytest.raises(InputError) as caught:
        read_cases(path)
    message = str(caught.value)
    assert str(path) in message
    assert f"line {line}" in message
    assert said in message
    assert "\n" not in message


@pytest.mark.parametrize(
    "content", [b"", b"case,subject\na,b\n", b"\xff\xfe\x00binary", HEADER.encode() + b"\n", b'"unclosed']
)
def test_a_file_that_is_no_list_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "cases.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"cases\.csv"):
        read_cases(path)


def test_a_missing_list_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.csv", tmp_path):
        with pytest.raises(InputError, match=str(path)):
            read_cases(path)


def test_a_spreadsheets_byte_order_mark_and_line_ends_are_understood(tmp_path: Path) -> None:
    path = a_list(tmp_path)
    path.write_bytes(b"\xef\xbb\xbf" + HEADER.encode() + b"\r\nc,s,test,scan.nii.gz,,,\r\n")
    assert read_cases(path)[0].case == "c"


names = st.text(st.characters(exclude_categories=("C", "Z"), exclude_characters="/\\"), min_size=1, max_size=12).filter(
    lambda text: text not in (".", "..")
)


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(st.tuples(names, names, names), min_size=1, max_size=6, unique_by=lambda row: row[0]))
def test_whatever_a_csv_writer_wrote_is_read_back(rows: list[tuple[str, str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "scan,1 ü.nii.gz").touch()
        stream = io.StringIO()
        writer = csv.writer(stream)
        writer.writerow([*COLUMNS, "note"])
        for case, subject, note in rows:
            writer.writerow([case, subject, "test", "scan,1 ü.nii.gz", "", "", "", note])
        path = Path(folder) / "cases.csv"
        path.write_text(stream.getvalue(), encoding="utf-8")
        read = read_cases(path)
    assert [(case.case, case.subject, case.extra["note"]) for case in read] == rows
