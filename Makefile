# `make` lists what there is. Everything runs from a clone on a machine with Docker and Rust, and on a bare Debian or
# Ubuntu machine with Rust as root.
export PATH := $(PATH):$(HOME)/.cargo/bin

.PHONY: help
help: ## Show this list
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-14s %s\n", $$1, $$2 }'

.PHONY: demo
demo: engine ## From nothing: deploy, produce, consume on both sides, status, destroy
	@dev/kafka-image.sh
	@dev/tools.sh rust linker
	@cargo build --quiet --locked --bin kmk
	@dev/demo.sh

.PHONY: test
test: ## From nothing: format, lints, docs, and all three rings of tests on a real engine, each rule once
	@dev/test.sh

.PHONY: matrix
matrix: ## From nothing: the same rules on other Kafkas and scenarios, on a real engine
	@dev/test.sh matrix

.PHONY: bench
bench: ## From nothing: measure kmk beside a hand-written stack, kcat and Kafka's tools, into BENCHMARKS.md (an hour)
	@dev/bench/run.sh

.PHONY: engine
engine: ## Bring up a Docker engine and compose, where they are missing (dev/engine.sh down stops it)
	@dev/engine.sh up

.PHONY: image
image: ## Print the images this engine has, of Kafka and of toxiproxy; pull or build them first if need be
	@dev/kafka-image.sh
	@dev/toxiproxy-image.sh

.PHONY: build
build: ## Build target/release/kmk
	@dev/tools.sh rust linker
	cargo build --release --locked

.PHONY: fmt
fmt: ## Format the code
	cargo fmt --all

.PHONY: lint
lint: ## Check format, lints and docs, as CI does
	@dev/tools.sh rust
	cargo fmt --all --check
	cargo clippy --all-targets --locked -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --no-deps --locked
