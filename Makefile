# The batch graph (data -> bars -> features -> model -> predictions -> report) and the developer's verbs.
# Try another market: make backtest SEED=2, or one without anything to find: make backtest EDGE=0

SESSIONS ?= 60
SEED     ?= 1
EDGE     ?= 1
# Train on rows before this instant, trade from it on.
SPLIT    ?= 2026-10-20T00:00:00Z
# Features that plain trades cannot give: a model without them runs on any ticks.
WITHOUT  ?= f_delta_30,f_spread,f_queue,f_micro
RULES    ?= mes-1k
COSTS    ?= rules
OUT      ?= runs/backtest
PREFIX   ?= /usr/local
# How much longer than the tests `make soak` looks.
TIMES    ?= 10

BIN   := target/release
CARGO ?= cargo
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# A file is whole or not there.
WRITE = > $@.part && mv $@.part $@

##@ Use
backtest: $(OUT)/report.html ## Make default data, train, backtest; only what changed is made again
	@cat $(OUT)/summary.txt

model: models/default.onnx ## Train the default model from default data

$(OUT)/report.html: data/predictions.parquet data/.account $(BIN)/mes-bt
	$(BIN)/mes-bt --rules $(RULES) --costs $(COSTS) --from $(SPLIT) --out $(OUT) $< > /dev/null

data/predictions.parquet: data/features.parquet models/default.onnx $(BIN)/mes-predict
	$(BIN)/mes-predict --model models/default.onnx --skip-in-sample --to parquet $< $(WRITE)

models/default.onnx: data/features.parquet data/.split $(BIN)/mes-train
	$(BIN)/mes-train logistic --out $@ --until $(SPLIT) --without $(WITHOUT) $<

data/features.parquet: data/bars.parquet $(BIN)/mes-features
	$(BIN)/mes-features --labels=horizon --to parquet $< $(WRITE)

data/bars.parquet: data/synth.parquet $(BIN)/mes-bars
	$(BIN)/mes-bars --session rth --to parquet $< $(WRITE)

data/synth.parquet: data/.market $(BIN)/mes-fetch
	$(BIN)/mes-fetch synth --sessions $(SESSIONS) --seed $(SEED) --edge $(EDGE) --session rth --to parquet $(WRITE)

# Settings are files, so that a changed one makes what depends on it anew.
data/.market: SETTING = $(SESSIONS) $(SEED) $(EDGE)
data/.split: SETTING = $(SPLIT) $(WITHOUT)
data/.account: SETTING = $(RULES) $(COSTS) $(SPLIT) $(OUT)
data/.market data/.split data/.account: always
	@mkdir -p $(@D); echo '$(SETTING)' | cmp -s - $@ || echo '$(SETTING)' > $@

# With --workspace a tool is built from the very crates that all tools and tests are built from.
$(BIN)/mes-%: tools ;
tools:
	$(CARGO) build --release --workspace --locked $(addprefix --bin mes-,fetch bars features train predict bt)

demo-model: $(addprefix $(BIN)/mes-,fetch bars features train) ## Train the shipped model of `mes demo` again: other days of another made-up market
	$(BIN)/mes-fetch synth --sessions 20 --until 2026-10-16 --seed 1 --edge 1 --session rth | $(BIN)/mes-bars | \
	    $(BIN)/mes-features --labels=horizon | $(BIN)/mes-train logistic --out models/demo.onnx --without $(WITHOUT)

##@ Install
install: ## Put all tools into PREFIX (make install PREFIX=~/.local): one program, a name for each tool, man pages, completions
	$(CARGO) build --release --workspace --locked --bin mes --bin mes-nets
	pipelines/install.sh $(BIN) $(PREFIX)

dist: ## Write dist/: a tar.xz, a .deb and a Python wheel, each with all tools (FROM=FOLDER: of what is built there; else built with paths left out, as long as a first build)
	pipelines/dist/make $(FROM)

dist-check: ## Install what is in dist/ into empty places without a compiler, run `mes demo` there, print times and sizes (REPRO=1: build it anew elsewhere and compare the bytes)
	pipelines/dist/check $(if $(REPRO),repro)

##@ Develop
build: ## Build all tools
	$(CARGO) build --release --workspace --locked

test: ## Run all tests: golden cases, parity, properties, tidy, README; offline once the crates are there (WHOLE_NIGHTS=20: more nights of the whole pipeline, as before a release)
	$(CARGO) build --release --workspace --locked
	$(CARGO) test --release --workspace --locked
	@touch $(BIN)/tested # for mes-bt validate

contracts: build ## A short practice day in each of MES, ES, MNQ, NQ against mes-sim, judged by mes-check day; four minutes
	PATH=$$PWD/$(BIN):$$PATH tests/contracts

soak: ## Look for an account that breaks a limit, kill risk after more lines (TIMES=100: every one), put all fields at all extremes, mutate every input: make soak TIMES=10; SEED=n repeats one
	SOAK=$(TIMES) $(CARGO) test --release --locked -p mes-risk --test properties -- --nocapture
	SOAK=$(TIMES) $(CARGO) test --release --locked -p mes-golden --test all -- state:: parity:: es_day::
	for round in $$(seq $(TIMES)); do $(CARGO) test --release --locked -p mes-golden --test all -- stop:: ends:: strangers::; done
	SOAK=$(TIMES) $(CARGO) test --release --locked -p mes-golden --test all -- extremes:: fuzz:: liveness::
	SOAK=$(TIMES) $(CARGO) test --release --locked -p mes-core --test fuzz
	SOAK=$(TIMES) $(CARGO) test --release --locked -p mes-pipe --test all -- fuzz::
	SOAK=$(TIMES) $(CARGO) test --release --locked -p mes-sim --lib --test client
	WHOLE_NIGHTS=$$((50 * $(TIMES))) $(CARGO) test --release --locked -p mes-golden --test nights -- --nocapture
	MES_FUZZ=$$((20000 * $(TIMES))) $(CARGO) test --release --locked -p mes-predict --lib a_broken_file

oracle: build ## Compare with other programs (pandas, scikit-learn, onnxruntime, aiosmtpd), pinned, from PyPI; look at pages in Chromium, at the terminal in tmux; run the module of Python, its page and its notebooks
	tests/oracle/run

oracle-full: build ## The same with speeds beside polars and pandas, and every family of nets
	FULL=1 tests/oracle/run

cluster: build ## The same bytes from one process, a Slurm of three nodes on this machine and Snakemake, nodes killed -9; root, Debian's Slurm, PyPI (SMOKE=1: the short part)
	tests/cluster/run

cuda: build ## Nets on a graphics card against one core, by tolerance; needs nvcc, else says that nothing was tried
	tests/cuda

truth: build ## Does every family of models find a planted edge, and none where there is none? 20 minutes; PyPI as above
	tests/oracle/truth

bench: build ## Print speeds: tools, features, loop, models; then other engines; GROUPS='watch training rows lab jobs exchange live day': much longer ones
	$(BIN)/mes-bench $(GROUPS)
	tests/engines/run

engines: build ## Speed and trades beside backtesting.py, backtrader, vectorbt, nautilus_trader, pinned, from PyPI
	tests/engines/run

cold: ## What a first build costs: minutes, CPU, the dearest crates, and what is installed; from an empty folder, 15 minutes
	tests/cold

lint: ## fmt and clippy, warnings denied
	$(CARGO) fmt --all --check
	$(CARGO) clippy --release --workspace --all-targets --locked -- -D warnings

dev: ## fmt, clippy and tests of one tool: make dev T=mes-bars
	$(CARGO) fmt -p $(T)
	$(CARGO) clippy --release -p $(T) --all-targets -- -D warnings
	$(CARGO) test --release -p $(T)

clean: ## Remove made data, models and runs; the build stays
	rm -rf data/*.parquet data/.market data/.split data/.account $(filter-out models/demo.onnx,$(wildcard models/*.onnx)) models/default.md runs

help: ## Say this
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

always:
.PHONY: contracts backtest model demo-model tools install dist dist-check build test soak oracle oracle-full cluster cuda truth bench engines cold lint dev clean help always
