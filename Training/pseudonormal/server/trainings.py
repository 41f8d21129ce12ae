"""All trainings of a server: those that wait, the one that runs, and those that are over. They outlive the server.

Making scans with what a training learnt is one of them: the machine does one thing at a time.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timezone
from typing import Any

from pseudonormal.errors import InputError
from pseudonormal.server.database_request import Database, generator_in
from pseudonormal.server.errors import NotDone, NotFound, QueueFull, unwritable
from pseudonormal.server.training import (
    RECORD,
    Record,
    State,
    Training,
    TrainingView,
    open_training,
    said_last,
)
from pseudonormal.server.training_process import FAREWELL_SECONDS, PATIENCE_SECONDS, TrainingProcess, keep_in
from pseudonormal.server.training_request import TrainingRequest
from pseudonormal.server.work import Settings, Tools

_LOG = logging.getLogger("pseudonormal.server")
FOLDER = "trainings"


class Trainings:
    """Trainings in the order in which they were asked for, one at a time, each in a process of its own.

    :param tools: what the processes are made with, asked for each of them. Their folder gets a folder for each
        training; it is made if missing. Those that it holds already are known, as stopped ones if they were not over.
    :param most_waiting: so many may wait; more are refused.
    """

    def __init__(self, tools: Callable[[], Tools], most_waiting: int) -> None:
        self._tools = tools
        self._folder = tools().folder
        self._most_waiting = most_waiting
        self._trainings: dict[str, Training] = {}
        self._waiting: deque[Training] = deque()
        self._came = asyncio.Event()
        self._process: TrainingProcess | None = None
        self._current: Training | None = None
        self._read()

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def submit(self, request: TrainingRequest | Database) -> Training:
        """Put a training at the end of the queue.

        :raises QueueFull: too many wait.
        :raises InputError: the disk is full or must not be written.
        """
        self._check_room()
        identity = secrets.token_hex(8)
        folder = self._folder / identity
        training = Training(Record(id=identity, created=_now(), request=request), folder)
        try:
            folder.mkdir(parents=True, mode=0o700)  # scans are nobody else's business
        except OSError as error:
            raise unwritable(error) from error
        training.become("queued")
        self._trainings[identity] = training
        self._enqueue(training)
        return training

    def resume(self, training: Training, changed: Settings) -> None:
        """Let a training that is not over go on from what it saved last; it waits its turn again.

        :param changed: settings that are other ones from now on.
        :raises NotDone: it waits, runs, or is done, or knows no settings.
        :raises QueueFull: too many wait.
        """
        if training.record.state not in ("stopped", "failed"):
            raise NotDone(f"the training is {training.record.state}; only one that was stopped or failed can go on")
        self._check_room()
        training.become("queued", request=training.record.request.changed(changed))
        self._enqueue(training)

    async def stop(self, training: Training) -> None:
        """End a training within two seconds; what it learnt, or made, is saved. One that is over stays as it is."""
        if training in self._waiting:
            self._waiting.remove(training)
            self._end(training, "stopped")
        if training is self._current and self._process:
            training.stopping = True
            await self._end_process(training, self._process)

    def training(self, training_id: str) -> Training:
        """A training by its id.

        :raises NotFound: there is none.
        """
        if training_id not in self._trainings:
            raise NotFound("there is no such training on the engine")
        return self._trainings[training_id]

    def generator(self, training_id: str) -> Training:
        """A training that is done and has made what scans can be made with.

        :raises NotFound: there is none, or its files are gone.
        :raises NotDone: it is not done, or has made a model.
        """
        training = self.training(training_id)
        if training.record.state != "done":
            raise NotDone(f"the training is {training.record.state}; scans are made with one that is done")
        if training.record.generator is None:
            raise NotDone("that training made no generator: name one of a recipe that makes scans")
        generator_in(training.folder)
        return training

    def view(self, training: Training, since: int = 0) -> TrainingView:
        """A training as clients see it.

        :param since: the first line that is wanted.
        """
        waits = training in self._waiting
        ahead = self._waiting.index(training) + (self._current is not None) if waits else None
        return training.view(ahead, since)

    def views(self) -> list[TrainingView]:
        """All trainings, the last first, without what they said."""
        return [self.view(training, len(training.said)) for training in reversed(self._trainings.values())]

    async def run(self) -> None:
        """Do one training after the other until this task is cancelled; the one that runs is saved then."""
        while True:
            while not self._waiting:
                self._came.clear()
                await self._came.wait()
            training = self._current = self._waiting.popleft()
            try:
                await self._do(training)
            except (InputError, OSError) as error:  # the disk; the next one is not to wait for ever
                _LOG.error("a training could not be done: %s", error)
                self._end(training, "failed", error=self._shown_as(str(error)))
            finally:
                self._current = None

    # --- what happens to one of them

    async def _do(self, training: Training) -> None:
        training.become("running")
        training.headway.begin()
        command = training.record.request.command(self._tools(), training.run)
        heard = len(training.said)
        said, errors = keep_in(training.folder)
        with said, errors:
            said.write(b"\n")  # an earlier process may have been killed in the middle of a line

            def hear(line: bytes) -> None:
                said.write(line)
                said.flush()
                training.hear(line)

            self._process = process = await TrainingProcess.start(command, errors)
            try:
                code = await process.follow(hear)
            except asyncio.CancelledError:  # the server ends
                process.ask_to_end()
                with suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(process.follow(hear), FAREWELL_SECONDS)
                self._end(training, "stopped")
                raise
            finally:
                self._process = None
        self._judge(training, code, heard)

    def _judge(self, training: Training, code: int, heard: int) -> None:
        """Say how it ended.

        :param heard: lines that earlier processes of the training had printed.
        """
        news, request = training.said[heard:], training.record.request
        outcome = next((made for line in reversed(news) if (made := request.outcome(line))), {})
        if code == 0 and outcome:
            self._end(training, "done", **outcome)
        elif training.stopping or any("stopped" in line for line in news):
            self._end(training, "stopped")
        else:
            reason = self._shown_as(said_last(training.folder)) if code > 0 else request.words.killed
            self._end(training, "failed", error=reason or f"it ended without a reason (code {code})")

    def _end(self, training: Training, state: State, **news: Any) -> None:
        try:
            training.become(state, **news)
        except InputError as error:  # a full disk must not keep the queue from going on
            training.record = training.record.model_copy(update={"state": "failed", "error": str(error)})
        training.stopping = False
        training.ended.set()

    async def _end_process(self, training: Training, process: TrainingProcess) -> None:
        process.ask_to_end()
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(training.ended.wait(), PATIENCE_SECONDS)
        if not training.ended.is_set():
            process.kill()
            await training.ended.wait()
            training.add(warning=training.record.request.words.cut)

    # --- the queue and the folder

    def _check_room(self) -> None:
        if len(self._waiting) >= self._most_waiting:
            raise QueueFull(f"the engine has {len(self._waiting)} trainings waiting and takes no more; try again later")

    def _enqueue(self, training: Training) -> None:
        training.ended.clear()
        self._waiting.append(training)
        self._came.set()

    def _read(self) -> None:
        found = []
        for record in self._folder.glob(f"*/{RECORD}"):
            try:
                found.append(open_training(record.parent))
            except ValueError as error:
                _LOG.error("a training is left out: %s", error)
        for training in sorted(found, key=lambda each: each.record.created):
            self._trainings[training.id] = training

    def _shown_as(self, line: str) -> str:
        """A line without the places of files on the server, which are not the clients' business."""
        places = {f"{self._folder}/": "", str(self._tools().store): "the case store"}
        for place, name in places.items():
            line = line.replace(place, name)
        return line


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
