# hotline: a signed and end-to-end encrypted crisis hotline between States.
#
#   make            build the programs           make test     build and pass every test
#   make demo       the main job, in a minute    make lint     style, layers, clang, headers
#   make bench      figures beside a floor       make fuzz     libFuzzer, FUZZ_SECONDS a target
#   make install    PREFIX, DESTDIR              make clean    remove what was built
#
# Each target first installs what it lacks (Debian 12), and says what.
# SAN=1 builds with AddressSanitizer and UndefinedBehaviorSanitizer into build-san/.
# ENTRIES=1000000 lets the longest log of `make test` have a million entries (70,000).

PREFIX ?= /usr/local
DESTDIR ?=
CC = gcc
AR = ar
SAN ?= 0
ENTRIES ?= 70000
FUZZ_SECONDS ?= 20
BUILD ?= $(if $(filter 1,$(SAN)),build-san,build)
B := $(BUILD)

CPPFLAGS += -D_GNU_SOURCE -I. -I$(B) -DHL_DATADIR='"$(PREFIX)/share/hotline"'
WARN := -Wall -Wextra -Wpedantic -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
        -Wpointer-arith -Wcast-qual -Wwrite-strings -Wvla -Wformat=2 -Wundef -Wimplicit-fallthrough
HARDEN := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection \
          -fcf-protection=full -ftrivial-auto-var-init=zero -fzero-call-used-regs=used-gpr \
          -fno-delete-null-pointer-checks -fno-strict-overflow -fno-strict-aliasing
LDHARDEN := -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
ifeq ($(SAN),1)
  MODE_C := -O1 -g $(SANITIZE) -DHL_SAN=1
  MODE_L := $(SANITIZE)
else ifeq ($(SAN),fuzz)
  MODE_C := -O1 -g $(SANITIZE) -fsanitize=fuzzer-no-link -DHL_SAN=1
  MODE_L := $(SANITIZE)
  WARN := -Wall -Wextra
else
  MODE_C := -O2 -g $(HARDEN)
  MODE_L := $(LDHARDEN)
endif
CFLAGS += -std=gnu11 -fPIE $(WARN) $(MODE_C) -ffile-prefix-map=$(CURDIR)=. -MMD -MP
LDFLAGS += $(MODE_L) -Wl,--as-needed
LIBS_common := -lsodium -lconfig -lpthread
LIBS := -lsqlite3 -lzmq $(LIBS_common)

obj = $(patsubst %.c,$(B)/%.o,$(1))
SRC_common := $(wildcard common/*.c common/tlog/*.c)
SRC_keys   := $(wildcard keys/*.c)
SRC_server := $(filter-out server/hotlined.c,$(wildcard server/*.c))
SRC_audit  := $(filter-out client/audit/hotline_audit.c,$(wildcard client/audit/*.c))
SRC_client := $(filter-out client/hotline.c,$(wildcard client/*.c client/drill/*.c client/console/*.c))
PROGRAMS := $(if $(wildcard server/broker.c),$(B)/hotlined) $(if $(wildcard client/verbs.c),$(B)/hotline) \
            $(if $(wildcard client/audit/hotline_audit.c),$(B)/hotline-audit)

# A test links the layers that it includes and those below, so a broken layer above does not stop it.
SRC_tests := $(wildcard tests/unit/*_test.c tests/fault/*_test.c tests/fuzz/fuzz_*.c tests/bench/*_bench.c)
SRC_shared := $(wildcard tests/*.c)
SRC_fault := $(filter-out %_test.c,$(wildcard tests/fault/*.c))
UNIT   := $(patsubst %.c,$(B)/%,$(wildcard tests/unit/*_test.c))
FAULT  := $(patsubst %.c,$(B)/%,$(wildcard tests/fault/*_test.c))
REPLAY := $(patsubst tests/fuzz/fuzz_%.c,$(B)/tests/fuzz/replay_%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ   := $(patsubst %.c,$(B)/%,$(wildcard tests/fuzz/fuzz_*.c))
BENCH  := $(patsubst %.c,$(B)/%,$(wildcard tests/bench/*_bench.c))
STOCK  := $(B)/tests/stock/stock
TESTS  := $(UNIT) $(FAULT) $(REPLAY) $(STOCK)
including = $(if $(SRC_tests),$(shell grep -lE '^\#include "($(1))' $(SRC_tests) $(SRC_shared)))
WITH_shared  := $(call including,$(subst $(eval) ,|,$(SRC_shared:%.c=%.h)))
of_layer = $(call including,$(1)) $(if $(filter $(SRC_shared),$(call including,$(1))),$(WITH_shared))
WITH_server := $(call of_layer,server/)
WITH_client := $(call of_layer,client/[^a]|client/a[^u])
WITH_audit  := $(call of_layer,client/audit/) $(WITH_client)
WITH_keys   := $(call of_layer,keys/) $(WITH_server) $(WITH_client)
archives = $(foreach l,shared server client audit keys,$(if $(filter $(1),$(WITH_$(l))),$(B)/lib$(l).a)) $(B)/libcommon.a

# one line a command; V=1 shows all of it
say = $(if $(V),,@echo "  $(1)  $@";)
MAKE_ALL = $(MAKE) --no-print-directory $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc))

.PHONY: all programs test tests lint demo bench fuzz fuzz-targets install uninstall clean help broken
all:
	@sh tests/deps.sh build
	@$(MAKE_ALL) programs
programs: $(PROGRAMS)

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# an archive is made anew, so that a deleted source leaves nothing behind
define archive
$(B)/lib$(1).a: $(call obj,$(SRC_$(1)))
	@mkdir -p $$(@D)
	@rm -f $$@
	$$(call say,AR)$(AR) rcs $$@ $$^
endef
$(foreach a,common keys server client audit shared,$(eval $(call archive,$(a))))

$(B)/hotlined: $(B)/server/hotlined.o $(B)/libserver.a $(B)/libkeys.a $(B)/libcommon.a
	$(call say,LD)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)
$(B)/hotline: $(B)/client/hotline.o $(B)/libclient.a $(B)/libaudit.a $(B)/libkeys.a $(B)/libcommon.a
	$(call say,LD)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)
# no network library, no database, no secret-key code
$(B)/hotline-audit: $(B)/client/audit/hotline_audit.o $(B)/libaudit.a $(B)/libcommon.a
	$(call say,LD)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_common)

.SECONDEXPANSION:
$(UNIT): $(B)/%: $(B)/%.o $$(call archives,$$*.c)
	$(call say,LD)$(CC) $(LDFLAGS) -o $@ $^ -lcmocka $(LIBS)
$(FAULT): $(B)/%: $(B)/%.o $(call obj,$(SRC_fault)) $$(call archives,$$*.c)
	$(call say,LD)$(CC) $(LDFLAGS) -o $@ $^ -lcmocka $(LIBS) -ldl
$(BENCH): $(B)/%: $(B)/%.o $$(call archives,$$*.c)
	$(call say,LD)$(CC) $(LDFLAGS) -o $@ $^ -lcmocka $(LIBS)
$(REPLAY): $(B)/tests/fuzz/replay_%: $(B)/tests/fuzz/replay.o $(B)/tests/fuzz/fuzz_%.o $$(call archives,tests/fuzz/fuzz_$$*.c)
	$(call say,LD)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)
$(FUZZ): $(B)/%: $(B)/%.o $$(call archives,$$*.c)
	$(call say,LD)$(CC) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS)

# what tools of others verify, tests/scenario/01-stock-*.bats
$(STOCK): $(B)/%: $(B)/%.o $(B)/libshared.a $(B)/libaudit.a $(B)/libcommon.a
	$(call say,LD)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

LOADS := $(addprefix $(B)/tests/bench/,load floor fill)
$(LOADS): $(B)/%: $(B)/%.o $(B)/tests/bench/post.o $(B)/tests/bench/town.o $(B)/libshared.a $(B)/libserver.a $(B)/libkeys.a $(B)/libcommon.a
	$(call say,LD)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

# Clients that keep every promise, and peers that keep none, for tests/scenario
HOSTILE := $(addprefix $(B)/tests/hostile/,courier stranger herald)
$(HOSTILE): $(B)/%: $(B)/%.o $(B)/tests/bench/post.o $(B)/tests/bench/town.o $(B)/libshared.a $(B)/libserver.a $(B)/libkeys.a $(B)/libcommon.a
	$(call say,LD)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

$(B)/tests/bench/desks: $(B)/tests/bench/desks.o $(B)/libclient.a $(B)/libaudit.a $(B)/libkeys.a $(B)/libcommon.a
	$(call say,LD)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

# What does not build is counted as failed by name; all the rest is still run.
test:
	@sh tests/deps.sh test
	@broken=; $(MAKE_ALL) -k tests || broken=$$($(MAKE) -s --no-print-directory broken); \
	BUILD=$(B) SAN=$(SAN) HL_ENTRIES=$(ENTRIES) BROKEN="$$broken" sh tests/run.sh
tests: programs $(TESTS) $(HOSTILE) $(B)/tests/bench/load
broken:
	@for t in $(PROGRAMS) $(TESTS); do $(MAKE) -q $$t >/dev/null 2>&1 || echo $$t; done

lint:
	@sh tests/deps.sh lint
	@sh tests/lint.sh

demo:
	@sh tests/deps.sh demo
	@$(MAKE_ALL) -s programs
	@BUILD=$(B) sh tests/demo.sh

bench:
	@sh tests/deps.sh bench
	@$(MAKE_ALL) -s programs $(BENCH) $(LOADS) $(B)/tests/bench/desks
	@BUILD=$(B) sh tests/bench/run.sh

fuzz:
	@sh tests/deps.sh fuzz
	@$(MAKE_ALL) -s SAN=fuzz BUILD=build-fuzz CC=clang fuzz-targets
	@BUILD=build-fuzz FUZZ_SECONDS=$(FUZZ_SECONDS) sh tests/fuzz/run.sh
fuzz-targets: $(FUZZ)

# the one object that knows where the phrasebook was installed
$(B)/prefix: FORCE
	@mkdir -p $(@D); echo '$(PREFIX)' | cmp -s - $@ || echo '$(PREFIX)' >$@
$(B)/client/message_args.o: $(B)/prefix
.PHONY: FORCE

BIN := $(DESTDIR)$(PREFIX)/bin
SHARE := $(DESTDIR)$(PREFIX)/share
UNITS := $(DESTDIR)$(PREFIX)/lib/systemd/system
install: all
	install -d $(BIN) $(SHARE)/hotline/phrasebook $(SHARE)/hotline/demo $(SHARE)/doc/hotline $(UNITS)
	install -m 0755 $(PROGRAMS) $(BIN)
	install -m 0644 $(wildcard conf/phrasebook/*) $(SHARE)/hotline/phrasebook
	install -m 0644 $(wildcard conf/demo/*) $(SHARE)/hotline/demo
	install -m 0644 README.md $(wildcard docs/*.md) $(SHARE)/doc/hotline
	for u in $(notdir $(wildcard conf/systemd/*)); do \
	    sed 's,/usr/local,$(PREFIX),g' conf/systemd/$$u >$(UNITS)/$$u && chmod 0644 $(UNITS)/$$u || exit 1; done
uninstall:
	rm -f $(addprefix $(BIN)/,$(notdir $(PROGRAMS)))
	rm -f $(addprefix $(UNITS)/,$(notdir $(wildcard conf/systemd/*)))
	rm -rf $(SHARE)/hotline $(SHARE)/doc/hotline

clean:
	rm -rf build build-san build-fuzz

help:
	@sed -n '/^$$/q; s/^# \{0,1\}//p' Makefile

.SECONDARY:
-include $(shell find $(B) -name '*.d' 2>/dev/null)
