"""Refusals: what the server answers instead of what was asked for, always one line."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from pseudonormal import __version__
from pseudonormal.errors import InputError

_LOG = logging.getLogger("pseudonormal.server")
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_PLAIN = {
    404: "there is no such address; see /openapi.json for those that there are",
    405: "this address does not take this method; see /openapi.json",
}


class Refusal(InputError):  # noqa: N818 - so are they called, and their kinds after what happened
    """A request that cannot be met; the message is the answer's line."""

    status = 400


class NotFound(Refusal):
    """What was named is not there, or not any more."""

    status = 404


class NotDone(Refusal):
    """It is too early, or too late, for this."""

    status = 409


class Unfit(Refusal):
    """What was sent cannot be used."""

    status = 422


class QueueFull(Refusal):
    """Too much is waiting already."""

    status = 429


class NotReady(Refusal):
    """The engine cannot answer yet."""

    status = 503


class DiskFull(Refusal):
    """The server's disk takes no more."""

    status = 507


def unwritable(error: OSError) -> Exception:
    """What to raise when the data folder takes no more: a refusal for a full disk, else the error itself."""
    if error.errno in _FULL:
        return DiskFull("the engine's disk is full; free some space there, or remove uploads that are not needed")
    return error


def without_place(folder: Path) -> Callable[[], Iterator[None]]:
    """For routes that use a folder of the server's: what is wrong with it is not the client's fault.

    Nor is its place the client's business.

    :returns: a dependency; give it the scope "function".
    """

    def as_clients_know_it() -> Iterator[None]:
        try:
            yield
        except InputError as error:
            if str(folder) in str(error):
                raise NotReady(str(error).replace(f"{folder}: ", "")) from error
            raise

    return as_clients_know_it


def answer_in_one_line(app: FastAPI, statuses: Mapping[type[Exception], int]) -> None:
    """Make every error of an app answer ``{"detail": line}``.

    :param statuses: the status of further kinds of :class:`InputError`; 422 for those that are not named.
    """

    @app.exception_handler(InputError)
    async def _at_fault(_: Request, error: InputError) -> JSONResponse:
        known = next((statuses[kind] for kind in type(error).__mro__ if kind in statuses), 422)
        return line(error.status if isinstance(error, Refusal) else known, str(error))

    @app.exception_handler(HTTPException)
    async def _http(_: Request, error: HTTPException) -> JSONResponse:
        said = str(error.detail)
        plain = said in ("Not Found", "Method Not Allowed")
        return line(error.status_code, _PLAIN[error.status_code] if plain else said, error.headers)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"] if part not in ("body", "query", "path"))
        return line(422, f"{where}: {first['msg']}" if where else str(first["msg"]))

    @app.exception_handler(Exception)
    async def _defect(_: Request, error: Exception) -> JSONResponse:
        _LOG.error("a request failed", exc_info=error)
        return line(500, f"a defect of PseudoNormal {__version__} ({type(error).__name__}); see the engine's log")


def line(status: int, text: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """An answer with one line."""
    return JSONResponse({"detail": " ".join(text.split())}, status, dict(headers or {}))
