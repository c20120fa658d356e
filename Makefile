# Every target does its own set-up: a virtual environment in .venv from the hashed lock file,
# Maven's jars in the user's Maven and cache folders.  Nothing else on the machine is touched.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SHIM_JAR := java-shim/target/cassandra-k8s-seeds.jar

.PHONY: help tools
help: ## say what each target does
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 20

tools: ## check for Python 3.11, a JDK 17 and Maven
	@PYTHON="$(PYTHON)" ./tools/check-machine

$(READY): requirements/dev.lock pyproject.toml | tools
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "setting up $(VENV) from requirements/dev.lock"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.lock
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.PHONY: setup
setup: $(READY) shim ## install dependencies and build the shim

.PHONY: shim
shim: $(SHIM_JAR) ## build the seed provider jar
$(SHIM_JAR): java-shim/pom.xml $(shell find java-shim/src/main -type f 2>/dev/null) | tools
	@echo "building $@"
	@mvn -B -ntp -q -f java-shim/pom.xml -Dmaven.test.skip=true package
	@touch $@

.PHONY: format lint types imports check
format: $(READY) ## rewrite the Python files in the house format
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix-only -q .
lint: $(READY) ## ruff, rules and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
types: $(READY) ## mypy, strict
	@$(BIN)/mypy
imports: $(READY) ## who may import whom
	@$(BIN)/lint-imports

check: lint types imports test-unit ## what to run before a commit: lint, types, imports, unit tests

.PHONY: test test-unit test-oracle test-browser test-java test-wheel test-integration
test: tools $(READY) ## everything: checks, Java, wheel, a real Cassandra ring, a kind cluster
	@./tools/run-tests

test-unit: $(READY) ## unit tests, and the contract of the emulated API server
	@$(BIN)/pytest -q tests/unit tests/contract $(ARGS)
test-oracle: $(READY) ## ownership and health against Cassandra's own classes
	@$(BIN)/pytest -q tests/oracle $(ARGS)
test-browser: $(READY) ## the ring manager's web page in Chromium
	@$(BIN)/pytest -q tests/browser $(ARGS)
test-java: | tools ## the seed provider's tests, and that it fits every Cassandra version
	@mvn -B -ntp -q -f java-shim/pom.xml verify
test-wheel: $(READY) ## build the wheel, install it alone, start what is in it
	@./tools/check-wheel
test-integration: $(READY) shim ## real Cassandra, real sidecars, on loopback
	@$(BIN)/pytest tests/integration $(ARGS)

.PHONY: test-model model-check model-mutants
test-model: $(READY) ## a share of the model checker: orders of events, walks, guards turned off
	@$(BIN)/pytest -q tests/model $(ARGS)
model-check: $(READY) ## the seed protocol in every order of events within bounds (ARGS=--help)
	@$(BIN)/python -m tests.model check $(ARGS)
	@$(BIN)/python -m tests.model walk
model-mutants: $(READY) ## every guard of the seed protocol turned off in turn, with how it is noticed
	@$(BIN)/python -m tests.model mutants --stories $(ARGS)
	@$(BIN)/python -m tests.model held

.PHONY: image image-manager test-e2e
VERSION := $(shell sed -n 's/^__version__.*"\(.*\)"/\1/p' seedprovider/__init__.py)
IMAGE ?= cassandra-k8s-ring/sidecar:$(VERSION)
image: ## build the sidecar's image (IMAGE=name:tag)
	docker build -f images/Dockerfile --target sidecar --build-arg VERSION=$(VERSION) -t $(IMAGE) .
MANAGER_IMAGE ?= cassandra-k8s-ring/manager:$(VERSION)
image-manager: ## build the ring manager's image (MANAGER_IMAGE=name:tag)
	docker build -f images/Dockerfile --target manager --build-arg VERSION=$(VERSION) -t $(MANAGER_IMAGE) .
test-e2e: $(READY) ## the manifests on a real kind cluster (KEEP_CLUSTER=1, KIND_NODE_IMAGE=...)
	@$(BIN)/pytest tests/e2e -s --durations=0 --durations-min=2 $(ARGS)

.PHONY: demo picture screenshots bench-sidecar bench-ring bench-manager
demo: $(READY) shim ## three nodes find each other; one moves (ARGS=--once ends by itself)
	@$(BIN)/python -m localring demo $(ARGS)
picture: $(READY) shim ## docs/demo.svg anew, from a real run
	@$(BIN)/python -m localring demo --picture docs/demo.svg
screenshots: $(READY) shim ## docs/ring-page-*.png anew, of the web page over a real ring
	@$(BIN)/python tools/ring_screenshots.py
bench-sidecar: $(READY) shim ## what a sidecar costs and how fast it is
	@$(BIN)/python -m bench.sidecar --with-ring
bench-manager: $(READY) shim ## what a ring manager costs with a thousand nodes, and how soon it shows one that dies
	@$(BIN)/python -m bench.bench_manager --with-ring
bench-ring: $(READY) ## how fast ownership and health are, beside Cassandra and cassandra-driver
	@$(BIN)/python -m bench.bench_ring

.PHONY: lock
lock: ## renew the hashed lock files from pyproject.toml
	@$(BIN)/python -m pip install -q --disable-pip-version-check 'uv>=0.9'
	@for part in sidecar ring dev; do \
	  case $$part in sidecar) more=;; ring) more='--extra ring';; dev) more='--all-extras --group dev';; esac; \
	  $(BIN)/uv pip compile -q pyproject.toml $$more --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-emit-find-links --no-header --no-annotate -o requirements/$$part.lock; done
