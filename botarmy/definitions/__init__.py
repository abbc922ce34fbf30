"""Definitions that people bring: templates, workflows, teams, agents, tasks and checklists of a .bmad-core directory.

Everything here is pure: text in, records and diagnostics out. `storage.definitions` reads the files.

Two dialects share one model: the `phases:` dialect (ours; templates in Jinja2) and BMAD v4 (`sequence`, `sections`,
`agent-teams`, agents in Markdown). A problem never stops at the first: all are collected as `Diagnostic` records with a
stable code, file, line and column.
"""
