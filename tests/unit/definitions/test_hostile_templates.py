"""Templates that attack: stopped by limits in time, steps and size, and refused what is no data."""

import time

import pytest

from botarmy.definitions.jinja import RenderFailed, render
from botarmy.definitions.limits import Limits
from botarmy.errors import DefinitionError
from botarmy.prompts import parse_template

VALUES = {
    "brief": 'Braces {{ 7 * 7 }} {% if x %} {# no #} {"a": [1, {"b": "}}"}]} ${HOME} `rm -rf` \\n </brief>',
    "many": list(range(1000)),
    "data": {"items": [1], "name": "n", "nested": {"list": ["x"]}},
}

ENDLESS = {
    "loops in loops": "{% for a in many %}{% for b in many %}{% for c in many %}{% endfor %}{% endfor %}{% endfor %}",
    "output in loops": "{% for a in many %}{% for b in many %}{{ brief }}{% endfor %}{% endfor %}",
    "a macro that calls itself": "{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}",
    "an include of itself": "{% include 'start' %}",
    "a long range": "{% for a in range(10 ** 10) %}{% endfor %}",
    "doubling by ~": "{% set n = namespace(x='aaaaaaaaaa') %}{% for i in range(60) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
    "doubling by +": "{% set n = namespace(x='aaaaaaaaaa') %}{% for i in range(60) %}{% set n.x = n.x + n.x %}{% endfor %}",
    "doubling by a block": "{% set n = namespace(x='aaaa') %}{% for i in range(60) %}{% set y %}{{ n.x }}{{ n.x }}{% endset %}"
    "{% set n.x = y %}{% endfor %}",
    "doubling by join": "{% set n = namespace(x='aaaa') %}{% for i in range(60) %}{% set n.x = [n.x, n.x] | join %}{% endfor %}",
    "doubling by replace": "{% set n = namespace(x='aaaa') %}{% for i in range(60) %}{% set n.x = n.x | replace('a', n.x) %}"
    "{% endfor %}",
    "nested lists": "{% set n = namespace(x=[1]) %}{% for i in range(60) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x | json }}",
    "text times number": "{{ 'a' * 1000000000 }}",
    "list times number": "{{ many * 1000000000 }}",
    "a large power": "{{ 10 ** 10000000 }}",
    "powers of powers": "{% set n = namespace(x=10) %}{% for i in range(60) %}{% set n.x = n.x * n.x %}{% endfor %}{{ n.x }}",
    "a wide format": "{{ '%1000000000d' % 1 }}",
    "a wide str.format": "{{ '{:1000000000}'.format(1) }}",
    "a wide indent": "{{ brief | indent(1000000000) }}{% for a in many %}{% for b in many %}{{ brief }}{% endfor %}{% endfor %}",
    "deep brackets": "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
}
REFUSED = [
    "{{ brief.__class__ }}",
    "{{ brief['__class__'] }}",
    "{{ data.__init__.__globals__ }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ self.__init__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ range.__self__ }}",
    "{{ namespace.__init__.__globals__ }}",
    "{{ '{0.__class__}'.format(1) }}",
    "{{ brief.format }}",
    "{{ many.append(1) }}",
    "{{ data.pop('name') }}",
    "{{ data.update({'a': 1}) }}",
    "{{ brief | attr('__class__') }}",
    "{{ many | map(attribute='__class__') | list }}",
    "{{ cycler }}",
    "{{ lipsum() }}",
    "{% for a in many recursive %}{{ loop(many) }}{% endfor %}",
    "{{ data }}",
    "{{ many }}",
]


@pytest.mark.parametrize("name", ENDLESS)
def test_endless_and_huge_templates_are_stopped(name: str) -> None:
    before = time.process_time()
    with pytest.raises(RenderFailed) as caught:
        render({"start": ENDLESS[name]}, "start", VALUES, Limits(output_chars=2_000_000))
    assert time.process_time() - before < 5
    assert caught.value.reason


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_data_cannot_be_reached(text: str) -> None:
    with pytest.raises(RenderFailed):
        render({"start": text}, "start", VALUES)


def test_the_time_limit_stops_slow_templates() -> None:
    with pytest.raises(RenderFailed, match=r"longer than 0\.05 s"):
        render(
            {"start": "{% for a in many %}{% for b in many %}{{ brief | upper | lower }}{% endfor %}{% endfor %}"},
            "start",
            VALUES,
            Limits(seconds=0.05, steps=10**9, output_chars=10**10),
        )


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("{{ brief }}", VALUES["brief"]),
        ("{{ data.items | json }}", "[1]"),
        ("{{ data.nested.list[0] }}", "x"),
        ("{% for k, v in data | items %}{{ k }} {% endfor %}", "items name nested "),
        ("{% for a in many[:3] %}{{ loop.index }}{{ ',' if not loop.last }}{% endfor %}", "1,2,3"),
        ("{{ many | sum }} {{ 2 * 3 + 1 }} {{ true }} {{ none }}|", "499500 7 true |"),
        ("{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m(1) }}", "<1>"),
        ("{{ brief | default('-') | length > 3 }}", "true"),
    ],
)
def test_ordinary_templates_work_and_values_stay_as_they_are(text: str, wanted: str) -> None:
    assert render({"start": text}, "start", VALUES) == wanted


def test_an_error_at_run_time_points_at_the_line_of_the_yaml_file() -> None:
    text = (
        "template: {id: t}\nprompts:\n  project_plan: |\n    {{ all_inputs }}\n"
        "    fine\n    {% for one in sentences %}\n    {{ one.txet }}\n    {% endfor %}\n"
    )
    template = parse_template(text, "mine/t.yaml")
    with pytest.raises(DefinitionError) as caught:
        template.render("project_plan", {"brief": "x", "sentences": [{"id": "S1", "text": "y"}]})
    assert caught.value.message.startswith('mine/t.yaml:7: template "t", prompts.project_plan:')
    assert "[undefined-variable]" in caught.value.message
