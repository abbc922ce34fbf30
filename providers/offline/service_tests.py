"""How the product's tests are run: the words that README, CI and the acceptance tests share."""

from __future__ import annotations

FOLDER = "tests_acceptance"
UNIT_TESTS = "python -m unittest discover -s tests -t ."
ACCEPTANCE = f"python -m unittest discover -s {FOLDER} -t ."
