# `make demo` and `make test` are all a newcomer needs; both make .venv first if it is missing. See CONTRIBUTING.md.
#
# Stamps under .venv say what is installed, so a second run starts at once: .core is pathei with its own dependencies,
# .dev adds what the tests need. Paths are relative on purpose: the checkout may stand anywhere and have any name.

PYTHON ?= python3
BIN := .venv/bin
# -qq shows errors only: pip warns about every unused package location of the machine. An error still fails the make.
INSTALL := PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip install -qq -c constraints.txt
# The checkout is the package but need not be called `pathei`; through this link mypy finds it under its name.
LINK := .venv/checkout/pathei

# What the tests run, each with the Debian package that has it.
PROGRAMS := chromium:chromium chromium-headless-shell:chromium-headless-shell bwrap:bubblewrap java:default-jre-headless \
	node:nodejs npm:npm

.DEFAULT_GOAL := help
.PHONY: help demo test hubs test-compiled lint docs bench bench-report clean

help:
	@echo "make demo    see agents live in a household, learn from it into a memory and a model, and live better"
	@echo "make test    lint, then the unit and integration tests"
	@echo "make test-compiled   compile the household's engine and the search with mypyc, and test what was built"
	@echo "make lint    ruff (check, format) and mypy --strict"
	@echo "make docs    build the documentation's site into build/site, strictly"
	@echo "make bench   run every benchmark in benchmarks/"
	@echo "make bench-report   measure search, collecting, the store, Fisher information and EWC, and write the results as JSON"
	@echo "make hubs    make an interpreter with OpenEnv in .venv/hubs, whose client and server the tests run"
	@echo "make clean   remove .venv, caches and build products (never runs/)"

demo: .venv/.learn
	@$(BIN)/pathei demo

# pytest comes last: its closing line is the verdict. A group (the wheel test) stays on one worker.
test: lint hubs
	$(BIN)/python -m pytest -m "not gpu" -n 3 --dist loadgroup

# The installed wheel, with the tests next to it; a quarter of an hour on two cores, so it is no part of `make test`.
COMPILED := build/compiled
test-compiled: .venv/.dev
	rm -rf $(COMPILED)
	PATHEI_COMPILE=1 $(INSTALL) --no-deps --no-build-isolation --target $(COMPILED) .
	ln -s ../../../tests ../../../benchmarks $(COMPILED)/pathei/
	PYTHONPATH=$(COMPILED) $(BIN)/python -c "import pathei__mypyc"
	PYTHONPATH=$(COMPILED) $(BIN)/python -m pytest -n 2 tests/envs/virtualhome tests/collectors tests/envs/test_goal_space.py

lint: .venv/.dev $(LINK)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Material announces the end of mkdocs 1 at every start; constraints.txt pins what is used.
docs: .venv/.docs $(LINK)
	$(BIN)/python docs/tools/tables.py --check
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict
	@echo "Open build/site/index.html"

bench: .venv/.dev
	@set -e; for file in benchmarks/[a-z]*.py benchmarks/*/[a-z]*.py; do \
		echo "== $$file"; $(BIN)/python "$$file"; \
	done

# $(call record,SCRIPT AND OPTIONS,RESULT,TITLE): a script that fails in the middle writes no result. Each result names its
# command, the machine with its load, the commit and the versions.
record = mkdir -p build && $(BIN)/python benchmarks/$(1) >build/report.md && $(BIN)/python benchmarks/_record.py $(2) \
	--command 'python benchmarks/$(1)' --title '$(3)' <build/report.md
bench-report: .venv/.dev
	$(call record,collectors/mcts.py --parts 3 --markdown,collectors/search_stages,Search with and without the stage that grows best first (at most 1.8 s of processor time each))
	$(call record,collectors/mcts.py --parts 4 --markdown,collectors/search_planner,Generated tasks by the search and in PDDL by a planner of others)
	$(call record,collectors/collect.py --markdown,collectors/split,Collecting with two workers and the processor time of each part in one process)
	$(call record,store.py --markdown,store,Episodes of 30 steps appended one by one and each synced: the store with its sealing and others and the bare disk)
	$(call record,learners/fisher.py --markdown,learners/fisher,Cost of Fisher information of GPT-2 with 10 million weights)
	$(call record,learners/ewc.py --parts 1 --markdown,learners/ewc,Cost of the EWC penalty of GPT-2 with 10 million weights)
	$(BIN)/python docs/tools/tables.py

# OpenEnv needs mcp 1, and pathei mcp 2: the tests start its client and its server with this interpreter.
hubs: .venv/hubs/openenv/.installed
.venv/hubs/openenv/.installed: .venv/pyvenv.cfg
	@echo "Installing OpenEnv, whose client and server the tests run, into .venv/hubs (once) ..."
	@$(PYTHON) -m venv .venv/hubs/openenv
	@PIP_DISABLE_PIP_VERSION_CHECK=1 .venv/hubs/openenv/bin/python -m pip install -qq openenv==0.10.0
	@touch $@

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/pyvenv.cfg:
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || { \
		echo "pathei needs Python 3.11 or newer; name one with: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -m venv .venv

# The build backend comes first because the checkout is built without isolation, so its version is pinned too.
.venv/.core: .venv/pyvenv.cfg pyproject.toml constraints.txt
	@echo "Installing pathei and its dependencies into .venv (once) ..."
	@$(INSTALL) setuptools
	@$(INSTALL) --no-build-isolation -e .
	@touch $@

.venv/.learn: .venv/.core
	@echo "Installing what learning needs into .venv (once) ..."
	@$(INSTALL) --no-build-isolation -e ".[learn]"
	@touch $@

.venv/.dev: .venv/.core .venv/.system
	@echo "Installing what the tests need into .venv (once) ..."
	@for env in minecraft minedojo; do $(BIN)/pathei env install $$env >.venv/$$env.log 2>&1 || \
		echo "$$env is not installed (.venv/$$env.log): its tests are skipped." >&2; done & \
	$(INSTALL) --no-build-isolation -e ".[test]" && status=0 || status=1; \
	wait $$!; exit $$status
	@touch $@

.venv/.docs: .venv/.core
	@echo "Installing what the documentation needs into .venv (once) ..."
	@$(INSTALL) --no-build-isolation -e ".[docs]"
	@touch $@

# A browser, a sandbox and Java, each for the tests of one world; without the right to install them those are skipped.
.venv/.system: .venv/pyvenv.cfg
	@missing=""; for pair in $(PROGRAMS); do command -v $${pair%%:*} >/dev/null || missing="$$missing $${pair##*:}"; done; \
	if [ -z "$$missing" ]; then :; \
	elif ! command -v apt-get >/dev/null; then echo "Not installed, and there is no apt-get:$$missing" >&2; \
	else sudo=$$([ "$$(id -u)" = 0 ] || echo "sudo -n"); echo "Installing$$missing (once) ..."; \
		{ $$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -qq --no-install-recommends \
			$$missing; } >/dev/null || echo "Could not install$$missing: the tests that need them are skipped." >&2; fi
	@touch $@

$(LINK): | .venv/pyvenv.cfg
	@mkdir -p $(@D)
	@ln -sfn ../.. $@
