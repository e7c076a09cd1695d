# One file lists the commands; CI runs the same ones.
PYTHON ?= python3
BIN := .venv/bin
# Tests run two for each core, since most of them wait for something for most of their time.
WORKERS := $(shell expr 2 \* $$(nproc 2>/dev/null || echo 2))

.PHONY: run test check format catalogues bench faults fuzz pictures lock vendor clean

run: $(BIN)/bobbin      ## start Bobbin; with no tokens, the sandbox
	@echo "Starting Bobbin."
	@$(BIN)/bobbin run

test: .venv/dev         ## every test, on SQLite and on two versions of PostgreSQL that are brought along
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup
	$(BIN)/python -m pytest tests/browser

check: .venv/dev        ## format, lint, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: .venv/dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

catalogues: .venv/dev   ## bring core/locale up to date with what the bot says, and tell what lacks a translation
	$(BIN)/python -m tests.languages

bench: .venv/dev        ## figures as ratios against a baseline of the same run
	$(BIN)/python -m benchmarks

faults: .venv/dev       ## kill, freeze and cut off real bots while people ask 1,000 questions; docs/faults.md
	$(BIN)/python -m tests.faults

pictures: .venv/dev     ## the page's pictures in docs/images anew, each of a stage of its own (needs Chromium)
	for test in kill phone; do \
		TAKE_PICTURES=1 NEEDS_CHROMIUM=1 $(BIN)/python -m pytest -q tests/browser -k $$test || exit 1; done

fuzz: .venv/dev         ## show 100,000 answers that nobody would write on both platforms
	$(BIN)/python -m tests.fuzz_text

lock: .venv/dev         ## resolve the newest allowed versions, with hashes
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --all-extras --upgrade pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --all-extras --upgrade --group dev -c requirements.lock pyproject.toml -o requirements-dev.lock

VENDORED := LICENSE lit-html.js directive.js directive-helpers.js directives/repeat.js directives/guard.js
STATIC := sandbox/page/static/vendor

vendor:                 ## what the page of the sandbox brings along, as deploy/page/package-lock.json has it (needs npm)
	cd deploy/page && npm ci --ignore-scripts
	for file in $(VENDORED); do install -D -m 644 deploy/page/node_modules/lit-html/$$file $(STATIC)/lit-html/$$file; done
	cd $(STATIC) && sha256sum $(addprefix lit-html/,$(sort $(VENDORED))) > SHA256SUMS
	rm -rf deploy/page/node_modules

.venv/run: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Bobbin needs Python 3.11 or newer; try: make PYTHON=python3.12 $(MAKECMDGOALS)")'
	@$(PYTHON) deploy/install.py requirements.lock
	@touch $@

# The command works from any folder: the .pth file tells this Python where Bobbin is.
$(BIN)/bobbin: .venv/run deploy/bobbin
	@echo "$(CURDIR)" > "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/bobbin.pth"
	@cp deploy/bobbin $@
	@touch $@

.venv/dev: $(BIN)/bobbin requirements-dev.lock pyproject.toml
	@$(PYTHON) deploy/install.py requirements-dev.lock --no-deps --no-build-isolation --editable .
	@touch $@

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis dist build
