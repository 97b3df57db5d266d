# The platform's commands. Each is a script in setup/ or a line of Compose; `make help` lists them.

# Variables given on the command line reach the scripts as environment.
SERVICE ?=
PIPELINE ?= flights
DATE ?=
FROM ?=
DAY ?=
ROLE ?= analyst
DB ?= warehouse
FILE ?=
# make has one of its own, the assembler's name.
AS =
CHANNEL ?=
SECRET ?=
FIELD ?=
ARGS ?=
JOBS ?=

# A variable as one word of the shell, whatever stands in it; ARGS and JOBS are several words on purpose.
quote = '$(subst ','\'',$(value $(1)))'
# The same, or no word where it is empty.
given = $(if $(value $(1)),$(call quote,$(1)))
# The same, where the command line says it: what the environment or a default says is not meant.
chosen = $(if $(filter command line,$(origin $(1))),$(call given,$(1)))

.DEFAULT_GOAL := help
.PHONY: help up down destroy test bench lint format new run replay put logs usage exports psql password rotate secret connection check try pipeline-test alert-test lineage scan sbom ps status clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+( [a-z-]+)*:.*## / { printf "  %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up: ## set up everything, start the platform, run the flights pipeline
	@setup/up.sh

down: ## stop the platform; all data stays
	@setup/down.sh

destroy: ## remove the platform with all its data; asks first (FORCE=1: does not)
	@setup/destroy.sh

test: ## run every test on a stack of its own (ARGS="-k words": only some)
	@setup/test.sh $(ARGS)

bench: ## measure the stages beside psql and their peers, in about an hour (JOBS="extract append": only those)
	@setup/bench.sh $(if $(JOBS),--only $(JOBS)) $(ARGS)

lint: ## check code, Dockerfiles, scripts, YAML and the Compose file
	@setup/tools.sh setup/lint.sh $(ARGS)

format: ## lay out the Python code, and mend what ruff can
	@setup/tools.sh sh -c 'ruff check --fix-only --quiet . ; ruff format .'

new: ## write a pipeline to begin with, its twin and a test; asks what it must know (PIPELINE=orders FROM=https://example.org/orders.csv)
	@setup/new.sh $(call chosen,PIPELINE) $(if $(value FROM),--from $(call quote,FROM)) $(ARGS)

run: ## run a pipeline now and follow it (PIPELINE=flights DATE=2026-01-31; the last complete interval without DATE)
	@setup/run.sh $(call quote,PIPELINE) $(call given,DATE) $(ARGS)

replay: ## bring quarantined rows back, after a fix: their runs do their work once more (PIPELINE=orders)
	@setup/replay.sh $(call quote,PIPELINE)

put: ## put a file into the inbox (FILE=orders.csv AS=orders/2026-01-31.csv)
	@setup/put.sh $(call quote,FILE) $(call given,AS)

logs: ## show what the services say (SERVICE=airflow-scheduler: only that one)
	@docker compose logs --tail 100 $$([ -t 1 ] && echo --follow) $(call given,SERVICE)

usage: ## lay what stages took beside their limits, and propose limits that fit (PIPELINE=flights: only that one's)
	@setup/usage.sh $(call chosen,PIPELINE) $(ARGS)

exports: ## list the files that pipelines exported (FILE=flights: copy a file or a folder into this one)
	@setup/exports.sh $(call given,FILE)

psql: ## open the warehouse (ROLE=postgres, DB=source: as another role, another database)
	@docker compose exec $$([ -t 0 ] && [ -t 1 ] || echo -T) --user postgres postgres psql --username $(call quote,ROLE) $(call quote,DB)

password: ## print the passwords of Airflow's admin and of the warehouse's analyst
	@setup/password.sh

rotate: ## generate a secret anew, with no run lost (SECRET=load; tls: the server's certificate)
	@setup/rotate.sh $(call quote,SECRET)

secret: ## take a secret of your own, from a file, a pipe or the keyboard (NAME=analyst FILE=password.txt)
	@setup/secret.sh $(or $(call chosen,NAME),'') $(call quote,FILE)

connection: ## keep a connection for pipelines, from a file, a pipe or the keyboard; without NAME, list them (NAME=shop FIELD=token FILE=token.txt; DELETE=1: delete it)
	@setup/connection.sh $(or $(call chosen,NAME),'') $(call quote,FIELD) $(call quote,FILE)

check: ## say what is wrong with the pipeline files, by file and line (PIPELINE=flights: only that one)
	@setup/check.sh $(call chosen,PIPELINE) $(ARGS)

try: ## extract and transform a sample, and show what would be loaded (PIPELINE=orders DAY=2026-01-31 ARGS="--rows 100")
	@setup/try.sh $(call quote,PIPELINE) $(if $(value DAY),--day $(call quote,DAY)) $(ARGS)

pipeline-test: ## run the pipelines' own tests: given rows through the real transform (PIPELINE=flights: only that one's)
	@setup/pipeline-test.sh $(call chosen,PIPELINE) $(ARGS)

scan: ## look for known holes in images and Dockerfiles (ARGS="debian --json": only that check, for programs)
	@setup/scan.sh $(ARGS)

sbom: ## write what each image is made of, in CycloneDX, into .cache/sbom (ARGS=airflow: only that one)
	@setup/sbom.sh $(ARGS)

alert-test: ## send a test message through every channel of alerts, and say what came of it (CHANNEL=mail: only that one)
	@setup/alert-test.sh $(call given,CHANNEL)

lineage: ## print the events of lineage that were kept, a line of JSON each (PIPELINE=flights: only that one's)
	@setup/lineage.sh $(call chosen,PIPELINE)

ps: status
status: ## show the services and how they are
	@docker compose ps --all --format 'table {{.Service}}\t{{.Status}}\t{{.Ports}}'

clean: ## remove what tests and linters left: caches, the tests' stack and images
	@COMPOSE_PROJECT_NAME=etl-test ETL_TAG=test setup/down.sh --data --images
	@docker image rm etl-platform/tools:local >/dev/null 2>&1 || true
	@rm -rf .cache
