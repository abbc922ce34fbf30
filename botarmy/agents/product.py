"""The product's files: one tree out of what coder, tester and deployer wrote."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from botarmy.checks import FileText
from botarmy.errors import UnsafePath
from botarmy.records import Measure, Record

PARTS = ("source_code", "unit_tests", "documentation", "test_results", "deployment_log")
"""The artifact kinds that carry files of the product, in the order in which they are laid down."""


ACCEPTANCE_FOLDER = "tests_acceptance/"
_TESTERS = ("acceptance_tests", "test_results")


class Tree(Record):
    """Files merged from several parts; `conflicts` says which of them cannot lie in one tree."""

    files: tuple[FileText, ...]
    conflicts: tuple[str, ...] = ()


def merge_files(parts: Mapping[str, Iterable[FileText]]) -> Tree:
    """Merge files of several parts, sorted by path.

    The same path with the same content is one file. A path that two parts fill differently, that differs from another
    one only in case, or that is a file here and a folder there, is a conflict; of such files the first stays.

    Args:
        parts: name of the part, for the messages -> its files.
    """
    taken: dict[str, tuple[str, FileText]] = {}
    folders: dict[str, tuple[str, str]] = {}
    conflicts: list[str] = []
    for part, files in parts.items():
        for file in files:
            problem = _conflict(part, file, taken, folders)
            if problem:
                conflicts.append(problem)
            else:
                taken.setdefault(file.path.casefold(), (part, file))
                folders.update(dict.fromkeys(_folders_of(file.path), (part, file.path)))
    kept = sorted((file for _, file in taken.values()), key=lambda file: file.path)
    return Tree(files=tuple(kept), conflicts=tuple(conflicts))


def _conflict(
    part: str, file: FileText, taken: Mapping[str, tuple[str, FileText]], folders: Mapping[str, tuple[str, str]]
) -> str:
    key = file.path.casefold()
    if key in taken:
        owner, other = taken[key]
        if other == file:
            return ""
        how = "differently" if other.path == file.path else f"as {other.path}, which differs only in case"
        return f"{part} writes {file.path}, which {owner} writes {how}"
    if key in folders:
        owner, path = folders[key]
        return f"{part} writes the file {file.path}, which {owner} uses as a folder ({path})"
    above = next((folder for folder in _folders_of(file.path) if folder in taken), None)
    if above is not None:
        owner, other = taken[above]
        return f"{part} uses {other.path} as a folder ({file.path}), which {owner} writes as a file"
    return ""


def _folders_of(path: str) -> tuple[str, ...]:
    names = path.casefold().split("/")[:-1]
    return tuple("/".join(names[: depth + 1]) for depth in range(len(names)))


def strays(parts: Mapping[str, Iterable[FileText]]) -> tuple[str, ...]:
    """Return which files lie where they would speak for someone else.

    The acceptance tests prove the requirements; so their folder is the tester's alone, and the tester writes nowhere else.
    """
    found = []
    for part, files in parts.items():
        for file in files:
            inside = file.path.casefold().startswith(ACCEPTANCE_FOLDER)
            if inside and part not in _TESTERS:
                found.append(f"{part} writes {file.path}, but {ACCEPTANCE_FOLDER} is the tester's folder")
            if not inside and part in _TESTERS:
                found.append(f"{part} writes {file.path}, which is not in the tester's folder {ACCEPTANCE_FOLDER}")
    return tuple(found)


def product_parts(artifacts: Mapping[str, Mapping[str, Any]]) -> dict[str, tuple[FileText, ...]]:
    """Return the files of each artifact that carries some, by kind.

    Args:
        artifacts: kind -> content as JSON; kinds without files are passed over.
    """
    return {
        kind: tuple(FileText.model_validate(file) for file in artifacts[kind].get("files", ()))
        for kind in PARTS
        if kind in artifacts
    }


def product_files(artifacts: Mapping[str, Mapping[str, Any]]) -> tuple[FileText, ...]:
    """Return the whole product: source, unit tests, documentation, acceptance tests and deployment files, by path.

    Args:
        artifacts: kind -> content as JSON, of the phases so far.

    Raises:
        UnsafePath: two artifacts write the same path differently. The gates keep such trees out; it can only come
            from an amended artifact.
    """
    tree = merge_files(product_parts(artifacts))
    if tree.conflicts:
        raise UnsafePath(
            f"The product's files cannot lie in one tree: {'; '.join(tree.conflicts)}.",
            hint="Amend one of the artifacts so that every path is written once.",
        )
    return tree.files


def tree_valid(conflicts: Iterable[str]) -> Measure:
    """Measure whether the files can be written as one tree: 1 or 0."""
    reasons = tuple(conflicts)
    return Measure(name="tree_valid", value=0.0 if reasons else 1.0, reasons=reasons)
