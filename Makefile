# Everything a stranger needs: `make up` to see it, `make test` to believe it.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?=
ARGS ?=
BIN := .venv/bin
export PYTHON

.PHONY: help setup up test crash unknown letters storm bulk forms guesses hostile mutants check bench benchmarks karrio clean lock docs messages picture vendors notices

help: ## this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: ## fill .venv from the lock file
	@tools/setup.sh

up: setup ## run Bufa with a sample shop (ARGS="--port 9000 --data DIR")
	@exec $(BIN)/bufa up --demo $(ARGS)

test: setup ## all tests, a real browser included (ARGS="tests/domain -k fold")
	@BUFA_CHROMIUM="$$($(BIN)/python tools/browser.py)" && export BUFA_CHROMIUM && \
	exec $(BIN)/python -m pytest -n 2 --dist worksteal $(ARGS)

crash: setup ## SIGKILL at every write of all that is asked of the platform, by strace or our own points (ARGS=--resume)
	@exec $(BIN)/python -m tests.crash.whole $(ARGS)

unknown: setup ## 200 submissions whose answers are all lost, 100 workers that wake up after their lease
	@exec $(BIN)/python -m tests.proofs unknown $(ARGS)

letters: setup ## SIGKILL around every message to a carrier: asked, chased, sent by mail and by a group's robot
	@exec $(BIN)/python -m tests.proofs letters $(ARGS)

storm: setup ## 1,000 cases while 300 processes of every kind are killed (ARGS="--cases 50 --kills 20")
	@exec $(BIN)/python -m tests.storm.storm $(ARGS)

bulk: setup ## a sheet of 1,000 through two windows while web and worker are killed (ARGS="--cases 50 --kills 4")
	@exec $(BIN)/python -m tests.storm.bulk $(ARGS)

forms: setup ## 10,000 generated forms, judged by the simulator's rules and not by the gate's
	@exec $(BIN)/python -m tests.proofs forms $(ARGS)

guesses: setup ## 10,000 guessed addresses of customers' pages; none opens
	@BUFA_GUESSES=10000 exec $(BIN)/python -m pytest -q -p no:randomly tests/web/test_customer_page.py -k guessed

hostile: setup ## 100 hostile mails and 100 hostile posts, eight times over; what memory did
	@exec $(BIN)/python -m tests.proofs hostile $(ARGS)

notices: setup ## 1,000 customers told while senders die at any statement or request, and a promotion day of 20,000
	@exec $(BIN)/python -m tests.proofs notices $(ARGS)

mutants: setup ## break the promise of "once" in twenty-three ways, on a copy; each must turn a test red
	@exec $(BIN)/python tools/mutants.py $(ARGS)

check: setup ## lint, types, contracts, house rules; offline
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python tools/sizes.py
	$(BIN)/python tools/lock.py check
	$(BIN)/python tools/migrations.py
	$(BIN)/python tools/docs.py check
	$(BIN)/python tools/i18n.py check
	$(BIN)/djlint bufa --lint --quiet
	$(BIN)/lint-imports
	$(BIN)/mypy

bench: setup ## all benchmarks, or one, about ten minutes (`make bench reading`, ARGS="--scale 1" for full size)
	@exec $(BIN)/bufa bench $(or $(ONE_BENCH),all) --keep artefacts/bench $(ARGS)

karrio: setup ## install Karrio apart, so that `make bench ingest` measures it beside
	@exec $(BIN)/python tools/other_server.py setup

vendors: setup ## our signatures beside the vendors' own packages, 1,000 random requests (needs the package index)
	@exec $(BIN)/python tools/vendor_signing.py $(ARGS)

benchmarks: setup ## write docs/benchmarks.md from what `make bench` measured last
	@exec $(BIN)/python tools/benchmarks.py write

# Words after `bench` name the benchmark; they are no targets of their own.
ifeq (bench,$(firstword $(MAKECMDGOALS)))
ONE_BENCH := $(wordlist 2,2,$(MAKECMDGOALS))
$(eval $(ONE_BENCH):;@:)
endif

docs: setup ## write the generated documents
	$(BIN)/python tools/docs.py write

picture: setup ## take the README's picture anew from a running `make up` (ARGS="http://127.0.0.1:9000")
	@exec $(BIN)/python -m tools.picture $(ARGS)

messages: setup ## bring the message catalogue up to date with the code
	$(BIN)/python tools/i18n.py extract

lock: setup ## pin the dependencies afresh (needs the package index)
	$(BIN)/python tools/lock.py write $(ARGS)

clean: ## remove what can be made again (never the data folder)
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build bufa.egg-info artefacts
	find bufa simulator tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
	find locale -name '*.mo' -delete
