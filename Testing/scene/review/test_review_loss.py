"""Whatever goes away in the middle of a review, nothing is lost: connection, lease, answer, process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from PseudoNormalLib.engine.client import EngineClient
from PseudoNormalLib.review.decisions import Decision
from PseudoNormalLib.review.journal import Entry
from PseudoNormalLib.review.submitting import read_mask, submit
from PseudoNormalLib.scene.volumes import ijk_to_ras
from Testing.scene.review.conftest import LIBRARY, block, lease_of


def test_a_lost_connection_keeps_the_work_and_the_next_window_brings_it_in(an_engine, a_window, add_case, a_store):
    case = add_case()
    first = a_window(store_seconds=0.2)
    session = first.open(case)
    reachable, first.client = first.client, EngineClient("http://127.0.0.1:9", "nobody listens there", timeout=1)
    session.editor.replace(session.editor.mask | block(3, 30, 20))
    edited = session.editor.mask
    first.until(lambda: first.told)
    assert "\n" not in first.told[0]
    assert len(a_store.history(case)) == 1
    first.close()  # cannot be told to the store either
    assert first.journal.owners() == [(case, "Ada")]
    reachable.give_back(lease_of(session))

    second = a_window()
    second.desk.recover()
    second.until(lambda: second.told)
    assert second.told == [("recovered", [case])]
    assert second.journal.owners() == []
    history = a_store.history(case)
    assert history[-1].state == "draft" and (read_mask(second.client, case, history[-1].id).array == edited).all()
    assert a_store.case(case).leased_by is None


def test_a_connection_that_comes_back_is_used_again(a_window, add_case, a_store):
    case = add_case()
    window = a_window(store_seconds=0.2)
    session = window.open(case)
    reachable, window.client = window.client, EngineClient("http://127.0.0.1:9", "nobody", timeout=1)
    session.editor.replace(block(3, 30, 20))
    window.until(lambda: window.told)
    window.client = reachable
    window.until(lambda: not session.drafts.unsaved)
    window.finish("accepted")
    assert (read_mask(reachable, case, a_store.history(case)[-1].id).array == block(3, 30, 20)).all()
    assert window.journal.owners() == []


def test_an_expired_lease_is_asked_for_again_when_nobody_took_the_case(a_window, add_case, a_store):
    case = add_case()
    window = a_window()
    session = window.open(case)
    a_store.release(lease_of(session))
    session.editor.replace(block(3, 30, 20))
    window.save()
    a_store.release(lease_of(session))
    window.finish("accepted")
    assert [revision.state for revision in a_store.history(case)] == ["seed", "draft", "accepted"] and not window.told


def test_work_that_somebody_overtook_stays_here_and_can_be_taken_over(a_window, add_case, a_store):
    case = add_case()
    ada = a_window("Ada", renew_seconds=0.2)
    session = ada.open(case)
    session.editor.replace(block(3, 30, 20))
    a_store.release(lease_of(session))  # as if it had expired
    grace = a_window("Grace")
    theirs = grace.open(case)
    ada.until(lambda: any(said[0] == "lost" for said in ada.told))
    theirs.editor.replace(block(9, 9, 9))
    grace.finish("accepted")
    ada.close()
    assert ada.journal.owners() == [(case, "Ada")]

    later = a_window("Ada")
    session = later.open(case)
    (stranded,) = session.stranded
    assert (session.editor.mask == block(9, 9, 9)).all() and (stranded.mask == block(3, 30, 20)).all()
    session.take_over(stranded)
    later.until(lambda: not session.drafts.unsaved)
    assert session.stranded == [] and later.journal.owners() == []
    head = a_store.history(case)[-1]
    assert (read_mask(later.client, case, head.id).array == block(3, 30, 20)).all() and head.author == "Ada"
    later.close()


def test_an_answer_that_got_lost_does_not_save_the_same_twice(a_window, add_case, a_store):
    case = add_case()
    window = a_window()
    session = window.open(case)
    parent = session.revisions[-1].id
    matrix = ijk_to_ras(session.case.image)
    entry = Entry(case, "sitting", "Ada", parent, "accepted", "sure", block(9, 9, 9), matrix)
    first = submit(window.client, entry, lease_of(session))
    assert submit(window.client, entry, lease_of(session)).id == first.id
    assert len(a_store.history(case)) == 2
    window.desk.session.drafts.close()


CLIENT = """
import sys
from pathlib import Path
import numpy as np
from PseudoNormalLib.engine.background import Background
from PseudoNormalLib.engine.client import EngineClient
from PseudoNormalLib.engine.jobs import EngineJobs
from PseudoNormalLib.hosts import headless
from PseudoNormalLib.review.desk import ReviewDesk
from PseudoNormalLib.review.journal import Journal

url, token, folder, case = sys.argv[1:]
host = headless(Path(folder))
background = Background(host.tick)
jobs = EngineJobs(background, lambda: EngineClient(url, token))
desk = ReviewDesk(host, background, jobs, Journal(Path(folder) / "journal"))
desk.open(case, "Ada")
host.tick.run_until(lambda: desk.session, 60)
mask = desk.session.editor.mask.copy()
mask[5:9, 5:9, 5:9] = True
desk.session.editor.replace(mask)
desk.session.walk.go_to(2)
desk.session.walk.accept()
desk.session.walk.go_to(2)
folder = Path(folder) / "journal"
host.tick.run_until(lambda: list(folder.glob("[!.]*.npz")), 60)
print("written", flush=True)
host.tick.run_until(lambda: False, 600)
"""


def test_kill_9_of_the_client_loses_nothing_and_one_resumes_exactly_there(
    an_engine, a_window, add_case, a_store, a_lesion_mask, tmp_path
):
    case = add_case()
    environment = {**os.environ, "PYTHONPATH": str(LIBRARY), "PYTHONIOENCODING": "utf-8"}
    arguments = [an_engine.url, an_engine.token, str(tmp_path / "Lékař"), case]
    client = subprocess.Popen([sys.executable, "-c", CLIENT, *arguments], stdout=subprocess.PIPE, env=environment)
    assert client.stdout.readline().strip() == b"written"
    client.send_signal(signal.SIGKILL)
    client.wait()
    client.stdout.close()
    assert [revision.state for revision in a_store.history(case)] == ["seed"], "the store knows nothing yet"

    window = a_window()
    session = window.open(case)
    assert (session.editor.mask == (a_lesion_mask | block(5, 5, 5))).all()
    assert session.walk.current == 2 and session.walk.decision(2) is Decision.ACCEPTED
    assert a_store.history(case)[-1].state == "draft" and window.journal.owners() == []
    window.finish("accepted")
    assert a_store.check() == []


def test_two_windows_of_one_annotator_on_one_case_take_nothing_from_each_other(a_window, add_case, a_store):
    case = add_case()
    first, second = a_window("Ada"), a_window("Ada")
    session = first.open(case)
    session.editor.replace(block(3, 30, 20))
    first.until(lambda: list((first.host.data_folder / "journal").glob("[!.]*.npz")))
    second.desk.recover()
    assert second.open(case) is None
    (line,) = second.told
    assert "Ada has it open in another window" in line and "\n" not in line
    first.save()
    assert (read_mask(first.client, case, a_store.history(case)[-1].id).array == block(3, 30, 20)).all()
    assert not first.told
    first.close()
    assert (second.open(case).editor.mask == block(3, 30, 20)).all()
    second.close()


def test_a_case_that_is_opened_again_while_it_is_being_put_away_comes_back(a_window, add_case):
    case = add_case()
    window = a_window()
    window.open(case)
    window.desk.close()
    assert window.open(case) is not None and not window.told
    window.close()


def test_a_case_is_free_at_once_when_the_window_that_had_it_was_killed(an_engine, a_window, add_case, a_store):
    case = add_case()
    gone = a_window()
    gone.open(case)
    (lock,) = (gone.host.data_folder / "journal").glob("*.lock")
    gone.journal._held.pop(lock.stem).close()  # what the system does for a process that is gone
    assert a_store.case(case).leased_by == "Ada"
    assert a_window("Grace").open(case) is not None
