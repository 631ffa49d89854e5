# Everything a person, a hook and CI need. Python 3.11 or newer and make are enough to start with.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: help setup demo test lint types unit format wheel clean

help:
	@echo "make demo    annotate assets/demo.mp4 into out/demo.mp4"
	@echo "make test    lint, types and tests"
	@echo "make format  format the code"
	@echo "make wheel   build the wheel into dist/"
	@echo "make clean   remove .venv and everything that was built"

# The stamp keeps a second run from installing again.
.venv/.installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one with make PYTHON=python3.12")'
	@echo "installing into .venv, 2 GB, with CUDA more: some minutes"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev,landmarks]'
	@touch $@

setup: .venv/.installed

demo: setup
	@mkdir -p out
	$(BIN)/realtime-mood --video assets/demo.mp4 --record out/demo.mp4
	@echo "The annotated video is out/demo.mp4"

test: lint types unit

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

# The trainer's tests wait for processes of one thread each; the others measure time and run alone.
unit: setup
	$(BIN)/pytest --ignore tests/trainer
	OMP_NUM_THREADS=1 $(BIN)/pytest tests/trainer --numprocesses auto --maxprocesses 4 --dist loadfile

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

wheel: setup
	$(BIN)/python -m build --wheel

clean:
	rm -rf .venv dist build out .mypy_cache .pytest_cache .ruff_cache
