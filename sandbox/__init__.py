"""Runs generated code and tools: isolated, limited, without secrets."""
