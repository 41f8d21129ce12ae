"""One model against another on the same cases, in numbers that speak for or against it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

FEWEST_SUBJECTS = 3  # fewer say nothing about subjects that nobody has seen


@dataclass(frozen=True)
class Difference:
    """Mean of a metric's differences over subjects with its 95 % confidence interval; above 0 is better.

    :param low: None, as is ``high``, where fewer than ``FEWEST_SUBJECTS`` were compared.
    """

    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Comparison:
    """A model minus another one.

    :param subjects: how many both were judged on.
    :param differences: by metric, "dice" and "psnr_db".
    """

    subjects: int
    differences: Mapping[str, Difference]

    @property
    def worse(self) -> bool:
        """Whether some metric's interval lies below 0."""
        return any(one.high is not None and one.high < 0 for one in self.differences.values())

    @property
    def better(self) -> bool:
        """Whether some metric's interval lies above 0, and none below."""
        return not self.worse and any(one.low is not None and one.low > 0 for one in self.differences.values())

    @property
    def told(self) -> bool:
        """Whether there were subjects enough to say anything."""
        return any(one.low is not None for one in self.differences.values())

    def objection(self, other: str) -> str | None:
        """Why the model should not take the other one's place; None when nothing speaks against it.

        :param other: the other one's version.
        """
        if self.worse:
            lost = ", ".join(
                f"{name} {one.mean:+.3g} ({one.low:.3g} to {one.high:.3g})"
                for name, one in self.differences.items()
                if one.high is not None and one.high < 0
            )
            return f"is worse than the current version {other} beyond the confidence interval: {lost}"
        if not self.told:
            return (
                f"it cannot be told whether it is worse than the current version {other}: both were judged on "
                f"{self.subjects} test subject(s), and {FEWEST_SUBJECTS} are needed; look at cases yourself"
            )
        return None

    def reversed(self) -> Comparison:
        """The other model minus this one."""
        turned = {
            name: Difference(-one.mean, None if one.high is None else -one.high, None if one.low is None else -one.low)
            for name, one in self.differences.items()
        }
        return Comparison(self.subjects, turned)

    def as_json(self) -> dict[str, Any]:
        """Plain values: each difference as [mean, low, high]."""
        triples = {name: [one.mean, one.low, one.high] for name, one in self.differences.items()}
        return {"subjects": self.subjects, "better": self.better, "worse": self.worse, "difference": triples}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Comparison:
        """What :meth:`as_json` gave."""
        triples = content["difference"].items()
        return cls(int(content["subjects"]), {name: Difference(*triple) for name, triple in triples})
