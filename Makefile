# SPDX-License-Identifier: Apache-2.0
# The short front door; meson builds.  `make run` and `make check` install what is missing.
BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
CMD ?= demo/run.sh
PYTHON := $(firstword $(wildcard /usr/bin/python3) python3)

.PHONY: build run check bench lint install fuzz coverage sanitize analyze clean

build: $(BUILD)/build.ninja
	ninja -C $(BUILD)

$(BUILD)/build.ninja:
	tools/install-deps build
	meson setup $(BUILD) --prefix=$(PREFIX) -Dtests=false

# A fresh machine to a demonstration; make run CMD='claude ...' runs that instead.
run: build
ifeq ($(CMD),demo/run.sh)
	STOCKADE=$(BUILD)/src/cli/stockade demo/run.sh
else
	$(BUILD)/src/cli/stockade run -- $(CMD)
endif

check:
	tools/install-deps test
	tests/run

bench: build
	tools/install-deps bench
	STOCKADE_BUILD=$(abspath $(BUILD)) bench/run

lint:
	tools/install-deps lint test
	tools/lint

# The prefix is part of the program: another one builds it anew.
install: build
	meson configure $(BUILD) --prefix=$(PREFIX)
	ninja -C $(BUILD)
	DESTDIR=$(DESTDIR) meson install -C $(BUILD) --no-rebuild

# Each target for SECONDS.
fuzz:
	tools/install-deps lint test
	tools/fuzz $(or $(SECONDS),60)

coverage:
	tools/install-deps lint test
	tools/coverage

sanitize:
	tools/install-deps lint test
	tools/sanitize

analyze:
	tools/install-deps build
	tools/analyze

clean:
	rm -rf build build-*
