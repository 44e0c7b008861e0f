# make help lists what there is. Every target sets up .venv itself.
PYTHON ?= python3
PROFILE ?= demo
PY := .venv/bin/python
UV_VERSION := $(shell sed -n 's/^uv==\([0-9.]*\).*/\1/p' requirements.lock)
# prepare reads MacaquePose's sample from MONKEY_TRANSFER_DATA
BENCHMARKS := coverage power learning_curves forecasts metrics predict render prepare train
TESTS := test-networks test-studies test-workflow test-unit test-notebooks
# Recipes read these as "$$PROFILE", so that no character in them is taken for one of the shell's.
export PROFILE CLUSTER ARM IMAGES SEED DATA VIDEO FRAMES OUT REPORT
# Else numexpr reads OMP_NUM_THREADS, and fails where that is of several levels, as in "4,2".
export NUMEXPR_NUM_THREADS := 1
# Settings of a person's own Python would act before any code of ours can leave them out.
unexport $(filter PYTHON%,$(.VARIABLES))

.DEFAULT_GOAL := help
.PHONY: help setup data study plan run recover best predict frames lab test $(TESTS) mutants check lint hooks bad-input notebooks benchmarks lock clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */\1\t/' | expand -t 12

setup: .venv/.installed .venv/.kernels  ## install everything into .venv (about two minutes and 11 GB)

data: setup  ## get and check what a profile reads: make data PROFILE=paper [CHECK=1]
	@$(PY) -m monkey_transfer.study.needs $(if $(CHECK),--check) -- "$$PROFILE"

check: setup  ## look at own data before anything is trained: make check DATA=<DeepLabCut project or COCO file>, which writes a profile, or PROFILE=my_data
	@$(PY) -m monkey_transfer.tell.looking -- "$$DATA" "$(if $(filter file,$(origin PROFILE)),,$$PROFILE)"

study: setup  ## run the study of a profile: make study PROFILE=demo [CLUSTER=slurm]
	@$(PY) -m monkey_transfer.tell.reports weights -- "$$PROFILE"  # now, rather than when their arm's turn comes
	@$(PY) workflow/run.py "$$PROFILE" "$$CLUSTER" --quiet all $(SNAKEMAKE_OPTIONS)
	@$(PY) -m monkey_transfer.tell.reports show -- "$$PROFILE"

plan: setup  ## say how many runs a study has, how many exist and how long the others may take: make plan PROFILE=demo
	@$(PY) workflow/run.py "$$PROFILE" "$$CLUSTER" --dry-run --quiet all

run: setup  ## train one run, unless it is there, and say how good it is: make run PROFILE=demo ARM=transfer [IMAGES=30] [SEED=0]
	@$(PY) -m monkey_transfer.tell.single train -- "$$PROFILE" "$$ARM" "$$IMAGES" "$$SEED"

recover: setup  ## take finished runs, but not their networks, out of a report: make recover PROFILE=lsp [REPORT=reports/lsp]
	@$(PY) -m monkey_transfer.tell.recovering -- "$$PROFILE" "$$REPORT"

best: setup  ## train the network to take on all labelled pictures: make best PROFILE=my_data [ARM=transfer] [SEED=0]
	@$(PY) -m monkey_transfer.tell.best -- "$$PROFILE" "$$ARM" "$$SEED"

predict: setup  ## try the network of a run on other people or a video: make predict PROFILE=demo ARM=transfer [IMAGES=30] [SEED=0] DATA=people.yaml (or VIDEO=film.mp4) [OUT=folder]
	@$(PY) -m monkey_transfer.tell.single predict -- "$$PROFILE" "$$ARM" "$$IMAGES" "$$SEED" "$$DATA" "$$VIDEO" "$$OUT"

frames: setup  ## choose frames of a video to label next, and write them for DeepLabCut: make frames PROFILE=demo ARM=transfer [IMAGES=30] [SEED=0] VIDEO=film.mp4 [FRAMES=20] [OUT=folder]
	@$(PY) -m monkey_transfer.tell.frames -- "$$PROFILE" "$$ARM" "$$IMAGES" "$$SEED" "$$VIDEO" "$$FRAMES" "$$OUT"

lab: setup  ## open JupyterLab on the notebooks, with the study's kernels
	$(PY) -m jupyter lab --notebook-dir notebooks

test: setup  ## run all tests, the notebooks among them
	@$(MAKE) --no-print-directory --jobs 2 $(TESTS)

# Two at a time, in an order that ends them together.
$(filter-out test-notebooks,$(TESTS)): test-%:
	$(PY) -m pytest tests/$*

# On recorded networks, so that numbers can be compared; trainings are tested by test-networks and test-studies.
test-notebooks:
	export MONKEY_TRANSFER_RUNS="$$(mktemp -d)" MONKEY_TRANSFER_REPORTS="$$(mktemp -d)" && \
		$(PY) tests/notebooks/recorded.py && \
		$(PY) -m pytest --nbval-lax --nbval-cell-timeout=600 notebooks

mutants: setup  ## falsify measuring and telling code, one way at a time, and count what the unit tests notice
	@$(PY) tests/mutants.py

lint: setup  ## lint, format and types
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy

hooks: setup  ## lint before each commit, and show differences of notebooks as text (git diff)
	@.venv/bin/pre-commit install
	@PATH="$(CURDIR)/.venv/bin:$$PATH" .venv/bin/nbdime config-git --enable

bad-input: setup  ## write docs/bad_input.md anew from what the tests see
	@rm -f docs/bad_input.md
	@BAD_INPUT=write $(PY) -m pytest -q tests/unit tests/networks tests/workflow

notebooks: setup  ## run the notebooks at their defaults and keep the outputs that tests compare
	$(PY) tests/notebooks/regenerate.py

benchmarks: setup  ## run the benchmarks and keep what they print in reports/benchmarks
	@mkdir -p reports/benchmarks
	@for name in $(BENCHMARKS); do \
		$(PY) -m benchmarks.$$name > .$$name.txt && mv .$$name.txt reports/benchmarks/$$name.txt || { rm -f .$$name.txt; exit 1; }; \
		echo "$$name: $$(tail -n 1 reports/benchmarks/$$name.txt)"; \
	done

lock: setup  ## resolve the dependencies of pyproject.toml anew
	$(PY) -m uv pip compile pyproject.toml --extra dev --generate-hashes --no-header --no-annotate \
		--python-version 3.11 --quiet --output-file requirements.lock

clean:  ## remove runs, caches and the environment; reports and data stay
	rm -rf .venv runs .snakemake .pytest_cache .hypothesis .ruff_cache .mypy_cache

.venv/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11) and "error: Python 3.11 is needed, found " + sys.version.split()[0] + ": make PYTHON=python3.11")'
	test -x $(PY) || $(PYTHON) -m venv .venv
	$(PY) -m uv --version >/dev/null 2>&1 || $(PY) -m pip install --quiet "uv==$(UV_VERSION)"
	$(PY) -m uv pip sync --quiet --require-hashes requirements.lock
	$(PY) -m uv pip install --quiet --no-deps --no-build-isolation --editable .
	$(PY) -m compileall -q -j 0 .venv/lib || true  # importing DeepLabCut uncompiled takes half a minute
	@touch $@

.venv/.kernels: .venv/.installed src/monkey_transfer/environment.py
	@$(PY) -m monkey_transfer.environment
	@touch $@
