# Every target sets up what it needs by itself and can be repeated.
#
#   PYTHON=python3.12 VENV=.venv312 make test     another interpreter, in a folder of its own
#   make demo ARGS="--engine mysql --seconds 30"  options of the command behind a target

PYTHON ?= python3
VENV ?= .venv
ARGS ?=

PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed
SERVERS := $(PY) -m dbrouter.testing.servers

.PHONY: help venv servers lint format test lowest demo bench soak fuzz clean
.DEFAULT_GOAL := help

help:
	@echo "make demo     a router at work on a real primary with two replicas, with faults injected"
	@echo "make test     the whole suite, on every server"
	@echo "make lint     ruff and mypy"
	@echo "make lowest   the tests on the lowest versions that pyproject.toml allows"
	@echo "make bench    what routing costs"
	@echo "make soak     the long runs"
	@echo "make fuzz     ten minutes of coverage-guided fuzzing of the SQL room (ARGS=60: that many seconds; Linux)"
	@echo "make servers  fetch the database servers that are missing"
	@echo "make venv     the virtual environment only"

venv: $(STAMP)

$(STAMP): pyproject.toml
	@PYTHON="$(PYTHON)" VENV="$(VENV)" sh scripts/venv.sh
	$(PY) -m pip install --quiet --disable-pip-version-check -e '.[all,dev]'
	@touch $@

servers: $(STAMP)
	$(SERVERS) --install

lint: $(STAMP)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy

format: $(STAMP)
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

# Under CI=true a missing server ends the run here; elsewhere its tests are left out, and this says which.
test: $(STAMP)
	$(SERVERS) --install || [ "$$CI" != true ]
	$(PY) -m pytest -m "not soak" $(ARGS)
	@$(SERVERS) --last-word

# Old libraries speak of their own end in DeprecationWarnings, which are nothing of ours.
lowest: $(STAMP)
	$(PY) -m pip install --quiet --disable-pip-version-check uv
	$(PY) -m uv venv --quiet --clear --python $(PY) $(VENV)-lowest
	$(PY) -m uv pip install --quiet --python $(VENV)-lowest/bin/python --resolution lowest-direct -e '.[all,dev]'
	$(VENV)-lowest/bin/python -m pytest -W ignore::DeprecationWarning $(or $(ARGS),tests/unit tests/contract)

demo: $(STAMP)
	@$(SERVERS) --install $(if $(findstring mysql,$(ARGS)),mariadb-10.11,postgresql-18) >/dev/null
	@$(VENV)/bin/dbrouter demo $(ARGS)

bench: $(STAMP)
	@$(SERVERS) --install postgresql-18 mariadb-10.11 pgbouncer || true
	$(PY) -m benchmarks $(ARGS)

soak: $(STAMP)
	$(SERVERS) --install || [ "$$CI" != true ]
	$(PY) -m pytest -m soak $(ARGS)

fuzz: $(STAMP)
	$(PY) -m pip install --quiet --disable-pip-version-check -e '.[fuzz]'
	$(PY) -m tests.fuzz $(ARGS)

clean:
	rm -rf $(VENV) $(VENV)-lowest .servers .pytest_cache .mypy_cache .ruff_cache .hypothesis dist build
