# l3embed's development commands; 'make' lists them.

# The Python, 3.10 to 3.13, that the virtual environment is made with
PYTHON ?= python3
# More arguments for the command that 'make test' or 'make bench' runs
ARGS ?=

VENV := .venv
# Written last, so that an interrupted installation is not taken for a whole one. It holds the folder
# that the environment was made in, because neither survives a move.
MADE := $(VENV)/.made
# The same environment with what tests and benchmarks need besides.
READY := $(VENV)/.ready

# The pipeline's stages call 'python', which has to be the environment's.
RUN = PATH="$(CURDIR)/$(VENV)/bin:$$PATH" "$(VENV)/bin/python" -m

CHECK_PYTHON = found=$$("$(PYTHON)" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null); \
	case "$$found" in \
	3.10|3.11|3.12|3.13) ;; \
	"") echo "l3embed needs Python 3.10 to 3.13, and '$(PYTHON)' does not run here. Name another: make PYTHON=python3.12 ..." >&2; exit 1 ;; \
	*) echo "l3embed needs Python 3.10 to 3.13, and '$(PYTHON)' is $$found. Name another: make PYTHON=python3.12 ..." >&2; exit 1 ;; \
	esac; \
	"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
	echo "'$(PYTHON)' lacks venv. Install it (Debian and Ubuntu: the package python$$found-venv) or name another: make PYTHON=python3.12 ..." >&2; exit 1; }

.DELETE_ON_ERROR:
.PHONY: help venv test check params demo bench kills format constraints clean moved

help:
	@echo "make venv         make the virtual environment in $(VENV); the commands below do it when needed, and add to it"
	@echo "make test         run the tests; ARGS=... passes more arguments to pytest"
	@echo "make check        check style, format, types, and that params.yaml agrees with conf/"
	@echo "make params       write params.yaml anew from conf/, and the editors' schema of both"
	@echo "make demo         run the whole pipeline on a sample dataset, in demo/"
	@echo "make bench        measure speed and memory, an hour; ARGS=--short only sees that it works"
	@echo "make kills        kill 200 runs at random moments and compare what comes of them; ARGS=\"--kills 12\""
	@echo "make format       format the code and repair what ruff can"
	@echo "make constraints  write constraints.txt anew, with the newest versions that work together"
	@echo "make clean        remove $(VENV), demo and the caches"
	@echo
	@echo "PYTHON=python3.12 chooses the Python that makes $(VENV) ('make clean' first to change it)."

venv: $(MADE)

ifneq ($(shell cat $(MADE) 2>/dev/null),$(CURDIR))
$(MADE): moved
endif

$(MADE): pyproject.toml constraints.txt
	@$(CHECK_PYTHON)
	@echo "Making the virtual environment in $(VENV) (once; a few minutes)..."
	@rm -rf $(VENV)
	@"$(PYTHON)" -m venv $(VENV)
	@PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt PIP_DISABLE_PIP_VERSION_CHECK=1 \
		$(VENV)/bin/python -m pip install -qq -c constraints.txt -e ".[pipeline]"
	@printf '%s\n' "$(CURDIR)" > $@

$(READY): $(MADE)
	@echo "Adding what tests need to $(VENV) (once; a minute or two)..."
	@PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt PIP_DISABLE_PIP_VERSION_CHECK=1 \
		$(VENV)/bin/python -m pip install -qq -c constraints.txt -e ".[pipeline,joblib,slurm,umap,remote,dev]"
	@touch $@

# Two processes at once, each with whole files of tests, which share what is slow to prepare.
test: $(READY)
	@$(RUN) pytest -n 2 --dist loadfile $(ARGS)

check: $(READY)
	@$(RUN) ruff check
	@$(RUN) ruff format --check
	@$(RUN) mypy
	@$(RUN) l3embed.app.params --check

params: $(MADE)
	@$(RUN) l3embed.app.params
	@$(RUN) l3embed.app.settings_schema

demo: $(MADE)
	@PATH="$(CURDIR)/$(VENV)/bin:$$PATH" scripts/demo

bench: $(READY)
	@$(RUN) benchmarks $(ARGS)

kills: $(READY)
	@$(RUN) benchmarks.kills $(ARGS)

format: $(READY)
	@$(RUN) ruff check --fix --exit-zero
	@$(RUN) ruff format

# uv resolves for all Pythons at once, with one version of each package where one serves them all; then
# every marker can go. The build backend and what it asks for are added by hand.
constraints:
	@$(CHECK_PYTHON)
	@echo "Writing constraints.txt (a minute)..."
	@set -eu; work=$$(mktemp -d); trap 'rm -rf "$$work"' EXIT; trap 'exit 1' HUP INT TERM; \
	"$(PYTHON)" -m venv "$$work/venv"; \
	"$$work/venv/bin/python" -m pip install -qq --disable-pip-version-check uv; \
	printf '%s\n' hatchling editables | "$$work/venv/bin/uv" pip compile --quiet pyproject.toml - \
		--extra pipeline --extra joblib --extra slurm --extra umap --extra ray --extra remote --extra lance --extra int8 --extra dev --universal --python-version 3.10 --fork-strategy fewest \
		--no-header --no-annotate --no-emit-index-url --no-emit-find-links --output-file "$$work/resolved"; \
	sed -e "/>= '3\.14'/d" -e 's/ *;.*//' "$$work/resolved" > "$$work/versions"; \
	twice=$$(cut -d = -f 1 "$$work/versions" | uniq -d); \
	if [ -n "$$twice" ]; then echo "No one version serves every Python from 3.10 to 3.13:" $$twice >&2; exit 1; fi; \
	{ echo "# The versions that l3embed is tested with, one set for Python 3.10 to 3.13; 'make constraints' writes it (uv resolves pyproject.toml)."; \
	cat "$$work/versions"; } > "$$work/constraints.txt"; \
	cp "$$work/constraints.txt" constraints.txt

clean:
	@rm -rf $(VENV) demo .mypy_cache .pytest_cache .ruff_cache
	@find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
