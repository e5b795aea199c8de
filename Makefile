# make demo   train on text that every machine has and ask the vectors
# make test   check types and style, run the tests
# make test-cluster   run the tests that start a cluster of Ray, in a process of their own
# make bench  print firth beside its peers
# make docs   build the site of the documentation, and check it
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
CORE := $(wildcard src/core/* src/core/kernels/*) CMakeLists.txt pyproject.toml constraints.txt

.PHONY: demo test test-cluster lint bench docs clean

demo: $(VENV)/firth
	$(BIN)/firth demo

test: $(VENV)/firth-test lint
	$(BIN)/python -m pytest --cov --cov-report=term

test-cluster: $(VENV)/firth-test
	@$(PIP) --editable '.[cluster]'
	FIRTH_TEST_CLUSTER=1 $(BIN)/python -m pytest tests/test_cluster.py tests/test_cluster_counted.py \
		tests/test_cluster_split.py tests/test_cluster_network.py

lint: $(VENV)/firth-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/firth-bench
	$(BIN)/python benchmarks/encode.py
	$(BIN)/python benchmarks/phrases.py
	$(BIN)/python benchmarks/train_word2vec.py
	$(BIN)/python benchmarks/train_word2vec.py --model cbow
	$(BIN)/python benchmarks/train_glove.py
	$(BIN)/python benchmarks/memory.py
	$(BIN)/python benchmarks/open_and_ask.py
	$(BIN)/python benchmarks/ask.py
	$(BIN)/python benchmarks/load.py

docs: $(VENV)/firth-docs
	$(BIN)/python docs/site/build_site.py

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/firth: $(BIN)/python $(CORE)
	@echo "building and installing firth into $(VENV) ..."
	@$(PIP) --editable .
	@touch $@

$(VENV)/firth-test: $(BIN)/python $(CORE)
	@echo "building and installing firth, with what its tests need, into $(VENV) ..."
	@$(PIP) --editable '.[test]'
	@touch $@ $(VENV)/firth

$(VENV)/firth-bench: $(VENV)/firth
	@$(PIP) --editable '.[benchmark]'
	@touch $@

$(VENV)/firth-docs: $(VENV)/firth
	@$(PIP) --editable '.[docs]'
	@touch $@

clean:
	rm -rf $(VENV) build dist .coverage .mypy_cache .pytest_cache .ruff_cache
