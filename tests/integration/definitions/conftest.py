"""The directory of a real BMAD installation, named by BOTARMY_BMAD_DIR."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DEFAULT = "../shared/data/bmad-v4.44.3"


def bmad_path() -> Path:
    return (ROOT / os.environ.get("BOTARMY_BMAD_DIR", DEFAULT)).resolve()


@pytest.fixture(scope="session")
def bmad() -> Path:
    path = bmad_path()
    if not path.is_dir():
        pytest.skip(f"no BMAD directory at {path}: name one by BOTARMY_BMAD_DIR")
    return path
