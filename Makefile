# ForgeSyte's developer interface; each target is one tool. `make` alone explains them.
PY := .venv/bin/python
# Tests that run side by side: each starts real processes, so no more than there are cores.
WORKERS := 2
.DEFAULT_GOAL := help
.PHONY: help setup demo up test stability bench lint format clean

help: ## show what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install everything into .venv (the other targets do this by themselves)
	@.ci/setup

demo: setup ## run the main job end to end; VIDEO=path takes your own video
	@.venv/bin/forgesyte demo $(if $(VIDEO),--video "$(VIDEO)")

up: setup ## start everything on this machine at http://127.0.0.1:8000 (ARGS="--port 9001" for more)
	@.venv/bin/forgesyte up $(ARGS)

test: setup ## run the tests (a few minutes; the long ones belong to .ci/run)
	@$(PY) -m pytest -q -n $(WORKERS) --dist loadfile -m "not long" $(ARGS)

stability: setup ## the matrix of plugin faults, short and long, as a table (about a quarter of an hour)
	@$(PY) -m pytest -q --tb=short tests/stability $(ARGS)

bench: setup ## measure beside what one would pick instead, into docs/benchmarks.md (some minutes)
	@$(PY) -m benchmarks.analyze_latency
	@$(PY) -m benchmarks.warm_start
	@$(PY) -m benchmarks.realtime_fanout $(ARGS)

lint: setup ## check style, types, layers, declared dependencies
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy $$(ls -d services/*/forgesyte_* plugins/*/forgesyte_*) benchmarks tests/support
	@$(PY) .ci/layers
	@for member in services/* plugins/*; do (cd $$member && $(CURDIR)/.venv/bin/deptry . --no-ansi) || exit 1; done

format: setup ## rewrite files to the house format
	@.venv/bin/ruff format . && .venv/bin/ruff check --fix .

clean: ## remove what setup and the demo made
	@rm -rf .venv .uv demo-out
