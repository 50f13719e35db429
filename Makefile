# The whole project in a few words; it needs Python 3.11+, make and git. Everything else arrives in .venv/ and var/.
#
#   make run     the site with demo data on http://localhost:8000   (PORT, BIND, DATABASE_URL, REDIS_URL, DEMO=0)
#   make test    every test, on servers of their own                (ARGS="accounts -k signup")
#   make lint    format and rules
#   make bench   the bars of size and speed; make bench-pages for the pages alone, make scale for the tests alone

PYTHON ?= python3
BIN = .venv/bin
BOOTSTRAP = @command -v $(PYTHON) >/dev/null || { echo "sermo: no $(PYTHON) here; install Python 3.11 or newer." >&2; exit 1; }; \
	$(PYTHON) sermo/runtime/bootstrap.py

.PHONY: run test lint format bench bench-pages scale clean

run:
	$(BOOTSTRAP) run
	@exec env DEMO="$${DEMO:-1}" DEBUG="$${DEBUG:-0}" $(BIN)/python manage.py up

test:
	$(BOOTSTRAP) dev
	@exec $(BIN)/python -m pytest -n 2 --dist worksteal $(ARGS)

lint:
	$(BOOTSTRAP) dev
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .

format:
	$(BOOTSTRAP) dev
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: bench-pages scale

bench-pages:
	$(BOOTSTRAP) dev
	@exec $(BIN)/python -m sermo.bench $(ARGS)

scale:
	$(BOOTSTRAP) dev
	@exec $(BIN)/python -m pytest -n 0 -m scale -s $(SCALE_ARGS)

clean:
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis
