"""Prefect flows: what runs when, and waiting for people."""
