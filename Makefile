# Everything runs in .venv; the first command that needs it sets it up.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export OMP_WAIT_POLICY := passive
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test lint bench docs clean

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[all]"
	touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[test]"
	touch $@

demo: $(VENV)/.installed  ## the main job on scikit-learn's digits, about five minutes
	$(BIN)/lissnas run

test: $(VENV)/.installed-test  ## all tests, in parallel
	$(BIN)/python -m pytest -n 2 $(TESTS)

lint: $(VENV)/.installed-test  ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.installed-test  ## speed, each result beside what it is compared with; writes docs/performance.md
	$(BIN)/python bench/run.py

docs: $(VENV)/.installed-test  ## the pages that are made from the code
	$(BIN)/python docs/build.py

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
