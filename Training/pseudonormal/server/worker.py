"""The worker: the one process that computes, with its models warm.

Orders come as JSON lines on stdin, news goes as JSON lines to stdout. It ends with whoever started it: when stdin does.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import signal
import sys
import threading
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from pseudonormal.errors import InputError
from pseudonormal.scan.contrast import Contrast

_LOG = logging.getLogger("pseudonormal.worker")
KEPT_MODELS = 2


class Worker:
    """Does one job after the other.

    :param news: where news goes.
    :param default: name or folder of the model that is kept warm.
    :param device: "auto", "cpu", "cuda" or "cuda:N".
    """

    def __init__(self, news: TextIO, default: str, device: str) -> None:
        self._news = news
        self._writing = threading.Lock()
        self._default = default
        self._device = device
        self._prepared = threading.Event()
        self._orders: queue.Queue[dict[str, Any]] = queue.Queue()
        self._current: str | None = None
        self._cancelled = threading.Event()
        self._warm: dict[tuple[str, str], Any] = {}

    def listen(self) -> None:
        """Take orders in a thread of its own, so that a cancel, and the end of the server, are heard at any time."""
        threading.Thread(target=self._listen, daemon=True).start()

    def prepare(self, threads: int | None) -> None:
        """Load the slow libraries and say what there is.

        :param threads: that torch may use; None: as it thinks best.
        """
        import torch

        from pseudonormal.models.device import choose_device

        if threads:
            torch.set_num_threads(threads)
        try:
            self._device = str(choose_device(self._device))
        except InputError as error:
            _LOG.error("%s; the CPU is used", error)
            self._device = "cpu"
        self._tell_catalogue()
        self._prepared.set()

    def work(self) -> None:
        """Do jobs for ever."""
        from pseudonormal.server.generating import Order, run

        try:
            self._model(None, None)
        except InputError as error:
            _LOG.error("%s", error)
        self._tell("ready")
        while True:
            order = self._orders.get()
            inputs = {role: Path(path) for role, path in order["inputs"].items()}
            chosen = {name: order[name] for name in ("mode", "texture", "reach_mm", "contrast")}
            todo = Order(inputs, Path(order["folder"]), **chosen)
            model = partial(self._model, order["model"], order["contrast"])
            run(todo, model, partial(self._tell, job=order["job"]), self._cancelled)

    def _listen(self) -> None:
        for line in sys.stdin:
            order = json.loads(line)
            if order["do"] == "generate":  # never before the last one has ended
                self._current = order["job"]
                self._cancelled.clear()
                self._orders.put(order)
            elif order["do"] == "cancel" and order["job"] == self._current:
                self._cancelled.set()
            elif order["do"] == "list" and self._prepared.is_set():  # it is said by itself before
                self._tell_catalogue()
        os._exit(0)  # the server has gone

    def _tell_catalogue(self) -> None:
        from pseudonormal.server.catalogue import devices, models, recipes

        offered = models(self._default)
        self._tell("catalogue", devices=devices(), device=self._device, models=offered, recipes=recipes())

    def _model(self, name: str | None, contrast: Contrast | None) -> Any:
        """A model by the name that clients know, warm where it was used lately and has not changed since."""
        from pseudonormal.models.bundle import fingerprint, load_model, read_metadata
        from pseudonormal.server.catalogue import folder_of

        folder = folder_of(name, self._default, contrast)
        key = (str(folder), fingerprint(read_metadata(folder)["pseudonormal"]["weights"]))
        model = self._warm.pop(key, None) or load_model(str(folder), self._device)
        while len(self._warm) >= KEPT_MODELS:
            self._warm.pop(next(iter(self._warm)))
        self._warm[key] = model  # last, so that the one that was not used for longest goes first
        return model

    def _tell(self, what: str, **facts: Any) -> None:
        with self._writing:
            self._news.write(json.dumps({"is": what, **facts}) + "\n")
            self._news.flush()


def main() -> None:
    """Run the worker; the argument is a JSON object with "model", "device" and "threads"."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which ends this process itself
    logging.basicConfig(format="%(name)s: %(message)s")
    chosen = json.loads(sys.argv[1])
    news = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print belongs into the log
    worker = Worker(news, chosen["model"], chosen["device"])
    worker.listen()
    worker.prepare(chosen["threads"])
    worker.work()


if __name__ == "__main__":
    main()
