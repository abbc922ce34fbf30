"""Reads .bmad-core directories. What the files mean is decided in botarmy.definitions."""

from __future__ import annotations

from pathlib import Path

from botarmy.definitions.near import suggestion
from botarmy.definitions.source import Source
from botarmy.errors import DefinitionError, UnknownName
from botarmy.prompts import Shelf, Template, parse_template
from botarmy.records import Workflow
from botarmy.workflow import parse_workflow


class Core:
    """The definitions of a directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def _files(self, folder: str, suffix: str = ".yaml") -> dict[str, Path]:
        return {path.stem: path for path in sorted((self.directory / folder).glob(f"*{suffix}"))}

    def workflow_names(self) -> tuple[str, ...]:
        """Return the names of all workflows, sorted."""
        return tuple(sorted(stem.removesuffix("-workflow") for stem in self._files("workflows")))

    def workflow(self, name: str) -> Workflow:
        """Return a workflow by its name.

        Raises:
            UnknownName: there is none; the hint names the nearest.
            DefinitionError: it has problems; all of them are told.
        """
        files = self._files("workflows")
        path = files.get(name) or files.get(f"{name}-workflow")
        if path is None:
            hint = suggestion(name, self.workflow_names(), "workflows")
            raise UnknownName(f'There is no workflow "{name}" in {self.directory}.', hint=hint)
        return parse_workflow(path.read_text(encoding="utf-8"), str(path))

    def template(self, stem: str) -> Template:
        """Return a template by its file's stem, with everything it extends and includes."""
        files = self._files("templates")
        if stem not in files:
            hint = suggestion(stem, files, "templates")
            raise UnknownName(f'There is no template "{stem}" in {self.directory}.', hint=hint)
        texts = {one: Source(str(path), path.read_text(encoding="utf-8")) for one, path in files.items()}
        partials = {
            one: Source(str(path), path.read_text(encoding="utf-8"))
            for one, path in self._files("templates/partials", ".j2").items()
        }
        return parse_template(texts[stem].text, texts[stem].file, Shelf(texts, partials))


def load_core(directory: Path) -> Core:
    """Open a .bmad-core directory.

    Raises:
        DefinitionError: there is no such directory.
    """
    if not directory.is_dir():
        raise DefinitionError(f"There is no directory {directory}.", hint="Name a .bmad-core directory.")
    return Core(directory)
