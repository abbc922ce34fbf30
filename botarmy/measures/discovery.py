"""Discovery: is the whole brief carried, is what was written complete, clear and measurable?"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from botarmy.artifacts import ProjectPlan, Requirement, Sentence, SuccessCriteria, SuccessCriterion, UserRequirements
from botarmy.measures.share import bounded, excerpt, share, unknown
from botarmy.records import Measure

VAGUE = (
    "adequate",
    "appropriate",
    "as soon as possible",
    "attractive",
    "convenient",
    "easily",
    "easy",
    "effective",
    "efficient",
    "efficiently",
    "fast",
    "flexible",
    "high quality",
    "high-quality",
    "intuitive",
    "modern",
    "nice",
    "optimal",
    "performant",
    "powerful",
    "quick",
    "quickly",
    "reasonable",
    "reliable",
    "responsive",
    "robust",
    "scalable",
    "seamless",
    "smooth",
    "state of the art",
    "state-of-the-art",
    "sufficient",
    "user friendly",
    "user-friendly",
)
"""English words that promise something without saying how it would be seen."""

_VAGUE = re.compile(r"(?<![\w-])(?:" + "|".join(re.escape(word) for word in VAGUE) + r")(?![\w-])", re.IGNORECASE)
_NUMBER = re.compile(r"\d")


def sentences_carried(sentences: Sequence[Sentence], requirements: UserRequirements) -> Measure:
    """Share of the brief's sentences that at least one requirement names as its source."""
    carried = {source for one in requirements.requirements for source in one.sources}
    missing = [
        f"{one.id} is carried by no requirement: “{excerpt(one.text)}”" for one in sentences if one.id not in carried
    ]
    return share("sentences_carried", len(sentences), missing, nothing="The brief has no sentences.")


def criteria_measurable(criteria: SuccessCriteria, requirements: UserRequirements) -> Measure:
    """Share of the success criteria that say what is counted, to which number, in which unit, for which requirement."""
    known = {one.id for one in requirements.requirements}
    problems = [problem for one in criteria.criteria if (problem := _unmeasurable(one, known))]
    return share("criteria_measurable", len(criteria.criteria), problems, nothing="There is no success criterion.")


def _unmeasurable(criterion: SuccessCriterion, known: set[str]) -> str:
    faults = []
    if not criterion.measure.strip():
        faults.append("does not say what is counted")
    if not criterion.unit.strip():
        faults.append("has no unit")
    if not math.isfinite(criterion.target):
        faults.append("has no finite target")
    if not known.intersection(criterion.requirement_ids):
        faults.append("names no requirement that exists")
    return f"{criterion.id} {', '.join(faults)}" if faults else ""


def completeness_check(
    sentences: Sequence[Sentence],
    plan: ProjectPlan,
    requirements: UserRequirements,
    criteria: SuccessCriteria,
    comments: Sequence[Sentence] = (),
) -> Measure:
    """Share of the things a Discovery must have that are there.

    They are: title, purpose, a goal, a scope; each requirement, by its text, an own id and sources in the brief or in the
    comments that the attempt was given; each success criterion, by an own id and requirements that exist.
    """
    sources = {one.id for one in (*sentences, *comments)}
    known = {one.id for one in requirements.requirements}
    problems = [
        *_gaps_of_plan(plan),
        *_with_own_ids([(one.id, _fault_of_requirement(one, sources)) for one in requirements.requirements]),
        *_with_own_ids([(one.id, unknown(one.requirement_ids, known, "requirement")) for one in criteria.criteria]),
    ]
    total = len(_PARTS_OF_PLAN) + len(requirements.requirements) + len(criteria.criteria)
    return share("completeness_check", total, problems, nothing="There is nothing to judge.")


_PARTS_OF_PLAN = ("title", "purpose", "goals", "scope")


def _gaps_of_plan(plan: ProjectPlan) -> list[str]:
    values = {"title": plan.title, "purpose": plan.purpose, "goals": "".join(plan.goals), "scope": "".join(plan.scope)}
    return [f"The project plan has no {name}." for name in _PARTS_OF_PLAN if not values[name].strip()]


def _fault_of_requirement(requirement: Requirement, sources: set[str]) -> str:
    if not requirement.text.strip():
        return "has no text"
    return unknown(requirement.sources, sources, "sentence")


def _with_own_ids(faults: Sequence[tuple[str, str]]) -> list[str]:
    """Return one problem for each faulty thing; a second thing of the same id is faulty as well."""
    problems = []
    seen: set[str] = set()
    for name, fault in faults:
        own = "" if name not in seen else "has the id of another one"
        seen.add(name)
        if fault or own:
            problems.append(f"{name} {fault or own}")
    return problems


def clarity_validation(requirements: UserRequirements) -> Measure:
    """Share of the musts that can be judged as they stand.

    A must is unclear when it uses a vague word ("fast", "user-friendly"; English only) and holds neither a number nor
    anything that was understood of it (a rule or an entity). Vague words in clear musts are listed too; they cost nothing.
    """
    musts = [one for one in requirements.requirements if one.priority == "must" and one.kind != "context"]
    vague = {one.id: words for one in musts if (words := _vague_words(one)) and not _NUMBER.search(one.text)}
    unclear = [one for one in musts if one.id in vague and not (one.rules or one.entities)]
    problems = [f"{one.id} says {vague[one.id]} without a number: “{excerpt(one.text)}”" for one in unclear]
    measure = share("clarity_validation", len(musts), problems, nothing="There is no must to judge.")
    also = [f"{one.id} also says {vague[one.id]}" for one in musts if one.id in vague and one not in unclear]
    return measure.model_copy(update={"reasons": bounded((*measure.reasons, *also))})


def _vague_words(requirement: Requirement) -> str:
    words = dict.fromkeys(match.group().lower() for match in _VAGUE.finditer(requirement.text))
    return ", ".join(f"“{word}”" for word in words)
