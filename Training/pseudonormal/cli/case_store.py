"""What the commands of ``pseudonormal cases`` share: which store, and how results are said."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from pseudonormal.errors import InputError

if TYPE_CHECKING:
    from pseudonormal.store.store import Store

StoreFolder = Annotated[
    Path | None,
    typer.Option(
        "--store",
        metavar="DIR",
        envvar="PSEUDONORMAL_STORE",
        help="Folder of the case store; else one in the user's data folder.",
    ),
]
Annotator = Annotated[str, typer.Option("--annotator", metavar="NAME", help="Who reads: a name or a pseudonym.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def default_folder() -> Path:
    """Where the store is when nobody says: ``$XDG_DATA_HOME/pseudonormal/store``."""
    return Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local" / "share")) / "pseudonormal" / "store"


@contextmanager
def opened(folder: Path | None, make: bool = False) -> Iterator[Store]:
    """The store in a folder, closed at the end.

    :param make: make one where there is none.
    :raises InputError: there is none, or it cannot be opened.
    """
    from pseudonormal.store.store import Store

    where = folder or default_folder()
    if not make and not Store.exists(where):
        raise InputError(f"{where}: there is no case store; name another --store, or make one: pseudonormal cases add")
    store = Store.open(where)
    try:
        yield store
    finally:
        store.close()


def said(as_json: bool, value: Any, words: str) -> None:
    """Print a result: as one line of JSON, or in words."""
    if as_json:
        print_json(value)
    else:
        Console().print(words, markup=False, highlight=False, soft_wrap=True)


def print_json(value: Any) -> None:
    """Print a result as one line of JSON; records become objects, times ISO 8601."""
    typer.echo(json.dumps(value, default=_plain, ensure_ascii=False))


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} does not fit into JSON")
