"""Measures of Discovery, Plan and Design: each counts what it says and names what is missing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botarmy.artifacts import (
    KINDS,
    AcceptanceCriteria,
    Component,
    FeatureBreakdown,
    ImplementationPlan,
    OperationMap,
    PlanStep,
    ProjectPlan,
    Requirement,
    Sentence,
    SuccessCriteria,
    UserRequirements,
)
from botarmy.brief import comments
from botarmy.definitions.purposes import MEASURES
from botarmy.measures import (
    DOCUMENT_MEASURES,
    clarity_validation,
    completeness_check,
    criteria_measurable,
    dependencies_acyclic,
    features_mapped,
    measure_documents,
    models_normalised,
    requirements_covered,
    requirements_have_criteria,
    sentences_carried,
    steps_acyclic,
)
from botarmy.measures.plan import graph_faults
from botarmy.measures.share import bounded, excerpt, share
from tests.factories import artifact, sentences


def requirement(name="R1", text="Tools have names.", **changes):
    fields = {"id": name, "text": text, "kind": "functional", "priority": "must", "sources": ("S1",)}
    return Requirement(**{**fields, **changes})


def requirements(*items):
    return UserRequirements(requirements=items)


def feature(name, *needs, requirement_ids=("R2",)):
    one = artifact("feature_breakdown").features[0]
    return one.model_copy(update={"id": name, "depends_on": needs, "requirement_ids": requirement_ids})


def features(*items):
    return FeatureBreakdown(features=items)


class TestShare:
    def test_nothing_to_judge_is_unknown_not_full(self):
        measure = share("m", 0, [], nothing="There is nothing.")
        assert (measure.value, measure.reasons) == (None, ("There is nothing.",))

    @given(st.integers(1, 200), st.data())
    def test_a_share_is_between_none_and_all_and_full_only_without_problems(self, total, data):
        problems = ["x"] * data.draw(st.integers(0, total))
        measure = share("m", total, problems, nothing="")
        assert 0 <= measure.value <= 1
        assert (measure.value == 1) == (not problems)

    def test_long_lists_of_reasons_say_how_many_more(self):
        assert bounded(map(str, range(5)), 3) == ("0", "1", "2", "and 2 more")
        assert bounded(("a",), 3) == ("a",)

    def test_an_excerpt_is_one_line(self):
        assert excerpt("a\n b", 10) == "a b"
        assert excerpt("abcdef ghij", 8) == "abcdef…"


class TestDiscovery:
    def test_a_sentence_that_no_requirement_carries_is_named(self):
        two = UserRequirements(requirements=artifact("user_requirements").requirements[:2])
        measure = sentences_carried(sentences(), two)
        assert measure.value == pytest.approx(2 / 3)
        assert measure.reasons == ("S3 is carried by no requirement: “A tool can be lent and returned.”",)

    def test_a_brief_without_sentences_is_unknown(self):
        assert sentences_carried((), artifact("user_requirements")).value is None

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"measure": " "}, "SC1 does not say what is counted"),
            ({"unit": ""}, "SC1 has no unit"),
            ({"target": float("inf")}, "SC1 has no finite target"),
            ({"requirement_ids": ("R9",)}, "SC1 names no requirement that exists"),
            ({"unit": "", "measure": ""}, "SC1 does not say what is counted, has no unit"),
        ],
    )
    def test_a_criterion_that_cannot_be_measured_is_named(self, change, words):
        one = artifact("success_criteria").criteria[0].model_copy(update=change)
        measure = criteria_measurable(SuccessCriteria(criteria=(one,)), artifact("user_requirements"))
        assert (measure.value, measure.reasons) == (0.0, (words,))

    def test_no_criterion_is_unknown(self):
        assert criteria_measurable(SuccessCriteria(criteria=()), artifact("user_requirements")).value is None

    def test_every_gap_of_the_documents_is_named(self):
        plan = ProjectPlan(title=" ", purpose="", goals=(), scope=("",))
        asked = requirements(
            requirement("R1", " "),
            requirement("R2", sources=()),
            requirement("R3", sources=("S1", "S8", "S9")),
            requirement("R4"),
            requirement("R4"),
        )
        criterion = artifact("success_criteria").criteria[0]
        criteria = SuccessCriteria(criteria=(criterion, criterion.model_copy(update={"id": "SC2"})))
        measure = completeness_check(sentences(), plan, asked, criteria)
        assert measure.reasons == (
            "The project plan has no title.",
            "The project plan has no purpose.",
            "The project plan has no goals.",
            "The project plan has no scope.",
            "R1 has no text",
            "R2 names no sentence",
            "R3 names S8, S9, which are no sentence here",
            "R4 has the id of another one",
        )
        assert measure.value == pytest.approx(3 / 11)

    def test_the_sentences_of_given_comments_are_sources_and_others_are_not(self):
        said = comments(["Ann rejected this: Tools have prices. Prices are positive.", "quality: too low"])
        asked = requirements(requirement("R1", sources=("FB2",)), requirement("R2", sources=("FB3",)))
        criteria = SuccessCriteria(criteria=())
        measure = completeness_check(sentences(), artifact("project_plan"), asked, criteria, said)
        assert measure.reasons == ("R2 names FB3, which is no sentence here",)

    def test_a_criterion_for_nothing_is_a_gap(self):
        criterion = artifact("success_criteria").criteria[0].model_copy(update={"requirement_ids": ("R9",)})
        measure = completeness_check(
            sentences(),
            artifact("project_plan"),
            artifact("user_requirements"),
            SuccessCriteria(criteria=(criterion,)),
        )
        assert measure.reasons == ("SC1 names R9, which is no requirement here",)

    @pytest.mark.parametrize(
        ("text", "clear"),
        [
            ("The answer must be fast.", False),
            ("It is User-Friendly and easy to use.", False),
            ("The answer must be fast: at most 200 ms.", True),
            ("Breakfast is served.", True),
            ("It is steadfast-fast.", True),
        ],
    )
    def test_vague_words_need_a_number(self, text, clear):
        measure = clarity_validation(requirements(requirement(text=text)))
        assert measure.value == (1.0 if clear else 0.0)
        assert bool(measure.reasons) is not clear

    def test_the_vague_words_are_named(self):
        measure = clarity_validation(requirements(requirement(text="Fast, easy and fast.")))
        assert measure.reasons == ("R1 says “fast”, “easy” without a number: “Fast, easy and fast.”",)

    def test_what_was_understood_is_clear_but_its_vague_words_are_listed(self):
        measure = clarity_validation(requirements(requirement(text="An easy list of tools.", entities=("tool",))))
        assert (measure.value, measure.reasons) == (1.0, ("R1 also says “easy”",))

    def test_only_musts_are_judged(self):
        background = requirement(text="fast", kind="context")
        wish = requirement(text="fast", priority="should")
        assert clarity_validation(requirements(background, wish)).value is None


class TestPlan:
    def test_a_requirement_without_a_feature_is_named(self):
        measure = requirements_covered(artifact("user_requirements"), features(feature("F1")))
        assert measure.value == 0.5
        assert measure.reasons == ("R3 belongs to no feature: “A tool can be lent and returned.”",)

    def test_background_needs_no_feature_and_no_requirement_is_unknown(self):
        background = requirements(requirement(kind="context"))
        assert requirements_covered(background, features()).value is None

    def test_invented_requirements_count_as_misses(self):
        breakdown = features(feature("F1", requirement_ids=("R2", "R3", "R9")))
        measure = requirements_covered(artifact("user_requirements"), breakdown)
        assert measure.value == pytest.approx(2 / 3)
        assert measure.reasons == ("F1 names R9, which is no requirement",)

    @pytest.mark.parametrize("change", [{"then": " "}, {"feature_id": "F9"}, {"requirement_ids": ()}])
    def test_only_usable_criteria_count(self, change):
        first, second = artifact("acceptance_criteria").criteria
        acceptance = AcceptanceCriteria(criteria=(first, second.model_copy(update=change)))
        measure = requirements_have_criteria(artifact("user_requirements"), artifact("feature_breakdown"), acceptance)
        assert measure.value == 0.5
        assert measure.reasons[0].startswith("R3 has no usable acceptance criterion")

    def test_features_in_some_order_are_acyclic(self):
        assert dependencies_acyclic(features(feature("F1", "F2", "F3"), feature("F2", "F3"), feature("F3"))).value == 1

    def test_a_circle_is_named_with_its_path(self):
        circle = features(feature("F1"), feature("F2", "F1", "F3"), feature("F3", "F4"), feature("F4", "F3"))
        measure = dependencies_acyclic(circle)
        assert (measure.value, measure.reasons) == (0.0, ("F3 → F4 → F3 depend on each other",))

    def test_no_feature_is_unknown(self):
        assert dependencies_acyclic(features()).value is None

    def test_unknown_double_and_self_dependencies_are_faults(self):
        assert graph_faults([("A", ("B",)), ("C", ("C",)), ("D", ()), ("D", ())], "step") == [
            "D is the id of two steps",
            "A depends on B, which is no step",
            "C → C depend on each other",
        ]

    @given(st.dictionaries(st.integers(0, 7), st.sets(st.integers(0, 7), max_size=4), min_size=1))
    def test_a_graph_without_faults_has_an_order_and_one_with_faults_has_none(self, graph):
        names = {str(name): tuple(sorted(map(str, needs))) for name, needs in graph.items()}
        left = dict(names)
        while ready := [name for name, needs in left.items() if not set(needs) & set(left)]:
            for name in ready:
                del left[name]
        dangling = any(need not in names for needs in names.values() for need in needs)
        assert bool(graph_faults(names.items(), "x")) == bool(left or dangling)

    def test_a_long_chain_needs_no_recursion(self):
        chain = [(str(n), (str(n + 1),)) for n in range(2_000)] + [("2000", ())]
        assert graph_faults(chain, "x") == []


class TestDesign:
    def mapped(self, breakdown=None, **changes):
        records = {
            kind: changes.get(kind, artifact(kind))
            for kind in ("api_specifications", "technical_architecture", "implementation_plan")
        }
        return features_mapped(breakdown or artifact("feature_breakdown"), *records.values())

    def test_a_feature_that_nothing_serves_is_named(self):
        nothing = artifact("api_specifications", feature_map=())
        idle = artifact("technical_architecture", components=())
        measure = self.mapped(api_specifications=nothing, technical_architecture=idle)
        assert measure.value == 0
        assert measure.reasons[0] == "F1 is served by no operation and no component"

    def test_a_component_serves_as_well(self):
        assert self.mapped(api_specifications=artifact("api_specifications", feature_map=())).value == 1

    def test_a_feature_without_a_step_is_named(self):
        plan = ImplementationPlan(steps=(PlanStep(id="P1", title="x", feature_ids=("F1",)),))
        measure = self.mapped(implementation_plan=plan)
        assert (measure.value, measure.reasons) == (0.5, ("F2 is in no step of the implementation plan",))

    def test_invented_features_and_operations_count_as_misses(self):
        maps = (*artifact("api_specifications").feature_map, OperationMap(feature_id="F1", operation_ids=("fly",)))
        component = Component(name="x", responsibility="x", feature_ids=("F9",))
        architecture = artifact("technical_architecture", components=(component,))
        specification = artifact("api_specifications", feature_map=maps)
        measure = self.mapped(api_specifications=specification, technical_architecture=architecture)
        assert measure.value == 0.5
        assert measure.reasons == (
            "F9 is named as a feature, but is none",
            "F1 is mapped to the operation fly, which the document does not have",
        )

    def test_no_feature_is_unknown(self):
        empty = artifact("api_specifications", feature_map=())
        measure = features_mapped(
            features(),
            empty,
            artifact("technical_architecture", components=()),
            ImplementationPlan(steps=()),
        )
        assert measure.value is None

    def test_steps_that_wait_for_each_other_have_no_order(self):
        step = PlanStep(id="P1", title="x", feature_ids=(), depends_on=("P1",))
        assert steps_acyclic(ImplementationPlan(steps=(step,))).value == 0
        assert steps_acyclic(ImplementationPlan(steps=())).value is None

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"name": "Tool"}, "is not named in snake_case"),
            ({"field": {"name": "Name"}}, "field Name is not named in snake_case"),
            ({"field": {"type": "reference"}}, "is a reference without a target"),
            ({"field": {"references": "tool"}}, "has a target without being a reference"),
            ({"field": {"type": "reference", "references": "ship"}}, "refers to ship, which is no entity"),
            ({"field": {"minimum": 2, "maximum": 1}}, "field name allows nothing: 2 is above 1"),
            ({"field": {"min_length": 2, "max_length": 1}}, "allows nothing: 2 is above 1"),
            ({"field": {"values": ("a", "a")}}, "lists a value twice"),
            ({"more": ["name"]}, "has fields twice: name"),
            ({"more": ["phone1", "phone_2"]}, "repeats phone in 2 numbered fields"),
            ({"state": {"initial": "lost"}}, "uses states that are not in its list: lost"),
            ({"state": {"twice": True}}, "has several transitions of the same action: lend"),
        ],
    )
    def test_each_fault_of_an_entity_is_named(self, change, words):
        entity = self.entity_with(change)
        models = artifact("data_models", entities=(entity,))
        measure = models_normalised(models)
        assert measure.value == 0
        assert words in measure.reasons[0]

    def entity_with(self, change):
        entity = artifact("data_models").entities[0]
        name, price = entity.fields
        fields = [name.model_copy(update=change.get("field", {})), price]
        asked = change.get("asked", ())
        fields += [price.model_copy(update={"name": more, "requirement_ids": asked}) for more in change.get("more", ())]
        state = entity.state
        if "state" in change:
            again = state.transitions * 2 if change["state"].get("twice") else state.transitions
            state = state.model_copy(
                update={"initial": change["state"].get("initial", "available"), "transitions": again}
            )
        update = {"fields": tuple(fields), "state": state, "name": change.get("name", entity.name)}
        return entity.model_copy(update=update)

    def test_lines_of_an_address_are_no_list(self):
        models = artifact("data_models", entities=(self.entity_with({"more": ["address_line1", "address_line2"]}),))
        assert models_normalised(models).value == 1

    def test_a_copy_of_a_referenced_field_is_not_normalised(self):
        tool = artifact("data_models").entities[0]
        link = tool.fields[0].model_copy(
            update={"name": "tool_id", "type": "reference", "references": "tool", "unique": False}
        )
        copy = tool.fields[0].model_copy(update={"name": "tool_name", "requirement_ids": ()})
        loan = tool.model_copy(update={"name": "loan", "collection": "loans", "fields": (link, copy), "state": None})
        measure = models_normalised(artifact("data_models", entities=(tool, loan)))
        assert (measure.value, measure.reasons) == (0.5, ("loan keeps tool_name, which tool holds already",))

    def test_what_a_requirement_asks_for_is_noted_and_costs_nothing(self):
        entity = self.entity_with({"more": ["phone1", "phone2"], "asked": ("R2",)})
        measure = models_normalised(artifact("data_models", entities=(entity,)))
        assert measure.value == 1
        assert measure.reasons == (
            "tool repeats phone in 2 numbered fields: a list, which belongs in an entity of its own; "
            "a requirement asks for it",
        )

    def test_two_entities_of_one_name_are_both_at_fault(self):
        tool = artifact("data_models").entities[0]
        measure = models_normalised(artifact("data_models", entities=(tool, tool)))
        assert measure.value == 0
        assert "shares its name or collection" in measure.reasons[0]

    def test_no_entity_is_unknown(self):
        assert models_normalised(artifact("data_models", entities=())).value is None


def test_a_document_is_measured_when_all_that_its_measure_takes_is_known():
    known = {"user_requirements": artifact("user_requirements"), "sentences": (Sentence(id="S1", text="x"),)}
    names = [one.name for one in measure_documents({"user_requirements"}, known)]
    assert names == ["sentences_carried", "clarity_validation"]
    assert measure_documents({"risk_assessment"}, known) == ()


def test_each_measure_answers_by_its_name_and_is_a_word_of_the_gates():
    known = {kind: artifact(kind) for kinds in DOCUMENT_MEASURES.values() for kind in kinds[1] if kind in KINDS}
    known |= {"sentences": sentences(), "comments": ()}
    assert [one.name for one in measure_documents(known, known)] == list(DOCUMENT_MEASURES)
    assert set(DOCUMENT_MEASURES) <= set(MEASURES)
