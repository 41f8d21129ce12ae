"""Bundles from and to elsewhere. What comes in is not trusted until it has been checked whole."""

from __future__ import annotations

import re
import shutil
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from pseudonormal.errors import InputError
from pseudonormal.models.bundle import find_bundle, imported_folder, load_model, model_folders
from pseudonormal.scan.atomic import OutputFolder, atomic_file

MOST_BYTES = 1_000_000_000
MOST_FILES = 200
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_TYPES = (".json", ".md", ".safetensors", ".txt")
_PLAIN_NAMES = ("LICENSE", "NOTICE")
_DATE = (1980, 1, 1, 0, 0, 0)  # equal bundles are equal files


def import_bundle(source: Path, *, name: str | None = None, replace: bool = False) -> Path:
    """Check a bundle and put it where models are looked for, whole or not at all.

    :param source: a bundle's folder or a .zip of one.
    :param name: what to call it; None: as its folder is called.
    :param replace: take the place of a model of that name.
    :returns: the bundle's new folder.
    :raises InputError: it is no bundle, damaged, too large, holds files that no bundle needs or paths that lead out of
        it, or its name is taken.
    """
    if source.is_dir():
        root, files = source.resolve().name, _files_in(source)
        return _place(source, name or root, replace, lambda folder: _copy(files, folder))
    if not source.is_file():
        raise InputError(f"{source}: there is no such file: give a bundle's folder or a .zip of one")
    try:
        with zipfile.ZipFile(source) as archive:
            root, members = _members(source, archive)
            return _place(
                source, name or root or source.stem, replace, lambda folder: _extract(archive, members, folder)
            )
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, RuntimeError) as error:
        raise InputError(f"{source}: is no zip file, or damaged: export or download it again") from error


def export_bundle(name: str, target: Path) -> None:
    """Write a model as a .zip that :func:`import_bundle` takes.

    :param name: see :func:`pseudonormal.models.bundle.find_bundle`.
    :raises InputError: there is no such model, it is damaged, or the target cannot be written.
    """
    if target.suffix != ".zip":
        raise InputError(f"{target}: does not end in .zip: name the file to write, for instance {target.name}.zip")
    bundle = find_bundle(name)
    load_model(name)
    root = bundle.resolve().name
    with atomic_file(target) as stream, zipfile.ZipFile(stream, "w") as archive:
        for relative, path in sorted(_files_in(bundle).items()):
            entry = zipfile.ZipInfo(f"{root}/{relative}", _DATE)
            entry.external_attr = 0o644 << 16  # not compressed: weights do not get smaller
            archive.writestr(entry, path.read_bytes())


def _place(source: Path, name: str, replace: bool, fill: Callable[[Path], None]) -> Path:
    if not _NAME.fullmatch(name):
        raise InputError(f"{source}: '{name}' cannot name a model: give --name with letters, digits, '.', '_' and '-'")
    if name in model_folders() and not replace:
        raise InputError(f"{source}: there is a model '{name}' already: give --replace, or another --name")
    final = imported_folder() / name
    with OutputFolder(final) as folder:
        fill(folder)
        _check(source, folder)
    return final


def _check(source: Path, folder: Path) -> None:
    """Load every network as in use: hashes, shapes, calibration."""
    try:
        load_model(str(folder))
    except InputError as error:
        raise InputError(f"{source}: {str(error).replace(str(folder), source.name)}") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"{source}: its metadata.json lacks something ({error}): export or download it again"
        ) from error


def _files_in(bundle: Path) -> dict[str, Path]:
    """Relative POSIX path and place of each file of a bundle's folder."""
    found: dict[str, Path] = {}
    total = 0
    for path in _walk(bundle):
        relative = path.relative_to(bundle).as_posix()
        if path.is_symlink() or not path.is_file():
            raise InputError(f"{path}: is not a plain file: a bundle holds plain files only")
        total += path.stat().st_size
        found[relative] = path
        _allow(bundle, relative, total, len(found))
    return found


def _walk(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.is_symlink():
            yield from _walk(path)
        else:
            yield path


def _members(source: Path, archive: zipfile.ZipFile) -> tuple[str, dict[str, zipfile.ZipInfo]]:
    """The bundle's name (empty when it is not in a folder) and its files within the archive."""
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    paths = [PurePosixPath(entry.filename).parts for entry in entries]
    marks = [parts for parts in paths if parts[-2:] == ("configs", "metadata.json")]
    if not marks:
        raise InputError(f"{source}: holds no configs/metadata.json: give a .zip of a MONAI bundle")
    prefix = min(marks, key=len)[:-2]
    members: dict[str, zipfile.ZipInfo] = {}
    total = 0
    for entry, parts in zip(entries, paths, strict=True):
        mode = entry.external_attr >> 16
        if parts[: len(prefix)] != prefix or _leads_out(entry.filename) or (mode and not _plain(mode)):
            raise InputError(f"{source}: '{entry.filename}' does not belong into a bundle: nothing was imported")
        relative = "/".join(parts[len(prefix) :])
        total += entry.file_size
        members[relative] = entry
        _allow(source, relative, total, len(members))
    return (prefix[-1] if prefix else ""), members


def _leads_out(name: str) -> bool:
    path = PurePosixPath(name)
    return path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name


def _plain(mode: int) -> bool:
    """Whether Unix mode bits are a plain file's; archives made elsewhere leave the type out."""
    return stat.S_IFMT(mode) in (0, stat.S_IFREG)


def _allow(source: Path, relative: str, total: int, count: int) -> None:
    path = PurePosixPath(relative)
    if path.suffix not in _TYPES and path.name not in _PLAIN_NAMES:
        raise InputError(f"{source}: '{relative}' does not belong into a bundle: nothing was imported")
    if total > MOST_BYTES or count > MOST_FILES:
        raise InputError(f"{source}: is larger than any bundle (1 GB, {MOST_FILES} files): nothing was imported")


def _copy(files: dict[str, Path], folder: Path) -> None:
    for relative, path in files.items():
        target = folder / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def _extract(archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], folder: Path) -> None:
    """Contents only, no modes or times; zipfile never gives more bytes than an entry declares."""
    for relative, entry in members.items():
        target = folder / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(entry) as stream, target.open("wb") as copy:
            shutil.copyfileobj(stream, copy)
