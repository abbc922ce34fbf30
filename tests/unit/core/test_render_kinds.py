"""Every kind as Markdown."""

import json

import pytest
from pydantic import ValidationError

from botarmy.artifacts import KINDS, Rule
from botarmy.errors import UnknownName
from botarmy.render import render_markdown
from botarmy.render_planning import rule_in_words
from tests.factories import artifact, content


def words_of(value):
    """All texts in an artifact that a reader must find in its document."""
    if isinstance(value, dict):
        return [word for one in value.values() for word in words_of(one)]
    if isinstance(value, list):
        return [word for one in value for word in words_of(one)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_shows_everything_it_holds(kind):
    body = content(kind)
    markdown = render_markdown(kind, body)
    assert markdown.startswith("# ")
    assert markdown.endswith("\n")
    assert not markdown.endswith("\n\n")
    if kind == "source_code":
        body["start"] = [" ".join(body["start"])]
    missing = [word for word in words_of(body) if word.strip() and word.strip() not in markdown]
    # Rules are put into sentences; their kinds are not words of the document.
    assert set(missing) <= {"unique", "range", "transition"}


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_content_gives_the_same_bytes(kind):
    shuffled = dict(reversed(json.loads(json.dumps(content(kind))).items()))
    assert render_markdown(kind, shuffled) == render_markdown(kind, content(kind))


def test_an_unknown_kind_is_named_with_a_near_one():
    with pytest.raises(UnknownName, match="'project_plans'") as caught:
        render_markdown("project_plans", {})
    assert "project_plan" in caught.value.hint
    with pytest.raises(UnknownName) as caught:
        render_markdown("xyzzy", {})
    assert "data_models" in caught.value.hint


def test_content_that_does_not_fit_is_refused():
    with pytest.raises(ValidationError):
        render_markdown("project_plan", {"title": 1})


def test_a_title_full_of_markup_is_a_title():
    markdown = render_markdown("project_plan", content("project_plan", title="<b>x</b> `y` # z\nnext"))
    assert markdown.splitlines()[0] == "# &lt;b&gt;x&lt;/b&gt; \\`y\\` # z next"


def test_what_was_not_measured_is_said_to_be_unknown():
    assert "unknown" in render_markdown("quality_report", content("quality_report", quality=None))
    assert "unknown" in render_markdown("test_results", content("test_results", coverage=None))
    empty = render_markdown("performance_metrics", {"figures": [], "evidence": []})
    assert "Nothing could be measured." in empty


def test_a_product_that_did_not_run_is_said_so():
    assert "**The product was not shown to run.**" in render_markdown(
        "deployment_log", content("deployment_log", healthy=False)
    )


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"kind": "required"}, "`tool.name` must be given"),
        ({"kind": "unique"}, "`tool.name` is unique"),
        ({"kind": "range", "minimum": 0, "maximum": 9.5}, "`tool.name` is at least 0 and at most 9.5"),
        ({"kind": "length", "maximum": 20}, "the length of `tool.name` is at most 20"),
        ({"kind": "range"}, "`tool.name` is not limited"),
        ({"kind": "enumeration", "values": ("a", "b")}, "`tool.name` is one of `a`, `b`"),
        ({"kind": "relation", "target": "member"}, "`tool.name` refers to `member`"),
        (
            {"kind": "transition", "action": "lend", "from_states": ("in",), "to_state": "out"},
            "`lend` takes `tool.name` from `in` to `out`",
        ),
    ],
)
def test_rules_in_words(rule, words):
    assert rule_in_words(Rule(entity="tool", field="name", **rule)) == words


def test_a_reference_and_its_limits_are_shown():
    models = artifact("data_models")
    field = (
        models.entities[0]
        .fields[0]
        .model_copy(
            update={"type": "reference", "references": "member", "min_length": 1, "max_length": 5, "values": ("a",)}
        )
    )
    entity = models.entities[0].model_copy(update={"fields": (field,), "state": None})
    markdown = render_markdown("data_models", {"entities": [entity.model_dump(mode="json")]})
    assert "reference to `member` | required; unique; min. length 1; max. length 5; one of `a`" in markdown
    assert "States" not in markdown


def test_what_nobody_understood_is_listed_by_itself():
    requirements = artifact("user_requirements").requirements
    unclear = requirements[1].model_copy(update={"understood": False})
    markdown = render_markdown("user_requirements", {"requirements": [unclear.model_dump(mode="json")]})
    assert "| **no** |" in markdown
    assert "## Not understood\n\n- `R2` A tool has a unique name" in markdown
