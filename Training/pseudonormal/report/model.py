"""What a report says: the content of ``report.json``."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field, computed_field, model_validator

from pseudonormal.generate.brain import Brain
from pseudonormal.generate.findings import Finding
from pseudonormal.generate.position import Side
from pseudonormal.scan.contrast import Contrast
from pseudonormal.scan.scan import Scan

NOTICE = "Research software, not a medical device."
SCHEMA_VERSION = 1


class _Part(BaseModel):
    """Strict and finite: a report never holds a field nobody knows, nor NaN, which JSON cannot say."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class InputFacts(_Part):
    """The scan that was read.

    :param name: file or folder name, without the path (paths may hold names of people).
    :param size: voxels along x, y, z.
    :param spacing_mm: voxel edges in mm along x, y, z.
    :param dtype: number type on disk, for instance "int16".
    """

    name: str
    size: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    dtype: str

    @classmethod
    def of(cls, scan: Scan) -> InputFacts:
        """The facts of a scan."""
        geometry = scan.geometry
        return cls(
            name=scan.source.name, size=geometry.size, spacing_mm=geometry.spacing, dtype=scan.storage.dtype.name
        )


class ModelFacts(_Part):
    """The model or classical method that restored the tissue.

    :param sha256: hash of the weights; None for a method without weights.
    """

    name: str
    version: str
    sha256: str | None = None


class BrainFacts(_Part):
    """The scan as a whole; the fields are those of :class:`pseudonormal.generate.brain.Brain`."""

    volume_ml: float
    centre_ras: tuple[float, float, float]
    profile: tuple[float, ...]
    uncertain_ml: float | None

    @classmethod
    def of(cls, brain: Brain) -> BrainFacts:
        """The facts of a brain."""
        return cls(**asdict(brain))


class FindingEntry(_Part):
    """One finding; the fields are those of :class:`pseudonormal.generate.findings.Finding`."""

    index: int
    volume_ml: float
    centroid_ras: tuple[float, float, float]
    bounding_box: tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
    mean_z: float
    peak_z: float
    confidence: float | None
    uncertain_ml: float | None = None  # reports of earlier versions lack it
    mode: str | None
    side: Side
    position: str

    @classmethod
    def of(cls, finding: Finding) -> FindingEntry:
        """The entry of a finding."""
        return cls(**asdict(finding))


class Report(_Part):
    """One case's report.

    :param software_version: version of the engine.
    :param case: the case's name.
    :param created: time of writing, with its time zone.
    :param contrast: the scan's, as it was told; None when nobody told it.
    :param mode: the mode that was asked for: "auto", "void" or "guided".
    :param device: where the model ran, for instance "cpu".
    :param options: further options of the command, by name.
    :param seed: seed of whatever was drawn at random; None when nothing was.
    :param timings_s: seconds by stage, in the order they ran.
    :param warnings: what the user should know, one sentence each.
    :param files: names of the files written beside the report.
    :param brain: the scan as a whole; None in reports of earlier versions.
    :param findings: the findings, largest first.
    """

    schema_version: int = SCHEMA_VERSION
    notice: str = NOTICE
    software_version: str
    case: str
    created: datetime
    input: InputFacts
    contrast: Contrast | None = None
    model: ModelFacts
    mode: str
    device: str
    options: dict[str, str | int | float | bool | None] = Field(default_factory=dict)
    seed: int | None = None
    timings_s: dict[str, float] = Field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    brain: BrainFacts | None = None
    findings: tuple[FindingEntry, ...] = ()

    @computed_field  # type: ignore[prop-decorator]
    @property
    def lesion_ml(self) -> float:
        """Volume of all findings in ml."""
        return sum(finding.volume_ml for finding in self.findings)

    @model_validator(mode="before")
    @classmethod
    def _leave_out_what_is_computed(cls, data: object) -> object:
        """A report that was written reads back."""
        return {key: value for key, value in data.items() if key != "lesion_ml"} if isinstance(data, dict) else data
