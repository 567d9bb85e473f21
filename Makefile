# The project's verbs. `make run` and `make test` are all a newcomer needs.
# PYTHON: the Python (3.11 or newer) that the environment is made from. ARGS: more arguments for pytest.

PYTHON ?= python3
ARGS ?=
BUILD = $(PYTHON) -m core.jobs.environments build .venv --lock requirements.lock
LOCK = .venv/bin/python -m core.jobs.environments lock
RUN = .venv/bin/python -m
TWINS = README.md README.zh-CN.md

.DEFAULT_GOAL := help
.PHONY: help run environment dev test lint format docs catalogs check toolchains lock

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 14

run: environment ## Start the app on 127.0.0.1:8501 and its worker
	@exec $(RUN) core run

environment: ## Build or update the app's environment in .venv
	@$(BUILD)

dev: ## The same with the developers' tools
	@$(BUILD) --lock requirements-dev.lock

test: dev ## Run every test that this machine can run
	$(RUN) pytest $(ARGS)

lint: dev ## Style, types, layers, documents and catalogs
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	.venv/bin/lint-imports
	$(RUN) cogapp --check -I . $(TWINS)
	$(RUN) pages.ui.catalog --check

format: dev ## Bring the code into shape
	$(RUN) ruff check --fix .
	$(RUN) ruff format .

docs: dev ## Write the generated parts of the READMEs
	$(RUN) cogapp -r -I . $(TWINS)

catalogs: dev ## Collect the messages to translate
	$(RUN) pages.ui.catalog

check: lint test ## All that CI checks

toolchains: environment ## Build the tools' environments ahead of their first use
	$(RUN) core toolchains

lock: dev ## Pin the dependencies anew after changing a requirements file
	$(LOCK) requirements.txt requirements.lock
	$(LOCK) requirements-dev.txt requirements-dev.lock --constraint requirements.lock
	$(LOCK) configs/toolchains/xtuner.txt configs/toolchains/xtuner.lock
	$(LOCK) configs/toolchains/opencompass.txt configs/toolchains/opencompass.lock
