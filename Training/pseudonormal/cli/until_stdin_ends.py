"""``python -m pseudonormal.cli.until_stdin_ends COMMAND...``: a command that is interrupted when its stdin ends.

The server closes it to stop a training, and the system does when the server is gone, however that one ended. No signal
does both, and on Windows there is none that a program could answer.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import suppress

from pseudonormal.cli.main import main

_STDIN = 0


def _interrupt_when_stdin_ends() -> None:
    with suppress(OSError):
        while os.read(_STDIN, 1 << 12):
            pass
    if sys.platform == "win32":
        signal.raise_signal(signal.SIGINT)
    else:  # so that the main thread hears of it at once, whatever it waits for
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


if __name__ == "__main__":
    threading.Thread(target=_interrupt_when_stdin_ends, daemon=True, name="stdin").start()
    code = main()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):  # nobody listens any more
            stream.flush()
    os._exit(code)  # all is saved; to take torch apart would need seconds that somebody waits for
