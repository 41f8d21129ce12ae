"""The database: made, brought up to date, refused; and what a store says when it cannot be written."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from Testing.store_clients import mask_number, write_scan

from pseudonormal.errors import InputError
from pseudonormal.store import dialects
from pseudonormal.store.database import MIGRATIONS, NEWEST
from pseudonormal.store.store import Store
from pseudonormal.store.tables import metadata

ROOT = Path(__file__).resolve().parents[2]


def of(folder: Path) -> sqlite3.Connection:
    return sqlite3.connect(folder / "cases.sqlite")


def test_a_new_store_has_the_tables_that_the_code_means(tmp_path: Path) -> None:
    Store.open(tmp_path)
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'cases.sqlite'}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert context.get_current_revision() == NEWEST
        assert compare_metadata(context, metadata) == []


def test_the_newest_version_is_the_last_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [NEWEST]


def test_a_store_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    Store.open(tmp_path).close()
    with of(tmp_path) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(InputError, match="made by a newer version of PseudoNormal") as caught:
        Store.open(tmp_path)
    assert "\n" not in str(caught.value)


def test_making_the_tables_is_all_or_nothing(tmp_path: Path) -> None:
    """A table that is in the way stands for whatever may interrupt the making."""
    with of(tmp_path) as database:
        database.execute("CREATE TABLE leases (x)")
    with pytest.raises(sa.exc.OperationalError, match="already exists"):
        Store.open(tmp_path)
    with of(tmp_path) as database:
        assert [row[0] for row in database.execute("SELECT name FROM sqlite_master")] == ["leases"]


def test_sqlite_is_asked_to_keep_its_promises(tmp_path: Path) -> None:
    engine = sa.create_engine(dialects.sqlite_url(tmp_path / "a.sqlite"))
    dialects.prepare(engine)
    with engine.connect() as connection:
        asked = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert asked == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 60_000}


def test_the_tables_can_be_said_to_postgresql() -> None:
    """Without a server: what would be sent is put into its words, triggers included."""
    said = []
    engine = sa.create_mock_engine("postgresql://", lambda statement, *_: said.append(str(statement.compile(engine))))
    metadata.create_all(engine, checkfirst=False)
    assert sum("CREATE TABLE" in statement for statement in said) == len(metadata.tables)
    assert any("TIMESTAMP WITH TIME ZONE" in statement for statement in said)
    function, trigger = dialects.append_only("revisions", "postgresql")
    assert "RAISE EXCEPTION 'revisions are append-only'" in function
    assert "BEFORE UPDATE OR DELETE OR TRUNCATE ON revisions" in trigger


def test_files_that_are_no_store_are_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "cases.sqlite").write_bytes(b"a letter, rather\n" * 500)
    with pytest.raises(InputError, match="the file is not a database") as caught:
        Store.open(tmp_path)
    assert "\n" not in str(caught.value)
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written"):
        Store.open(tmp_path / "file" / "store")


def in_a_process_of_its_own(code: str, *arguments: object) -> list[str]:
    """Run a program that says JSON lines; rights and limits of its own do not reach the tests."""
    frame = """
        import json, os, resource, sys
        from pathlib import Path
        from pseudonormal.errors import InputError
        from pseudonormal.store.store import Store
        from Testing.store_clients import mask_number
        def say(work):
            try:
                print(json.dumps(["done", str(work())]))
            except InputError as error:
                print(json.dumps(["refused", str(error)]))
    """
    program = textwrap.dedent(frame) + textwrap.dedent(code)
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.skipif(sys.platform == "win32", reason="limits are POSIX")
def test_a_full_disk_is_said_in_one_line_and_halves_nothing(tmp_path: Path) -> None:
    """A limit on the size of files stands in for the end of the disk: the system refuses the write in the same way."""
    write_scan(tmp_path / "scan.nii.gz")
    case = Store.open(tmp_path / "store").add_case(tmp_path / "scan.nii.gz")
    said = in_a_process_of_its_own(
        """
        store, scan, case = Store.open(Path(sys.argv[1])), Path(sys.argv[2]), sys.argv[3]
        lease = store.lease(case, "Ann").token
        def save():
            return store.add_revision(case, mask_number(1), lease=lease, state="accepted", parent=None)
        for most in (100, 4_500):  # too small for any volume; large enough for a mask, too small for the database
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
            say(save)
            say(lambda: store.add_case(scan))
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        say(lambda: save().id)
        """,
        tmp_path / "store",
        tmp_path / "scan.nii.gz",
        case.id,
    )
    *refused, done = said
    assert len(refused) == 4
    for kind, line in refused:
        assert kind == "refused"
        assert line.startswith(f"{tmp_path / 'store'}: the disk is full")
        assert "\n" not in line
    assert done[0] == "done"
    store = Store.open(tmp_path / "store")
    assert [revision.id for revision in store.history(case.id)] == [done[1]]
    assert store.cases()[1] == 1
    assert [problem for problem in store.check() if problem.severity == "error"] == []


@pytest.mark.skipif(sys.platform == "win32", reason="rights are POSIX")
def test_a_store_without_the_right_to_write_says_so_in_one_line(tmp_path: Path) -> None:
    write_scan(tmp_path / "scan.nii.gz")
    made = Store.open(tmp_path / "store")
    case = made.add_case(tmp_path / "scan.nii.gz")
    made.close()
    for path in (tmp_path / "store", *(tmp_path / "store").rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    if os.geteuid() == 0:  # root may write anywhere, so the program below becomes nobody, who must be let in
        for folder in (tmp_path, *tmp_path.parents[:-1]):
            folder.chmod(folder.stat().st_mode | 0o055)
    said = in_a_process_of_its_own(
        """
        if os.geteuid() == 0:
            os.setuid(65534)
        say(lambda: Store.open(Path(sys.argv[1])).add_case(Path(sys.argv[2])))
        say(lambda: Store.open(Path(sys.argv[1])).lease(sys.argv[3], "Ann"))
        say(lambda: Store.open(Path(sys.argv[1]) / "new"))
        """,
        tmp_path / "store",
        tmp_path / "scan.nii.gz",
        case.id,
    )
    assert [kind for kind, _ in said] == ["refused"] * 3
    assert all("store" in line and "change the rights" in line and "\n" not in line for _, line in said)


def test_a_mask_survives_the_death_of_its_maker_between_file_and_transaction(tmp_path: Path) -> None:
    """The file of a revision that was never committed lies about unnamed; saving it again takes it."""
    write_scan(tmp_path / "scan.nii.gz")
    store = Store.open(tmp_path / "store")
    case = store.add_case(tmp_path / "scan.nii.gz")
    lease = store.lease(case.id, "Ann")
    revision = store.add_revision(case.id, mask_number(1), lease=lease.token, state="draft", parent=None)
    with of(store.folder) as database:
        database.execute("DROP TRIGGER revisions_no_delete")
        database.execute("DELETE FROM revisions")
    (left,) = store.check()
    assert (left.severity, left.where) == ("warning", f"{revision.mask_sha256}.nii.gz")
    again = store.add_revision(case.id, mask_number(1), lease=lease.token, state="draft", parent=None)
    assert again.mask_sha256 == revision.mask_sha256
    assert store.check() == []
