PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: help install chromium demo test proofs check clean

help:
	@echo "make demo      the main job, offline, against a small internet on this machine"
	@echo "make test      ruff, mypy and every test but the slow proofs"
	@echo "make proofs    what takes minutes: crawls killed at many moments, and finished by the same command"
	@echo "make chromium  Chromium, where there is none"
	@echo "make install   the virtual environment $(VENV) with all that is needed"
	@echo "make clean     remove what the others made"

$(INSTALLED): requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("imagecrawl needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -qq --disable-pip-version-check -r requirements-dev.txt
	@touch $@

install: $(INSTALLED)

chromium: $(INSTALLED)
	@.ci/install-chromium $(BIN)

demo: chromium
	@$(BIN)/python -m tests.replica.demo

check: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: check chromium
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

proofs: chromium
	$(BIN)/python -m pytest -m slow

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis demo
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
