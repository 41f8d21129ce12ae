"""Work on threads: the outcome arrives on the main thread, whatever happens."""

from __future__ import annotations

import ctypes
import threading
import time

import pytest
from PseudoNormalLib.engine.background import Background
from PseudoNormalLib.signals import Signal
from PseudoNormalLib.ticks import Ticks


@pytest.fixture
def ticks():
    return Ticks()


@pytest.fixture
def background(ticks):
    return Background(ticks)


def test_signals_tell_all_in_order_and_each_once():
    told = []
    signal = Signal()
    first, second = (lambda value: told.append(("first", value))), (lambda value: told.append(("second", value)))
    for listener in (first, second, first):
        signal.connect(listener)
    signal.emit(1)
    signal.disconnect(first)
    signal.disconnect(first)
    signal.emit(2)
    assert told == [("first", 1), ("second", 1), ("second", 2)]


def test_a_listener_that_fails_is_reported_and_holds_nobody_up():
    told, failures = [], []
    signal = Signal(on_error=failures.append)
    signal.connect(lambda: 1 / 0)
    signal.connect(lambda: told.append("second"))
    signal.emit()
    assert told == ["second"] and isinstance(failures[0], ZeroDivisionError)


def test_a_listener_may_disconnect_while_it_is_told():
    told = []
    signal = Signal()

    def once():
        told.append("once")
        signal.disconnect(once)

    signal.connect(once)
    signal.connect(lambda: told.append("always"))
    signal.emit()
    signal.emit()
    assert told == ["once", "always", "always"]


def test_the_outcome_comes_on_the_main_thread(ticks, background):
    seen = []
    background.run(
        lambda _: threading.current_thread(), lambda worker: seen.append((worker, threading.current_thread()))
    )
    assert seen == []
    assert ticks.run_until(lambda: seen, 10)
    worker, here = seen[0]
    assert here is threading.main_thread() and worker is not here


def test_a_failure_comes_on_the_main_thread(ticks, background):
    seen = []
    background.run(lambda _: 1 / 0, failed=lambda error: seen.append((type(error), threading.current_thread())))
    assert ticks.run_until(lambda: seen, 10)
    assert seen == [(ZeroDivisionError, threading.main_thread())]


def test_nobody_hears_of_work_that_was_cancelled(ticks, background):
    seen, started = [], threading.Event()

    def work(call):
        started.set()
        return call.wait(10)

    call = background.run(work, seen.append, seen.append)
    started.wait(10)
    call.cancel()
    background.run(lambda _: "next", seen.append)
    assert ticks.run_until(lambda: seen, 10)
    time.sleep(0.05)
    background.deliver()
    assert seen == ["next"]


def test_a_listener_that_fails_does_not_keep_the_next_outcome_away(ticks, background, caplog):
    seen = []
    background.run(lambda _: None, lambda _: 1 / 0)
    assert ticks.run_until(lambda: "division by zero" in caplog.text, 10)
    background.run(lambda _: "next", seen.append)
    assert ticks.run_until(lambda: seen, 10)


def test_ticking_ends_with_the_work_and_begins_with_the_next():
    ticking = []

    def tick(callback, seconds):
        ticking.append(seconds)
        stop = ticks(callback, seconds)

        def end():
            ticking.remove(seconds)
            stop()

        return end

    ticks, done = Ticks(), []
    background = Background(tick)
    for _ in range(2):
        background.run(lambda call: call.wait(0.05), done.append)
        assert len(ticking) == 1
        done.clear()
        assert ticks.run_until(lambda: done, 10)
        assert ticks.run_until(lambda: not ticking, 1) or not ticking


def test_work_that_only_waits_is_looked_at_less_often():
    intervals = []
    background = Background(lambda _callback, seconds: intervals.append(seconds) or (lambda: None))
    waiting = background.run(lambda call: call.wait(10), waits=True)
    working = background.run(lambda call: call.wait(10))
    waiting.cancel()
    working.cancel()
    assert intervals[0] > intervals[1]


def test_work_goes_on_where_the_event_loop_holds_on_to_pythons_lock():
    """As Slicer's does between two callbacks."""
    hold_lock_and_sleep = ctypes.PyDLL(None).usleep
    ticked, seen = [], []

    def tick(callback, _seconds):
        ticked.append(callback)
        return lambda: ticked.remove(callback)

    def work(_):
        for _step in range(50):
            time.sleep(0)  # gives the lock away, as reading and writing do
        return "done"

    Background(tick).run(work, seen.append)
    end = time.monotonic() + 20
    while not seen and time.monotonic() < end:
        hold_lock_and_sleep(20_000)
        for callback in tuple(ticked):
            callback()
    assert seen == ["done"]
