# What a developer types. `make help` lists it.

SHELL := /bin/bash
PYTHON ?= python3
ENV ?= dev
# What looks at a shop looks at the one on this machine, unless ENV=dev or ENV=prod is typed.
SHOP = $(if $(filter-out file,$(origin ENV)),--environment $(ENV))
VENV := .venv/bin
# What changes an order wants to know which, asks before it acts, and says what it would do.
WHICH = $(if $(or $(ID),$(LABEL)),,echo "Say which order: ID=order_… or LABEL=TP-…" >&2; exit 1;)
ASKED = $(if $(YES),--yes) $(if $(DRY),--dry-run)
CDK = $(VENV)/node node_modules/aws-cdk/bin/cdk
# Compares the templates that the CDK just made with the deployed ones. What REPLACE names may be lost.
GUARD = $(VENV)/python -m tools.guard $(foreach id,$(REPLACE),--replace $(id)) $(CDK_OPTIONS)
# What plays a release. It is laid over the code of one that went out before.
PLAY = $(patsubst %,tests/builders/%.py,back_office clients executions fulfilment office releases storefront) \
	tests/integration/test_upgrade.py tests/integration/releases tools/simulation/states.py
export PATH := $(CURDIR)/.venv/bin:$(CURDIR)/node_modules/.bin:$(PATH)
export PYTHONPATH := $(CURDIR)/layers/commerce/python
export JSII_NODE := $(CURDIR)/.venv/bin/node

.DEFAULT_GOAL := help
.PHONY: help setup up status logs down reset demo import relist token executions order resume cancel refund \
	stock-check stock-import query test campaign contract mutants campaign-wire shrink ops-lint drill \
	restore-drill restore-table release-data lint format rush flash-sale audit bench scale docs emails lock layers \
	synth doctor signed-in diff deploy smoke privacy privacy-scan

help: ## List what there is to do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Make the virtual environments, the Node and the CDK (the others do this by themselves)
	@$(PYTHON) tools/bootstrap.py

up: setup ## Start the shop on this machine, and deploy what changed
	@$(VENV)/python -m tools.local up

status: setup ## Show what runs, where, and whether it is what the sources say
	@$(VENV)/python -m tools.local status

logs: setup ## Follow what functions and processes say (FUNCTION=part of a name)
	@$(VENV)/python -m tools.local logs $(if $(FUNCTION),--only $(FUNCTION))

down: setup ## Stop the shop; its data stays
	@$(VENV)/python -m tools.local down

reset: setup ## Delete the shop on this machine with its data (YES=1: without asking)
	@$(VENV)/python -m tools.local reset $(if $(YES),--yes)

demo: setup ## Watch orders go from cart to delivered, declined, canceled, returned (FAST=1: without pauses)
	@$(VENV)/python -m tools.demo $(if $(FAST),--fast)

import: setup ## Import products: FILE=products.csv, and MAPPING=… for other tables than Shopify's
	@$(if $(FILE),,echo "Say which file: make import FILE=products.csv" >&2; exit 1;) \
	$(VENV)/python -m tools.importer "$$FILE" $(if $(MAPPING),--mapping $(MAPPING))

relist: setup ## Make the lists and search words of all products anew, as this release writes them
	@$(VENV)/python -m tools.relist $(SHOP)

token: setup ## Print a bearer token: GROUP=catalogue, warehouse, support, admin, or shopper
	@$(VENV)/python -m tools.local token $(or $(GROUP),admin)

executions: setup ## Show how far the latest orders have come in their workflow (STATUS=FAILED, RUNNING, …)
	@$(VENV)/python -m tools.orders executions $(if $(STATUS),--status $(STATUS)) $(SHOP)

order: setup ## Tell all that happened to an order: ID=order_…, LABEL=TP-… or EMAIL=… (EVENTS=1: with the bus)
	@$(if $(or $(ID),$(LABEL),$(EMAIL)),,echo "Say which order: make order ID=order_…, LABEL=TP-… or EMAIL=…" >&2; exit 1;) \
	$(VENV)/python -m tools.orders show $(or $(ID),$(LABEL),$(EMAIL)) $(if $(EVENTS),--events) $(SHOP)

resume: setup ## Let an order go on that stands still: ID=… or LABEL=… (YES=1: without asking, DRY=1: only say what)
	@$(WHICH) $(VENV)/python -m tools.orders resume $(or $(ID),$(LABEL)) $(ASKED) $(SHOP)

cancel: setup ## Cancel an order that has not left: ID=… or LABEL=…, REASON=merchant_request, buyer_request, fraud
	@$(WHICH) $(VENV)/python -m tools.orders cancel $(or $(ID),$(LABEL)) $(if $(REASON),--reason "$$REASON") $(ASKED) $(SHOP)

refund: setup ## Give money back: ID=… or LABEL=…, AMOUNT=19.99, REASON="a sentence for the buyer"
	@$(WHICH) $(if $(AMOUNT),,echo "Say how much: AMOUNT=19.99" >&2; exit 1;) \
	$(if $(REASON),,echo "Say why; the buyer reads it: REASON=…" >&2; exit 1;) \
	$(VENV)/python -m tools.orders refund $(or $(ID),$(LABEL)) --amount "$$AMOUNT" --reason "$$REASON" $(ASKED) $(SHOP)

stock-check: setup ## Check that every shelf holds what its movements and reservations say
	@$(VENV)/python -m tools.stock_check $(SHOP)

stock-import: setup ## Adjust stock by a table: FILE=stock.csv with the columns sku, location, quantity, reason
	@$(if $(FILE),,echo "Say which file: make stock-import FILE=stock.csv" >&2; exit 1;) \
	$(VENV)/python -m tools.stock_import "$$FILE" $(SHOP)

query: setup ## Ask the shop's events: SQL="select type, count(*) from events group by 1"
	@$(VENV)/python -m tools.query "$$SQL" $(SHOP)

test: setup ## Run all checks and tests, with a shop of their own
	@$(VENV)/python -m tools.local.testing

campaign: setup ## Prove orders, stock and money: N=20000 schedules with faults (FRESH=1), or SEED=… again with its story
	@$(VENV)/python -m tools.simulation $(if $(SEED),--seed $(SEED),--schedules $(or $(N),20000) --first $(or $(FIRST),1) $(if $(FRESH),--fresh))

contract: setup ## Compare the double of DynamoDB with the local AWS: N=100000 operations, SEED=1
	@$(VENV)/python -m tools.contract --operations $(or $(N),10000) --seed $(or $(SEED),1)

mutants: setup ## Plant bugs into copies of the shop, which the campaign must find; goes on where it was stopped (FRESH=1 does not, ONLY=words of a mutant's name)
	@$(VENV)/python -m tools.mutants $(if $(ONLY),--only "$(ONLY)") $(if $(FRESH),--fresh)

campaign-wire: setup ## Prove them on the deployed shop, while the line to AWS fails: N=500 stories, SEED=… again (FRESH=1: not where it was)
	@$(VENV)/python -m tools.wire --stories $(or $(N),500) $(if $(SEED),--seed $(SEED)) $(if $(FRESH),--fresh)

shrink: setup ## Take each right of each function away in turn, and say which of them nothing misses
	@$(VENV)/python -m tools.wire.shrink

ops-lint: setup ## Check the templates of all environments against the operational rules
	@nice -n 5 $(VENV)/python -m tools.ops_lint

drill: setup ## Provoke what alarms ring for in a shop of its own, and walk their runbooks (ONLY=words of a kind, runbook or name)
	@$(VENV)/python -m tools.drill $(if $(ONLY),--only "$(ONLY)")

restore-drill: setup ## Back up the tables of a shop of its own, lose one, restore it, and check all books
	@$(VENV)/python -m tools.drill.restoring

restore-table: setup ## Put back what a table lost: TABLE=InventoryTable, FROM=a table restored beside it (DRY=1, OVERWRITE=1)
	@$(if $(and $(TABLE),$(FROM)),,echo "Say which: TABLE=<output that names the table> FROM=<name of the restored one>" >&2; exit 1;) \
	$(VENV)/python -m tools.restore_table --table $(TABLE) --source $(FROM) $(if $(OVERWRITE),--overwrite) $(if $(DRY),--dry-run) $(SHOP)

release-data: setup ## Keep what this release leaves for the upgrade tests of the next (OF=commit: what that one left)
	@code=$(CURDIR); \
	if [ -n "$(OF)" ]; then \
		code=$(CURDIR)/build/before; rm -rf $$code; mkdir -p $$code && git archive $(OF) | tar x -C $$code && \
		tar c $(PLAY) | tar x -C $$code && ln -s $(CURDIR)/.venv $(CURDIR)/node_modules $$code || exit 1; \
	fi; \
	cd $$code && PYTHONPATH=layers/commerce/python python -m pytest -q tests/integration/test_upgrade.py -k left_for_the_next && \
	kept=$(CURDIR)/tests/integration/releases/$$(git log -1 --format=%cs $(OF)) && mkdir -p $$kept && cp build/release/* $$kept

lint: setup ## Check style, types and who imports whom
	@$(VENV)/ruff check
	@$(VENV)/mypy
	@$(VENV)/lint-imports

format: setup ## Put imports and simple things in order
	@$(VENV)/ruff check --fix

rush: setup ## Let a crowd want more than there is, at the shop on this machine: BUYERS=200 UNITS=50 AT_ONCE=24
	@$(VENV)/python -m tools.rush $(if $(BUYERS),--buyers $(BUYERS)) $(if $(UNITS),--units $(UNITS)) $(if $(AT_ONCE),--at-once $(AT_ONCE))

flash-sale: setup ## Play a flash sale in virtual time (BUYERS=, UNITS=, SHARDS=, HOLD_MS=)
	@$(VENV)/python -m tools.flash_sale $(if $(BUYERS),--buyers $(BUYERS)) $(if $(UNITS),--units $(UNITS)) $(if $(SHARDS),--shards $(SHARDS)) $(if $(HOLD_MS),--hold-ms $(HOLD_MS))

audit: setup ## Scan templates and sources with every scanner; nothing they find may be unanswered
	@$(VENV)/python -m tools.audit

bench: setup ## Measure cold starts, warm requests, calls and dollars per 1,000 orders (PART=warm: only that)
	@$(VENV)/python -m tools.bench $(PART)

scale: setup ## Say which quota ends the shop's growth at so many orders per second: RATE=100 (JSON=1: for programs)
	@$(VENV)/python -m tools.scale $(RATE) $(if $(JSON),--json)

docs: setup ## Write docs/openapi.json, docs/api.html, docs/events and the tables of docs/scale.md from the code
	@$(VENV)/python -m tools.openapi
	@$(VENV)/python -m tools.event_docs
	@$(VENV)/python -m tools.scale --page

emails: setup ## Write every e-mail for a made-up order into build/emails
	@$(VENV)/python -m tools.emails

lock: setup ## Lock the packages with their hashes (UPGRADE=1: take the newest that fit)
	@$(VENV)/python -m tools.lock $(if $(UPGRADE),--upgrade)

layers: setup ## Build the functions' packages for this machine and for AWS
	@$(VENV)/python -m tools.build.layers local aws

synth: setup layers ## Synthesise the templates: ENV=local, dev, prod
	@$(CDK) synth --quiet -c environment=$(ENV) $(CDK_OPTIONS)

doctor: setup ## Check an AWS account before the first deployment, and say what to do: ENV=dev, prod (JSON=1: for programs)
	@$(VENV)/python -m tools.doctor $(ENV) $(if $(JSON),--json)

# Before anything is built. CDK_OPTIONS may name other credentials (--profile), which only the CDK can judge.
signed-in: setup
	@$(if $(filter local,$(ENV)),echo "The shop on this machine is started with: make up" >&2; exit 1)
	@$(if $(CDK_OPTIONS),,$(VENV)/python -m tools.shops)

diff: signed-in layers ## Show what a deployment to AWS would change, and refuse to lose data: ENV=dev, prod
	@$(CDK) diff -c environment=$(ENV) $(CDK_OPTIONS) && $(GUARD)

deploy: signed-in layers ## Deploy to AWS with your credentials: ENV=dev, prod (REPLACE="…": what may be lost)
	@$(CDK) synth --quiet -c environment=$(ENV) $(CDK_OPTIONS) && $(GUARD) && \
	$(CDK) deploy --all --app cdk.out $(CDK_OPTIONS)

smoke: setup ## Ask a deployed shop what its first visitors ask (ENV=dev, prod; without it the one on this machine)
	@$(VENV)/python -m tools.smoke $(SHOP)

privacy: setup ## Give a person their data, or erase them: EMAIL=…, KIND=export or erase, REFERENCE=… (YES=1, DRY=1); ID=person_… shows how far it is
	@$(if $(ID),$(VENV)/python -m tools.privacy show $(ID) $(SHOP),$(if $(and $(EMAIL),$(KIND),$(REFERENCE)),,echo "Say EMAIL=…, KIND=export or erase, and REFERENCE=…: where it is written down that they asked" >&2; exit 1;) \
	$(VENV)/python -m tools.privacy ask "$$EMAIL" --kind $(KIND) --reference "$$REFERENCE" $(ASKED) $(SHOP))

privacy-scan: setup ## Search tables, logs, executions and events for card numbers, secrets and people (WORDS="Ada Lovelace")
	@$(VENV)/python -m tools.privacy scan $(WORDS) $(SHOP)
