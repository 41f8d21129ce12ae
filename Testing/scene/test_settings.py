"""Settings in a folder that several windows share."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PseudoNormalLib.settings import FolderSettings

KEYS = st.text("aZ/ßΩ %_", min_size=1, max_size=20)


@given(key=KEYS, value=st.text(st.characters(codec="utf-8")))
def test_whatever_is_kept_is_found_again_by_another_window(tmp_path_factory, key, value):
    folder = tmp_path_factory.mktemp("settings")
    FolderSettings(folder).set(key, value)
    assert FolderSettings(folder).get(key, "none") == value
    assert len(list(folder.iterdir())) == 1


def test_two_windows_undo_nothing_of_each_other(tmp_path):
    one, other = FolderSettings(tmp_path), FolderSettings(tmp_path)
    one.set("a", "1")
    other.set("b", "2")
    one.set("a", "3")
    assert (other.get("a"), one.get("b")) == ("3", "2")
    one.remove("b")
    assert other.get("b", "none") == "none"


def test_what_is_given_for_the_session_is_never_written(tmp_path):
    settings = FolderSettings(tmp_path / "folder", {"Key": "secret"})
    settings.set("Key", "other")
    assert settings.get("Key") == "other"
    assert not (tmp_path / "folder").exists()


def test_a_setting_that_cannot_be_written_leaves_the_one_before(tmp_path, monkeypatch):
    settings = FolderSettings(tmp_path)
    settings.set("a", "1")

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("PseudoNormalLib.settings.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        settings.set("a", "2")
    assert settings.get("a") == "1"
    assert len(list(tmp_path.iterdir())) == 1
