"""The versions of a model as the registry's file states them: entries, and a log of what became current."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from pseudonormal.errors import InputError
from pseudonormal.models.comparison import Comparison

State = Literal["candidate", "current", "retired"]


@dataclass(frozen=True)
class Entry:
    """One version of a model.

    :param parent: the version that it was trained from; None for a model that came from elsewhere.
    :param fingerprint: of its bundle, see :func:`fingerprint_of`.
    :param data: fingerprint of what it was trained on: hash over cases and revisions; empty when not known.
    :param recipe: how it was trained; empty when not known.
    :param created: ISO 8601, UTC.
    :param metrics: means over the subjects of the frozen evaluation cases ("dice", "psnr_db", ...).
    :param cases: the same for each case: "case", "subject", "truth" and the metrics (None: cannot be said).
    :param comparisons: with earlier versions on the same cases, by version.
    :param state: "current": what the plain name means; "retired": was current; "candidate": never was.
    """

    name: str
    version: str
    parent: str | None
    fingerprint: str = ""
    data: str = ""
    recipe: str = ""
    created: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    cases: Sequence[Mapping[str, Any]] = ()
    comparisons: Mapping[str, Comparison] = field(default_factory=dict)
    state: State = "candidate"

    def as_json(self) -> dict[str, Any]:
        """Plain values, for files, the command line and the server."""
        compared = {version: comparison.as_json() for version, comparison in self.comparisons.items()}
        return {**asdict(self), "cases": [dict(row) for row in self.cases], "comparisons": compared}


def entries_in(content: Mapping[str, Any]) -> list[Entry]:
    """All versions, each in its state, in the order in which they were registered."""
    current, ever = promoted_in(content)[-1:], {line["version"] for line in content["log"]}
    found = []
    for stated in content["entries"]:
        version = stated["version"]
        state: State = "current" if version in current else "retired" if version in ever else "candidate"
        compared = {key: Comparison.from_json(value) for key, value in stated["comparisons"].items()}
        found.append(Entry(**{**stated, "comparisons": compared, "state": state}))
    return found


def promoted_in(content: Mapping[str, Any]) -> list[str]:
    """Versions that became current and were not taken back, the current one last."""
    stack: list[str] = []
    for line in content["log"]:
        if line["what"] == "promote":
            stack.append(line["version"])
        else:
            stack.pop()
    return stack


def find(entries: Sequence[Entry], name: str, version: str) -> Entry:
    """One of the entries.

    :param name: of the model.
    :raises InputError: there is no such version.
    """
    found = next((entry for entry in entries if entry.version == version), None)
    if found is None:
        known = ", ".join(entry.version for entry in entries) or "none"
        raise InputError(f"model '{name}' has no version '{version}' in the registry: name one of {known}")
    return found


def origin(entries: Sequence[Entry], name: str, version: str) -> str:
    """The version from elsewhere that all began with."""
    entry = find(entries, name, version)
    return version if entry.parent is None else origin(entries, name, entry.parent)


def objection(entry: Entry, current: Entry) -> str | None:
    """Why a version should not take the current one's place; None when nothing speaks against it."""
    comparison = entry.comparisons.get(current.version)
    if comparison is None and entry.version in current.comparisons:
        comparison = current.comparisons[entry.version].reversed()
    if comparison is None:
        return f"was not compared with the current version {current.version}: retrain from that one"
    return comparison.objection(current.version)
