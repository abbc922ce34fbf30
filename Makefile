# Everything a new machine needs is installed by these targets; Python 3.11+, git and make are enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BRIEF ?= examples/briefs/library.md
OUT ?= out
# Processes that the tests run in: one more than processors, since most tests wait for another process. 0: all in this one, for
# a debugger.
WORKERS ?= $(shell $(PYTHON) -c "import os; print(min((os.cpu_count() or 1) + 1, 4))")
# As pip does: trust the certificates of the system, among them those of a company's proxy. Older and newer name.
export UV_NATIVE_TLS ?= true
export UV_SYSTEM_CERTS ?= true
# Byte-compiled packages halve the start-up; services must be able to read the compiled files.
unexport PYTHONDONTWRITEBYTECODE
UV := $(BIN)/python -m uv
INSTALL := $(UV) pip install --quiet --compile-bytecode --require-hashes

.PHONY: run test check lint types imports lock clean install install-dev
.DEFAULT_GOAL := run

$(BIN)/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "BotArmy needs Python 3.11 or later; name one with make PYTHON=python3.12" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9,<1'

$(VENV)/.installed: $(BIN)/uv requirements.lock pyproject.toml
	VIRTUAL_ENV=$(VENV) $(INSTALL) -r requirements.lock
	VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --no-deps --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.lock
	VIRTUAL_ENV=$(VENV) $(INSTALL) -r requirements-dev.lock
	@touch $@

install: $(VENV)/.installed
install-dev: $(VENV)/.installed-dev

run: $(VENV)/.installed
	@$(BIN)/botarmy run "$(BRIEF)" --gates auto --out "$(OUT)" || { code=$$?; \
	  if [ $$code -eq 3 ]; then echo "Nothing failed, though make calls it an error: exit 3 means that the project waits for" \
	    "your decision, as said above; the command is $(BIN)/botarmy." >&2; fi; exit $$code; }

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest tests -n $(WORKERS) --dist loadfile --no-loadscope-reorder

lint: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.installed-dev
	$(BIN)/mypy
	cd providers/offline/skeleton && MYPYPATH=. $(abspath $(BIN))/mypy --strict --config-file= --explicit-package-bases app tests

imports: $(VENV)/.installed-dev
	$(BIN)/lint-imports

check: lint types imports
	$(MAKE) test

lock: $(BIN)/uv
	$(UV) pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet -o requirements.lock
	$(UV) pip compile pyproject.toml --extra dev -c requirements.lock --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet -o requirements-dev.lock

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
