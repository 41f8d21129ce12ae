"""``pseudonormal serve``: the engine over HTTP."""

from __future__ import annotations

import json
import logging
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from pseudonormal.cli.choices import Device
from pseudonormal.cli.cores import cores
from pseudonormal.cli.failure import say
from pseudonormal.errors import InputError
from pseudonormal.server.settings import TOKEN_VARIABLE, ServerSettings, data_folder

MOST_WORKERS = 4  # each keeps the generator and the scans that others are made from in memory


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on. As it is, this machine alone can ask.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 0,
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where uploads and results lie for an hour; made if missing.")
    ] = None,
    store: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Serve this case store too; made if missing.")
    ] = None,
    model: Annotated[str, typer.Option(metavar="NAME", help="Name or folder of the default model.")] = "brain-mr",
    device: Device = "auto",
    max_upload_mb: Annotated[int, typer.Option(min=1, help="Largest upload, in MB.")] = 1024,
    queue: Annotated[int, typer.Option(min=1, help="Jobs that may wait.")] = 8,
    parent: Annotated[int | None, typer.Option(metavar="PID", help="End when this process has ended.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the address as one JSON object.")] = False,
) -> None:
    """Let 3D Slicer and other programs use the engine over HTTP.

    Whoever asks must show a token: that of the environment variable PSEUDONORMAL_TOKEN, else one that is made now and
    printed once. Uploads and jobs are kept for an hour, and no longer than the server runs.
    """
    from pseudonormal.server.app import create_app
    from pseudonormal.server.running import address_of, is_loopback, listen, run

    given = os.environ.get(TOKEN_VARIABLE, "")
    if not is_loopback(host):
        if not given:
            raise InputError(f"--host {host}: others can reach it; set {TOKEN_VARIABLE} to a secret of yours first")
        say(f"--host {host}: the traffic is not encrypted; let others in through a tunnel or an HTTPS proxy only")
    settings = ServerSettings(
        token=given or secrets.token_urlsafe(32),
        data=data or data_folder(),
        model=model,
        device=device,
        threads=None if "OMP_NUM_THREADS" in os.environ else cores(),
        workers=min(MOST_WORKERS, cores()),
        most_bytes=max_upload_mb * 2**20,
        most_waiting=queue,
    )
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    listening = listen(host, port)
    app = create_app(settings, _open(store))

    def announce() -> None:
        facts = {"url": address_of(listening)} | ({} if given else {"token": settings.token})
        if as_json:
            typer.echo(json.dumps(facts))
        else:
            typer.echo("\n".join(f"{name}: {value}" for name, value in facts.items()))

    with suppress(KeyboardInterrupt):  # this is how a server ends
        run(app, listening, announce, parent)


def _open(folder: Path | None):  # type: ignore[no-untyped-def]  # noqa: ANN202 - the type's module is slow to import
    if folder is None:
        return None
    from pseudonormal.store.store import Store

    return Store.open(folder)
