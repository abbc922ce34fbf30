"""Writing generated files: every path is judged before the first byte is written."""

from __future__ import annotations

import os
import shutil
import tempfile
import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

from botarmy.checks import FileText
from botarmy.errors import UnsafePath

MAX_COMPONENT = 255  # bytes, the limit of common file systems
RESERVED = frozenset(
    ["con", "prn", "aux", "nul", *(f"com{n}" for n in range(1, 10)), *(f"lpt{n}" for n in range(1, 10))]
)
GIT_NAMES = frozenset([".git", "git~1"])
HINT = "Use relative paths with forward slashes, plain names, and no two that differ only in case."


def _key(path: str) -> str:
    """Return what two paths share when some file system takes them for the same."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", path).casefold())


def _visible(name: str) -> str:
    """Return a name without the characters that file systems drop (zero-width and other format characters)."""
    return "".join(char for char in name if unicodedata.category(char) != "Cf")


def _reserved(name: str) -> bool:
    return _key(name).rstrip(". ").split(".")[0] in RESERVED


FAULTS: tuple[tuple[Callable[[str], bool], str], ...] = (
    (lambda name: name in {"", ".", ".."}, "leaves its tree or has an empty part"),
    (lambda name: _key(_visible(name)).rstrip(". ") in GIT_NAMES, "lies under .git"),
    (
        lambda name: any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for char in name),
        "holds a control, invisible or invalid character",
    ),
    (lambda name: any(char in name for char in '\\:*?"<>|'), "holds a character that is special on some systems"),
    (lambda name: name != name.strip() or name.endswith("."), "begins or ends with a blank, or ends with a dot"),
    (lambda name: len(name.encode("utf-8")) > MAX_COMPONENT, f"has a part longer than {MAX_COMPONENT} bytes"),
    (_reserved, "is a reserved device name on some systems"),
)
"""What a part of a path must not be, and how that is said."""


def fault_of_path(path: str) -> str:
    """Return why a generated path is refused; empty when it is fine."""
    if path.startswith(("/", "~")):
        return "is absolute or names a home"
    return next((fault for name in path.split("/") for wrong, fault in FAULTS if wrong(name)), "")


def check_paths(files: Iterable[FileText]) -> None:
    """Refuse a tree that cannot be written everywhere, by its paths alone.

    Raises:
        UnsafePath: a path is absolute, leaves the tree, lies under .git, is reserved, or equals another but for case.
    """
    seen: dict[str, str] = {}
    folders: dict[str, str] = {}
    for file in files:
        fault = fault_of_path(file.path)
        if fault:
            raise UnsafePath(f"the generated path {file.path!r} {fault}", hint=HINT)
        key = _key(file.path)
        if key in seen:
            same = "is there twice" if seen[key] == file.path else f"equals {seen[key]!r} but for case"
            raise UnsafePath(f"the generated path {file.path!r} {same}", hint=HINT)
        seen[key] = file.path
        for parent in list(PurePosixPath(file.path).parents)[:-1]:
            known = folders.setdefault(_key(str(parent)), str(parent))
            if known != str(parent):
                raise UnsafePath(f"the folder of {file.path!r} equals {known!r} but for case", hint=HINT)
    for key, folder in folders.items():
        if key in seen:
            raise UnsafePath(f"the generated path {seen[key]!r} is both a file and the folder {folder!r}", hint=HINT)


def write_tree(files: Iterable[FileText], root: Path) -> None:
    """Write a generated tree below `root`: all of it or nothing.

    A root that is absent or empty appears at once, complete. In a root that holds something, files are replaced one by
    one (each atomically), after all of them were judged.

    Raises:
        UnsafePath: a path is refused, or would be written through a symbolic or hard link; nothing was written.
    """
    wanted = tuple(files)
    check_paths(wanted)
    contents = [(PurePosixPath(file.path), _encode(file)) for file in wanted]
    fresh = not root.exists() and not root.is_symlink()
    if not fresh:
        for path, _ in contents:
            _check_target(root, path)
    root.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{root.name}-", dir=root.parent))
    try:
        for path, data in contents:
            _write_new(staging / path, data)
        if fresh or not any(root.iterdir()):
            staging.chmod(0o755)
            staging.replace(root)
        else:
            _move_into(staging, root, [path for path, _ in contents])
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _encode(file: FileText) -> bytes:
    try:
        return file.content.encode("utf-8")
    except UnicodeEncodeError as error:
        raise UnsafePath(f"the content of {file.path!r} is not valid text: {error.reason}") from error


def _check_target(root: Path, path: PurePosixPath) -> None:
    """Refuse to write through what already lies there."""
    if root.is_symlink() or not root.is_dir():
        raise UnsafePath(f"{root} is not a plain folder", hint="Name a folder that does not exist yet.")
    place = root
    for name in path.parts[:-1]:
        place = place / name
        if place.is_symlink() or (place.exists() and not place.is_dir()):
            raise UnsafePath(f"{place} is a link or a file, not a folder")
    target = root / path
    if target.is_symlink() or target.is_dir():
        raise UnsafePath(f"{target} is a symbolic link or a folder, not a file")
    if target.exists() and target.stat().st_nlink > 1:
        raise UnsafePath(f"{target} is a hard link; another file would change with it")


def _write_new(target: Path, data: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)


def _move_into(staging: Path, root: Path, paths: Iterable[PurePosixPath]) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (staging / path).replace(root / path)
