"""Writing generated trees: all or nothing, and never through a link."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from botarmy.checks import FileText
from botarmy.errors import UnsafePath
from sandbox.tree import write_tree


def files(**contents: str) -> list[FileText]:
    return [FileText(path=name.replace("__", "/"), content=text) for name, text in contents.items()]


def listing(root: Path) -> dict[str, str]:
    return {str(path.relative_to(root)): path.read_text() for path in sorted(root.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("state", ["absent", "empty"])
def test_a_new_tree(tmp_path: Path, state: str) -> None:
    root = tmp_path / "out"
    if state == "empty":
        root.mkdir()
    write_tree(files(a="1\n", b__c="ä\r\n"), root)
    assert (root / "b" / "c").read_bytes() == "ä\r\n".encode()
    assert set(listing(root)) == {"a", "b/c"}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_no_files_make_an_empty_folder(tmp_path: Path) -> None:
    write_tree([], tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_tree_with_something_in_it_keeps_the_rest(tmp_path: Path) -> None:
    write_tree(files(a="old", b="kept", c__d="old"), tmp_path / "out")
    write_tree(files(a="new", c__d="new", e__f="new"), tmp_path / "out")
    assert listing(tmp_path / "out") == {"a": "new", "b": "kept", "c/d": "new", "e/f": "new"}


@pytest.mark.parametrize("path", ["../x", "/x", ".git/config", "A"])
def test_one_bad_path_and_nothing_is_written(tmp_path: Path, path: str) -> None:
    root = tmp_path / "out"
    with pytest.raises(UnsafePath):
        write_tree([*files(a="1", z="1"), FileText(path=path, content="2")], root)
    assert list(tmp_path.iterdir()) == []


def test_text_that_is_none_writes_nothing(tmp_path: Path) -> None:
    bad = FileText.model_construct(path="b", content="\ud800")
    with pytest.raises(UnsafePath, match="not valid text"):
        write_tree([*files(a="1"), bad], tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_links_are_not_written_through(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("safe")
    root = tmp_path / "out"
    root.mkdir()
    (root / "folder").symlink_to(outside)
    (root / "file").symlink_to(outside / "file")
    os.link(outside / "file", root / "hard")
    for name in ("folder/file", "file", "hard"):
        with pytest.raises(UnsafePath, match="link"):
            write_tree([FileText(path="first", content="x"), FileText(path=name, content="taken")], root)
    assert (outside / "file").read_text() == "safe"
    assert not (root / "first").exists()


def test_a_root_that_is_a_link_or_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "file").write_text("")
    for name in ("link", "file"):
        with pytest.raises(UnsafePath, match="not a plain folder"):
            write_tree(files(a="1"), tmp_path / name)
    assert list((tmp_path / "real").iterdir()) == []


def test_a_folder_in_the_way_of_a_file(tmp_path: Path) -> None:
    write_tree(files(a__b="1"), tmp_path / "out")
    with pytest.raises(UnsafePath, match="folder"):
        write_tree(files(a="1"), tmp_path / "out")
    with pytest.raises(UnsafePath, match="a file, not a folder"):
        write_tree(files(a__b__c="1"), tmp_path / "out")
