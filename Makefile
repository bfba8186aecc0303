# Needs Python 3.11 or newer, git and make; nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# Three test processes on two cores, as many tests wait (four are no quicker); one runs all whole stacks, one the console (tests/scheduling.py).
TEST_PROCESSES ?= 3

# Byte code is kept whatever the environment says: else each program compiles all that it imports anew at each start,
# which is half of the processor time of a start, and pytest rewrites every assertion anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test test-all test-community check format pictures lock secrets clean

help:  ## show this
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

demo: $(VENV)/.run  ## start everything on this machine, with simulated devices; Ctrl-C stops it
	@$(BIN)/veldwatch demo

test: $(VENV)/.dev  ## run the tests, without the slow ones
	$(BIN)/pytest -n $(TEST_PROCESSES) --dist loadfile -m "not slow"

# The integration tests and the demo on TimescaleDB with its community features; the summary names the server, and what
# is left out with the reason: the TimescaleDB of the registry (WebAssembly) has one backend. Each test process has its
# own. VELDWATCH_TEST_TIMESCALE_DSN names another server, an account that may create databases and roles; then nothing is
# left out.
COMMUNITY_TESTS ?= tests/integration tests/acceptance/test_demo.py

test-community: $(VENV)/.dev  ## run the integration tests and the demo on TimescaleDB with its community features
	VELDWATCH_TEST_EDITION=community $(BIN)/pytest -n 2 --dist loadfile --timeout 300 -m "not slow" $(COMMUNITY_TESTS)

test-all: $(VENV)/.dev test-community  ## run every test: chaos, soak and scale too, and on TimescaleDB
	$(BIN)/pytest -n $(TEST_PROCESSES) --dist loadfile --timeout 1800

check: $(VENV)/.dev  ## formatting, lint, types and import contracts, as CI runs them
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/basedpyright
	$(BIN)/lint-imports

format: $(VENV)/.dev  ## format the code
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

COMPILE := $(BIN)/uv pip compile --python-version 3.11 --universal --generate-hashes --no-header --no-annotate --no-emit-index-url

pictures: $(VENV)/.dev  ## draw the pictures in docs anew: rules, and what each dashboard shows (some minutes)
	for file in docs/reference/conditions/examples/*.yaml; do $(BIN)/veldwatch rules picture $$file -o $${file%.yaml}.svg || exit 1; done
	$(BIN)/python -m launch.pictures

lock: $(VENV)/.dev  ## resolve versions anew into requirements/
	$(COMPILE) --upgrade pyproject.toml -o requirements/run.txt
	$(COMPILE) --upgrade --constraint requirements/run.txt --group build -o requirements/build.txt
	$(COMPILE) --upgrade --constraint requirements/run.txt pyproject.toml --group dev -o requirements/dev.txt

# The machine's own Python is enough. ROTATE=NAME gives one a new value and says what has to follow.
SERVER := $(shell sed -n 's/^MQTT_SERVER_NAME=//p' .env 2>/dev/null)
secrets:  ## make the secrets and certificates that docker-compose.yml mounts; ROTATE=NAME: a new one
	@$(PYTHON) -m launch.secret_files $(if $(SERVER),--server $(SERVER)) $(if $(ROTATE),--rotate $(ROTATE))

clean:  ## remove the environment and what tools left; the state folder .veldwatch stays
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Stamps: an environment that is up to date is used at once. Only what is imported is compiled, by importing it once:
# that halves the time of the first start.
$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: $(PYTHON) is older than Python 3.11 (name another: make PYTHON=python3.12 ...)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
		{ echo "error: $(PYTHON) has no ensurepip (on Debian and Ubuntu: apt install python3-venv; or: make PYTHON=...)"; exit 1; }
	@echo "making the environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.run: $(VENV)/.python requirements/run.txt requirements/build.txt pyproject.toml
	@echo "installing what Veldwatch needs (once, about a minute)"
	@$(PIP) install --no-compile --require-hashes -r requirements/run.txt -r requirements/build.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@$(BIN)/veldwatch --help >/dev/null
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements/dev.txt
	@echo "installing what the tests need (once)"
	@$(PIP) install --no-compile --require-hashes -r requirements/dev.txt
	@touch $@
