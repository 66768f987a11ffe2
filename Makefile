# Every chore is one word.  `make` alone lists them.
.DEFAULT_GOAL := help
export PATH := $(PATH):/usr/sbin:/sbin

PYTHON_IN := .venv/bin/python
CACHES := .pytest_cache .mypy_cache .ruff_cache .hypothesis build

.PHONY: help run test soak check bench screenshots constraints clean

help: ## list these words
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 20

run: ## set up everything and run a pool of three hosts here, until Ctrl-C
	@tools/environment run
	@exec .venv/bin/pooltrust demo

SEVERAL_AT_ONCE := --numprocesses 3 --dist loadfile --no-loadscope-reorder
test: ## set up everything and run the tests
	@tools/environment test
	@tools/packages
	@$(PYTHON_IN) -m pytest -o faulthandler_timeout=120 $(SEVERAL_AT_ONCE)

MINUTES ?= 10
soak: ## the long tests: every death, every failing disk, and MINUTES=10 of mischief; 2.5 hours, results in build/soak.md
	@tools/environment test
	@tools/packages
	@POOLTRUST_SOAK=$(MINUTES) $(PYTHON_IN) -m pytest -s tests/operations/test_disks.py tests/killed tests/nemesis

check: ## style, types, floors, promises and documentation; prints a table of sizes
	@tools/environment test
	$(PYTHON_IN) -m ruff check .
	$(PYTHON_IN) -m ruff format --check .
	$(PYTHON_IN) -m mypy --strict src
	$(PYTHON_IN) -m pytest tests/test_floors.py tests/test_promises.py tests/test_docs.py
	@$(PYTHON_IN) tools/sizes.py

bench: ## compare with nginx and a bare loop, on this machine
	@tools/environment test
	@tools/packages
	@$(PYTHON_IN) -m bench

screenshots: ## take the pictures of the console's pages anew, into docs/screenshots
	@tools/environment test
	@tools/packages
	@PYTHONPATH=tests $(PYTHON_IN) -m console.screenshots

constraints: ## resolve all dependencies anew and pin them
	@tools/constraints

clean: ## remove .venv, the caches, and the pool that `make run` keeps in pool/
	@if [ -e pool ]; then \
		echo "Removing pool/ too: the demonstration's hosts with their keys, log and password."; \
	fi
	rm -rf .venv $(CACHES) pool
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@find . -name '*.egg-info' -type d -prune -exec rm -rf {} +
