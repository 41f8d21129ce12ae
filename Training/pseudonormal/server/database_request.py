"""A synthetic database as it is asked for: ``pseudonormal synthesize`` with a generator that a training made."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from pseudonormal.retraining.material import FOLDER, LIST
from pseudonormal.server.errors import NotDone, NotFound
from pseudonormal.server.headway import Headway
from pseudonormal.server.work import RUN, Progress, Said, Settings, Tools, Words, Work

MOST = 100_000
MAKING = 0.9
"""The share of the bar that making takes; the rest is taking what was made into the case store."""
_KEEPING, _READING = "keeping", "reading the cases"
_SOURCES = Path(FOLDER, LIST)
_COUNTS = ("cases", "made", "with_lesion", "added")


class DatabaseRequest(BaseModel):
    """What a client asks for.

    :param generator: id of the training that made it.
    :param count: how many scans there shall be.
    :param seed: the same seed gives the same scans.
    :param keep: whether they go into the case store, as synthetic cases.
    """

    model_config = ConfigDict(extra="forbid")

    generator: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{1,40}$")]
    count: int = Field(ge=1, le=MOST)
    seed: int = Field(0, ge=0, lt=2**63)
    keep: bool = True


class Database(DatabaseRequest, Work):
    """The work that it is.

    :param recipe: of the generator.
    """

    picture: ClassVar = "contact_sheet.png"
    words: ClassVar = Words(
        stopped="stopped; what was made is kept",
        stopping="stopping: what was made is kept",
        killed="making the scans ran out of memory or was killed; resume it: what was made is kept",
        cut="it was ended in the midst of a scan, which is made again when it goes on",
    )

    recipe: str

    def command(self, tools: Tools, run: Path) -> list[str]:
        """``synthesize``, which goes on by itself with what is there."""
        generator = generator_in(tools.folder / self.generator)
        return [
            *(*tools.program, "synthesize", str(generator), str(generator / _SOURCES)),
            *("-o", str(run), "--count", str(self.count), "--seed", str(self.seed), "--model", tools.model),
            *("--workers", str(tools.workers), "--device", tools.device, "--json"),
            *(["--store", str(tools.store)] if self.keep else []),
        ]

    def shown(self) -> dict[str, Any]:
        """All of it, under one name."""
        return {"recipe": self.recipe, "database": self.model_dump(exclude={"recipe"})}

    def changed(self, settings: Settings) -> Database:
        """As it is: other scans are another database."""
        if settings:
            raise NotDone("a synthetic database has no settings that could be changed: build another one")
        return self

    def outcome(self, line: Mapping[str, Any]) -> dict[str, Any]:
        """How many scans were made."""
        if line.get("event") != "result":
            return {}
        return {"result": {key: line[key] for key in _COUNTS if key in line}}

    def progress(self, said: Said, headway: Headway) -> Progress:
        """Making them, then keeping them."""
        del said
        made, kept = headway.share(), headway.share(_KEEPING)
        share = MAKING * made + (1 - MAKING) * kept if self.keep else made
        counted = "{done:.0f} of {total:.0f} scans " + ("kept" if headway.stage == _KEEPING else "made")
        words = counted.format(done=headway.done(headway.stage), total=headway.total(headway.stage))
        return Progress(share, headway.minutes_left, words if headway.counting else headway.message or _READING)


def generator_in(folder: Path) -> Path:
    """The run that makes scans, in the folder of a training.

    :raises NotFound: some of it is not there any more.
    """
    run = folder / RUN
    whole = (run / "settings.json").is_file() and any(run.glob("*.safetensors"))
    if not whole or not (run / _SOURCES).is_file():
        raise NotFound("the files of that generator are gone or damaged: train it again")
    return run
