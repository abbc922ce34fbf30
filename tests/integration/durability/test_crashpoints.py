"""Crash points end a child process where they are told to, and are nothing otherwise."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from botarmy import crashpoints

PROGRAM = "from botarmy.crashpoints import point\nfor where in ('A', 'B', 'B'):\n    point('save.before', where)\n"


def run(crash: str) -> int:
    environ = os.environ | ({crashpoints.VARIABLE: crash} if crash else {})
    return subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environ, check=False, stderr=subprocess.DEVNULL
    ).returncode


@pytest.mark.parametrize(
    ("crash", "code"),
    [
        ("", 0),
        ("save.before", crashpoints.KILLED),
        ("save.before@B:2", crashpoints.KILLED),
        ("save.before@B:3", 0),
        ("save.after", 0),
        ("save.after,save.before@B", crashpoints.KILLED),
    ],
)
def test_a_process_ends_at_its_point_and_at_no_other(crash: str, code: int) -> None:
    assert run(crash) == code


def test_of_several_points_the_first_that_is_passed_ends_the_process_and_is_named() -> None:
    environ = os.environ | {crashpoints.VARIABLE: "save.before@B,save.before@A,save.after"}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environ, check=False, capture_output=True, text=True)
    assert done.returncode == crashpoints.KILLED
    assert done.stderr == f"{crashpoints.ENDED_AT}save.before@A\n"


def test_a_misspelt_point_is_refused() -> None:
    assert run("save before") == 1
    with pytest.raises(ValueError, match="BOTARMY_CRASH_AT='!'"):
        crashpoints.arm("!")
