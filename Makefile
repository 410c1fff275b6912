# icl-probe and onestep: build, test, demonstrate. `make help` lists the targets.
SHELL := /bin/bash
PREFIX ?= /usr/local
SWIFT ?= swift
BUILD := .build/release
PROBE := $(BUILD)/icl-probe
ONESTEP := $(BUILD)/onestep
MODEL := smollm2
SECONDS := 60
SANITIZERS := address thread
TESTING := --scratch-path .build-tests -c release -Xswiftc -enable-testing
MPI := --scratch-path .build-mpi -c release --traits MPI
# Debian packages that building and running need.
PACKAGES := libopenblas-dev libssl-dev libsentencepiece-dev zlib1g-dev libpng-dev \
  dataset-fashion-mnist python3 python3-pip
# What the tests need on top: a browser that opens the reports.
TEST_PACKAGES := chromium
TASK_FAMILIES := $(patsubst %/,%,$(wildcard tasks/*/))
# A controller and a node for the test of job arrays, and what starts shares where no Slurm is.
CLUSTER_PACKAGES := slurm-wlm munge parallel
MPI_PACKAGES := libopenmpi-dev openmpi-bin
# What the comparison with peers needs on top: llama.cpp is compiled.
PEER_PACKAGES := g++ python3-venv
# What making the wheel and the Debian package needs on top, and what testing them.
PACKAGING_PACKAGES := binutils patchelf python3-venv dpkg-dev libicu72
INSTALLED_PACKAGES := python3-venv qemu-user debootstrap
AARCH64_PACKAGES := qemu-user-static gcc-aarch64-linux-gnu libc6-dev-arm64-cross

.PHONY: help demo evaluations test test-cluster test-ranks test-kills test-faults test-soak test-sanitized fuzz build packages \
  model vocabulary check-models install install-files packaging wheel deb test-wheel test-deb test-aarch64 bench bench-peers \
  networks rule-networks image-networks reproduce reproduce-onestep format lint clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

demo: packages build model ## patch a real model and make the report
	$(PROBE) patch --task multi-demo-rule
	$(PROBE) aggregate

# Tests are built apart: other flags in the same folder would build everything anew each time.
test: packages vocabulary ## build and run every test
	@.ci/install-packages $(TEST_PACKAGES)
	@echo "building the tests (some minutes) ..."
	$(SWIFT) build $(TESTING) --build-tests
	@.build-tests/release/icl-probe models fetch $(MODEL)
	$(SWIFT) test $(TESTING) --skip-build

test-cluster: packages ## run a sweep on a Slurm of its own, with shares that get lost (needs root)
	@.ci/install-packages $(CLUSTER_PACKAGES) $(MPI_PACKAGES)
	$(SWIFT) build $(TESTING) --product icl-probe
	$(SWIFT) build $(MPI) --product onestep
	@Tests/cluster .build-tests/release/icl-probe .build-mpi/release/onestep

# MPI is a package trait: nobody else needs it.
test-ranks: packages ## train over 1, 2, 3, 4 and 8 processes by MPI, and compare the bits
	@.ci/install-packages $(MPI_PACKAGES)
	$(SWIFT) build $(MPI) --product onestep
	@Tests/ranks .build-mpi/release/onestep

test-kills: build ## kill every command that writes 100 times each, and compare what is left
	@Tests/kills --build $(BUILD)

test-faults: build ## let every call that writes fail once, fill disks, cut files, run two at once
	@Tests/faults --build $(BUILD)

# RUNS and STEPS for fewer; all take one core an hour and a half.
test-soak: build ## fail where memory grows over 10,000 patch runs and 100,000 training steps
	@Tests/soak $(if $(RUNS),--runs $(RUNS)) $(if $(STEPS),--steps $(STEPS))

fuzz: packages ## give the readers of files random inputs, each for SECONDS (60)
	@SWIFT="$(SWIFT)" Tests/Fuzzing/fuzz $(SECONDS) $(READERS)

# SANITIZERS=address or =thread for one of them. See docs/fuzzing.md.
test-sanitized: packages vocabulary ## run the tests with AddressSanitizer, then ThreadSanitizer
	@SWIFT="$(SWIFT)" Tests/test-sanitized $(SANITIZERS)

build: packages ## build in release
	$(SWIFT) build -c release --product icl-probe
	$(SWIFT) build -c release --product onestep

packages: ## install the Debian packages that are missing
	@.ci/install-packages $(PACKAGES)

model: build ## fetch the default model
	@$(PROBE) models fetch $(MODEL)

vocabulary: ## fetch the vocabulary that the SentencePiece tests need
	@Tests/fetch-gemma-vocabulary

check-models: build ## compare real models with transformers' numbers (needs them fetched)
	@Tests/check-models

install: build install-files ## install to PREFIX (default /usr/local)

# What BUILD holds already is installed, with the data.
install-files:
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/icl-probe/pairs \
	  $(foreach family,$(TASK_FAMILIES),$(DESTDIR)$(PREFIX)/share/icl-probe/$(family)) \
	  $(DESTDIR)$(PREFIX)/share/icl-probe/probes $(DESTDIR)$(PREFIX)/share/icl-probe/studies \
	  $(DESTDIR)$(PREFIX)/share/icl-probe/catalogue $(DESTDIR)$(PREFIX)/share/icl-probe/cluster
	for network in networks/rule-*; do \
	  install -d $(DESTDIR)$(PREFIX)/share/icl-probe/$$network && \
	  install -m 644 $$network/* $(DESTDIR)$(PREFIX)/share/icl-probe/$$network/ || exit 1; \
	done
	install -m 644 networks/*.safetensors $(DESTDIR)$(PREFIX)/share/icl-probe/networks/
	install -m 755 $(PROBE) $(DESTDIR)$(PREFIX)/bin/icl-probe
	install -m 755 $(ONESTEP) $(DESTDIR)$(PREFIX)/bin/onestep
	install -m 644 tasks/*.json $(DESTDIR)$(PREFIX)/share/icl-probe/tasks/
	for family in $(TASK_FAMILIES); do \
	  install -m 644 $$family/* $(DESTDIR)$(PREFIX)/share/icl-probe/$$family/ || exit 1; \
	done
	install -m 644 pairs/*.jsonl $(DESTDIR)$(PREFIX)/share/icl-probe/pairs/
	install -m 644 probes/*.json $(DESTDIR)$(PREFIX)/share/icl-probe/probes/
	install -m 644 catalogue/*.json $(DESTDIR)$(PREFIX)/share/icl-probe/catalogue/
	install -m 644 studies/*.json $(DESTDIR)$(PREFIX)/share/icl-probe/studies/
	install -m 644 docs/cluster/*.sbatch $(DESTDIR)$(PREFIX)/share/icl-probe/cluster/

packaging: packages
	@.ci/install-packages $(PACKAGING_PACKAGES)
	@SWIFT="$(SWIFT)" Packaging/build-programs

wheel: packaging ## build dist/icl_probe-….whl, which needs no Swift (15 minutes)
	@SWIFT="$(SWIFT)" Packaging/build-wheel

deb: packaging ## build dist/icl-probe_….deb, which needs no Swift (15 minutes)
	@SWIFT="$(SWIFT)" Packaging/build-deb

test-wheel: ## test what make wheel built where no Swift is, and without AVX2
	@.ci/install-packages $(INSTALLED_PACKAGES)
	@Tests/test-wheel

test-aarch64: ## run the kernels of products as aarch64 code in an emulator, and compare their bits
	@.ci/install-packages $(AARCH64_PACKAGES)
	@Tests/test-aarch64

test-deb: ## test what make deb built in a Debian 12 of its own
	@.ci/install-packages $(INSTALLED_PACKAGES)
	@Tests/test-deb

bench: packages model ## measure, beside this machine's sgemm peak (about 10 minutes)
	$(SWIFT) build -c release --product benchmarks
	$(BUILD)/benchmarks --full

bench-peers: packages model ## compare with other programs on the same work (about 20 minutes)
	@.ci/install-packages $(PEER_PACKAGES)
	test -x Benchmarks/.venv/bin/python || python3 -m venv Benchmarks/.venv
	Benchmarks/.venv/bin/pip install --quiet --requirement Benchmarks/peers/requirements.txt
	$(SWIFT) build -c release --product benchmarks
	$(BUILD)/benchmarks --peers

networks: rule-networks image-networks ## make the networks in networks/ anew (hours)

rule-networks: packages ## compile and train networks/rule-… anew (about 20 minutes)
	$(SWIFT) build -c release --product rule-networks
	$(BUILD)/rule-networks --out networks
	$(BUILD)/rule-networks --out networks --train

# Resumable: what is there already is not trained again.
image-networks: build ## train the networks of onestep, into training-runs/ (hours)
	for size in 16 28; do \
	  $(ONESTEP) pretrain --data fashion-mnist --preset fashion$$size --out training-runs/fashion$$size && \
	  $(ONESTEP) features train --data fashion-mnist --preset fashion$$size --kind plain --seed 1 \
	    --out training-runs/fashion$$size-plain && \
	  $(ONESTEP) features train --data fashion-mnist --preset fashion$$size --kind residual --seed 2 \
	    --out training-runs/fashion$$size-residual || exit 1; \
	done
	$(ONESTEP) train --network networks/fashion16.safetensors --data fashion-mnist \
	  --features networks/fashion16-plain.safetensors --features encoder --kimg 200 --decay 0.5 \
	  --out training-runs/fashion16-onestep
	$(ONESTEP) train --network networks/fashion28.safetensors --data fashion-mnist --preset fashion28 \
	  --features networks/fashion28-plain.safetensors --features encoder --kimg 200 --decay 0.5 \
	  --out training-runs/fashion28-onestep
	$(ONESTEP) pretrain --data fashion-mnist --preset fashion16 --cond --out training-runs/fashion16-cond
	$(ONESTEP) train --network networks/fashion16-cond.safetensors --data fashion-mnist \
	  --features networks/fashion16-plain.safetensors --features encoder --kimg 200 --decay 0.5 \
	  --out training-runs/fashion16-cond-onestep
	$(ONESTEP) pretrain --data stacked-fashion-mnist --preset stacked32 --out training-runs/stacked32
	$(ONESTEP) train --network networks/stacked32.safetensors \
	  --data stacked-fashion-mnist --preset stacked32 --features networks/fashion28-plain.safetensors@channels \
	  --features encoder --kimg 100 --decay 0.5 --out training-runs/stacked32-onestep

# Resumable too. A study chooses learning rates on a development seed.
# Three pretrainings, the first trained as networks/fashion16 was (a change of a kernel since moves its bits).
PRETRAININGS := a=fashion16 b=fashion16-seed-1 c=fashion16-seed-2
snapshots = $(foreach kimg,050 100 200 400,\
  --network $(1)-$(patsubst 0%,%,$(kimg))k=training-runs/$(2)/snapshot-000$(kimg).safetensors)
STUDY := $(ONESTEP) study --features networks/fashion16-plain.safetensors \
  --metric networks/fashion16-residual.safetensors
# What of a report is kept: the page, which has its figures in it, and their numbers as tables.
keep = rm -rf $(2) && mkdir -p $(2) && cp $(1)/*.csv $(2)/ && \
  sed 's/<a href="[^"]*\.svg">[^<]*<\/a> · //g' $(1)/index.html > $(2)/index.html
reproduce: build ## test the paper's claims on four models (hours; stops and goes on)
	studies/rule-vectors/run
	rm -rf reports/reproduce
	$(PROBE) aggregate runs/reproduce/*/*/ --out reports/reproduce \
	  --show multi-demo-rule --show country-capital --claims docs/results/claims.md \
	  --fill docs/results/README.md
	$(call keep,reports/reproduce,docs/results/report)

# Seeds 1 and 2 of the one-step networks, and how good all are: docs/onestep/evaluations.
SEEDS := 1 2
# Size, seed.
train-seed = $(ONESTEP) train --network networks/fashion$(1).safetensors --data fashion-mnist --preset fashion$(1) \
  --features networks/fashion$(1)-plain.safetensors --features encoder --kimg 200 --decay 0.5 \
  --seed $(2) --out training-runs/fashion$(1)-onestep-seed-$(2)
# Name, network, size.
evaluate = { test -s docs/onestep/evaluations/$(1).json || { $(ONESTEP) evaluate --network $(2) \
  --data fashion-mnist --preset fashion$(3) --features networks/fashion$(3)-residual.safetensors \
  --features efficientnet-lite2@64 --json > docs/onestep/evaluations/$(1).tmp && \
  mv docs/onestep/evaluations/$(1).tmp docs/onestep/evaluations/$(1).json; }; }
evaluate-shipped = $(call evaluate,$(1),networks/$(1).safetensors,$(2)) && \
  $(call evaluate,$(1)-onestep,networks/$(1)-onestep.safetensors,$(2))
evaluate-seed = $(call evaluate,fashion$(1)-onestep-seed-$(2),training-runs/fashion$(1)-onestep-seed-$(2)/snapshot-000200.safetensors,$(1))
evaluate-stacked = { test -s docs/onestep/evaluations/$(1).json || { $(ONESTEP) evaluate \
  --network networks/$(1).safetensors --data stacked-fashion-mnist --preset stacked32 \
  --features networks/fashion28-residual.safetensors@channels --count 5000 --json \
  > docs/onestep/evaluations/$(1).tmp && \
  mv docs/onestep/evaluations/$(1).tmp docs/onestep/evaluations/$(1).json; }; }
evaluations: build ## measure the networks of onestep, three seeds without classes (hours)
	$(ONESTEP) features fetch efficientnet-lite2
	mkdir -p docs/onestep/evaluations
	$(foreach size,16 28,$(foreach seed,$(SEEDS),$(call train-seed,$(size),$(seed)) &&)) true
	$(call evaluate-shipped,fashion16,16) && $(call evaluate-shipped,fashion16-cond,16) && \
	  $(call evaluate-shipped,fashion28,28)
	$(call evaluate-stacked,stacked32) && $(call evaluate-stacked,stacked32-onestep)
	$(foreach size,16 28,$(foreach seed,$(SEEDS),$(call evaluate-seed,$(size),$(seed)) &&)) true

# With the networks in networks/, and three pretrainings of which the study of ability takes snapshots.
reproduce-onestep: build ## run the studies of one-step generators anew (hours; stops and goes on)
	$(ONESTEP) features fetch efficientnet-lite2
	$(ONESTEP) features fetch efficientnet-lite0
	$(ONESTEP) pretrain --data fashion-mnist --preset fashion16 --out training-runs/fashion16
	for seed in 1 2; do \
	  $(ONESTEP) pretrain --data fashion-mnist --preset fashion16 --seed $$seed \
	    --out training-runs/fashion16-seed-$$seed || exit 1; \
	done
	$(STUDY) --features encoder levers --network pretrained=networks/fashion16.safetensors
	$(STUDY) --features encoder levers-further --network pretrained=networks/fashion16.safetensors
	$(STUDY) --features encoder levers-seen --network pretrained=networks/fashion16.safetensors
	$(STUDY) freezing --network pretrained=networks/fashion16.safetensors
	$(STUDY) minima --network pretrained=networks/fashion16.safetensors
	$(STUDY) --metric efficientnet-lite2@64 rivals --network pretrained=networks/fashion16.safetensors
	$(STUDY) ability $(foreach run,$(PRETRAININGS),\
	  $(call snapshots,$(firstword $(subst =, ,$(run))),$(lastword $(subst =, ,$(run)))))
	$(STUDY) frequency --network pretrained=networks/fashion16.safetensors \
	  --network one-step=networks/fashion16-onestep.safetensors
	$(ONESTEP) study larger --features networks/fashion28-plain.safetensors \
	  --metric networks/fashion28-residual.safetensors \
	  --network pretrained=networks/fashion28.safetensors
	$(ONESTEP) report --out reports/onestep

format: ## format the sources
	$(SWIFT) format --in-place --recursive Sources Tests Benchmarks Package.swift

lint: ## check the format
	$(SWIFT) format lint --strict --recursive Sources Tests Benchmarks Package.swift

clean: ## remove what was built
	rm -rf .build .build-tests .build-mpi .build-fuzz .build-address .build-thread .build-wheel .build-wheel-portable dist
