"""What the generator writes: the same bytes for the same inputs, always valid Python, untrusted words only as data."""

from __future__ import annotations

import ast
import json
import tomllib
from functools import cache
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from botarmy.artifacts import DataField, Entity, Requirement, StateMachine, Transition
from botarmy.checks import FileText
from botarmy.errors import InvalidOutput
from providers.offline.deployment import build_deployment_files, build_environment_config, build_monitoring_setup
from providers.offline.service_model import read_model
from providers.offline.service_text import identifier, literal, markdown, wrapped_literal
from providers.offline.software import build_documentation, build_source_code
from providers.offline.unit_tests import build_unit_tests
from tests.factories.service_designs import inputs_of, library

NASTY = (
    "it's",
    '"""',
    "'''\n",
    "back\\slash\\",
    "{{ 7*7 }}",
    "{% raw %}",
    "<script>alert(1)</script>",
    "%s %n $(id) `id`",
    "'; DROP TABLE books; --",
    "小説 é\u202e\u2028\x1b[31m",
)


def everything(inputs: dict[str, Any]) -> dict[str, str]:
    """Return path -> text of all files that the generator writes."""
    source = build_source_code(inputs)
    inputs = inputs | {"source_code": source.model_dump(mode="json")}
    parts = (source, build_unit_tests(inputs), build_documentation(inputs), build_deployment_files(inputs))
    return {file.path: file.content for part in parts for file in part.files}


def entity(name: str = "thing", *fields: DataField, **more: Any) -> Entity:
    return Entity(name=name, collection=f"{name}s", fields=fields, **more)


def test_the_same_inputs_give_the_same_bytes() -> None:
    assert everything(inputs_of(library())) == everything(json.loads(json.dumps(inputs_of(library()))))


def test_all_files_of_the_product_are_there_once() -> None:
    files = everything(inputs_of(library()))
    assert {"app/__main__.py", "app/models.py", "app/openapi.json", "tests/__init__.py", "README.md"} <= set(files)
    assert {"tests/test_rules_of_books.py", "Dockerfile", "compose.yaml", ".github/workflows/ci.yml"} <= set(files)
    assert not [path for path in files if "__pycache__" in path]


def declared(source: str) -> dict[str, Any]:
    """Return what app/models.py declares, read from its syntax tree."""
    values = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            values[node.targets[0].id] = node.value
    return values


@pytest.mark.parametrize("text", NASTY)
def test_untrusted_words_come_out_as_data(text: str) -> None:
    states = StateMachine(
        field="state",
        states=(text, "b"),
        initial=text,
        transitions=(Transition(action="go", from_states=(text,), to_state="b"),),
    )
    designed = entity(
        "thing", DataField(name="kind", type="string", values=(text, "other")), description=text, state=states
    )
    requirement = Requirement(id="R1", text=text, kind="functional", priority="must", sources=("S1",), understood=False)
    files = everything(inputs_of([designed], title=text, purpose=text, requirements=[requirement]))
    for path, content in files.items():
        if path.endswith(".py"):
            compile(content, path, "exec")
    call = declared(files["app/models.py"])["THING"]
    fields, state = call.keywords[2].value, call.keywords[3].value
    assert ast.literal_eval(fields.elts[0].keywords[0].value) == (text, "other")
    assert ast.literal_eval(state.keywords[1].value) == text
    assert "<script>" not in files["README.md"]
    assert "\x1b" not in "".join(files.values())
    assert "\u202e" not in "".join(files.values())
    yaml.safe_load(files["compose.yaml"])


words = st.text(max_size=40)


@given(words)
def test_a_literal_is_read_back_as_the_same_text(text: str) -> None:
    assert ast.literal_eval(literal(text)) == text
    assert ast.literal_eval(wrapped_literal(text * 9, 4)) == text * 9


@given(words)
def test_an_identifier_is_one(text: str) -> None:
    assert ast.parse(f"{identifier(text)} = 1")


@given(words)
def test_markdown_holds_no_markup(text: str) -> None:
    shown = markdown(text)
    assert "<" not in shown
    assert "\n" not in shown
    assert all(shown[place - 1] == "\\" for place in range(len(shown)) if shown[place] in "`*[]|")


numbers = st.none() | st.floats(-1e18, 1e18) | st.integers(-100, 100).map(float)
lengths = st.none() | st.integers(0, 50)
kinds = st.sampled_from(["string", "text", "integer", "number", "boolean", "date", "datetime", "reference"])


VALUES = {
    "integer": st.integers(-100, 100).map(str),
    "number": st.floats(-100, 100).map(str),
    "boolean": st.just("true"),
}


@st.composite
def designs(draw: st.DrawFn) -> list[Entity]:
    names = draw(st.lists(st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True), min_size=1, max_size=4, unique=True))
    names = [name for name in names if f"{name}s" != "health"] or ["thing"]
    return [draw(entities(name, names)) for name in names]


@st.composite
def entities(draw: st.DrawFn, name: str, names: list[str]) -> Entity:
    fields = []
    for field in draw(
        st.lists(st.sampled_from(["class", "order", "a", "b_c", "größe", "名前", "x1"]), max_size=4, unique=True)
    ):
        kind = draw(kinds)
        fields.append(
            DataField(
                name=field,
                type=kind,
                required=draw(st.booleans()),
                unique=draw(st.booleans()),
                minimum=draw(numbers),
                maximum=draw(numbers),
                min_length=draw(lengths),
                max_length=draw(lengths),
                values=() if kind == "reference" else tuple(draw(st.lists(VALUES.get(kind, words), max_size=3))),
                references=draw(st.sampled_from(names)) if kind == "reference" else "",
            )
        )
    return Entity(
        name=name, collection=f"{name}s", description=draw(words), fields=tuple(fields), state=draw(machines())
    )


@st.composite
def machines(draw: st.DrawFn) -> StateMachine | None:
    states = draw(st.lists(words, min_size=1, max_size=4))
    if draw(st.booleans()):
        return None
    steps = st.builds(
        Transition,
        action=st.sampled_from(["go", "return", "stop"]),
        from_states=st.lists(st.sampled_from(states), max_size=2).map(tuple),
        to_state=st.sampled_from(states),
    )
    transitions = tuple(draw(st.lists(steps, max_size=4)))
    return StateMachine(field="status", states=tuple(states), initial=states[0], transitions=transitions)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(designs(), words, words)
def test_whatever_is_designed_the_python_compiles(designed: list[Entity], title: str, purpose: str) -> None:
    for path, content in everything(inputs_of(designed, title=title, purpose=purpose)).items():
        if path.endswith(".py"):
            names = functions_of(content)
            assert len(names) == len(set(names)) or "rules_of" not in path
            assert max(map(len, content.splitlines())) <= 220


@cache  # most files are the same for all designs
def functions_of(content: str) -> list[str]:
    """Return the names of all functions in a text, which must be Python."""
    return [node.name for node in ast.walk(ast.parse(content)) if isinstance(node, ast.FunctionDef)]


@pytest.mark.parametrize(
    ("designed", "reason"),
    [
        ([], "no entity"),
        ([entity("a"), entity("a")], "two entities are called a"),
        ([entity("a", DataField(name="ID", type="string"))], "two fields called ID"),
        ([entity("a", DataField(name="b_id", type="reference", references="b"))], "is no entity"),
        ([entity("a", DataField(name="b", type="integer", values=("1", "2.5")))], "cannot be a value of a.b"),
        ([Entity(name="a", collection="../a", fields=())], "cannot be an address"),
        ([Entity(name="a", collection="health", fields=())], "cannot be an address"),
        ([entity("a", DataField(name="a=b", type="string"))], "cannot be named in a query"),
    ],
)
def test_a_design_that_cannot_be_served_is_refused(designed: list[Entity], reason: str) -> None:
    for build in (build_source_code, build_unit_tests, build_documentation):
        with pytest.raises(InvalidOutput, match=reason):
            build(inputs_of(designed))


def test_contradictions_make_an_entity_impossible_but_not_the_others() -> None:
    designed = [
        entity("knot", DataField(name="knot_id", type="reference", references="knot", required=True)),
        entity("gap", DataField(name="size", type="integer", minimum=5, maximum=3, required=True)),
        entity("open", DataField(name="size", type="integer", minimum=5, maximum=3)),
    ]
    model = read_model(inputs_of(designed))
    assert [(one.name, one.possible) for one in model.entities] == [("knot", False), ("gap", False), ("open", True)]
    assert "No record can be stored here" in everything(inputs_of(designed))["README.md"]


def test_the_readme_names_origin_and_what_is_missing() -> None:
    requirement = Requirement(
        id="R9", text="It is *fast*.", kind="quality", priority="must", sources=("S9",), understood=False
    )
    text = everything(inputs_of(library(), requirements=[requirement]))["README.md"]
    assert "no model was involved" in text
    assert "- R9 (must): It is \\*fast\\*." in text.split("## Not implemented")[1]


def test_deployment_files_are_what_they_claim_to_be() -> None:
    files = everything(inputs_of(library(), title="Größe & Co"))
    compose = yaml.safe_load(files["compose.yaml"])["services"]["app"]
    assert compose["read_only"]
    assert compose["cap_drop"] == ["ALL"]
    workflow = yaml.safe_load(files[".github/workflows/ci.yml"])
    assert workflow["permissions"] == {"contents": "read"}
    container = files["Dockerfile"].splitlines()
    assert "USER 10001" in container
    assert 'CMD ["python", "-m", "app", "serve"]' in container
    assert 'COPY ["app", "app"]' in container
    assert not [path for path in files if "://" in files[path] and "127.0.0.1" not in files[path]]


def test_every_environment_names_every_variable() -> None:
    inputs = inputs_of(library(), source=[FileText(path="app/__main__.py", content="")])
    environments = build_environment_config(inputs).environments
    assert [one.name for one in environments] == ["development", "test", "production"]
    assert all(set(one.variables) == {"HOST", "PORT", "DATA_DIR", "LOG_LEVEL"} for one in environments)
    examples = {file.path: file.content for file in build_deployment_files(inputs).files if "env.example" in file.path}
    for one in environments:
        content = examples[f"deploy/{one.name}.env.example"]
        assert (
            tomllib.loads(
                "".join(f'{line.replace("=", "=" + chr(34), 1)}"\n' for line in content.splitlines() if "=" in line)
            )
            == one.variables
        )


def test_monitors_have_conditions_with_numbers_and_actions() -> None:
    monitors = build_monitoring_setup(inputs_of(library())).monitors
    assert {"health", "error rate", "latency", "disk"} <= {one.name for one in monitors}
    assert all(
        one.action and any(letter.isdigit() for letter in one.condition) for one in monitors if one.name != "storage"
    )
