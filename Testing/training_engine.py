"""``python -m Testing.training_engine serve ...``: the engine's own process, which pretends its trainings.

Everything of it is real but the program that trains and makes scans, see :mod:`Testing.pretended_training`.
"""

from __future__ import annotations

import sys
from functools import partial

from Testing.pretended_training import PROGRAM

from pseudonormal.cli.main import main
from pseudonormal.server import app

SERVE = (sys.executable, "-m", "Testing.training_engine", "serve")

if __name__ == "__main__":
    app.create_app = partial(app.create_app, program=PROGRAM)
    sys.exit(main())
