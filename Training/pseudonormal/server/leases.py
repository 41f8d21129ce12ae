"""Leases over HTTP: one annotator at a time works on a case, in one window."""

from __future__ import annotations

from fastapi import APIRouter, Response

from pseudonormal.server.case_answers import Annotator, ExpiryAnswer, LeaseAnswer
from pseudonormal.store.store import Store


def leases_router(store: Store) -> APIRouter:
    """The routes that take a case, keep it and give it back."""
    router = APIRouter(tags=["leases"])

    @router.post("/cases/next", response_model=LeaseAnswer, responses={204: {"description": "no case is left"}})
    def take_next(wanted: Annotator) -> LeaseAnswer | Response:
        """Lease the case that should be reviewed next."""
        lease = store.next_case(wanted.annotator, sitting=wanted.sitting, ended=wanted.ended)
        return Response(status_code=204) if lease is None else LeaseAnswer.of(lease)

    @router.post("/cases/{case_id}/lease")
    def take(case_id: str, wanted: Annotator) -> LeaseAnswer:
        """Lease a certain case."""
        return LeaseAnswer.of(store.lease(case_id, wanted.annotator, sitting=wanted.sitting, ended=wanted.ended))

    @router.put("/leases/{token}")
    def renew(token: str) -> ExpiryAnswer:
        """Keep a case for another while."""
        return ExpiryAnswer(expires=store.renew(token).expires)

    @router.delete("/leases/{token}", status_code=204)
    def give_back(token: str) -> None:
        """Give a case back, so that others can have it."""
        store.release(token)

    return router
