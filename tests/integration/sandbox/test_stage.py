"""Where the sandbox is built when root starts it."""

from pathlib import Path

import pytest

from botarmy.errors import IsolationMissing
from sandbox.bubblewrap import STAGES, stage


def test_the_stage_hides_nothing_that_the_way_in_needs() -> None:
    below_tmp = Path("/tmp/somewhere/sandbox/launch/drop.py")  # noqa: S108 (a name only)
    assert stage((below_tmp,)) != "/tmp"  # noqa: S108
    with pytest.raises(IsolationMissing, match="no folder"):
        stage(Path(folder, "x") for folder in STAGES)
