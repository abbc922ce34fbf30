"""Writing stores, one per noun; each adds to the reading store of the same noun. They need SQLAlchemy."""
