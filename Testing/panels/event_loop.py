"""Running Qt's event loop until something holds, and how long it did not come round."""

from __future__ import annotations

import time


def run_until(application, holds, seconds=90.0):
    """Run the event loop until something holds.

    :raises AssertionError: it did not within that time.
    """
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"did not happen within {seconds} s"
        application.processEvents()
        time.sleep(0.002)


class LongestGap:
    """Measures with a timer of 10 ms, from now on; needs Qt's application.

    :ivar longest: between two rounds of the loop, seconds.
    :ivar busiest: most of the main thread's own work between two rounds, seconds; other programs do not add to it.
    """

    def __init__(self):
        import qt

        self.longest = self.busiest = 0.0
        self._last, self._worked = time.perf_counter(), time.thread_time()
        self._timer = qt.QTimer()
        self._timer.setInterval(10)
        self._timer.timeout.connect(self._tick)
        self._timer.start()

    def _tick(self):
        now, worked = time.perf_counter(), time.thread_time()
        self.longest, self._last = max(self.longest, now - self._last), now
        self.busiest, self._worked = max(self.busiest, worked - self._worked), worked

    def stop(self):
        """Measure no more; the gap that ends now counts too."""
        self._timer.stop()
        self._tick()
