# Every target prints what it does. Slow things are made once, outside the checkout, under
# $PLATFORM_MCP_CACHE (default: platform-mcp in your cache folder).
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

.PHONY: help
help: ## What there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 28

.PHONY: test
test: control-plane clients backstage ## All tests, against real parts
	@echo "== tests: unit, then black box over the real doors"
	cargo test --locked

.PHONY: control-plane
control-plane: ## Build kube-apiserver, controller-manager, kubectl, etcd and kro once
	@echo "== control plane: what is in the cache is not built again"
	tests/support/control-plane/build.sh

.PHONY: clients
clients: ## Install the MCP SDKs, the conformance suite, Knative's types and a browser once
	@echo "== MCP clients: what is in the cache is not installed again"
	tests/support/install.sh node
	tests/support/install.sh eventing
	tests/support/install.sh python
	[[ $$(uname -sm) != "Linux x86_64" ]] || tests/support/install.sh browser

.PHONY: backstage
backstage: ## Install a Backstage backend once
	@echo "== Backstage: what is in the cache is not installed again"
	tests/support/install.sh backstage

.PHONY: demo-data
demo-data: control-plane ## Record the demo platform anew from a real control plane
	@echo "== demo data: recorded from demo/platform on a real control plane"
	demo/record.sh

.PHONY: goldens
goldens: ## Write the tool contract's golden files and the README's tables anew
	@echo "== goldens: read the diff before you commit it"
	PLATFORM_MCP_GOLDENS=write cargo test --locked --test contract
	PLATFORM_MCP_GOLDENS=write cargo test --locked --lib golden_file

.PHONY: bench
bench: backstage ## Measure start, memory, size, tool list, throughput against bare rmcp, and lists beside Backstage's
	@echo "== bench: release build, then each figure with its goal"
	benches/run.sh

.PHONY: lint
lint: ## Format, clippy, licences and bans
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	cargo deny --locked check bans licenses sources
