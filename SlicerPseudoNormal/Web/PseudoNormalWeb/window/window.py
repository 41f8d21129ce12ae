"""What a browser tab works with: server, scene and the logics of the three modules."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PseudoNormalLib.engine.connection import REMOTE
from PseudoNormalLib.hosts import browser
from PseudoNormalLib.review.bench import ReviewBench
from PseudoNormalLib.scene.layout import register_layouts
from PseudoNormalLib.ticks import Stop, asyncio_tick
from PseudoNormalLib.training.bench import TrainingBench
from PseudoNormalLib.workbench import Workbench

if TYPE_CHECKING:
    from PseudoNormalLib.hosts import Host

PUTTING_AWAY_S = 6.0
"""How long the store is waited for when the tab is gone; the gateway gives a window ten seconds in all."""


@dataclass(frozen=True, eq=False)
class Window:
    """One browser tab.

    :param server: trame's ``Server``: its state is the page's.
    :param app: trame-slicer's ``SlicerApp``: the scene and its views.
    :param files: folder into which files from the user's computer are uploaded.
    """

    server: Any
    app: Any
    host: Host
    bench: Workbench
    review: ReviewBench
    training: TrainingBench
    files: Path

    async def close(self) -> None:
        """The tab is gone for good: what is unsaved is put on disk, then into the store, and the case is given back.

        Where the store does not take it in time it stays on disk, and is brought in when the next window reviews.
        """
        try:
            self.review.keep()
        except OSError as error:
            logging.getLogger(__name__).error("the open case could not be kept: %s", error)
        away = asyncio.Event()
        self.review.desk.close(away.set)
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(away.wait(), PUTTING_AWAY_S)
        self.training.close()
        self.bench.close()


def open_window(server: Any, *, engine: str, token: str, files: Path, data: Path) -> Window:
    """Everything behind a new tab; call it on asyncio's loop.

    :param engine: the engine's address.
    :param token: its key.
    :param files: see :class:`Window`.
    :param data: folder for settings, journals and logs, which all windows share.
    """
    from trame_slicer.core import SlicerApp

    app = SlicerApp()

    def tick(callback: Callable[[], None], seconds: float) -> Stop:
        def call() -> None:
            callback()
            server.state.flush()  # the page sees what the logic has changed

        return asyncio_tick(call, seconds)

    given = {"PseudoNormal/Engine/Kind": REMOTE, "PseudoNormal/Engine/Url": engine, "PseudoNormal/Engine/Key": token}
    host = browser(app, data_folder=data, given=given, tick=tick)
    register_layouts(host.scene)
    pointing = app.app_logic.GetInteractionNode()
    pointing.SetCurrentInteractionMode(pointing.AdjustWindowLevel)  # what dragging does in a slice
    bench = Workbench(host)
    return Window(server, app, host, bench, ReviewBench(bench), TrainingBench(bench), files)
