"""The journal: what the store does not have yet is on this computer, whole, whatever ends the process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PseudoNormalLib.review.journal import Entry, Journal

LIBRARY = Path(__file__).resolve().parents[2] / "SlicerPseudoNormal" / "PseudoNormal"
WRITER = """
import sys
from pathlib import Path
import numpy as np
from PseudoNormalLib.review.journal import Entry, Journal

journal = Journal(Path(sys.argv[1]))
sitting = journal.begin()
number = 0
while True:
    number += 1
    mask = np.zeros((20, 30, 40), bool)
    mask.ravel()[:number] = True
    journal.put(Entry("case", sitting, "Ada", "parent", "draft", str(number), mask, np.eye(4)))
    print(number, flush=True)
"""


@pytest.fixture
def a_folder(tmp_path):
    return tmp_path / "Lékař Ñandú" / "journal"


def an_entry(sitting, mask=None, **values):
    mask = np.random.default_rng(0).random((5, 7, 9)) < 0.3 if mask is None else mask
    matrix = np.array([[0.1, -0.7, 0, 3], [0.2, 0.4, 1 / 3, -8], [0, 0.6, 2, 0], [0, 0, 0, 1]])
    known = dict(case="c1", annotator="Ada", parent=None, state="accepted", comment="größer?", matrix=matrix)
    return Entry(sitting=sitting, mask=mask, **(known | values))


def test_an_entry_comes_back_as_it_was_once_its_sitting_is_over(a_folder):
    journal = Journal(a_folder)
    sitting = journal.begin()
    put = an_entry(sitting)
    journal.put(an_entry(sitting, comment="before"))
    journal.put(put)
    assert journal.left_behind("c1", "Ada") == [], "the sitting still has it"
    journal.end(sitting)
    assert journal.owners() == [("c1", "Ada")]
    assert journal.left_behind("c1", "Grace") == journal.left_behind("c2", "Ada") == []
    (back,) = journal.left_behind("c1", "Ada")
    assert (back.mask == put.mask).all() and (back.matrix == put.matrix).all() and back.mask.dtype == bool
    assert (back.case, back.sitting, back.annotator, back.parent, back.state, back.comment) == (
        ("c1", sitting, "Ada", None, "accepted", "größer?")
    )
    journal.remove(sitting)
    assert journal.owners() == []


def test_another_window_leaves_a_living_sitting_alone(a_folder):
    mine, theirs = Journal(a_folder), Journal(a_folder)
    sitting = mine.begin()
    mine.put(an_entry(sitting))
    assert theirs.owners() == []
    mine.end(sitting)
    assert theirs.owners() == [("c1", "Ada")]


def test_sittings_that_ended_without_a_word_to_the_store_are_known_by_name(a_folder):
    mine, theirs = Journal(a_folder), Journal(a_folder)
    assert theirs.ended() == []
    known, unknown, alive = (mine.begin() for _ in range(3))
    mine.put(an_entry(known))
    assert theirs.ended() == mine.ended() == []
    mine.end(known)
    mine.end(unknown, given_back=False)
    assert theirs.ended() == sorted([known, unknown])
    mine.end(alive)
    assert theirs.ended() == sorted([known, unknown]), "nothing is left of what ended well"


def test_a_damaged_file_is_left_alone_and_hides_no_other(a_folder):
    journal = Journal(a_folder)
    sitting = journal.begin()
    journal.put(an_entry(sitting))
    journal.end(sitting)
    for name, content in (("damaged", b"PK\x03\x04 not a zip file"), ("empty", b"")):
        (a_folder / f"{name}.npz").write_bytes(content)
    assert [entry.sitting for entry in journal.left_behind("c1", "Ada")] == [sitting]
    assert (a_folder / "damaged.npz").exists()


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        Journal(tmp_path / "file" / "journal").begin()


def test_kill_9_in_the_middle_of_writing_leaves_the_last_or_the_next_entry_whole(a_folder):
    rng = np.random.default_rng(0)
    environment = {**os.environ, "PYTHONPATH": str(LIBRARY), "PYTHONIOENCODING": "utf-8"}
    for _ in range(12):
        for old in a_folder.glob("*.npz"):
            old.unlink()
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(a_folder)], stdout=subprocess.PIPE, text=True, env=environment
        )
        said = [int(writer.stdout.readline())]
        assert Journal(a_folder).owners() == [], "it is alive"
        time.sleep(rng.uniform(0, 0.05))
        writer.kill()
        said += [int(line) for line in writer.stdout.read().split("\n")[:-1] if line]
        writer.wait()
        writer.stdout.close()
        (left,) = Journal(a_folder).left_behind("case", "Ada")
        assert int(left.comment) in (said[-1], said[-1] + 1)
        assert left.mask.sum() == int(left.comment)
    for old in (*a_folder.glob(".*"), *a_folder.glob("*.lock")):
        os.utime(old, (0, 0))
    journal = Journal(a_folder)
    journal.end(journal.begin())
    (left,) = a_folder.iterdir()
    assert left.suffix == ".npz" and not left.name.startswith("."), "what was not finished does not lie there for ever"
