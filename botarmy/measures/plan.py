"""Plan: do features and acceptance criteria cover the requirements, and can the features be built in some order?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from botarmy.artifacts import AcceptanceCriteria, FeatureBreakdown, Requirement, UserRequirements
from botarmy.measures.share import bounded, excerpt, share
from botarmy.records import Measure


def requirements_covered(requirements: UserRequirements, breakdown: FeatureBreakdown) -> Measure:
    """Share of the requirements (without background) that a feature names; invented requirement ids count as misses."""
    named = [(feature.id, feature.requirement_ids) for feature in breakdown.features]
    return _coverage("requirements_covered", requirements, named, "belongs to no feature")


def requirements_have_criteria(
    requirements: UserRequirements, breakdown: FeatureBreakdown, acceptance: AcceptanceCriteria
) -> Measure:
    """Share of the requirements (without background) that a usable acceptance criterion names.

    A criterion is usable when given, when and then are filled in and its feature exists.
    """
    features = {feature.id for feature in breakdown.features}
    usable = [
        (one.id, one.requirement_ids)
        for one in acceptance.criteria
        if one.feature_id in features and all(part.strip() for part in (one.given, one.when, one.then))
    ]
    return _coverage("requirements_have_criteria", requirements, usable, "has no usable acceptance criterion")


def _coverage(
    name: str, requirements: UserRequirements, named: Iterable[tuple[str, Iterable[str]]], fault: str
) -> Measure:
    references = [(owner, requirement) for owner, ids in named for requirement in ids]
    wanted: list[Requirement] = [one for one in requirements.requirements if one.kind != "context"]
    known = {one.id for one in requirements.requirements}
    covered = {requirement for _, requirement in references}
    problems = [f"{one.id} {fault}: “{excerpt(one.text)}”" for one in wanted if one.id not in covered]
    invented = [f"{owner} names {one}, which is no requirement" for owner, one in references if one not in known]
    return share(name, len(wanted) + len(invented), [*problems, *invented], nothing="There is no requirement to cover.")


def dependencies_acyclic(breakdown: FeatureBreakdown) -> Measure:
    """1 when the features can be built in some order, 0 when they wait for each other or for something unknown."""
    faults = graph_faults([(one.id, one.depends_on) for one in breakdown.features], "feature")
    if not breakdown.features:
        return Measure(name="dependencies_acyclic", value=None, reasons=("There is no feature.",))
    return Measure(name="dependencies_acyclic", value=0.0 if faults else 1.0, reasons=bounded(faults))


def graph_faults(edges: Iterable[tuple[str, Iterable[str]]], what: str) -> list[str]:
    """Return what keeps a dependency graph from having an order: double ids, unknown ids, cycles.

    Args:
        edges: (id, ids that it depends on).
        what: the word for one node in the messages.
    """
    graph: dict[str, tuple[str, ...]] = {}
    faults = []
    for name, needs in edges:
        if name in graph:
            faults.append(f"{name} is the id of two {what}s")
        graph[name] = (*graph.get(name, ()), *needs)
    faults += [
        f"{name} depends on {need}, which is no {what}" for name in graph for need in graph[name] if need not in graph
    ]
    return faults + [f"{' → '.join((*cycle, cycle[0]))} depend on each other" for cycle in _cycles(graph)]


def _cycles(graph: Mapping[str, tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Return disjoint cycles, each as the path that leads back to its start; empty when there is an order."""
    done: set[str] = set()
    cycles = []
    for root in graph:
        path: list[str] = [root]
        branches = [iter(graph[root])]
        while branches and root not in done:
            following = next(branches[-1], None)
            if following is None:
                branches.pop()
                done.add(path.pop())
            elif following in path:
                cycles.append(tuple(path[path.index(following) :]))
                done.update(path)
                break
            elif following in graph and following not in done:
                path.append(following)
                branches.append(iter(graph[following]))
    return cycles
