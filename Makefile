# `make help` lists every verb.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := $(BIN)/python -m

.PHONY: help demo test check lint unit slow model distributed speed examples bench clean

help: ## list the verbs
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

demo: $(VENV)/demo ## install, and answer a handful of questions on the embedded model
	$(BIN)/python examples/on_this_machine.py

test: check slow model distributed examples ## all of what CI runs

check: lint unit ## the fast part: lint, types, unit tests

lint: $(VENV)/test ## ruff, pyright, and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

unit: $(VENV)/test ## the quick tests: no embedded model, no other servers, no other processes
	$(RUN) pytest tests tscale_graph -n 2 --dist worksteal \
		-m "not slow and not model and not distributed and not benchmark"

slow: $(VENV)/test ## tests that start other processes, train, replay benchmarks, or play many games and scenarios
	$(RUN) pytest tests -n 2 --dist worksteal -m slow

model: $(VENV)/test ## tests on the embedded model (its weights are fetched once, 93 MB)
	$(RUN) pytest tests -m model

distributed: $(VENV)/test ## tests on a real Temporal server
	$(RUN) pytest tests -m distributed

speed: $(VENV)/test ## ratios beside bare asyncio and langgraph, with their targets
	$(RUN) pytest tests -m benchmark

examples: $(VENV)/test ## every example runs
	$(BIN)/python examples/on_this_machine.py 2
	$(BIN)/python examples/your_own_technique.py
	$(BIN)/python examples/puzzle_in_steps.py
	$(BIN)/python examples/graph_with_a_router.py
	$(BIN)/python examples/coding_assistant.py

bench: $(VENV)/test ## ratios: speed beside bare asyncio, and what more compute buys
	$(RUN) tests.benchmarks.speed
	$(RUN) tests.benchmarks.selections
	$(RUN) tests.benchmarks.stopping --replays 200
	$(RUN) tests.benchmarks.frontier --replays 200
	$(RUN) tests.benchmarks.ratio
	$(RUN) tests.benchmarks.cascading
	$(RUN) tests.benchmarks.tuning
	$(RUN) tests.benchmarks.mixture
	$(RUN) tests.benchmarks.batching
	$(RUN) tests.benchmarks.picture
	$(RUN) tests.benchmarks.sleeping --keep
	$(RUN) tests.benchmarks.tree_search
	$(RUN) tests.benchmarks.search_loop
	$(RUN) tests.benchmarks.seams
	$(RUN) tests.benchmarks.searching --keep
	$(RUN) tests.benchmarks.thinking
	$(RUN) tests.benchmarks.real_model --keep

clean: ## remove the virtual environment
	rm -rf $(VENV)

$(VENV)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "tscale-graph needs Python 3.11 or newer: make PYTHON=python3.12 …"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(RUN) pip install --quiet --upgrade "pip>=25.1"
	@touch $@

$(VENV)/demo: $(VENV)/pip pyproject.toml
	$(RUN) pip install --quiet --editable ".[local]"
	@touch $@

$(VENV)/test: $(VENV)/pip pyproject.toml
	$(RUN) pip install --quiet --editable ".[local,math,code,schema,search,tune,prm,sqlite,postgres]" --group test --group lint
	@touch $@ $(VENV)/demo
