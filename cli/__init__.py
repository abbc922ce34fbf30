"""The `botarmy` command."""
