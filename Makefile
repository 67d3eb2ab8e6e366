# Everything a developer or an operator types. `make help` lists it.
# Needs Python 3.11 or newer with venv, git and make; the rest is installed into .venv.

SHELL := /bin/bash
.DEFAULT_GOAL := help
BIN := .venv/bin
RUN_STAMP := .venv/.installed
TEST_STAMP := .venv/.installed-for-tests
BROWSER_STAMP := .venv/.browser
# A virtual environment that only its owner can read would lock the embedded servers' user out.
UMASK := umask 022
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# Compiled files make every start twice as fast.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

.PHONY: run
run: $(RUN_STAMP) ## Start everything here: database, broker, web, scheduler, workers
	@exec $(BIN)/supercheck up

.PHONY: dev
dev: $(TEST_STAMP) ## Start everything with debug logs; restart the processes when a file changes
	@exec $(BIN)/python -m ops.dev

.PHONY: test
test: $(TEST_STAMP) browser ## Run the tests (under 5 minutes)
	@$(BIN)/pytest -n auto --dist loadscope -m "not slow" $(ARGS)

.PHONY: test-slow
test-slow: $(TEST_STAMP) browser ## Run only the slow tests: kills, soaks, the browser walk
	@failed=0; \
	note() { [ $$1 = 5 ] && [ -n "$(ARGS)" ] || failed=$$1; }; : "5: ARGS name no test of this half"; \
	$(BIN)/pytest -n auto --dist worksteal -m "slow and not alone" $(ARGS) || note $$?; \
	$(BIN)/pytest -m "slow and alone" $(ARGS) || note $$?; \
	exit $$failed

.PHONY: test-all
test-all: ## Run all tests, the slow ones too (about 10 minutes)
	@$(MAKE) --no-print-directory test
	@$(MAKE) --no-print-directory test-slow

.PHONY: coverage
coverage: $(TEST_STAMP) browser ## Measure which lines the quick tests run; fail below the floor in setup.cfg
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest -q -n auto --dist loadscope -m "not slow" $(ARGS)
	@$(BIN)/coverage combine -q
	@$(BIN)/coverage report --skip-covered --show-missing

.PHONY: check
check: $(TEST_STAMP) ## Lint of code and templates, types, import contracts, models against migrations
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/djlint web/templates --lint --quiet
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m ops.check_migrations

.PHONY: bench
bench: $(TEST_STAMP) ## Measure: checks a second, CPU a check, lateness, memory
	@$(BIN)/python -m ops.bench $(ARGS)

.PHONY: lock
lock: $(TEST_STAMP) ## Refresh both lock files from setup.cfg
	@$(BIN)/python -m ops.lock

.PHONY: clean
clean: ## Remove the virtual environment and caches (not the data)
	@rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -not -path './var/*' -prune -exec rm -rf {} +

# The first Python that is new enough and can make virtual environments.
.venv/bin/python:
	@$(UMASK); for python in python3.13 python3.12 python3.11 python3; do \
	  command -v $$python >/dev/null || continue; \
	  $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	  new_enough=$$python; \
	  $$python -c 'import venv, ensurepip' 2>/dev/null || continue; \
	  exec $$python -m venv --clear .venv; \
	done; \
	if [ -n "$$new_enough" ]; then \
	  echo "$$new_enough cannot make virtual environments: install its venv module (Debian: apt-get install $$(basename $$new_enough)-venv)." >&2; \
	else \
	  echo "Python 3.11 or newer is needed: install it (Debian 12: apt-get install python3 python3-venv)." >&2; \
	fi; exit 1

# Stamps: a second start does no work here.
$(RUN_STAMP): requirements.lock setup.cfg pyproject.toml | .venv/bin/python
	@echo "Installing what Supercheck needs into .venv …"
	@$(UMASK); $(PIP) --require-hashes -r requirements.lock
	@$(UMASK); $(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(TEST_STAMP): requirements-dev.lock $(RUN_STAMP)
	@echo "Installing what the tests need into .venv …"
	@$(UMASK); $(PIP) --require-hashes -r requirements-dev.lock
	@touch $@

.PHONY: browser
browser: $(TEST_STAMP)
	@test -e $(BROWSER_STAMP) || $(BIN)/python -m ops.install_browser && touch $(BROWSER_STAMP)
