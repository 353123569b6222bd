# hotline: a signed and end-to-end encrypted crisis hotline between States.
#
#   make            build everything            make test     build and pass every test
#   make demo       the main job, in a minute   make lint     style, layers, clang, headers
#   make bench      figures beside a floor      make fuzz     libFuzzer, FUZZ_SECONDS each
#   make help       all targets
#
# SAN=1 builds with AddressSanitizer and UndefinedBehaviorSanitizer into build-san/.

PREFIX ?= /usr/local
DESTDIR ?=
CC ?= gcc
SAN ?= 0
BUILD ?= $(if $(filter 1,$(SAN)),build-san,build)
B := $(BUILD)

PKGS := libsodium libzmq libconfig sqlite3
CPPFLAGS += -D_GNU_SOURCE -I. -I$(B)
WARN := -Wall -Wextra -Wpedantic -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
        -Wpointer-arith -Wcast-qual -Wwrite-strings -Wvla -Wformat=2 -Wundef -Wimplicit-fallthrough
HARDEN := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection \
          -fcf-protection=full -ftrivial-auto-var-init=zero -fzero-call-used-regs=used-gpr \
          -fno-delete-null-pointer-checks -fno-strict-overflow -fno-strict-aliasing
LDHARDEN := -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code
ifeq ($(SAN),1)
  MODE_C := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -DHL_SAN=1
  MODE_L := -fsanitize=address,undefined
else
  MODE_C := -O2 -g $(HARDEN)
  MODE_L := $(LDHARDEN)
endif
CFLAGS += -std=gnu11 -fPIE $(WARN) $(MODE_C) -ffile-prefix-map=$(CURDIR)=. -MMD -MP
LDFLAGS += $(MODE_L)

LIBS_common := -lsodium -lconfig -lpthread
LIBS_server := -lsqlite3 -lzmq $(LIBS_common)
LIBS_client := -lsqlite3 -lzmq $(LIBS_common)

obj = $(patsubst %.c,$(B)/%.o,$(1))
SRC_common := $(wildcard common/*.c common/tlog/*.c)
SRC_keys   := $(wildcard keys/*.c)
SRC_server := $(filter-out server/hotlined.c,$(wildcard server/*.c))
SRC_audit  := $(filter-out client/audit/hotline_audit.c,$(wildcard client/audit/*.c))
SRC_tests  := $(wildcard tests/*.c)
SRC_client := $(filter-out client/hotline.c,$(wildcard client/*.c)) $(SRC_audit)
ARCHIVES := $(B)/libserver.a $(B)/libclient.a $(B)/libkeys.a $(B)/libcommon.a
PROGRAMS := $(if $(wildcard server/hotlined.c),$(B)/hotlined) $(if $(wildcard client/hotline.c),$(B)/hotline) \
            $(if $(wildcard client/audit/hotline_audit.c),$(B)/hotline-audit)

UNIT  := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(wildcard tests/unit/*_test.c))
FAULT := $(patsubst tests/fault/%.c,$(B)/tests/fault/%,$(wildcard tests/fault/*_test.c))

.PHONY: all deps test unit fault scenario lint demo bench fuzz install uninstall clean help
all: deps
	@$(MAKE) --no-print-directory programs

.PHONY: programs tests-built
programs: $(PROGRAMS) $(ARCHIVES)
tests-built: programs $(UNIT) $(FAULT)

deps:
	@sh tests/deps.sh build

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# an archive is made anew, so that a deleted source leaves nothing behind
define archive
$(B)/lib$(1).a: $(call obj,$(SRC_$(1)))
	@mkdir -p $$(@D)
	@rm -f $$@
	ar rcs $$@ $$^
endef
$(foreach a,common keys server client audit tests,$(eval $(call archive,$(a))))

$(B)/hotlined: $(B)/server/hotlined.o $(B)/libserver.a $(B)/libkeys.a $(B)/libcommon.a
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_server)
$(B)/hotline: $(B)/client/hotline.o $(B)/libclient.a $(B)/libkeys.a $(B)/libcommon.a
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_client)
# no network library, no database, no secret-key code
$(B)/hotline-audit: $(B)/client/audit/hotline_audit.o $(B)/libaudit.a $(B)/libcommon.a
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_common)

$(B)/tests/unit/%: $(B)/tests/unit/%.o $(B)/libtests.a $(ARCHIVES)
	$(CC) $(LDFLAGS) -o $@ $< $(B)/libtests.a $(ARCHIVES) -lcmocka $(LIBS_server)
$(B)/tests/fault/%: $(B)/tests/fault/%.o $(patsubst %.c,$(B)/%.o,$(filter-out %_test.c,$(wildcard tests/fault/*.c))) $(ARCHIVES)
	$(CC) $(LDFLAGS) -o $@ $< $(filter %.o,$(filter-out $<,$^)) $(ARCHIVES) -lcmocka $(LIBS_server) -ldl
.SECONDARY:

# every suite prints "N passed, N failed"; the last line sums them
test:
	@sh tests/deps.sh test
	@$(MAKE) --no-print-directory tests-built
	@BUILD=$(B) SAN=$(SAN) sh tests/run.sh

lint:
	@sh tests/deps.sh lint
	@sh tests/lint.sh

clean:
	rm -rf build build-san

-include $(shell find $(B) -name '*.d' 2>/dev/null)
