# The two commands: `make run` and `make test`. Both set up .venv from requirements.lock.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := warehouse/data

.PHONY: setup run test lint types lock soak bench power-cut old-clients browser docs clean

setup: $(VENV)/.ready

# The lock file is complete (--no-deps) and every file in it is pinned by hash.
$(VENV)/.ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("unecho needs Python 3.11 or newer: try make PYTHON=python3.12 $(MAKECMDGOALS)" if sys.version_info < (3, 11) else 0)'
	@echo "Setting up $(VENV) (once, a minute or two) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@$(BIN)/python -m flows.warm
	@touch $@

run: setup
	@$(BIN)/unecho --warehouse $(DEMO) ingest seeds/ --prefect
	@$(BIN)/python -m pipeline.report.tour $(DEMO) $(BIN)/unecho

test: lint types
	$(BIN)/python -m pytest -n auto

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

types: setup
	$(BIN)/mypy

# Needs uv; the lock names no index and holds for every supported Python.
lock:
	uv pip compile --universal --python-version 3.11 --extra charts --extra dev --extra fast --extra html --no-emit-index-url \
	  --no-header --generate-hashes pyproject.toml -o requirements.lock

# Longer checks, run by hand; what they found stands in DECISIONS.md and the tests' docstrings.
soak: setup
	UNECHO_KILL_ROUNDS=300 $(BIN)/python -m pytest tests/crash/test_kill_random.py --timeout=3600

# Against other libraries, each installed by pip into its own environment under tests/bench/.envs,
# and against our own limits; writes tests/bench/RESULTS.md. About an hour on two quiet cores, 16 GB
# of memory, 35 GB of disk for a million articles (where BENCH_SCRATCH says, else in TMPDIR).
# BENCH="peers signatures" picks sections; BENCH_HISTORY=100000 and the other sizes in tests/bench
# make a smaller run of it.
BENCH ?=
BENCH_ARTICLES ?= 20000
bench: setup
	$(BIN)/python -m tests.bench $(BENCH) --articles $(BENCH_ARTICLES)

power-cut: setup
	$(BIN)/python -m tests.crash.power_cut

old-clients: setup
	$(BIN)/python -m tests.warehouse.old_clients

# Chromium and fonts come from the system's packages (as root); takes the README's pictures.
browser: setup
	$(BIN)/python tests/browser/shoot.py --pictures warehouse/pictures

docs: setup
	$(BIN)/python -m pipeline.commands.dictionary > warehouse/README.md
	$(BIN)/python -m tests.quality.table > warehouse/QUALITY.md

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
