"""A process that says what ``pseudonormal retrain`` says, and learns nothing: for tests of those who run it.

It counts steps, keeps its count in the run's folder, and saves and ends when its stdin does. The settings ``steps``,
``pause`` (seconds between lines) and ``fate`` ("", "fault", "killed", "deaf") say how it goes.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import time
from pathlib import Path

from Testing import pretended_synthesis
from Testing.telling import a_png, tell, when_stdin_ends

GENERATORS = ("um", "translation")
PROGRAM = (sys.executable, "-m", "Testing.pretended_training")


def learn(run: Path, steps: int, pause: float, fate: str, ended: threading.Event) -> int:
    count = run / "count"
    step = int(count.read_text()) if count.exists() else 0
    while step < steps:
        if fate == "deaf":
            time.sleep(pause)
        elif ended.wait(pause):
            count.write_text(str(step))
            tell(stopped=str(run))
            return 130
        step += 1
        if fate == "killed" and step == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        if fate == "fault" and step == 3:
            sys.stderr.write(
                f"some library's warning\npseudonormal: {run / 'log'}: the disk is full; free some space\n"
            )
            return 2
        if step % 5 == 0:
            count.write_text(str(step))
            tell(step=step, minutes=step / 100, done=step / steps, minutes_left=(steps - step) / 100, loss=1 / step,
                 check_dice=step / steps)  # fmt: skip
            (run / "example.png").write_bytes(a_png(step % 256))
    return 0


def judge(model: str) -> None:
    tell(stage="judging", done=0.5)
    tell(
        candidate={
            "name": model,
            "version": "2.1",
            "parent": "2",
            "metrics": {"dice": 0.61},
            "better": False,
            "worse": True,
            "difference": {"dice": [-0.05, -0.08, -0.02]},
        }
    )


def main() -> None:
    if sys.argv[1] == "synthesize":
        pretended_synthesis.main()
    parser = argparse.ArgumentParser()
    parser.add_argument("command")
    parser.add_argument("store")
    parser.add_argument("-o", dest="run", type=Path)
    for option in ("--model", "--recipe", "--device", "--contrast"):
        parser.add_argument(option)
    parser.add_argument("--set", dest="settings", action="append", default=[])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--resume", action="store_true")
    given = parser.parse_args()
    settings = dict(pair.split("=", 1) for pair in given.settings)
    assert given.resume == given.run.exists()
    given.run.mkdir(parents=True, exist_ok=True)
    ended = when_stdin_ends()
    tell(stage="material", labelled=2, unlabelled=3, train=3, validation=1, test=1)
    code = learn(
        given.run, int(settings.get("steps", 50)), float(settings.get("pause", 0.01)), settings.get("fate", ""), ended
    )
    if code == 0 and given.recipe in GENERATORS:
        pretended_synthesis.leave_generator(given.run)
        tell(generator={"recipe": given.recipe, "subjects": 3})
    elif code == 0:
        judge(given.model)
    sys.stdout.flush()
    os._exit(code)  # the reader of stdin holds its lock


if __name__ == "__main__":
    main()
