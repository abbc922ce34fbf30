"""Everything that can be read, over one connection."""

from __future__ import annotations

from storage.reads.artifacts import ArtifactReads
from storage.reads.attempts import AttemptReads, EvidenceReads
from storage.reads.audit import AuditReads
from storage.reads.calls import BudgetReads, CallReads
from storage.reads.gates import GateReads
from storage.reads.projects import ProjectReads
from storage.reads.rows import Rows
from storage.reads.runs import ConflictReads, ExecutionReads, ProviderConfigReads


class ReadView:
    """The reading halves of all stores, under the names that a unit of work gives them too."""

    def __init__(self, rows: Rows) -> None:
        self.projects = ProjectReads(rows)
        self.attempts = AttemptReads(rows)
        self.artifacts = ArtifactReads(rows)
        self.evidence = EvidenceReads(rows)
        self.gates = GateReads(rows)
        self.calls = CallReads(rows)
        self.budgets = BudgetReads(rows)
        self.audit = AuditReads(rows)
        self.executions = ExecutionReads(rows)
        self.conflicts = ConflictReads(rows)
        self.provider_configs = ProviderConfigReads(rows)
