"""The engine's routes as methods; each blocks until the engine has answered, so call them on worker threads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PseudoNormalLib.engine.http import Http, Progress, path_part
from PseudoNormalLib.engine.replies import (
    Agreement,
    CaseDetails,
    CaseInfo,
    CasePage,
    EngineStatus,
    Health,
    JobStatus,
    Lease,
    ModelInfo,
    ResultsInfo,
    RevisionInfo,
    parse,
    parse_details,
    parse_lease,
)
from PseudoNormalLib.engine.training_routes import TrainingRoutes


class EngineClient:
    """An engine; may be used by several threads.

    Every method raises :class:`PseudoNormalLib.engine.errors.EngineError` when the engine cannot be reached or
    refuses.

    :param url: such as ``http://127.0.0.1:8765``.
    :param token: the key that the engine wants to see.
    :param timeout: seconds without any answer after which the engine counts as unreachable.
    :ivar trainings: the routes for trainings and versions of models.
    """

    def __init__(self, url: str, token: str, *, timeout: float = 60.0) -> None:
        self._http = Http(url, token, timeout)
        self.trainings = TrainingRoutes(self._http)

    @property
    def url(self) -> str:
        """Where the engine is."""
        return self._http.url

    # --- the engine itself

    def health(self) -> Health:
        """Whether it is there at all; needs no key."""
        return parse(Health, self._http.json("GET", "/health"))

    def status(self) -> EngineStatus:
        """What it runs on and what it does."""
        return parse(EngineStatus, self._http.json("GET", "/status"))

    def models(self) -> list[ModelInfo]:
        """The models that it has."""
        return [parse(ModelInfo, model) for model in self._http.json("GET", "/models")]

    # --- volumes and jobs

    def upload(self, content: bytes, name: str, progress: Progress | None = None) -> str:
        """Send a volume.

        :param content: of a .nii, .nii.gz, .nrrd or .mha file.
        :param name: the file's; only its suffix counts.
        :param progress: told the fraction that is sent; what it raises stops the sending.
        :returns: the id that jobs and cases refer to.
        """
        return str(self._http.send("/volumes", content, query={"name": name}, progress=progress)["id"])

    def delete_volume(self, volume: str) -> None:
        """Have the engine forget a volume that was sent."""
        self._http.json("DELETE", f"/volumes/{path_part(volume)}")

    def start_job(
        self,
        volume: str,
        *,
        mask: str | None = None,
        foreground: str | None = None,
        model: str | None = None,
        mode: str = "auto",
        texture: bool = False,
        reach_mm: float = 0.0,
        contrast: str | None = None,
    ) -> JobStatus:
        """Have a pseudo-normal generated.

        :param volume: id of an upload; so are mask and foreground.
        :param mode: ``auto``, ``void`` or ``guided``.
        :param reach_mm: have the wide difference made as well, which sees so far beyond the mask; 0: do not.
        :param contrast: the scan's, by a word of :data:`PseudoNormalLib.contrast.CONTRASTS`; None: not known.
        """
        body = {
            "kind": "generate",
            "volume": volume,
            "mask": mask,
            "foreground": foreground,
            "model": model,
            "mode": mode,
            "texture": texture,
            "reach_mm": reach_mm,
            "contrast": contrast,
        }
        return parse(JobStatus, self._http.json("POST", "/jobs", body=body))

    def jobs(self) -> list[JobStatus]:
        """The recent jobs."""
        return [parse(JobStatus, job) for job in self._http.json("GET", "/jobs")]

    def job(self, job: str, since: int = 0) -> JobStatus:
        """How far a job is, with the log lines from one on."""
        return parse(JobStatus, self._http.json("GET", f"/jobs/{path_part(job)}", query={"since": since}))

    def cancel_job(self, job: str) -> JobStatus:
        """End a job's work; one that has ended stays as it is."""
        return parse(JobStatus, self._http.json("DELETE", f"/jobs/{path_part(job)}"))

    def result_file(self, job: str, name: str, progress: Progress | None = None) -> bytes:
        """A file of a finished job, by a name of its ``result["files"]``."""
        return self._http.fetch(f"/jobs/{path_part(job)}/files/{path_part(name)}", progress=progress)

    # --- the case store

    def cases(self, status: str | None = None, text: str | None = None, limit: int = 100, offset: int = 0) -> CasePage:
        """Cases of a status whose id or contrast holds a text."""
        query = {"status": status, "text": text, "limit": limit, "offset": offset}
        answer = self._http.json("GET", "/cases", query=query)
        return CasePage(tuple(parse(CaseInfo, case) for case in answer["cases"]), int(answer["total"]))

    def add_case(
        self,
        volume: str | None = None,
        *,
        mask: str | None = None,
        job: str | None = None,
        model: str | None = None,
        priority: float | None = None,
        subject: str | None = None,
        contrast: str = "",
    ) -> CaseInfo:
        """Put a case into the store.

        :param volume: id of an upload; so is the mask. Not needed with a job.
        :param job: a finished job whose scan and results make the case.
        :param subject: any key to the person, the same for all their scans; the engine keeps a keyed hash of it only.
        :param contrast: kind of scan, for instance ``T1w``; empty: what the job was told.
        """
        body = {
            "volume": volume,
            "mask": mask,
            "job": job,
            "model": model,
            "priority": priority,
            "subject": subject,
            "contrast": contrast,
        }
        return parse(CaseInfo, self._http.json("POST", "/cases", body=body))

    def case(self, case: str) -> CaseDetails:
        """A case and its history."""
        return parse_details(self._http.json("GET", f"/cases/{path_part(case)}"))

    def next_case(self, annotator: str, *, sitting: str = "", ended: Sequence[str] = ()) -> Lease | None:
        """Lease the most important case that waits; None when none is left. See :meth:`lease_case`."""
        body = {"annotator": annotator, "sitting": sitting, "ended": list(ended)}
        answer = self._http.json("POST", "/cases/next", body=body)
        return None if answer is None else parse_lease(answer)

    def lease_case(self, case: str, annotator: str, *, sitting: str = "", ended: Sequence[str] = ()) -> Lease:
        """Lease a case.

        :param sitting: names the window in which it will be open.
        :param ended: windows that are gone: what they held is free.
        :raises Conflict: another has it, or another window of this annotator.
        """
        body = {"annotator": annotator, "sitting": sitting, "ended": list(ended)}
        return parse_lease(self._http.json("POST", f"/cases/{path_part(case)}/lease", body=body))

    def renew_lease(self, lease: str) -> str:
        """Keep a lease for longer.

        :returns: when it expires now, ISO 8601.
        :raises LeaseLost: it has expired.
        """
        return str(self._http.json("PUT", f"/leases/{path_part(lease)}")["expires"])

    def give_back(self, lease: str) -> None:
        """Let others have the case.

        :raises LeaseLost: it has expired.
        """
        self._http.json("DELETE", f"/leases/{path_part(lease)}")

    def case_volume(self, case: str, name: str, revision: str | None = None) -> bytes:
        """The stored file of a volume, by a name of :attr:`CaseDetails.volumes`.

        :param revision: as it stood at that one; None: the newest.
        """
        return self._http.fetch(f"/cases/{path_part(case)}/volumes/{path_part(name)}", query={"revision": revision})

    def revision_mask(self, case: str, revision: str) -> bytes:
        """The mask of a revision as a .nii.gz file."""
        return self._http.fetch(f"/cases/{path_part(case)}/revisions/{path_part(revision)}/mask")

    def revision_weights(self, case: str, revision: str) -> bytes:
        """How far each voxel of a revision is to be trusted, 0 not at all, as a .nii.gz file.

        :raises Unknown: it has none: all voxels count.
        """
        return self._http.fetch(f"/cases/{path_part(case)}/revisions/{path_part(revision)}/weights")

    def add_revision(
        self,
        case: str,
        mask: bytes,
        *,
        lease: str,
        state: str,
        parent: str | None,
        comment: str = "",
        suffix: str = "nrrd",
        weights: str | None = None,
    ) -> RevisionInfo:
        """Save a mask on the image's grid.

        :param state: ``draft``, ``accepted``, ``needs_second_reader`` or ``rejected``.
        :param parent: the revision that it was made from, which must be the case's newest.
        :param suffix: what the mask's bytes are: ``nrrd`` or ``nii.gz``.
        :param weights: id of an upload on the image's grid that says how far each voxel is to be trusted, 0 not at all.
        :raises Conflict: the case has a newer revision.
        :raises LeaseLost: the lease has expired.
        """
        query: dict[str, Any] = {
            "lease": lease,
            "state": state,
            "parent": parent,
            "comment": comment,
            "format": suffix,
            "weights": weights,
        }
        return parse(RevisionInfo, self._http.send(f"/cases/{path_part(case)}/revisions", mask, query=query))

    def add_results(self, case: str, job: str, *, lease: str) -> ResultsInfo:
        """Have a case keep what a finished job made anew for one of its revisions' masks; its newest results then.

        :raises Refused: no revision has the mask that the job was given.
        :raises LeaseLost: the lease has expired.
        """
        body = {"job": job, "lease": lease}
        return parse(ResultsInfo, self._http.json("POST", f"/cases/{path_part(case)}/results", body=body))

    def agreement(self, case: str, a: str, b: str) -> Agreement:
        """How far two revisions of a case agree."""
        return parse(Agreement, self._http.json("GET", f"/cases/{path_part(case)}/agreement", query={"a": a, "b": b}))

    def consensus(self, case: str, revisions: Sequence[str], *, author: str, lease: str) -> RevisionInfo:
        """Have the consensus (STAPLE) of several revisions saved as a new one."""
        body = {"revisions": list(revisions), "author": author, "lease": lease}
        return parse(RevisionInfo, self._http.json("POST", f"/cases/{path_part(case)}/consensus", body=body))
