"""What an operator chooses when a server is started."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

TOKEN_VARIABLE = "PSEUDONORMAL_TOKEN"  # noqa: S105 - the variable's name, not a token


def data_folder() -> Path:
    """Where uploads and results lie unless told otherwise: ``$XDG_DATA_HOME/pseudonormal/server``."""
    return Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local" / "share")) / "pseudonormal" / "server"


@dataclass(frozen=True)
class ServerSettings:
    """How a server runs.

    :param token: what a client must show.
    :param data: the data root. A server keeps uploads and results in a folder of its own in there and reads and writes
        nothing outside it, but for the case store.
    :param model: a model's name or folder, loaded at the start and taken where a job names none.
    :param device: "auto", "cpu", "cuda" or "cuda:N".
    :param threads: that the networks use on a CPU; None: as torch thinks best.
    :param workers: processes that make synthetic scans on a CPU at a time.
    :param most_bytes: of one upload.
    :param most_waiting: jobs that may wait in the queue.
    :param keep_seconds: how long uploads and finished jobs are kept.
    :param keep_count: how many of each are kept at most.
    """

    token: str
    data: Path
    model: str = "brain-mr"
    device: str = "auto"
    threads: int | None = None
    workers: int = 1
    most_bytes: int = 1024 * 2**20
    most_waiting: int = 8
    keep_seconds: float = 3600.0
    keep_count: int = 64
