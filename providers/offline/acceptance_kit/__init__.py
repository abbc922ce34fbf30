"""What every set of acceptance tests shares; the files are written into the product as they are."""
