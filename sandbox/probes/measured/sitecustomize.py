"""Measure the Python processes that tests start: found first on their PYTHONPATH, put there by run_tests."""

import os
import sys

library = os.environ.get("BOTARMY_COVERAGE_LIBRARY", "")
if library:
    sys.path.insert(0, library)
    try:
        import coverage
    except ImportError:
        coverage = None  # type: ignore[assignment]
    sys.path.remove(library)
    if coverage is not None:
        measured = coverage.Coverage(
            data_file=os.environ["BOTARMY_COVERAGE_DATA"],
            config_file=os.environ["BOTARMY_COVERAGE_CONFIG"],
            source=[os.environ["BOTARMY_COVERAGE_SOURCE"]],
            data_suffix=True,
        )
        measured._warn_no_data = False
        measured.start()
        import atexit

        atexit.register(measured.save)
