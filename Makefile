# What people type; each target installs what it needs, once.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# --no-compile: else pip compiles every module of every library, used or not. The first question
# compiles those that it uses, and leaves them compiled.
INSTALL = $(BIN)/python -m pip install -qq --disable-pip-version-check --no-compile -c constraints.txt
SOURCES := pyproject.toml constraints.txt

Q ?= Tell me the result of derivative of x^3 when x is 2?
override Q := $(value Q)
export Q
export OMP_NUM_THREADS ?= 1

.PHONY: ask test lint accept dev clean

ask: $(VENV)/.core  ## Answer a question on the embedded default; Q="..." is another question.
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/octopus ask -- "$$Q"

# Files stay whole: their tests share servers and models.
test: $(VENV)/.dev  ## Everything but the long runs.
	$(BIN)/python -m pytest -q -n auto --maxprocesses 4 --dist loadfile

lint: $(VENV)/.dev  ## Style, form, types and the direction of imports.
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

accept: $(VENV)/.train $(VENV)/schemathesis $(VENV)/clients $(VENV)/ai-sdk  ## The long runs, and the tests that need torch.
	$(BIN)/python -m pytest -q -m "accept or train"

dev: $(VENV)/.studio  ## The graph in a LangGraph development server, for Studio.
	LANGGRAPH_CLI_NO_ANALYTICS=1 LANGGRAPH_NO_VERSION_CHECK=1 LANGSMITH_TRACING=false \
		$(BIN)/python -m langgraph_cli dev --no-browser --no-reload

clean:
	rm -rf $(VENV) .langgraph_api .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/pyvenv.cfg:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
		f"Python 3.11 or newer is needed, not {sys.version.split()[0]}: make PYTHON=python3.12 ...")'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip uninstall -qqy --disable-pip-version-check setuptools  # 3.11 brings it, nothing needs it

$(VENV)/.core: $(SOURCES) | $(VENV)/pyvenv.cfg
	@echo "Installing into $(VENV) (once) ..."
	@$(INSTALL) -e .
	@touch $@

$(VENV)/.dev: $(SOURCES) | $(VENV)/pyvenv.cfg
	@echo "Installing what the tests need into $(VENV) (once) ..."
	@$(INSTALL) -e '.[dev]'
	@touch $@ $(VENV)/.core

$(VENV)/.train: $(SOURCES) | $(VENV)/pyvenv.cfg
	@echo "Installing what training and local models need, torch among it, and other savers, into $(VENV) (once) ..."
	@$(INSTALL) -e '.[dev,hf,mcp,provider,savers,studio,train]'
	@touch $@ $(VENV)/.dev $(VENV)/.core

# An environment of its own: it wants another jsonschema-rs than the development server.
$(VENV)/schemathesis: $(SOURCES) | $(VENV)/pyvenv.cfg
	@$(PYTHON) -m venv $@
	@$@/bin/python -m pip install -qq --disable-pip-version-check schemathesis==4.32.5
	@touch $@

# Other people's clients, in environments of their own: they pin what the server uses. Without npm the AI SDK is left out.
$(VENV)/clients: tests/app/server/clients/requirements.txt | $(VENV)/pyvenv.cfg
	@$(PYTHON) -m venv $@
	@$@/bin/python -m pip install -qq --disable-pip-version-check -r $<
	@touch $@

$(VENV)/ai-sdk: tests/app/server/clients/package.json | $(VENV)/pyvenv.cfg
	@mkdir -p $@ && cp $< $@
	@if command -v npm >/dev/null; then npm install --prefix $@ --silent --no-audit --no-fund; fi
	@touch $@

$(VENV)/.studio: $(SOURCES) | $(VENV)/pyvenv.cfg
	@echo "Installing the development server into $(VENV) (once) ..."
	@$(INSTALL) -e '.[studio]'
	@touch $@ $(VENV)/.core
