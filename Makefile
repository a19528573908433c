# Needs Python 3.11 or newer, make, and the package registries; the rest is fetched or built.

# pytest's workers.
WORKERS ?= 2
# Points at which `make faults` kills, for each scenario on each cloud.
POINTS ?= 20
# Changes that `make soak` makes in Keeper, and in how many seconds.
CHANGES ?= 200
SECONDS ?= 600

export PATH := $(CURDIR)/.venv/bin:$(PATH)
# The user's own environments stay as they are, and have no say in this one.
export UV_PROJECT_ENVIRONMENT := .venv
# Trust what the machine trusts: companies add their own authorities there.
export UV_SYSTEM_CERTS := 1
unexport VIRTUAL_ENV PYTHONHOME PYTHONPATH

.PHONY: help demo test faults soak bench env engine lowest docs reference lint format clean

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*  ## /\1	/p' Makefile

demo: engine  ## a local vault, local clouds, and a real pulumi preview and up
	@exec .venv/bin/uss sandbox demo

test: engine lowest  ## lint, types and the whole test suite (WORKERS=2)
	$(check)
	.venv/bin/pytest -n $(WORKERS)

faults: engine  ## kills and cuts at 20 points of each scenario on each cloud (about an hour; POINTS=20)
	USS_FAULT_POINTS=$(POINTS) .venv/bin/pytest -n $(WORKERS) tests/faults

soak: engine  ## uss watch over 200 changes in Keeper, with faults (ten minutes; CHANGES=200, SECONDS=600)
	USS_SOAK_CHANGES=$(CHANGES) USS_SOAK_SECONDS=$(SECONDS) .venv/bin/pytest --log-cli-level=INFO tests/faults/test_soak.py

bench: engine  ## figures against other programs (about two hours; SCENES="previews delayed" for some)
	.venv/bin/python -m bench $(SCENES)

docs: env  ## the documentation as a site, in site/
	NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build

reference: env  ## the generated pages: docs/reference.md and stacks/schema.json
	.venv/bin/uss schema --markdown > docs/reference.md
	.venv/bin/uss schema > stacks/schema.json

lint: env  ## lint, format, types and the floors of imports, changing nothing
	$(check)

format: env  ## mend what the linter can, and format
	.venv/bin/ruff check --fix
	.venv/bin/ruff format

env: .venv/.synced  ## the Python environment in .venv

engine: env  ## the Pulumi engine: from PATH, the cache, or built once (five minutes)
	@.venv/bin/python -m uss.sandbox.engine

lowest: env  ## the lowest release of Pulumi that works, for the tests: from the cache, or built once
	@.venv/bin/python -m uss.sandbox.engine --lowest

clean:  ## delete what these targets made in this folder; the engine's cache stays
	rm -rf .venv .tools stacks/Pulumi.demo.yaml .mypy_cache .pytest_cache .ruff_cache .hypothesis .sandbox site
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

define check
.venv/bin/ruff check
.venv/bin/ruff format --check
.venv/bin/mypy
.venv/bin/lint-imports --no-cache
endef

.venv/.synced: pyproject.toml uv.lock
	@echo "Setting up the Python environment in .venv ..."
	@.ci/uv sync --quiet --frozen --all-extras
	@touch $@
