"""Teams: which agents work together, with which provider and model."""

from __future__ import annotations

from dataclasses import dataclass, field

from botarmy.definitions.diagnostics import Problems
from botarmy.definitions.fields import Fields, kind_of, root_fields
from botarmy.definitions.models import Team, TeamMember
from botarmy.definitions.source import Source
from botarmy.definitions.templates import stem_of
from botarmy.definitions.tree import Mapping, Node, Scalar, parse_tree

EVERYONE = "*"


@dataclass
class TeamDraft:
    """A team and where its references stand. `foreign` teams (BMAD's `bundle:`) may name what is not here."""

    team: Team
    source: Source
    foreign: bool
    agents: list[Scalar] = field(default_factory=list)
    workflows: list[Scalar] = field(default_factory=list)
    providers: list[Scalar] = field(default_factory=list)


def read_team(source: Source, problems: Problems) -> TeamDraft | None:
    """Read a team file of either dialect: `bundle:` (BMAD) or `team:`."""
    fields = root_fields(source, problems, parse_tree(source, problems), "the team file")
    if fields is None:
        return None
    foreign = "team" not in fields.node.pairs
    head = fields.fields("bundle" if foreign else "team", required=True)
    draft = TeamDraft(Team(name=stem_of(source.file), sha256=source.sha256, file=source.file), source, foreign)
    title = description = provider = model = ""
    if head is not None:
        title, description = head.text("name", required=True), head.text("description")
        head.text("icon")
        provider, model = _provider(head, draft), head.text("model")
        head.finish()
    members, everyone = _members(fields, draft)
    draft.workflows = fields.scalars("workflows", single=True)
    workflows = tuple(stem_of(one.text) for one in draft.workflows)
    extra = fields.finish()
    draft.team = draft.team.model_copy(
        update={
            "title": title,
            "description": description,
            "provider": provider,
            "model": model,
            "members": members,
            "everyone": everyone,
            "workflows": workflows,
            "extra": extra,
        }
    )
    return draft


def _provider(fields: Fields, draft: TeamDraft) -> str:
    node = fields.scalar("provider")
    draft.providers += [node] if node is not None else []
    return node.text if node is not None else ""


def _members(fields: Fields, draft: TeamDraft) -> tuple[tuple[TeamMember, ...], bool]:
    members: dict[str, TeamMember] = {}
    everyone = False
    for node in fields.nodes("agents", required=True, single=True):
        if isinstance(node, Scalar) and node.text == EVERYONE:
            everyone = True
            continue
        member = _member(fields, node, draft)
        if member is None:
            continue
        if member.agent in members:
            fields.problem("duplicate-name", node, f'"{member.agent}" stands twice in the team.')
        members.setdefault(member.agent, member)
    return tuple(members.values()), everyone


def _member(fields: Fields, node: Node, draft: TeamDraft) -> TeamMember | None:
    if isinstance(node, Scalar) and node.value is not None:
        draft.agents.append(node)
        return TeamMember(agent=node.text)
    if not isinstance(node, Mapping):
        fields.problem("wrong-type", node, f"A member of the team is {kind_of(node)}; text or a mapping is wanted.")
        return None
    one = Fields(node, fields.source, fields.problems, "a member of the team")
    agent = one.name("agent", required=True)
    provider, model = _provider(one, draft), one.text("model")
    one.finish()
    if agent is None:
        return None
    draft.agents.append(agent)
    return TeamMember(agent=agent.text, provider=provider, model=model)
