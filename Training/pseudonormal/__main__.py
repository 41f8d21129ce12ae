"""``python -m pseudonormal``: the command line where its script is not on the path."""

from __future__ import annotations

import sys

from pseudonormal.cli.main import main

sys.exit(main())
