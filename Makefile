# Two commands do all the set-up: `make demo` runs the main job, `make test` passes the tests.
PYTHON ?= python3
VENV ?= .venv
# The tests need torch, the demo does not. On Linux PyPI's torch comes with CUDA (gigabytes). For the
# CPU build give the address of PyTorch's own CPU index: make test TORCH_INDEX=...
TORCH_INDEX ?=
ARGS ?=

BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) -c requirements.lock

# What Python compiles is kept, whatever the environment says: the tests start it hundreds of times.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test chaos fuzz lint format schemas lock audit sbom clean

demo: $(VENV)/demo.installed
	$(BIN)/claimstream demo $(ARGS)

test: $(VENV)/dev.installed
	$(BIN)/pytest -n 4 --dist worksteal --cov --cov-report=term:skip-covered $(ARGS)

# make fuzz ARGS="--minutes 10 page feed"
fuzz: $(VENV)/fuzz.installed
	$(BIN)/python -m tests.fuzz $(ARGS)

# The fault campaign: half an hour. ARGS="--minutes 3 --seed 7 --records 12000" for a short one.
chaos: $(VENV)/dev.installed
	$(BIN)/python -m tests.reliability.chaos $(ARGS)

lint: $(VENV)/dev.installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: $(VENV)/dev.installed
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

schemas: $(VENV)/dev.installed
	$(BIN)/python -m service.schemas deploy/schemas
	$(BIN)/python -m service.asyncapi deploy/asyncapi.yaml

lock:
	uv pip compile pyproject.toml --universal --python-version 3.11 --all-extras --no-header --upgrade -o requirements.lock

# Asks a service on the internet about every locked package; one that it does not know is a failure.
audit: $(VENV)/dev.installed
	$(PIP) -e '.[audit]'
	$(BIN)/pip-audit --strict --no-deps --disable-pip -r requirements.lock

# What the released package needs, as CycloneDX, for a release to carry: from an installation of
# nothing else. Not kept in the repository, for it follows from the lock file.
sbom: $(VENV)/dev.installed
	$(PIP) -e '.[audit]'
	rm -rf $(VENV)/released
	$(PYTHON) -m venv --without-pip $(VENV)/released
	$(subst /pip install,/pip --python $(VENV)/released/bin/python install,$(PIP)) .
	mkdir -p dist
	$(BIN)/cyclonedx-py environment --validate --output-reproducible --mc-type application \
	  --pyproject pyproject.toml -o dist/claimstream.cdx.json $(VENV)/released/bin/python

clean:
	rm -rf $(VENV) .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache

$(VENV)/%.installed: pyproject.toml requirements.lock $(wildcard models/*/release.json)
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo "claimstream needs Python 3.11 to 3.13: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
	  || { echo "no virtual environment: on Debian and Ubuntu apt-get install python3-venv" >&2; exit 1; }
	@echo "installing (once; a few minutes) ..."
	@$(PIP) -e '.[$*]'
	@$(BIN)/python -m models.export
	@touch $@
