"""Which paths of a generated tree are refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botarmy.checks import FileText
from botarmy.errors import UnsafePath
from sandbox.tree import check_paths


def files(*paths: str) -> list[FileText]:
    return [FileText(path=path, content="x\n") for path in paths]


@pytest.mark.parametrize(
    "path",
    [
        "app/__main__.py",
        "README.md",
        ".github/workflows/ci.yml",
        ".gitignore",
        ".env.example",
        "docs/Größe.md",
        "данные/файл.txt",
        "a b/c.txt",
        "console.py",
        "com10.txt",
    ],
)
def test_plain_paths_are_taken(path: str) -> None:
    check_paths(files(path))


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/etc/passwd", "absolute"),
        ("~/x", "absolute or names a home"),
        ("../x", "leaves its tree"),
        ("a/../../x", "leaves its tree"),
        ("a/./x", "leaves its tree"),
        ("a//x", "empty part"),
        ("a/", "empty part"),
        ("C:/x", "special"),
        ("a\\b", "special"),
        ("a\0b", "control"),
        ("a\nb", "control"),
        ("a\u202eb", "invisible"),
        (".git/config", "under .git"),
        (".GIT/config", "under .git"),
        ("a/.git", "under .git"),
        (".git /config", "under .git"),
        (".git./config", "under .git"),
        ("git~1/config", "under .git"),
        (".g\u200cit/config", "under .git"),
        ("\uff0egit/config", "under .git"),
        ("con", "reserved"),
        ("a/NUL.txt", "reserved"),
        ("lpt1.py", "reserved"),
        ("x.", "ends with a dot"),
        (" x", "begins or ends with a blank"),
        ("ä" * 130, "longer than 255 bytes"),
    ],
)
def test_others_are_refused_with_the_reason(path: str, why: str) -> None:
    with pytest.raises(UnsafePath) as caught:
        check_paths(files(path))
    assert why in caught.value.message
    assert repr(path) in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        ("a.py", "a.py", "twice"),
        ("a.py", "A.py", "but for case"),
        ("straße.txt", "STRASSE.txt", "but for case"),
        ("caf\u00e9.txt", "cafe\u0301.txt", "but for case"),
        ("Docs/a.md", "docs/b.md", "but for case"),
        ("docs", "docs/a.md", "both a file and the folder"),
        ("docs/a.md", "docs", "both a file and the folder"),
    ],
)
def test_pairs_that_some_file_system_takes_for_one(first: str, second: str, why: str) -> None:
    with pytest.raises(UnsafePath, match=why):
        check_paths(files(first, second))


@given(st.lists(st.sampled_from(["..", ".", "a", "b", ".git", "", "A"]), min_size=1, max_size=5))
def test_what_is_taken_stays_below_its_root(parts: list[str]) -> None:
    path = "/".join(parts)
    try:
        check_paths([FileText.model_construct(path=path, content="")])
    except UnsafePath:
        return
    assert not {"..", ".", "", ".git"} & set(parts)
