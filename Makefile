# `make up`: a working mutual-TLS load balancer, on this machine by default.
# `make up STACK=dev`: the same in an Alibaba Cloud account.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.ONESHELL:

STACK ?= local
ARGS ?=
# For this command alone: a command that it runs may be another `make`, with options of its own.
unexport ARGS
# Where it is set, as images for containers do, each process compiles the project's modules anew, and
# each worker of the tests rewrites all assertions: half of what the start of a test run takes.
unexport PYTHONDONTWRITEBYTECODE
DIR ?= out
DAYS ?= 30
REASON ?= keyCompromise
STEP ?=
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
POLICY := policy/.venv/runtime
PINNED := requirements requirements-dev requirements-docs policy/requirements
FUZZ_ROUNDS ?= 3000
BUDGET ?= 7200
# pytest-xdist: tests of a file share what they set up, and may run in order, so that a file stays
# with one worker.
SIDE_BY_SIDE := --dist loadfile --no-loadscope-reorder -n
GOVULNCHECK := v1.9.0

.PHONY: help up preview review import refresh down verify probe client inventory expiry revoke rotate crl report outputs env toolchain newer \
	test test-unit test-engine test-long conformance coverage docs lint format lock audit sbom bench bench-cold clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

up: $(VENV)/runtime $(POLICY) ## Bring the stack up and verify it (STACK=local)
	@$(RUN) -m operations up --stack $(STACK) -- $(ARGS)

preview: $(VENV)/runtime $(POLICY) ## Show what `make up` would do
	@$(RUN) -m operations preview --stack $(STACK) -- $(ARGS)

review: $(VENV)/runtime $(POLICY) ## Print what `make up` would do as Markdown (ARGS=--publish)
	@$(RUN) -m operations review --stack $(STACK) $(ARGS)

refresh: $(VENV)/runtime ## Compare the state with the cloud
	@$(RUN) -m operations refresh --stack $(STACK) -- $(ARGS)

down: $(VENV)/runtime ## Remove everything the stack made
	@$(RUN) -m operations down --stack $(STACK) -- $(ARGS)

verify: $(VENV)/runtime ## Try the service from outside (ARGS=--json)
	@$(RUN) -m operations verify --stack $(STACK) $(ARGS)

probe: $(VENV)/runtime ## Ask the listener what documentation leaves open (ARGS=--json)
	@$(RUN) -m operations probe --stack $(STACK) $(ARGS)

client: $(VENV)/runtime ## Write a client's bundle (NAME=browser DIR=out)
	@test -n "$(NAME)" || { echo "error: say which client: make client NAME=browser" >&2; exit 1; }
	exec $(RUN) -m operations client "$(NAME)" --dir "$(DIR)" --stack $(STACK)

inventory: $(VENV)/runtime ## List every certificate and its state (ARGS="--state due")
	@$(RUN) -m operations inventory --stack $(STACK) $(ARGS)

expiry: $(VENV)/runtime ## List what is due within DAYS; status 1 if anything is
	@$(RUN) -m operations expiry --days $(DAYS) --stack $(STACK) $(ARGS)

revoke: $(VENV)/runtime $(POLICY) ## Cut a client off (NAME=partner REASON=keyCompromise)
	@test -n "$(NAME)" || { echo "error: say which client: make revoke NAME=partner" >&2; exit 1; }
	exec $(RUN) -m operations revoke "$(NAME)" --reason "$(REASON)" --stack $(STACK) $(ARGS)

rotate: $(VENV)/runtime $(POLICY) ## Give the CA another key (STEP=prepare, complete or abort)
	@test -n "$(STEP)" || { echo "error: say which step: make rotate STEP=prepare" >&2; exit 1; }
	exec $(RUN) -m operations rotate "$(STEP)" --stack $(STACK) $(ARGS)

crl: $(VENV)/runtime ## Write the CA's revocation list, PEM and DER (DIR=out)
	@$(RUN) -m operations crl --dir "$(DIR)" --stack $(STACK)

report: $(VENV)/runtime ## Write a page for auditors (ARGS="--lang zh --verification FILE")
	@$(RUN) -m operations report --stack $(STACK) $(ARGS)

import: $(VENV)/runtime $(POLICY) ## Bring a load balancer made by hand under the stack (LB=lb-…)
	@test -n "$(LB)" || { echo "error: say which load balancer: make import LB=lb-… STACK=dev" >&2; exit 1; }
	exec $(RUN) -m operations import "$(LB)" --stack $(STACK) $(ARGS)

outputs: $(VENV)/runtime ## Print the stack's outputs as JSON, without secrets
	@$(RUN) -m operations outputs --stack $(STACK)

env: $(VENV)/runtime $(POLICY) ## Print shell exports for running `pulumi` by hand
	@$(RUN) -m operations env --stack $(STACK)

toolchain: $(VENV)/runtime ## Find, download or build the Pulumi CLI and its plugins
	@$(RUN) -m toolchain

# The toolchain first and by itself: where it must be built, its progress shows.
test: $(VENV)/development $(VENV)/documentation $(POLICY) ## Run all tests
	@$(RUN) -m toolchain >/dev/null
	$(RUN) -m pytest $(SIDE_BY_SIDE) auto $(ARGS)

test-unit: $(VENV)/development ## Run the tests of functions and Pulumi mocks
	@$(RUN) -m pytest $(SIDE_BY_SIDE) logical tests/unit $(ARGS)

test-engine: $(VENV)/development $(POLICY) ## Run the tests with the real engine and provider
	@$(RUN) -m toolchain >/dev/null
	$(RUN) -m pytest $(SIDE_BY_SIDE) auto tests/engine $(ARGS)

test-long: $(VENV)/development $(VENV)/documentation $(POLICY) ## Run the long tests, and ten times as many hostile cases
	@$(RUN) -m toolchain >/dev/null
	$(RUN) -m pytest $(SIDE_BY_SIDE) auto --long --budget=$(BUDGET) $(ARGS)
	FUZZ_ROUNDS=$(FUZZ_ROUNDS) $(RUN) -m pytest $(SIDE_BY_SIDE) auto tests/fuzz --budget=$$(( $(BUDGET) - SECONDS )) $(ARGS)

conformance: $(VENV)/development ## Run the provider's own acceptance tests on the local cloud (ARGS="NAME …")
	@$(RUN) -m acceptance $(ARGS)

# By pytest-cov.
coverage: $(VENV)/development ## Measure lines and branches that unit and integration tests reach, by file
	@$(RUN) -m pytest $(SIDE_BY_SIDE) auto tests/unit tests/integration --cov --cov-branch --cov-report=term:skip-covered $(ARGS)

docs: $(VENV)/development $(VENV)/documentation ## Build the site of the documentation, with search, into site/
	@$(RUN) -m documentation
	$(RUN) -m documentation.site site
	echo "To read it: $(VENV)/bin/python -m http.server --bind 127.0.0.1 --directory site" >&2

lint: $(VENV)/development ## Check format, style, types and CI's workflows
	@$(VENV)/bin/ruff format --check
	$(VENV)/bin/ruff check
	$(VENV)/bin/mypy
	$(VENV)/bin/zizmor --offline --quiet --strict-collection .github
	$(VENV)/bin/check-jsonschema --builtin-schema vendor.gitlab-ci --data-transform gitlab-ci .gitlab-ci.yml
	$(VENV)/bin/check-jsonschema --builtin-schema vendor.renovate renovate.json

format: $(VENV)/development ## Format the code
	@$(VENV)/bin/ruff format
	$(VENV)/bin/ruff check --fix

audit: $(VENV)/development ## Look the dependencies up in the databases of vulnerabilities (network)
	@status=0
	for name in $(PINNED); do
	  echo "== $$name.txt" >&2
	  $(VENV)/bin/pip-audit --strict --disable-pip --require-hashes -r "$$name.txt" || status=1
	done
	scan() {
	  echo "== $$1" >&2
	  go run golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK) -C "$$@" || status=1
	}
	scan tests/hostile/peer ./...
	scan tests/conformance/judge ./...
	scan tests/conformance/clients/go ./...
	scan docs/clients/go ./...
	scan toolchain/cut ./...
	scan toolchain/modules ./language-hosts/...
	scan toolchain/modules -scan package github.com/pulumi/pulumi/pkg/v3/cmd/pulumi ./alicloud-provider
	exit $$status

newer: $(VENV)/development ## Try the newest engine and provider on the local cloud (network)
	@$(RUN) -m toolchain.newer $(ARGS)

sbom: $(VENV)/development ## Write a bill of materials (CycloneDX) for each file of pinned packages
	@for name in $(PINNED); do
	  $(VENV)/bin/cyclonedx-py requirements --output-reproducible --sv 1.6 --of JSON "$$name.txt" -o "$$name.cdx.json"
	  echo "$$name.cdx.json"
	done

bench: $(VENV)/development $(POLICY) ## Measure what the pages quote, and compare (ARGS="1 10": clients)
	@$(RUN) -m benchmarks $(ARGS) | tee docs/figures.new
	mv docs/figures.new docs/figures.md
	$(RUN) -m benchmarks.charts
	$(RUN) -m benchmarks.quoted

bench-cold: $(VENV)/runtime ## Measure a first `make up` from empty caches (ARGS="--modules --whole")
	@$(RUN) -m benchmarks.cold $(ARGS)

lock: $(VENV)/development ## Compile requirements*.in into pinned files with hashes
	@for name in $(PINNED); do
	  $(VENV)/bin/uv pip compile --quiet --upgrade --universal --python-version=3.11 \
	    --generate-hashes "$$name.in" --output-file="$$name.txt"
	done

# It may have been interrupted before, and then there is no Python left that knows the cloud. The
# stamps go first: what is left of an environment must not pass for a whole one.
clean: ## Stop the local cloud and remove what this folder's commands made
	@cloud="$$(pwd -P)/.local/cloud"
	if [ ! -d "$$cloud" ]; then
	  :
	elif $(RUN) -c 'import localcloud.__main__' 2>/dev/null; then
	  $(RUN) -m localcloud stop --home "$$cloud"
	else
	  pid=$$(sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' "$$cloud/running.json" 2>/dev/null || true)
	  if [ -n "$$pid" ] && ps -ww -o args= -p "$$pid" | grep -F -- "localcloud serve --home $$cloud" >/dev/null; then
	    kill "$$pid"
	    while kill -0 "$$pid" 2>/dev/null; do sleep 0.1; done
	    echo "Stopped." >&2
	  fi
	fi
	rm -f $(VENV)/runtime $(VENV)/development $(VENV)/documentation $(POLICY)
	rm -rf $(VENV) policy/.venv .local out site .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps come last, so that an interrupted installation is done again. The files list every
# package, so pip resolves nothing: up to 23.2 it takes the newest where extras ask for one that is
# pinned, and then finds no hash for it.
$(VENV)/runtime: requirements.txt
	@command -v $(PYTHON) >/dev/null || { echo "error: $(PYTHON) is not on PATH: install Python 3.11 or newer, or say which: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: $(PYTHON) is $$($(PYTHON) -V 2>&1): Python 3.11 or newer is needed; say which: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	echo "Installing Python packages into $(VENV)" >&2
	$(PYTHON) -m venv $$([ -e $@ ] || echo --clear) $(VENV)
	$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.txt
	touch $@

# An environment of its own: policy/requirements.in says why.
$(POLICY): policy/requirements.txt $(VENV)/runtime
	@echo "Installing the policy pack's packages into policy/.venv" >&2
	$(RUN) -m venv $$([ -e $@ ] || echo --clear) policy/.venv
	policy/.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r policy/requirements.txt
	touch $@

$(VENV)/development: requirements-dev.txt $(VENV)/runtime
	@echo "Installing development packages into $(VENV)" >&2
	$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-dev.txt
	touch $@

$(VENV)/documentation: requirements-docs.txt $(VENV)/development
	@echo "Installing the documentation's packages into $(VENV)" >&2
	$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-docs.txt
	touch $@
