"""The core: pure domain of a governed software life cycle; no I/O, no Prefect, no SQL, no vendor SDK."""
