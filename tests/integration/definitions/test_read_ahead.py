"""What a process reads before it forks: used by later cores as long as the files are as they were."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from botarmy.errors import DefinitionError
from storage import definitions
from storage.definitions import load_core, read_ahead

WORKFLOW = Path("workflows") / "sdlc-workflow.yaml"


@pytest.fixture
def ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the definitions that come with BotArmy, in their place."""
    copy = tmp_path / "definitions"
    shutil.copytree(definitions.default_directory(), copy)
    monkeypatch.setattr(definitions, "default_directory", lambda: copy)
    monkeypatch.setattr(definitions, "_read_ahead", {})
    return copy


def test_what_was_read_is_used_again(ours: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read_ahead()

    def refused(*_: object) -> None:
        raise AssertionError("a file is read that was read before")

    monkeypatch.setattr(definitions._Directory, "_content", refused)
    core = load_core(ours)
    assert core.workflow("sdlc").name == "sdlc"
    assert core.template("prd-template", "analyst").purposes
    monkeypatch.undo()
    above = tmp_path / "above"
    above.mkdir()
    assert load_core(ours, above).layers is not core.layers, "other directories have other definitions"


def test_a_file_that_was_changed_is_read_anew(ours: Path) -> None:
    read_ahead()
    path = ours / WORKFLOW
    path.write_text(path.read_text("utf-8").replace("name: Launch", "name: Liftoff"), "utf-8")
    assert load_core(ours).workflow("sdlc").phases[-1].name == "Liftoff"


def test_what_is_wrong_is_told_by_whoever_uses_it(ours: Path) -> None:
    (ours / WORKFLOW).write_text("workflow: [", "utf-8")
    read_ahead()
    with pytest.raises(DefinitionError):
        load_core(ours).workflow("sdlc")
    assert load_core(ours).workflow("fast").phases
    shutil.rmtree(ours)
    read_ahead()
