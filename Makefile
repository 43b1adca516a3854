# The commands of the project. `make demo` and `make test` each work as the first command on a fresh machine.
SHELL := /bin/bash
.DEFAULT_GOAL := help
export PATH := $(CURDIR)/.uv/bin:$(PATH)
export UV_PYTHON_DOWNLOADS = never
# Some images set this; every process would then compile all libraries anew.
unexport PYTHONDONTWRITEBYTECODE
RUN = uv run --frozen --no-sync
# A process of tests for each core; PARALLEL= for one in all, which a debugger needs.
PARALLEL ?= -n auto --dist worksteal
# Installations are shared by the tests that are grouped for it (`xdist_group`), beside the tests that are not.
PARALLEL_STACK ?= -n auto --maxprocesses 2 --dist loadgroup
# These tests have commands of their own.
HERE = not spark and not faults and not load
PORT ?= 8000
# What `manage.py check --deploy` judges: a production installation, as docs/operations.md describes it.
PRODUCTION = SECRET_KEY=$$(head -c 48 /dev/urandom | base64) REDIS_URL=redis://localhost:6379/0 ALLOWED_HOSTS=mmm.example.com

.PHONY: help
help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

.PHONY: setup
setup: ## Install the Python packages of the lock file and the system libraries they need
	@scripts/setup

.PHONY: setup-tests
setup-tests:
	@scripts/setup --with-browser

.PHONY: demo
demo: setup ## Load two years of demo data, analyse them, and serve the pages (ONCE=1: stop after checking them)
	@$(RUN) manage.py demo --port $(PORT) $(if $(ONCE),--once)

.PHONY: serve
serve: setup ## Serve the pages, with a worker and the scheduler
	@$(RUN) manage.py migrate --verbosity 0
	@$(RUN) manage.py serve --port $(PORT)

# Plain HTTP on loopback; with HTTPS=true, behind a proxy that ends TLS (docs/deployment.md).
.PHONY: stack
stack: export HTTPS ?= false
stack: setup ## Serve as in production, with DATABASE_URL, REDIS_URL and SECRET_KEY: web, three workers, scheduler
	@$(RUN) deploy/run migrate
	@$(RUN) deploy/run static
	@$(RUN) manage.py stack --port $(PORT)

# Fits compile in two thirds of the time with this and draw a fifth more slowly, and these tests compile more than they draw.
# The full tests fit as the product does.
.PHONY: test
test: export XLA_FLAGS = --xla_cpu_use_fusion_emitters=false
test: setup-tests ## Run the tests (SQLite, a real browser)
	@$(RUN) pytest -m "not stack and not full and $(HERE)" $(PARALLEL) $(ARGS)

.PHONY: test-stack
test-stack: setup-tests ## Run the tests that need PostgreSQL, Redis and a real Celery worker
	@$(RUN) pytest -m "stack and not full" $(PARALLEL_STACK) $(ARGS)

.PHONY: test-full
test-full: setup-tests ## Run every test, also the long ones
	@HYPOTHESIS_PROFILE=full $(RUN) pytest -m "not stack and $(HERE)" $(PARALLEL) $(ARGS)
	@$(RUN) pytest -m stack $(PARALLEL_STACK) $(ARGS)

# FAULTS_SHARE=0.01 for a small storm; FAULTS_REPORT names the folder that gets the figures.
.PHONY: test-faults
test-faults: setup ## Kill every process and service of an installation, and see that nothing is lost or done twice
	@$(RUN) pytest tests/faults -m faults -p no:randomly $(ARGS)

# LOAD_MINUTES, LOAD_PEOPLE and BENCH_ROWS for less than the whole; LOAD_REPORT names the folder that gets the figures.
.PHONY: test-load
test-load: setup ## Have fifty people look at ten million touchpoints while data come in and models are fitted
	@$(RUN) pytest tests/load -m load -p no:randomly $(ARGS)

# Installs pyspark beside the packages of the lock's default groups.
.PHONY: test-spark
test-spark: setup ## Hold attribution by a Spark cluster on loopback to that in one process (needs Java 17 or newer)
	@uv sync --locked --quiet --extra spark
	@$(RUN) pytest tests/spark -m spark -rs $(ARGS)

.PHONY: screenshots
screenshots: setup-tests ## Take pictures of every page into screenshots/, and those of the guide into docs/guide/images
	@DATA_DIR=$(CURDIR)/var/screenshots $(RUN) pytest tests/browser/screenshots.py tests/browser/guide_pictures.py $(ARGS)

.PHONY: check
check: setup ## Lint, types, import contracts, templates, migrations, deployment settings
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .
	@$(RUN) mypy .
	@$(RUN) lint-imports --no-cache
	@git ls-files -z 'templates/*.html' | xargs -0 $(RUN) djade --check --target-version 5.2
	@$(RUN) manage.py makemigrations --check --dry-run
	@env $(PRODUCTION) $(RUN) manage.py check --deploy --fail-level WARNING

.PHONY: audit
audit: setup ## Look for locked packages with known vulnerabilities (where PyPI can be asked) and for secrets in files
	@uv run --quiet --isolated --frozen --only-group audit scripts/audit.py
	@$(RUN) pytest tests/test_secrets.py --quiet

.PHONY: format
format: setup ## Format Python and templates
	@$(RUN) ruff check --fix .
	@$(RUN) ruff format .
	@git ls-files -z 'templates/*.html' | xargs -0 $(RUN) djade --target-version 5.2

.PHONY: bench
bench: setup ## Measure speed and memory (BENCH_ROWS=100000 for a quick look)
	@$(RUN) python benchmarks/run.py $(ARGS)

.PHONY: setup-peers
setup-peers: setup ## Install Meridian, PyMC-Marketing and LightweightMMM, each into its own environment in PEERS
	@scripts/setup-peers

.PHONY: bench-mmm
bench-mmm: setup ## Measure the media mix model beside these peers (SIDE_BY_SIDE_SYSTEMS="ours meridian" for some)
	@$(RUN) python benchmarks/run.py side_by_side --database sqlite $(ARGS)
