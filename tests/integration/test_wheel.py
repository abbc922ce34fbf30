"""An installation that is no checkout has what is read beside the packages."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BESIDE = (".bmad-core", "prefect.yaml", "storage/migrations", "providers/offline/skeleton")


def test_the_wheel_has_all_that_the_checkout_has(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    built = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())
    tracked = subprocess.run(["git", "ls-files", *BESIDE], cwd=ROOT, capture_output=True, text=True, check=True)
    names = set(tracked.stdout.splitlines())
    assert names
    assert names <= packed
