"""Races and faults; a package, so that its site is stopped after its last test."""
