"""Looking at a case changes nothing in the store."""

from __future__ import annotations

import time

from PseudoNormalLib.engine.connection import Choice
from PseudoNormalLib.review.journal import Journal
from Testing.served_cases import TOKEN, served_cases
from Testing.story import Sitting


def linger(sitting, seconds):
    until = time.monotonic() + seconds
    sitting._ticks.run_until(lambda: time.monotonic() > until, 60)


def test_who_only_looks_leaves_no_draft(tmp_path):
    with served_cases(tmp_path) as served:
        case = served.a_case(1)
        choice = Choice(kind="remote", url=str(served.client.base_url).rstrip("/"), key=TOKEN)
        first = Sitting(tmp_path / "ada", choice)
        first.review.wake()
        first.open(case).walk.next()
        linger(first, 1.0)
        first.close()
        assert not Journal(tmp_path / "ada" / "journal").owners()
        second = Sitting(tmp_path / "ada", choice)
        second.review.wake()
        linger(second, 1.0)
        second.close()
        assert [revision.state for revision in served.store.history(case)] == ["seed"]
        assert served.store.case(case).status == "new"
