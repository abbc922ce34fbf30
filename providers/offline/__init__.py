"""The deterministic scaffold generator: no language model, and it says so."""
