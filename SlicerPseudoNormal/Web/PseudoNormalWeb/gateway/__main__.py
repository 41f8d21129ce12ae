"""``python -m PseudoNormalWeb.gateway``."""

from __future__ import annotations

import sys

from PseudoNormalWeb.gateway.command import main

sys.exit(main())
