"""Who is who without saying who: pseudonyms drawn at random or keyed, and reports without file names."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pseudonormal.errors import InputError

# Without the letters and digits that are mistaken for each other.
_ALPHABET = "23456789abcdefghjkmnpqrstvwxyz"
_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ +-]{0,99}")
_LONGEST_NAME, _LONGEST_TEXT = 100, 10_000
# What a report may keep. All else (the case's name, file names, warnings that quote paths) may name a person.
_REPORT = (
    "schema_version",
    "notice",
    "software_version",
    "created",
    "contrast",
    "mode",
    "device",
    "seed",
    "timings_s",
    "lesion_ml",
)
_REPORT_INPUT = ("size", "spacing_mm", "dtype")
_REPORT_MODEL = ("name", "version", "sha256")
_REPORT_BRAIN = ("volume_ml", "centre_ras", "profile", "uncertain_ml")
_REPORT_FINDING = (
    "index",
    "volume_ml",
    "centroid_ras",
    "bounding_box",
    "mean_z",
    "peak_z",
    "confidence",
    "uncertain_ml",
    "mode",
    "side",
    "position",
)


def new_id(kind: str, length: int) -> str:
    """A name that says nothing, for instance "case-7f3k9q2m"."""
    return f"{kind}-{''.join(secrets.choice(_ALPHABET) for _ in range(length))}"


class Secret:
    """The store's secret, in a file that only its owner may read; made when first needed."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def pseudonym(self, subject: str) -> str:
        """A person's pseudonym: equal for equal keys within this store, and not to be traced back without its secret.

        :param subject: any key that the caller knows the person by, as :func:`checked_subject` returns it.
        :raises InputError: the secret cannot be written.
        """
        return "subject-" + hmac.new(self._value(), subject.encode(), hashlib.sha256).hexdigest()[:16]

    def _value(self) -> bytes:
        if not self.path.exists():
            self._make()
        return self.path.read_bytes()

    def _make(self) -> None:
        """Written aside and linked into place: of several processes the first one's stands."""
        aside = self.path.with_name(f".{secrets.token_hex(6)}.part")
        try:
            handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as stream:
                stream.write(secrets.token_hex(32).encode())
                stream.flush()
                os.fsync(stream.fileno())
            os.link(aside, self.path)
        except FileExistsError:
            pass
        except OSError as error:
            raise InputError(
                f"{self.path.parent}: the case store cannot be written ({error.strerror}); change the rights"
            ) from error
        finally:
            aside.unlink(missing_ok=True)


def checked_name(name: str, of: str) -> str:
    """A short line that people typed, without the spaces around it.

    :param of: what it names, for the message.
    :raises InputError: it is empty, too long or not one line of text.
    """
    cleaned = name.strip()
    if not cleaned or len(cleaned) > _LONGEST_NAME or not cleaned.isprintable():
        raise InputError(f"{of}: give one line of 1 to {_LONGEST_NAME} characters")
    return cleaned


def checked_subject(subject: str | None) -> str | None:
    """A key to a person, without the spaces around it.

    :raises InputError: it is empty.
    """
    if subject is not None and not subject.strip():
        raise InputError("subject: the key is empty; give one, or leave it out")
    return None if subject is None else subject.strip()


def checked_comment(comment: str) -> str:
    """What an annotator remarks, without the spaces around it.

    :raises InputError: it is too long.
    """
    cleaned = comment.strip()
    if len(cleaned) > _LONGEST_TEXT or "\0" in cleaned:
        raise InputError(f"comment: give at most {_LONGEST_TEXT} characters of text")
    return cleaned


def checked_model(model: str | None) -> str | None:
    """A model's name; a path, which may name a person, is none.

    :raises InputError: it is no name.
    """
    if model is not None and not _MODEL.fullmatch(model):
        raise InputError(f"model {model!r}: is not a model's name; give the name that pseudonormal models list shows")
    return model


def nameless_report(report: Mapping[str, Any]) -> dict[str, Any]:
    """A report with nothing but what is known to hold no name; its findings complete."""
    kept = _only(report, _REPORT)
    for part, names in (("input", _REPORT_INPUT), ("model", _REPORT_MODEL), ("brain", _REPORT_BRAIN)):
        if isinstance(report.get(part), Mapping):
            kept[part] = _only(report[part], names)
    findings = [entry for entry in report.get("findings", ()) if isinstance(entry, Mapping)]
    return kept | {"findings": [_only(entry, _REPORT_FINDING) for entry in findings]}


def _only(part: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: part[name] for name in names if name in part}
