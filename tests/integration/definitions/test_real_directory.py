"""A real BMAD directory: all of it loads, only true warnings, and a break in any file is told on its line."""

import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from botarmy.definitions.diagnostics import Diagnostic
from botarmy.definitions.library import Layer, Library
from botarmy.definitions.lint import LintReport, lint
from storage.definitions import core_directories, load_core

YAML_FILE = re.compile(r"\.ya?ml$")


def read(path: Path) -> dict[str, bytes]:
    return {one.relative_to(path).as_posix(): one.read_bytes() for one in sorted(path.rglob("*")) if one.is_file()}


def check(files: dict[str, bytes], before: Library | None = None) -> LintReport:
    return lint(Library((Layer("real", "bmad", files),), before=before))


def test_every_file_loads_and_only_true_warnings_are_left(bmad: Path) -> None:
    report = check(read(bmad))
    assert report.files >= 71
    assert report.errors == ()
    # What workflows take from outside: nothing in them makes it, and people bring it.
    assert {one.code for one in report.warnings} == {"external-input"}
    assert {re.findall(r'"(.*?)"', one.message)[0] for one in report.warnings} == {
        "existing_documentation_or_analysis",
        "sharded_docs_or_brownfield_docs",
        "existing_service_analysis",
        "existing_ui_analysis",
    }


def test_every_definition_can_be_had(bmad: Path) -> None:
    core = load_core(*core_directories(bmad))
    library = core.library
    assert {"greenfield-service", "greenfield-fullstack", "sdlc", "fast"} <= set(core.workflow_names())
    for name in core.workflow_names():
        assert core.workflow(name).phases
    for stem in library.names("template"):
        assert core.template(stem).sha256
    for kind, explained in (("agent", 10), ("checklist", 6), ("task", 23), ("team", 4), ("data", 6), ("utility", 2)):
        names = library.names(kind)
        assert len(names) >= explained
        for name in names:
            assert core.explain(kind, name).render()


def test_the_agents_of_the_real_directory_speak_in_prompts(bmad: Path) -> None:
    core = load_core(*core_directories(bmad))
    phase = next(one for one in core.workflow("greenfield-service").phases if one.name == "prd")
    system = core.template(phase.template, phase.agent).render("prd", {"brief": "A shop.", "project_name": "Shop"})[0]
    assert system.content.startswith("You are John, Product Manager.")


# -- the other way round: one break in each file


def lines_of(data: bytes) -> list[str]:
    return data.decode().split("\n")


def yaml_region(path: str, lines: list[str]) -> range:
    """The lines that are YAML: all of a YAML file, the fenced block of an agent file, none of others."""
    if YAML_FILE.search(path):
        return range(len(lines))
    if path.startswith("agents/"):
        start = lines.index("```yaml")
        return range(start + 1, lines.index("```", start))
    return range(0)


Break = Callable[[str, list[str], random.Random], tuple[list[str], int] | None]


def places(path: str, lines: list[str], pattern: str) -> list[int]:
    return [number for number in yaml_region(path, lines) if re.match(pattern, lines[number])]


def tab(path: str, lines: list[str], rng: random.Random) -> tuple[list[str], int] | None:
    found = places(path, lines, r"  [a-z]+: \S")
    if not found:
        return None
    at = rng.choice(found)
    return [*lines[:at], "\t" + lines[at].strip(), *lines[at + 1 :]], at + 1


def twice(path: str, lines: list[str], rng: random.Random) -> tuple[list[str], int] | None:
    found = places(path, lines, r" *[a-z_]+: [\w\"'][^|>{\[]*$")
    found = [at for at in found if not in_text(lines, at)]
    if not found:
        return None
    at = rng.choice(found)
    return [*lines[: at + 1], lines[at], *lines[at + 1 :]], at + 2


def in_text(lines: list[str], at: int) -> bool:
    """Whether a line belongs to a block scalar above it."""
    indent = len(lines[at]) - len(lines[at].lstrip())
    for above in range(at - 1, -1, -1):
        line = lines[above]
        if line.strip() and len(line) - len(line.lstrip()) < indent:
            return bool(re.search(r":\s*[|>][-+]?\s*$|- [|>][-+]?\s*$", line))
    return False


def quote(path: str, lines: list[str], rng: random.Random) -> tuple[list[str], int] | None:
    found = [at for at in places(path, lines, r" *[a-zA-Z_]+: [A-Za-z][\w ]+$") if not in_text(lines, at)]
    if not found:
        return None
    at = rng.choice(found)
    key, value = lines[at].split(": ", 1)
    return [*lines[:at], f'{key}: "{value}', *lines[at + 1 :]], at + 1


def bracket(path: str, lines: list[str], rng: random.Random) -> tuple[list[str], int] | None:
    found = [at for at in places(path, lines, r" *[a-zA-Z_]+: [A-Za-z][\w ]+$") if not in_text(lines, at)]
    if not found:
        return None
    at = rng.choice(found)
    key, value = lines[at].split(": ", 1)
    return [*lines[:at], f"{key}: [{value}", *lines[at + 1 :]], at + 1


def list_for_text(path: str, lines: list[str], rng: random.Random) -> tuple[list[str], int] | None:
    keys = "id|title|instruction|creates|action|agent|whenToUse|description|name"
    found = [at for at in places(path, lines, rf" +({keys}): [A-Za-z][\w -]+$") if not in_text(lines, at)]
    if not found:
        return None
    at = rng.choice(found)
    key, value = lines[at].split(": ", 1)
    return [*lines[:at], f"{key}: [{value}]", *lines[at + 1 :]], at + 1


def misspelt_key(path: str, lines: list[str], rng: random.Random) -> tuple[list[str], int] | None:
    keys = "title|instruction|creates|requires|agents|workflows|persona|dependencies|sections|sequence|prd|qa"
    found = [at for at in places(path, lines, rf" *({keys}):") if not in_text(lines, at)]
    found = [at for at in found if not (path.startswith("agents/") and lines[at].startswith("  "))]
    if not found:
        return None
    at = rng.choice(found)
    key = lines[at].split(":")[0]
    return [*lines[:at], lines[at].replace(key, key[:-1] + "x" + key[-1], 1), *lines[at + 1 :]], at + 1


def unknown_name(path: str, lines: list[str], rng: random.Random) -> tuple[list[str], int] | None:
    found = [
        at for at in places(path, lines, r" +(- )?agent: [a-z-]+$| +- [a-z-]+\.(md|yaml)$") if not in_text(lines, at)
    ]
    if not found:
        return None
    at = rng.choice(found)
    return [*lines[:at], re.sub(r"([a-z])(\.md|\.yaml)?$", r"\1xq\2", lines[at]), *lines[at + 1 :]], at + 1


def no_colon(path: str, lines: list[str], rng: random.Random) -> tuple[list[str], int] | None:
    found = [at for at in places(path, lines, r" +(- )?[a-z_]+: [A-Za-z][\w -]*$") if not in_text(lines, at)]
    found = [
        at for at in found if not lines[at].startswith("  - ") or not path.startswith("agents/")
    ]  # texts are items there
    if not found:
        return None
    at = rng.choice(found)
    return [*lines[:at], lines[at].replace(":", "", 1), *lines[at + 1 :]], at + 1


def indented(path: str, lines: list[str], rng: random.Random) -> tuple[list[str], int] | None:
    found = [at for at in places(path, lines, r" +[a-z_]+: [A-Za-z][\w -]*$") if not in_text(lines, at)]
    found = [at for at in found if at + 1 < len(lines) and re.match(r" +[a-z_]+: ", lines[at + 1])]
    if not found:
        return None
    at = rng.choice(found)
    return [*lines[:at], " " + lines[at], *lines[at + 1 :]], at + 1


def control(path: str, lines: list[str], rng: random.Random) -> tuple[list[str], int] | None:
    at = rng.randrange(len(lines))
    return [*lines[:at], lines[at] + "\x07", *lines[at + 1 :]], at + 1


def open_fence(path: str, lines: list[str], rng: random.Random) -> tuple[list[str], int] | None:
    if YAML_FILE.search(path):
        return None
    found = [at for at, line in enumerate(lines) if re.match(r"\s*(#|$)", line) and not inside_fence(lines, at)]
    at = found[-1]
    return [*lines[:at], "```bash", *[line for line in lines[at:] if not line.strip().startswith("```")]], at + 1


def inside_fence(lines: list[str], at: int) -> bool:
    return sum(line.strip().startswith("```") for line in lines[:at]) % 2 == 1


def open_instruction(path: str, lines: list[str], rng: random.Random) -> tuple[list[str], int] | None:
    found = [
        at for at, line in enumerate(lines) if re.match(r"\s*\[\[LLM:.*\]\]$", line) and not YAML_FILE.search(path)
    ]
    if not found:
        return None
    at = found[-1]
    return [*lines[:at], lines[at].replace("]]", ""), *lines[at + 1 :]], at + 1


def open_comment(path: str, lines: list[str], rng: random.Random) -> tuple[list[str], int] | None:
    if YAML_FILE.search(path):
        return None
    return [*lines, "<!-- to do"], len(lines) + 1


def broken_reference(path: str, lines: list[str], rng: random.Random) -> tuple[list[str], int] | None:
    found = [
        at
        for at, line in enumerate(lines)
        if re.search(r"bmad-core/(tasks|data|templates|checklists)/[\w-]+\.md", line)
    ]
    if not found or YAML_FILE.search(path):
        return None
    at = rng.choice(found)
    return [*lines[:at], re.sub(r"(bmad-core/\w+/[\w-]+)(\.md)", r"\1xq\2", lines[at]), *lines[at + 1 :]], at + 1


BREAKS: dict[str, Break] = {
    "tab": tab,
    "duplicate key": twice,
    "open quote": quote,
    "open bracket": bracket,
    "list for text": list_for_text,
    "misspelt key": misspelt_key,
    "unknown name": unknown_name,
    "no colon": no_colon,
    "one space more": indented,
    "control character": control,
    "open fence": open_fence,
    "open instruction": open_instruction,
    "open comment": open_comment,
    "broken reference": broken_reference,
}


def seeded(files: dict[str, bytes]) -> Iterator[tuple[str, str, bytes, int]]:
    for path, data in files.items():
        for name, make in BREAKS.items():
            made = make(path, lines_of(data), random.Random(f"{path} {name}"))  # noqa: S311 - no secret
            if made is not None:
                yield path, name, "\n".join(made[0]).encode(), made[1]


def told(whole: Library, known: set[Diagnostic], path: str, data: bytes, line: int) -> bool:
    files = dict(whole.layers[0].files) | {path: data}
    new = set(check(files, before=whole).diagnostics) - known
    return any(one.file == f"bmad/{path}" and one.line == line for one in new)


@pytest.fixture(scope="module")
def outcome(bmad: Path) -> dict[tuple[str, str], bool]:
    whole = Library((Layer("real", "bmad", read(bmad)),))
    known = set(lint(whole).diagnostics)
    found = seeded(dict(whole.layers[0].files))
    return {(path, name): told(whole, known, path, data, line) for path, name, data, line in found}


def test_breaks_are_told_on_their_line(outcome: dict[tuple[str, str], bool]) -> None:
    missed = [key for key, good in outcome.items() if not good]
    assert len({path for path, _ in outcome}) >= 71, "every file is broken at least once"
    assert len(outcome) >= 200
    assert len(missed) / len(outcome) <= 0.05, missed


def test_every_kind_of_break_is_told(outcome: dict[tuple[str, str], bool]) -> None:
    for name in BREAKS:
        results = [good for (_, kind), good in outcome.items() if kind == name]
        assert results, f"{name} was never seeded"
        assert sum(results) / len(results) >= 0.8, (name, [key for key, good in outcome.items() if not good])
