"""End-to-end tests; a package, so that its fixtures end with its last test and not with the whole suite."""
