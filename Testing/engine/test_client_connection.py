"""Which engine is used: kept, started, ended, and told when there is none."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest
from PseudoNormalLib.engine.background import Background
from PseudoNormalLib.engine.connection import Choice, EngineConnection, full_address
from PseudoNormalLib.engine.errors import Unreachable
from PseudoNormalLib.settings import SessionSettings
from PseudoNormalLib.ticks import Ticks


@pytest.fixture
def ticks():
    return Ticks()


@pytest.fixture
def a_python(tmp_path):
    """A program that says, as the engine would, that it listens, whatever it is told."""
    program = tmp_path / "python"
    program.write_text(
        f"#!{sys.executable}\nimport json, time\n"
        'print(json.dumps({"url": "http://127.0.0.1:1"}), flush=True)\ntime.sleep(600)\n'
    )
    program.chmod(0o755)
    return program


@pytest.fixture
def a_host(ticks, tmp_path):
    return SimpleNamespace(settings=SessionSettings(), data_folder=tmp_path / "data", tick=ticks)


@pytest.fixture
def connections(a_host, ticks):
    made = []

    def connect():
        made.append(EngineConnection(a_host, Background(ticks)))
        return made[-1]

    yield connect
    for connection in made:
        connection.close()


def test_without_any_choice_the_user_is_told_what_to_do(connections):
    connection = connections()
    assert connection.state == "missing"
    with pytest.raises(Unreachable, match="set it up first"):
        connection.client()
    connection.start()
    assert connection.state == "missing"


def test_a_choice_is_kept_for_the_next_session(connections):
    told = []
    connection = connections()
    connection.changed.connect(lambda: told.append(connection.choice))
    choice = Choice(kind="remote", url="engine.example:8000/", key="secret")
    connection.choose(choice)
    connection.choose(choice)
    assert told == [choice]
    assert connections().choice == choice
    assert connections().client().url == "http://engine.example:8000"
    assert connections().state == "remote"


def test_a_key_is_not_shown_by_accident():
    assert "secret" not in repr(Choice(key="secret"))


def test_a_remote_engine_without_an_address_is_told(connections):
    connection = connections()
    connection.choose(Choice(kind="remote", url="  "))
    with pytest.raises(Unreachable, match="enter the address"):
        connection.client()


@pytest.mark.parametrize(
    ("typed", "address"),
    [("host:1", "http://host:1"), (" https://host/ ", "https://host"), ("http://host:1/x/", "http://host:1/x")],
)
def test_addresses_may_be_typed_as_people_do(typed, address):
    assert full_address(typed) == address


def test_the_engine_of_a_python_is_started_and_ended(ticks, connections, a_python):
    connection = connections()
    states = []
    connection.changed.connect(lambda: states.append(connection.state))
    connection.choose(Choice(python=str(a_python)))
    connection.start()
    assert ticks.run_until(lambda: connection.state not in ("starting", "stopped"), 60)
    assert connection.client().url == "http://127.0.0.1:1"
    connection.stop()
    assert states == ["stopped", "starting", "running", "stopped"]


def test_another_choice_ends_the_engine_that_ran(ticks, connections, a_python):
    connection = connections()
    connection.choose(Choice(python=str(a_python)))
    connection.start()
    assert ticks.run_until(lambda: connection.state == "running", 60)
    told = []
    connection.died.connect(told.append)
    connection.choose(Choice(kind="remote", url="http://127.0.0.1:2"))
    assert connection.client().url == "http://127.0.0.1:2"
    ticks.run_until(lambda: False, 0.5)
    assert told == [] and connection.state == "remote"


def test_the_engines_log_lies_with_the_users_data(connections, a_host):
    assert connections().log_file == a_host.data_folder / "engine.log"
