"""Open the database, bring it up to date, read and write it in transactions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, create_engine, inspect, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from pseudonormal.errors import InputError
from pseudonormal.store import dialects

MIGRATIONS = Path(__file__).parent / "migrations"
# The newest of migrations/versions: a store that stands there is opened without asking Alembic.
NEWEST = "0004"


class Database:
    """A database of the store, at the newest version of its tables.

    :param url: where it is.
    :param where: what to call it towards the user.
    :raises InputError: it cannot be opened, or a newer version of the software made it.
    """

    def __init__(self, url: URL | str, where: Path) -> None:
        self._where = where
        self._engine = create_engine(url)
        dialects.prepare(self._engine)
        self._bring_up_to_date()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one moment of the store; writers go on meanwhile."""
        with self._in_words(), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """The only writing transaction of its time: what it reads stays true until it ends. All of it or nothing."""
        with self._in_words(), self._engine.connect().execution_options(writes=True) as connection, connection.begin():
            dialects.claim_writing(connection)
            yield connection

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()

    def _bring_up_to_date(self) -> None:
        with self.reading() as connection:
            if _version(connection) == NEWEST:
                return
        from alembic import command
        from alembic.config import Config
        from alembic.script import ScriptDirectory

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        with self._in_words(), self._engine.connect().execution_options(writes=True) as connection, connection.begin():
            # Read again: another process may have been faster.
            version = _version(connection)
            if version is not None and version not in known:
                raise InputError(
                    f"{self._where}: this case store was made by a newer version of PseudoNormal (its tables are at "
                    f"{version}, this one knows {NEWEST}); update PseudoNormal"
                )
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            words = dialects.refusal(error)
            if words is None:
                raise
            raise InputError(f"{self._where}: {words}") from error


def _version(connection: Connection) -> str | None:
    """Version of the tables; None where there are none yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found
