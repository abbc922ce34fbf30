"""The unit of work: all stores over one transaction, committed together or not at all."""

from __future__ import annotations

from uuid import UUID

from botarmy.records import AuditCheck
from storage.stores.artifacts import ArtifactStore
from storage.stores.attempts import AttemptStore, EvidenceStore
from storage.stores.audit import AuditStore
from storage.stores.calls import BudgetStore, CallStore
from storage.stores.gates import GateStore
from storage.stores.projects import ProjectStore
from storage.stores.rates import RateStore
from storage.stores.runs import ConflictStore, ExecutionStore, ProviderConfigStore
from storage.transaction import Transaction


class UnitOfWork:
    """One store per noun. Made by `Database.work()`; its stores are of no use after it."""

    def __init__(self, transaction: Transaction) -> None:
        self.projects = ProjectStore(transaction)
        self.attempts = AttemptStore(transaction)
        self.artifacts = ArtifactStore(transaction)
        self.evidence = EvidenceStore(transaction)
        self.gates = GateStore(transaction)
        self.calls = CallStore(transaction)
        self.budgets = BudgetStore(transaction)
        self.rates = RateStore(transaction)
        self.audit = AuditStore(transaction)
        self.executions = ExecutionStore(transaction)
        self.conflicts = ConflictStore(transaction)
        self.provider_configs = ProviderConfigStore(transaction)

    async def verify_audit(self, project_id: UUID | None) -> AuditCheck:
        """Tell whether the project's chain of audit events is whole, as far as it was committed before."""
        return await self.audit.verify(project_id)

    async def purge(self, project_id: UUID, by: str) -> None:
        """Delete a project with all that belongs to it; its audit events stay. See ProjectStore.purge."""
        await self.projects.purge(project_id, by)
