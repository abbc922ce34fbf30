"""Prefect tasks: load, call, save."""
