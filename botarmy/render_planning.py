"""Documents of Discovery and Plan as Markdown."""

from __future__ import annotations

from botarmy.artifacts import (
    AcceptanceCriteria,
    FeatureBreakdown,
    ProjectPlan,
    Requirement,
    Rule,
    SuccessCriteria,
    UserRequirements,
)
from botarmy.render_parts import bullets, code, document, listed, number, paragraphs, table, text


def project_plan(plan: ProjectPlan) -> str:
    """Return the PRD."""
    lists = {
        "Users": plan.users,
        "Goals": plan.goals,
        "Scope": plan.scope,
        "Out of scope": plan.out_of_scope,
        "Constraints": plan.constraints,
        "Assumptions": plan.assumptions,
        "Open questions": plan.open_questions,
    }
    sections = ((heading, bullets(text(item) for item in items)) for heading, items in lists.items())
    return document(text(plan.title), ("Purpose", paragraphs(plan.purpose)), *sections)


def user_requirements(requirements: UserRequirements) -> str:
    """Return all requirements in a table, then the rules that can be tested, then what nobody understood."""
    rows = (
        (
            code(one.id),
            text(one.text),
            one.kind,
            one.priority,
            listed(one.sources),
            "yes" if one.understood else "**no**",
        )
        for one in requirements.requirements
    )
    rules = [(code(one.id), rule_in_words(rule)) for one in requirements.requirements for rule in one.rules]
    return document(
        "User requirements",
        ("", table(("Id", "Requirement", "Kind", "Priority", "Sources", "Understood"), rows)),
        ("Rules", table(("Requirement", "Rule"), rules)),
        ("Not understood", bullets(_named(one) for one in requirements.requirements if not one.understood)),
    )


def _named(requirement: Requirement) -> str:
    return f"{code(requirement.id)} {text(requirement.text)}"


def rule_in_words(rule: Rule) -> str:
    """Return a rule as a sentence without a full stop."""
    subject = code(f"{rule.entity}.{rule.field}")
    bounds = {"at least": rule.minimum, "at most": rule.maximum}
    limits = " and ".join(f"{words} {number(value)}" for words, value in bounds.items() if value is not None)
    words = {
        "required": f"{subject} must be given",
        "unique": f"{subject} is unique",
        "range": f"{subject} is {limits or 'not limited'}",
        "length": f"the length of {subject} is {limits or 'not limited'}",
        "enumeration": f"{subject} is one of {listed(rule.values)}",
        "relation": f"{subject} refers to {code(rule.target)}",
        "transition": f"{code(rule.action)} takes {subject} from {listed(rule.from_states)} to {code(rule.to_state)}",
    }
    return words[rule.kind]


def success_criteria(criteria: SuccessCriteria) -> str:
    """Return what is counted, and the target."""
    rows = (
        (
            code(one.id),
            text(one.text),
            text(one.measure),
            f"{number(one.target)} {text(one.unit)}",
            listed(one.requirement_ids),
        )
        for one in criteria.criteria
    )
    return document("Success criteria", ("", table(("Id", "Criterion", "Measure", "Target", "Requirements"), rows)))


def feature_breakdown(breakdown: FeatureBreakdown) -> str:
    """Return the features with what they carry and wait for."""
    rows = (
        (
            code(one.id),
            text(one.name),
            text(one.description),
            listed(one.requirement_ids),
            listed(one.depends_on),
        )
        for one in breakdown.features
    )
    heads = ("Id", "Feature", "Description", "Requirements", "Depends on")
    return document("Feature breakdown", ("", table(heads, rows)))


def acceptance_criteria(criteria: AcceptanceCriteria) -> str:
    """Return the criteria as given, when, then."""
    rows = (
        (
            code(one.id),
            code(one.feature_id),
            listed(one.requirement_ids),
            text(one.given),
            text(one.when),
            text(one.then),
        )
        for one in criteria.criteria
    )
    heads = ("Id", "Feature", "Requirements", "Given", "When", "Then")
    return document("Acceptance criteria", ("", table(heads, rows)))
