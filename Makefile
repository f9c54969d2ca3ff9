# Everything a contributor or a first-time user runs. Needs Python 3.11+, Node 20+ with npm, make and git; nothing else.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.synced
LOCK   := requirements.lock
LAMBDAS := lambdas/agentcore_lambdas
TESTS  ?= tests
# Two workers, with a local cloud each; more only helps where there are more cores. A file stays in one of them: what it
# deploys for all of its tests is deployed once. (Groups of pytest-xdist 3.8 do nothing with pytest 9.2.)
WORKERS ?= 2

# jsii prints a thirteen-line banner on a Node release past its end of life; one line in the README says which Node to use.
# (jsii wants the major version as the value)
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 20
# Where it is set, each of the hundreds of processes of the tests compiles the CDK's modules anew (3.6 s of CPU, not 0.9).
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo test check format bench docs lock clean

help: ## Show the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: $(STAMP) node_modules/.package-lock.json ## Make .venv from the lock and install the pinned CDK CLI

$(STAMP): $(LOCK) pyproject.toml
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=/path/to/python3.11")'
	"$(PYTHON)" -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep -oE '^uv==[0-9.]+' $(LOCK))"
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes $(LOCK)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

node_modules/.package-lock.json: package.json package-lock.json
	npm ci --silent --no-audit --no-fund
	@touch $@

demo: setup ## Deploy the three reference agents to the local cloud with the real CDK CLI and talk to them
	$(BIN)/python examples/demo.py

test: check ## Run every check and every test (what CI runs)
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(TESTS)

check: setup ## Verify format, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: setup ## Rewrite the code in the project's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup ## Measure against hand-written L1 code and the bare agent loop; writes docs/benchmarks.md
	$(BIN)/python benchmarks/run.py

docs: setup ## Regenerate the generated pages of docs/
	$(BIN)/python docs/generate.py

lock: ## Re-resolve requirements.lock (overrides.txt lifts the botocore that ministack pins)
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
	  --override overrides.txt --all-extras --group dev pyproject.toml --output-file $(LOCK)
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --no-annotate --python-version 3.14 \
	  --override overrides.txt --constraint $(LOCK) $(LAMBDAS)/requirements.in --output-file $(LAMBDAS)/requirements.txt

clean: ## Remove everything that can be rebuilt
	rm -rf $(VENV) node_modules cdk.out build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .agentcore
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
