"""The tests; a package, so that pytest and imports have one name for a module."""
