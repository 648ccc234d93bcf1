# ForgeSyte's developer interface; each target is one tool. `make` alone explains them.
PY := .venv/bin/python
# Where this is set, each of the hundreds of processes that the tests start would compile all it imports.
unexport PYTHONDONTWRITEBYTECODE
# Tests that run side by side: two per core of the machine they are planned for, since many wait for a process or a
# heartbeat.
WORKERS := 4
# The folders of all members, without a list: a new one is found here.
MEMBERS = $(shell $(PY) .ci/members all)
.DEFAULT_GOAL := help
.PHONY: help setup demo page up test page-tests page-types page-style page-units frame-truth screens long-result stability long-video random-faults storm counts disk-full floods generated-requests soak bench bench-against bench-wall lint types format clean

help: ## show what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install everything into .venv (the other targets do this by themselves)
	@.ci/setup

demo: setup ## run the main job end to end; VIDEO=path takes your own video
	@.venv/bin/forgesyte demo $(if $(VIDEO),--video "$(VIDEO)")

page: setup ## build the page of web-ui (fetches Node where there is none; does nothing when nothing changed)
	@.ci/web build

# A machine that can have neither Node nor its packages still has everything but the page.
up: setup ## start everything on this machine at http://127.0.0.1:8000 (ARGS="--port 9001" for more)
	@.ci/web build || echo "up: starting without a new page; everything else works" >&2
	@.venv/bin/forgesyte up $(ARGS)

# With ARGS, for the one who works on some tests, the page's are left out.
test: setup $(if $(ARGS),,page-tests) ## run all tests (at most ten minutes on two cores) and print the slowest files
	@$(PY) -m pytest -q -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "not long" $(ARGS)

page-tests: setup ## check the page's types and style and run its unit tests (about a minute)
	@.ci/web ready
	@$(MAKE) --no-print-directory --jobs 2 --output-sync page-types page-style page-units

page-types:
	@.ci/web run type-check
page-style:
	@.ci/web run lint
page-units:
	@.ci/web run test --run

frame-truth: setup ## compare each picture that the page draws with its box, over eight kinds of video (four minutes)
	@.ci/web build
	@FORGESYTE_TRUTH_FRAMES=$${FORGESYTE_TRUTH_FRAMES-240} $(PY) -m pytest -q -s -m long tests/ui/test_frame_truth.py $(ARGS)

screens: setup ## take the pictures of every page again, into docs/screens; VIDEO=path shows another video
	@.ci/web build
	@$(if $(VIDEO),FORGESYTE_VIDEO="$(abspath $(VIDEO))") .ci/web run test:e2e --config screens.config.ts

long-result: setup ## measure the page on 10 000 jobs and a result of 100 000 frames, alone on the machine (seven minutes)
	@CI=true FORGESYTE_LONG=1 FORGESYTE_STRICT=1 .ci/web-ui-tests long-result many-jobs

stability: setup ## print the whole matrix of plugin faults, also through the product (a quarter of an hour)
	@FORGESYTE_SOAK=1 $(PY) -m pytest -q --tb=short tests/stability $(ARGS)

long-video: setup ## analyse a video of 100 000 frames while it is watched (about five minutes)
	@FORGESYTE_SOAK=1 $(PY) -m pytest -q tests/contract/test_long_video.py $(ARGS)

random-faults: setup ## run eight minutes of random faults beside healthy jobs
	@FORGESYTE_FAULTS_S=$${FORGESYTE_FAULTS_S-480} $(PY) -m pytest -q --tb=short tests/stability/test_random_faults.py $(ARGS)

storm: setup ## kill and attack the running product for ten minutes beside healthy jobs (WALL=off: without the wall)
	@FORGESYTE_STORM_S=$${FORGESYTE_STORM_S-600} FORGESYTE_STORM_WALL=$(or $(WALL),on) $(PY) -m pytest -q --tb=short tests/stability/test_storm.py $(ARGS)

counts: setup ## end 80 jobs and kill 64 sandboxes at random moments: counts, and how soon the next attempt begins
	@FORGESYTE_SOAK=1 $(PY) -m pytest -q -s --tb=short tests/durability/test_counts.py $(ARGS)
	@FORGESYTE_SOAK=1 $(PY) -m pytest -q -s --tb=short -m long services/plugin-runner/tests/test_next_attempts.py $(ARGS)

disk-full: setup ## fill, close and delete what the product stores in, ten times each (as root, half an hour)
	@FORGESYTE_DISK_ROUNDS=$${FORGESYTE_DISK_ROUNDS-10} $(PY) -m pytest -q -s --tb=short tests/durability/test_disk_full.py $(ARGS)

floods: setup ## flood the running product in every way for 20 s each, with keys and without (a quarter of an hour)
	@FORGESYTE_FLOOD_S=$${FORGESYTE_FLOOD_S-20} $(PY) -m pytest -q --tb=short tests/floods $(ARGS)

generated-requests: setup ## send five minutes of generated requests to every route, and hold the answers against OpenAPI
	@FORGESYTE_REQUESTS_S=$${FORGESYTE_REQUESTS_S-300} $(PY) -m pytest -q -s tests/contract/test_generated_requests.py $(ARGS)

soak: stability long-video random-faults storm counts disk-full floods generated-requests ## do all long runs in full, one after the other (two hours)

bench: setup ## measure ForgeSyte beside its alternatives, into docs/benchmarks.md (some minutes)
	@.ci/setup bench
	@$(PY) -m benchmarks.analyze_latency
	@$(PY) -m benchmarks.warm_start
	@$(PY) -m benchmarks.realtime_fanout $(ARGS)

bench-against: setup ## compare the speed of this checkout with another one; OTHER=path names it
	@.ci/setup bench
	@$(PY) -m benchmarks.against_commit "$(or $(OTHER),$(error name the other checkout: make bench-against OTHER=path))"

bench-wall: setup ## measure what the wall costs, against itself without it; OTHER=path names a checkout from before it
	@.ci/setup bench
	@$(PY) -m benchmarks.wall $(OTHER) $(ARGS)

lint: setup types ## check style, types, layers, declared dependencies
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@$(PY) .ci/layers
	@for member in $(MEMBERS); do (cd $$member && $(CURDIR)/.venv/bin/deptry . --no-ansi) || exit 1; done

types: setup ## check types alone
	@.ci/types

format: setup ## rewrite files to the house format
	@.venv/bin/ruff format . && .venv/bin/ruff check --fix .

clean: ## remove what setup and the demo made
	@rm -rf .venv .uv .node demo-out web-ui/node_modules web-ui/dist web-ui/storybook-static \
		web-ui/test-results web-ui/playwright-report
