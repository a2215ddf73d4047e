# Wengert: build, checks, installation.  `make help` lists the targets.
#
# Knobs, all given as make VAR=value: BUILD (directory of every product), CC, CXX, CFLAGS, LDFLAGS,
# SANITIZE (a list for -fsanitize=), WERROR=1, V=1 (show the commands), PREFIX, DESTDIR.

VERSION    := 0.1.0
SOVERSION  := 0
MIN_CHECKS := 1# `make check` fails when fewer tests were run; raise it as the suite grows

BUILD  ?= build
PREFIX ?= /usr/local
CFLAGS ?= -O3 -g

# ---- flags ---------------------------------------------------------------------------------------

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wdouble-promotion \
            -Wstrict-prototypes -Wmissing-prototypes -Wcast-qual -Wwrite-strings -Wformat=2 \
            -Wvla -Wundef -Wnull-dereference $(if $(filter 1,$(WERROR)),-Werror)

# One set of objects serves both libraries, hence -fPIC; without semantic interposition it costs
# nothing.  The results must not depend on the compiler's taste for FMA, hence -ffp-contract=off.
BASE_FLAGS := -std=c11 -D_POSIX_C_SOURCE=200809L -ffp-contract=off -fPIC -fno-semantic-interposition
SAN_FLAGS  := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer)

ALL_CFLAGS := $(BASE_FLAGS) $(WARNINGS) $(CFLAGS) $(SAN_FLAGS)
COMPILE     = $(CC) $(ALL_CFLAGS) -I. -Imodels -MMD -MP $(CPPFLAGS)
LINK        = $(CC) $(ALL_CFLAGS) $(LDFLAGS)
LIBS       := -lm -lpthread

comma := ,
# $(call run,WORD,COMMAND): runs the command, shown in full or as `WORD target`.
run = $(if $(V),$(2),@printf '  %-6s %s\n' $(1) '$@'; $(2))

# ---- what there is -------------------------------------------------------------------------------

LIB_SRC  := $(wildcard autograd/*.c ops/*.c ops/kernels/*.c models/*.c)
HEADERS  := $(filter-out %_internal.h,$(wildcard autograd/*.h ops/*.h models/*.h))
# An example with a main is a program; one without is a helper linked into all of them.
EX_MAIN  := $(shell grep -l '^int main' examples/*.c 2>/dev/null)
EX_HELP  := $(filter-out $(EX_MAIN),$(wildcard examples/*.c))
# Benchmarks and fuzz targets have mains of their own and are not part of the runner.
TEST_SRC := $(filter-out tests/bench_%.c tests/fuzz_%.c,$(wildcard tests/*.c))
SUITES   := $(patsubst tests/test_%.c,%,$(wildcard tests/test_*.c))

obj       = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
LIB_OBJ  := $(call obj,$(LIB_SRC))
STATIC   := $(BUILD)/libwengert.a
SHARED   := $(BUILD)/libwengert.so
PROGRAMS := $(patsubst examples/%.c,$(BUILD)/%,$(EX_MAIN))
RUNNER   := $(BUILD)/tests/run

.PHONY: all lib examples demo check test deps FORCE
all: lib examples
lib: $(STATIC) $(SHARED)
examples: $(PROGRAMS)

# ---- compiling and linking -----------------------------------------------------------------------

# $(call put,FILE,TEXT): writes FILE only where its text changes, so that its date means something.
put = @mkdir -p $(dir $(1)); printf '%s\n' $(2) | cmp -s - $(1) || printf '%s\n' $(2) > $(1)

# Everything compiled depends on the flags it was compiled with, libraries on the list of sources.
$(BUILD)/flags: FORCE
	$(call put,$@,'$(CC) $(ALL_CFLAGS) $(CPPFLAGS) $(LDFLAGS)')
$(BUILD)/sources: FORCE
	$(call put,$@,$(LIB_SRC) $(EX_HELP) $(TEST_SRC))

$(BUILD)/obj/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call run,CC,$(COMPILE) -c -o $@ $<)

$(STATIC): $(LIB_OBJ) $(BUILD)/sources
	@rm -f $@
	$(call run,AR,$(AR) rcs $@ $(LIB_OBJ))

$(SHARED): $(LIB_OBJ) $(BUILD)/sources
	$(call run,LD,$(LINK) -shared -Wl$(comma)-soname$(comma)libwengert.so.$(SOVERSION) -o $@ $(LIB_OBJ) $(LIBS))

$(PROGRAMS): $(BUILD)/%: $(BUILD)/obj/examples/%.o $(call obj,$(EX_HELP)) $(STATIC)
	$(call run,LD,$(LINK) -o $@ $(filter %.o,$^) $(STATIC) $(LIBS))

-include $(patsubst %.o,%.d,$(call obj,$(LIB_SRC) $(EX_MAIN) $(EX_HELP) $(TEST_SRC)))

demo: $(BUILD)/demo
	@$(BUILD)/demo

# ---- the test suite ------------------------------------------------------------------------------

# Check's flags are looked for when they are needed, not while this file is parsed: in
# `make deps check` Check does not exist before deps has run, and check waits for it, also with -j.
CHECK_AT := $(BUILD)/tests/libcheck
$(CHECK_AT).libs: tests/find_check.sh $(BUILD)/flags $(if $(filter deps,$(MAKECMDGOALS)),| deps)
	@mkdir -p $(@D)
	@CC='$(CC) $(CFLAGS) $(LDFLAGS)' sh tests/find_check.sh $(CHECK_AT)

deps:
	@CC='$(CC)' sh tests/install_deps.sh check

$(BUILD)/tests/suites.inc: FORCE
	$(call put,$@,$(patsubst %,'WGT_SUITE(%)',$(SUITES)))

$(BUILD)/obj/tests/%.o: tests/%.c $(BUILD)/flags $(CHECK_AT).libs $(BUILD)/tests/suites.inc
	@mkdir -p $(@D)
	$(call run,CC,$(COMPILE) @$(CHECK_AT).cflags -I$(BUILD)/tests -c -o $@ $<)

$(RUNNER): $(call obj,$(TEST_SRC)) $(STATIC) $(BUILD)/sources
	$(call run,LD,$(LINK) -o $@ $(filter %.o,$^) $(STATIC) @$(CHECK_AT).libs $(LIBS))

# Sanitizers slow the tests down: Check multiplies every timeout by this.
RUN_SUITE = CK_TIMEOUT_MULTIPLIER=$${CK_TIMEOUT_MULTIPLIER:-$(if $(SANITIZE),10,1)} \
            $(RUNNER) -m $(MIN_CHECKS)

test: $(RUNNER)
	@$(RUN_SUITE)

# The suite runs last: Check's closing line ends the output.
check: all $(RUNNER)
	@$(RUN_SUITE)
