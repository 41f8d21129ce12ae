"""``pseudonormal web``: the workbench in a browser."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Annotated

import typer

from pseudonormal.cli.case_store import StoreFolder, default_folder
from pseudonormal.cli.choices import Device
from pseudonormal.errors import InputError

# The workbench is the extension's, which knows the engine over HTTP only and is known to it by name only.
_WORKBENCH = "PseudoNormalWeb"
_NEEDED = ("aiohttp", "trame_slicer", "slicer", "requests", _WORKBENCH)


def web(
    host: Annotated[
        str,
        typer.Option(help="Address to listen on. As it is, this machine alone can ask; others must show a token."),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8765,
    store: StoreFolder = None,
    device: Device = "auto",
    no_open: Annotated[bool, typer.Option("--no-open", help="Only print the address.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the address as one JSON object.")] = False,
) -> None:
    """Open the workbench in a browser: generate, compare, review, train; nothing else needs to be installed.

    Runs until Ctrl-C. Where others can reach the address, and wherever the environment variable
    PSEUDONORMAL_WEB_TOKEN holds a token, whoever opens it must show that; else one is made and printed.
    """
    if not all(find_spec(module) for module in _NEEDED):
        raise InputError('the workbench in a browser is not installed; say: pip install "pseudonormal[web]"')
    arguments = ["--host", host, "--port", str(port), "--store", str(store or default_folder()), "--device", device]
    arguments += ["--no-open"] * no_open + ["--json"] * as_json
    raise typer.Exit(import_module(f"{_WORKBENCH}.gateway.command").main(arguments))
