# Every target sets itself up: a private .venv with exact versions, made once (see .ci/venv).
#   make PYTHON=python3.12      choose the Python, 3.10 to 3.13
#   make TORCH_INDEX=URL        take torch from this package index (CPU builds: see CONTRIBUTING.md)
#   make test WORKERS=8         tests at a time in each of two runs
#   make test TESTS=Testing/engine/test_scan.py
SHELL := /bin/sh
.DEFAULT_GOAL := help

PYTHON ?=
TORCH_INDEX ?=
WORKERS ?= 2
TESTS ?=
BIN := .venv/bin
VENV := .venv/.complete

# One thread a process: the tests run side by side, and more threads than cores only slow each other down.
# Panels are tested without a screen. The tests of one file stay together, for they share an engine.
# Many processes start: bytecode is kept, whatever the machine's own setting.
TEST_SETTINGS := PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS=1 QT_QPA_PLATFORM=offscreen

# Three runs: what a crash in Slicer's libraries takes with it are not the engine's tests, and a browser needs room.
# Two of them go side by side: tests wait for processes, for a browser and for the last test of a file.
PYTEST = $(TEST_SETTINGS) $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

PACK = $(BIN)/pseudonormal models pack runs/brain runs/lesion runs/restore runs/brain-mr --version 3 \
	--card Training/cases/brain-mr.md --licence LICENSE \
	--data "label maps (Apache-2.0), ms_open and ms_longitudinal (CC BY), TCGA-LGG (CC BY 3.0), voxelmorph sample (Apache-2.0), chronic stroke scans (MIT, BSD-2), PyRadiomics sample (BSD-3)"

.PHONY: help demo test test-chosen test-engine test-slicer bench model lint types contracts format clean

help: ## List the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST)

demo: $(VENV) ## A simulated lesion in a real brain, through the shipped model, into demo/
	$(BIN)/pseudonormal demo -o demo
	@echo "the same in a browser, with a scan of yours: $(BIN)/pseudonormal web"

test: $(VENV) ## Everything that must hold: style, imports, types, behaviour
	@$(MAKE) --no-print-directory --jobs=2 types contracts lint
	@$(MAKE) --no-print-directory --jobs=2 --keep-going $(if $(TESTS),test-chosen,test-engine test-slicer)

test-chosen: $(VENV)
	$(if $(findstring browser,$(TESTS)),.ci/browser)
	$(PYTEST) $(TESTS)

test-engine: $(VENV)
	$(PYTEST) Testing/engine Testing/bench

test-slicer: $(VENV)
	.ci/browser
	$(PYTEST) Testing/scene Testing/panels
	$(PYTEST) Testing/browser

bench: $(VENV) ## Time and memory of generate, as a table
	$(BIN)/pseudonormal bench

model: $(VENV) ## Train the shipped model again: make model DATA=folder (docs/training-data.md says what belongs in it)
	@test -n "$(DATA)" || { echo "name the folder of the training data: make model DATA=folder" >&2; exit 2; }
	cp -r Training/cases/*.csv Training/cases/doubtful Training/cases/drawn '$(DATA)'
	$(BIN)/pseudonormal train brain '$(DATA)/brain-mr.csv' -o runs/brain
	$(BIN)/pseudonormal train lesion '$(DATA)/brain-mr.csv' -o runs/lesion --brain runs/brain
	$(BIN)/pseudonormal train restore '$(DATA)/brain-mr.csv' -o runs/restore --brain runs/brain
	$(PACK)
	$(BIN)/pseudonormal models calibrate runs/brain-mr '$(DATA)/evaluation.csv' -o runs/calibration.json
	$(PACK) --calibration runs/calibration.json

lint: $(VENV) ## Style
	$(BIN)/ruff check
	$(BIN)/ruff format --check

contracts: $(VENV) ## Who may import what
	PYTHONPATH=SlicerPseudoNormal/PseudoNormal:SlicerPseudoNormal/Web $(BIN)/lint-imports

types: $(VENV) ## Type annotations
	$(BIN)/mypy

format: $(VENV) ## Put the style right where that can be done without thinking
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean: ## Remove what was installed and cached; outputs and runs stay
	rm -rf .venv .import_linter_cache .mypy_cache .pytest_cache .ruff_cache .hypothesis build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	rm -rf Training/*.egg-info

$(VENV): pyproject.toml constraints.txt .ci/venv
	@PYTHON='$(PYTHON)' TORCH_INDEX='$(TORCH_INDEX)' .ci/venv
