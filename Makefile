# make setup   makes .venv, installs pochoir and fetches the weights
# make demo    set-up, then the main job on a sample photo; prints where the pictures are
# make studio  set-up, then the page in the browser
# make report  set-up, then the student report again, into docs/report (two hours; repeat it to resume;
#              make report ARGS=--quick takes ten minutes)
# make test    set-up, then all tests
# make docs    builds the documentation site into build/site; every warning is an error
# make package builds wheel and sdist from a clean copy of the last commit, installs the wheel and checks both
# make check   everything a change has to pass: lint, format, types, import layers, spelling, tests
# make clean   removes .venv, caches and the demo's pictures
#
# Nothing is installed again while pyproject.toml and constraints.txt stay the same, and nothing is fetched again
# while the weights are in the cache, so a second run needs no network. PYTHON=python3.12 picks another Python, and
# TORCH_INDEX=https://download.pytorch.org/whl/cpu the CPU build of torch, which is small.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TORCH = $(shell grep '^torch==' constraints.txt)
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable

.PHONY: help setup demo studio report docs package test check clean weights weights-metrics
.DELETE_ON_ERROR:

help:
	@sed -n 's/^# make/make/p' Makefile

setup: weights

demo: weights
	$(BIN)/pochoir demo

report: weights weights-metrics
	$(BIN)/pochoir models pull photos
	$(BIN)/pochoir lab report --out docs/report $(ARGS)

test: $(VENV)/installed-test weights weights-metrics
	$(BIN)/python -m pytest -n auto --dist loadgroup

check: $(VENV)/installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/codespell
	$(MAKE) test

docs: $(VENV)/installed-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

package: $(VENV)/installed-package
	rm -rf build/package
	mkdir -p build/package/source
	git archive HEAD | tar -x -C build/package/source
	$(BIN)/python -m build --no-isolation --outdir build/package/dist build/package/source >build/package/log
	$(BIN)/python tests/support/check_package.py build/package/dist build/package/venv

weights: $(VENV)/installed
	$(BIN)/pochoir models pull

weights-metrics: $(VENV)/installed
	$(BIN)/pochoir models pull vgg16 alexnet dists pose realesr-animevideov3

clean:
	rm -rf $(VENV) build dist pochoir-demo pochoir-report .*_cache .hypothesis

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing pochoir; PyTorch is large, this can take some minutes."
	$(if $(TORCH_INDEX),$(BIN)/python -m pip install --quiet --index-url $(TORCH_INDEX) $(TORCH))
	$(INSTALL) .
	@touch $@

$(VENV)/installed-test: $(VENV)/installed
	$(INSTALL) ".[test]"
	@touch $@

$(VENV)/installed-docs: $(VENV)/installed
	$(INSTALL) ".[docs]"
	@touch $@

$(VENV)/installed-package: $(VENV)/installed
	$(INSTALL) ".[package]"
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed-test
	$(INSTALL) ".[test,dev]"
	@touch $@
