"""The real gateway with windows that echo: ``python -m Testing.browser.echo_gateway '{"idle_s": 1}' --port 0 ...``."""

from __future__ import annotations

import json
import sys

from PseudoNormalLib.hosts import user_data_folder

from PseudoNormalWeb.gateway.command import main
from PseudoNormalWeb.gateway.settings import Settings

if __name__ == "__main__":
    changed = json.loads(sys.argv[1])
    window = changed.pop("window", [sys.executable, "-m", "Testing.browser.echo_window"])
    # Unless a test is about the engine none is started: windows that echo ask nothing of it.
    engine = changed.pop("engine", ["/bin/sh", "-c", "exec sleep 1000"])
    settings = Settings(data=user_data_folder(), window=tuple(window), engine=tuple(engine), **changed)
    sys.exit(main(sys.argv[2:], settings))
