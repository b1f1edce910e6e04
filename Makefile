# The commands of this project. `make` alone prints them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
N ?= 5000
IMAGE ?= hdash-site
TAG ?= $(shell git describe --always --dirty)
REGISTRY = $(or $(AWS_ACCOUNT),$(error AWS_ACCOUNT=… is missing)).dkr.ecr.$(or $(AWS_REGION),$(error AWS_REGION=… is missing)).amazonaws.com
BUILDAH ?= buildah

.DEFAULT_GOAL := targets
.PHONY: targets site test check golden bench props soak docs screenshots build_amd64 docker_push build_buildah clean

targets:
	@grep -E '^[a-z0-9_]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9_]+):[^#]*## /make \1\t/' | expand -t 20

site: $(VENV)/.installed ## install, and build the site from the sample atlases
	@$(BIN)/hdash-site build
	@echo "the site is in $(CURDIR)/public; look at it: $(BIN)/python -m http.server -d public 8000, then http://127.0.0.1:8000"

test: $(VENV)/.developing ## run the tests
	@$(BIN)/python -m pytest -n auto --dist worksteal -m "not alone"
	@$(BIN)/python -m pytest -m alone

check: $(VENV)/.developing ## format, lint, types, layers
	@$(BIN)/hadolint Dockerfile
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/pyright
	@$(BIN)/lint-imports

golden: $(VENV)/.developing ## rewrite what the tests expect; read the diff
	@GOLDEN=rewrite $(BIN)/python -m pytest -q tests/mistakes tests/test_docs.py

bench: $(VENV)/.developing ## measure speed and memory, as ratios
	@$(BIN)/python -m benchmarks

props: $(VENV)/.developing ## run the property tests N times (make props N=5000)
	@PROPS=$(N) $(BIN)/python -m pytest -q -n auto tests/engine/test_laws.py tests/test_whole_program.py

# What a run of the tests draws a few of, in full; takes hours. SOAK names the tests, all with a count by default.
SOAK ?= tests/engine/test_laws.py tests/test_whole_program.py tests/test_edits.py tests/test_killed.py tests/test_killed_deploy.py \
    tests/test_many_pages.py tests/htan tests/deploy tests/remote tests/state tests/pages tests/browser
soak: $(VENV)/.developing ## run the long proofs in full: thousands of examples, hundreds of kills
	@PROPS=$(N) KILLS=25 SEEDS=10 CHANCE=10000 SAVES=1000 TABS=50 PAGES=10000 SCALE=1 MUTATIONS=200 \
	    $(BIN)/python -m pytest -q -n auto --dist worksteal $(SOAK)

docs: $(VENV)/.developing ## write the generated parts of the README anew
	@GOLDEN=rewrite $(BIN)/python -m pytest -q tests/test_docs.py

screenshots: $(VENV)/.developing ## take a picture of each kind of page into screenshots/; needs chromium
	@$(BIN)/python -m tests.browser.screenshots $(KINDS)

build_amd64: ## build the image of the nightly run
	@docker build --platform linux/amd64 --tag $(IMAGE) .

docker_push: ## send it to AWS (make docker_push AWS_ACCOUNT=… AWS_REGION=…)
	@aws ecr get-login-password --region $(AWS_REGION) | docker login --username AWS --password-stdin $(REGISTRY)
	@for tag in $(TAG) latest; do \
	    docker tag $(IMAGE) $(REGISTRY)/$(IMAGE):$$tag && docker push $(REGISTRY)/$(IMAGE):$$tag || exit 1; \
	done

# As root, in a container for example; a kernel that lets nobody mount layers is no hindrance either.
build_buildah: ## build the image where no Docker engine runs
	@$(BUILDAH) --storage-driver vfs bud --isolation chroot --platform linux/amd64 --format docker --layers=false \
	    $(BUILD_OPTIONS) --tag $(IMAGE) .

# cache/state.db stays: it holds the history, which cannot be made again.
clean: ## delete what the other targets made, but keep the state with the history
	@rm -rf $(VENV) public cache/blobs cache/scratch cache/sample .pytest_cache .ruff_cache .hypothesis .import_linter_cache

# The locks name exact versions; a machine without them would get newer ones on another day.
$(VENV)/.installed: pyproject.toml requirements.lock
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.developing: $(VENV)/.installed requirements-dev.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.lock
	@touch $@
