"""LLM adapters: one vendor SDK per file."""
