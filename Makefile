# Wengert: build, checks, installation.  `make help` lists the targets.
#
# Knobs, all given as make VAR=value: BUILD (directory of every product), CC, CXX, CFLAGS, LDFLAGS,
# SANITIZE (a list for -fsanitize=), CHECK=own (the tests' own stand-in for Check), WERROR=1, V=1 (show the commands), PREFIX, DESTDIR.

ifeq ($(wildcard models/wengert.h),)
$(error make builds in the directory of its Makefile: make -C DIRECTORY, and BUILD=PATH for products elsewhere)
endif

VERSION   := $(shell sed -n 's/^\#define WG_VERSION  *"\(.*\)"/\1/p' models/version.h)
SOVERSION := $(basename $(VERSION))

BUILD  ?= build
ifneq ($(words $(BUILD)),1)
$(error BUILD="$(BUILD)": make cannot build in a directory whose name is empty or has spaces)
endif
PREFIX ?= /usr/local
CFLAGS ?= -O3 -g

# All processors take part unless the caller gives a -j; make passes it on to the makes inside.
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell getconf _NPROCESSORS_ONLN)
endif

# ---- flags ---------------------------------------------------------------------------------------

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wdouble-promotion \
            -Wstrict-prototypes -Wmissing-prototypes -Wcast-qual -Wwrite-strings -Wformat=2 \
            -Wvla -Wundef -Wnull-dereference -Werror=implicit-function-declaration \
            -Werror=int-conversion $(if $(filter 1,$(WERROR)),-Werror)

# One set of objects serves both libraries, hence -fPIC; without semantic interposition it costs
# nothing.  The results must not depend on the compiler's taste for FMA, hence -ffp-contract=off.
# Nothing reads errno after a libm call; without it sqrt is one instruction, and loops vectorize.
# -std=c11 on s390x means double arithmetic for floats unless it is told otherwise. Newlib's inttypes.h has no PRId64
# before sys/types.h.
MACHINE    := $(shell $(CC) -dumpmachine)
BASE_FLAGS := $(if $(findstring s390x,$(MACHINE)),-fexcess-precision=fast) \
              $(if $(findstring mingw,$(MACHINE)),-D_FILE_OFFSET_BITS=64) \
              $(if $(findstring wasi,$(MACHINE)),-D_WASI_EMULATED_SIGNAL -D_WASI_EMULATED_GETPID) -std=c11 -D_POSIX_C_SOURCE=200809L -ffp-contract=off -fno-math-errno \
              $(if $(findstring none,$(MACHINE)),-include sys/types.h,-fPIC -fno-semantic-interposition)
SAN_FLAGS  := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer)

ALL_CFLAGS := $(BASE_FLAGS) $(WARNINGS) $(CFLAGS) $(SAN_FLAGS)
# The folder's name in debugging information would be in the build ID, and so in what strip leaves.
COMPILE     = $(CC) $(ALL_CFLAGS) -fdebug-prefix-map="$$PWD"=. -I. -Imodels -MMD -MP $(CPPFLAGS)
LINK        = $(CC) $(ALL_CFLAGS) $(LDFLAGS)
# What programs link with besides the library: a file, which the linker reads as @FILE.
LIBS       := $(BUILD)/libs

comma := ,
# $(call run,WORD,COMMAND): runs the command, shown in full or as `WORD target`.
run = $(if $(V),$(2),@printf '  %-6s %s\n' $(1) '$@'; $(2))

# ---- what there is -------------------------------------------------------------------------------

# The folders of the library, each behind those that it may include.
PUBLIC   := autograd $(addprefix autograd/,print ranks compile derivatives check) ops \
            $(addprefix models/,files data metrics optim train) models
LIB_DIRS := $(PUBLIC) ops/kernels
# What WG_NO_CHECK and WG_NO_FILES in CPPFLAGS leave out; the other switches are for the sources alone.
CHECK_SRC := $(sort $(wildcard autograd/check/*.c))
FILES_SRC := $(addprefix models/files/,cache.c crc.c csv.c csv_cache.c csv_fields.c csv_rows.c csv_write.c elements.c idx.c json.c \
                 npy.c npy_stream.c npz.c platform.c program_c.c reader.c safetensors_load.c safetensors_save.c svmlight.c svmlight_cache.c window.c writer.c) \
             models/estimator_write.c models/estimator_file.c \
             $(addprefix autograd/compile/,c_formula.c write.c write_calls.c write_function.c write_plan.c write_steps.c) ops/scan_write.c
OTHER_SRC := $(filter-out $(CHECK_SRC) $(FILES_SRC),$(sort $(wildcard $(addsuffix /*.c,$(LIB_DIRS)))))
without    = $(filter -D$(1) -D$(1)=%,$(CPPFLAGS) $(CFLAGS))
LIB_SRC  := $(sort $(OTHER_SRC) $(if $(call without,WG_NO_CHECK),,$(CHECK_SRC)) \
                                $(if $(call without,WG_NO_FILES),,$(FILES_SRC)))
HEADERS  := $(filter-out %_internal.h,$(wildcard $(addsuffix /*.h,$(PUBLIC))))
ALL_HEADERS := $(wildcard $(addsuffix /*.h,$(LIB_DIRS)) $(addsuffix /*.inc,$(LIB_DIRS)))
# Examples are programs; what several of them share is linked into all.
EX_MAIN  := $(filter-out examples/train_mpi.c,$(shell grep -l '^int main' examples/*.c 2>/dev/null))
EX_HELP  := $(wildcard examples/support/*.c)
# tests/bench and tests/fuzz have mains of their own and are not part of the runner.
TEST_DIRS := $(addprefix tests/,support engine check compile ops models)
TEST_SRC := $(sort $(wildcard $(addsuffix /*.c,$(TEST_DIRS)))) \
            $(if $(filter own,$(CHECK)),tests/support/check/check.c)
# Without POSIX, suites that start processes or load what they compiled are left out; on WASI those with threads, too.
NO_POSIX := $(if $(findstring mingw,$(MACHINE))$(findstring wasi,$(MACHINE)),sys/wait.h|sys/resource.h|dlfcn.h|written.h|support/ranks.h|EDQUOT) \
            $(if $(findstring wasi,$(MACHINE)),|popen|pthread.h|system..python3|tmpfile)
ifneq ($(strip $(NO_POSIX)),)
TEST_SRC := $(filter-out $(shell grep -lE '$(subst $() ,,$(NO_POSIX))' tests/*/test_*.c tests/compile/written.c tests/support/ranks.c),$(TEST_SRC))
endif
SUITES   := $(patsubst test_%.c,%,$(filter test_%.c,$(notdir $(TEST_SRC))))

obj       = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
LIB_OBJ  := $(call obj,$(LIB_SRC))
STATIC   := $(BUILD)/libwengert.a
# A shared library where make knows how that is done; what it exports is listed for its linker.
ifneq ($(findstring darwin,$(MACHINE)),)
SHARED   := $(BUILD)/libwengert.dylib
versioned = libwengert.$(1).dylib
SHARE     = -dynamiclib -install_name '$(LIBDIR)/$(call versioned,$(SOVERSION))' \
            -Wl$(comma)-exported_symbols_list$(comma)$(BUILD)/exports
else ifeq ($(findstring mingw,$(MACHINE))$(findstring wasm,$(MACHINE))$(findstring none,$(MACHINE)),)
SHARED   := $(BUILD)/libwengert.so
versioned = libwengert.so.$(1)
SHARE     = -shared -Wl$(comma)-soname$(comma)$(call versioned,$(SOVERSION)) \
            -Wl$(comma)--version-script$(comma)$(BUILD)/exports
endif
EXE      := $(if $(findstring mingw,$(MACHINE)),.exe)
PROGRAMS := $(patsubst examples/%.c,$(BUILD)/%$(EXE),$(EX_MAIN))
RUNNER   := $(BUILD)/tests/run$(EXE)

.PHONY: all lib examples demo deps deps-mpi mpi check-mpi test check check-layers check-headers check-symbols check-readme check-reproducible \
        check-amalgamation check-install check-examples check-programs check-ship check-switches size check-aarch64 check-windows check-wasi check-cortex check-format amalgamation ffi docs man check-docs install uninstall \
        bench peers fuzz fuzz-long fuzzers check-fuzz test-fuzz coverage format tidy analyze prove clean help FORCE
# The examples need all of it.
all: lib $(if $(call without,WG_NO_CHECK)$(call without,WG_NO_FILES),,examples)
lib: $(STATIC) $(SHARED) $(LIBS)
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

$(BUILD)/exports: tests/exports.sh $(STATIC) $(HEADERS)
	@NM='$(NM)' sh $< $(suffix $(SHARED)) $(STATIC) $(HEADERS) > $@

$(SHARED): $(LIB_OBJ) $(BUILD)/exports $(BUILD)/sources $(LIBS)
	$(call run,LD,$(LINK) $(SHARE) -o $@ $(LIB_OBJ) @$(LIBS))

# Atomics that the machine lacks are in a library of the compiler's.
$(LIBS): tests/find_libs.sh $(BUILD)/flags
	@CC='$(CC) $(CFLAGS) $(LDFLAGS)' sh $< > $@

$(PROGRAMS): $(BUILD)/%$(EXE): $(BUILD)/obj/examples/%.o $(call obj,$(EX_HELP)) $(STATIC) $(LIBS)
	$(call run,LD,$(LINK) -o $@ $(filter %.o,$^) $(STATIC) @$(LIBS))

-include $(patsubst %.o,%.d,$(call obj,$(LIB_SRC) $(EX_MAIN) $(EX_HELP) $(TEST_SRC) \
                                       $(wildcard tests/bench/*.c)))

demo: $(BUILD)/demo
	@$(BUILD)/demo

# train for several machines, where there is an MPI.
MPICC ?= mpicc
mpi: $(BUILD)/train-mpi
$(BUILD)/train-mpi: examples/train_mpi.c $(call obj,$(EX_HELP)) $(STATIC) $(LIBS)
	@command -v $(MPICC) > /dev/null || { echo 'make: there is no $(MPICC): make deps-mpi, or MPICC=...'; exit 1; }
	$(call run,MPICC,OMPI_CC='$(CC)' MPICH_CC='$(CC)' $(MPICC) $(BASE_FLAGS) $(CFLAGS) $(SAN_FLAGS) $(CPPFLAGS) $(LDFLAGS) -I. -Imodels -o $@ \
	    $< $(filter %.o,$^) $(STATIC) @$(LIBS))

# The same model, to the bit, from one process and from others, whatever --threads says.
check-mpi: mpi $(BUILD)/train
	@sh tests/check_mpi.sh $(BUILD)

# ---- the test suite ------------------------------------------------------------------------------

# Check's flags are looked for when they are needed, not while this file is parsed: in
# `make deps check` Check does not exist before deps has run, and check waits for it, also with -j.
CHECK_AT := $(BUILD)/tests/libcheck
$(CHECK_AT).libs: tests/find_check.sh $(BUILD)/flags $(if $(filter deps,$(MAKECMDGOALS)),| deps)
	@mkdir -p $(@D)
	$(if $(filter own,$(CHECK)),@echo -Itests/support/check > $(CHECK_AT).cflags; : > $@, \
	    @CC='$(CC) $(CFLAGS) $(LDFLAGS)' sh tests/find_check.sh $(CHECK_AT))

deps:
	@CC='$(CC)' sh tests/install_deps.sh check
deps-mpi:
	@sh tests/install_deps.sh mpi

$(BUILD)/tests/suites.inc: FORCE
	$(call put,$@,$(patsubst %,'WGT_SUITE(%)',$(SUITES)))

# What the tests compute themselves is little: -O1 builds them in half the time.
TEST_O := $(if $(filter -O2 -O3,$(CFLAGS)),-O1)
$(BUILD)/obj/tests/%.o: tests/%.c $(BUILD)/flags $(CHECK_AT).libs $(BUILD)/tests/suites.inc
	@mkdir -p $(@D)
	$(call run,CC,$(COMPILE) $(TEST_O) @$(CHECK_AT).cflags -I$(BUILD)/tests -c -o $@ $<)

# Tests make the system's calls fail (tests/support/system.c), where the linker can put them in between.
WRAPPED := open read pread lseek write fsync close rename unlink fstat lstat stat readlink fchmod opendir closedir pthread_create
WRAP := $(if $(strip $(foreach m,darwin mingw wasi,$(findstring $(m),$(MACHINE)))),,$(addprefix -Wl$(comma)--wrap=,$(WRAPPED)))
$(RUNNER): $(call obj,$(TEST_SRC)) $(STATIC) $(BUILD)/sources $(LIBS)
	$(call run,LD,$(LINK) $(WRAP) -o $@ $(filter %.o,$^) $(STATIC) @$(CHECK_AT).libs @$(LIBS))

# Sanitizers slow the tests down: Check multiplies every timeout by this.
test: $(RUNNER)
	@CK_TIMEOUT_MULTIPLIER=$${CK_TIMEOUT_MULTIPLIER:-$(if $(SANITIZE),10,1)} sh tests/run_suites.sh $(BUILD)/tests/log $(RUNNER)

# Everything that is checked, the longest first; the suite's closing line ends the output.
check: test check-install check-amalgamation check-docs check-programs check-examples check-readme check-headers \
       check-symbols check-layers check-fuzz
	@echo 'make check: all passed; the suite:'
	@tail -n 1 $(BUILD)/tests/log

WITH_CC = CC='$(CC) $(CFLAGS) $(SAN_FLAGS) $(LDFLAGS)'
check-layers:
	@sh tests/check_layers.sh --self-test
	@sh tests/check_layers.sh
check-headers:
	@CC='$(CC)' CXX='$(CXX)' sh tests/check_headers.sh
check-symbols: lib
	@CC='$(CC)' sh tests/check_symbols.sh $(STATIC) $(filter %.so,$(SHARED))
check-readme: $(STATIC)
	@$(WITH_CC) CXX='$(if $(filter default,$(origin CXX)),,$(CXX))' sh tests/check_readme.sh $<
check-amalgamation: amalgamation
	@$(WITH_CC) sh tests/check_amalgamation.sh $(BUILD) $(firstword $(EX_MAIN)) $(EX_HELP)
check-install: all amalgamation ffi
	@TRY_$(WITH_CC) sh tests/check_install.sh '$(MAKE)' '$(BUILD)'
# Each switch that leaves a part of the library out, and all of them, with both compilers; bytes of a small program.
check-switches: amalgamation
	@WARNINGS='$(filter-out -Wshadow,$(WARNINGS))' sh tests/switches.sh check '$(MAKE)' $(BUILD)
size: amalgamation
	@CC='$(CC)' sh tests/switches.sh size '$(MAKE)' $(BUILD)
# Two builds, one where the path has a space and a quote, give the same libraries and programs.
check-reproducible:
	@sh tests/check_reproducible.sh '$(MAKE)'

check-docs: docs lib
	@sh tests/check_docs.sh $(BUILD)

# EXACT=1: to the last digit.
check-examples: examples
	@sh tests/check_examples.sh $(BUILD)
check-programs: examples
	@sh tests/check_programs.sh $(BUILD)

# The library and the demo on another architecture, big vectors and all, under an emulator.
check-ship: $(STATIC)
	@CC='$(CC)' sh tests/check_ship.sh $(STATIC)
check-aarch64:
	@$(MAKE) CC=aarch64-linux-gnu-gcc LDFLAGS=-static BUILD=$(BUILD)/aarch64 $(BUILD)/aarch64/demo
	qemu-aarch64-static $(BUILD)/aarch64/demo

# On Windows under wine: the demo, a model trained, saved over an older one, and used; suites of files and kernels; and
# the library compiles as one file. In WebAssembly under node, with a stack of more than its 64 KiB: the demo and suites.
WINDOWS_SUITES := archive safetensors csv csv_write idx locale npy npz svmlight table gemm matmul optimizer tape tensor
WASI_SUITES    := csv gemm matmul optimizer tensor
check-windows:
	@$(MAKE) CC=x86_64-w64-mingw32-gcc AR=x86_64-w64-mingw32-ar LDFLAGS=-static BUILD=$(BUILD)/windows CHECK=own \
	    $(foreach p,demo train predict tests/run,$(BUILD)/windows/$(p).exe) check-amalgamation
	WINEDEBUG=-all wine $(BUILD)/windows/tests/run.exe $(WINDOWS_SUITES)
	WINEDEBUG=-all wine $(BUILD)/windows/demo.exe
	for i in 1 2; do WINEDEBUG=-all wine $(BUILD)/windows/train.exe examples/data/iris.csv \
	    --save $(BUILD)/windows/iris.safetensors 2> /dev/null || exit 1; done
	WINEDEBUG=-all wine $(BUILD)/windows/predict.exe $(BUILD)/windows/iris.safetensors examples/data/iris.csv | tail -n 1
check-wasi:
	@$(MAKE) CC='clang --target=wasm32-wasi --sysroot=/usr' AR=llvm-ar BUILD=$(BUILD)/wasi CHECK=own \
	    LDFLAGS=-Wl$(comma)-z$(comma)stack-size=8388608 \
	    $(BUILD)/wasi/demo $(BUILD)/wasi/tests/run
	node --no-warnings tests/wasi.mjs $(BUILD)/wasi/demo
	TMPDIR=$(BUILD)/wasi node --no-warnings tests/wasi.mjs $(BUILD)/wasi/tests/run $(WASI_SUITES)

# On a Cortex-M4 in QEMU, without a system: what the switches leave trains a logistic regression.
SMALL := -DWG_NO_FILES -DWG_NO_THREADS -DWG_NO_CHECK -DWG_BASELINE_ONLY
CORTEX = arm-none-eabi-gcc $(shell sh tests/cortex.sh flags)
check-cortex:
	@$(MAKE) CC='$(CORTEX)' AR=arm-none-eabi-ar CFLAGS='-Os -ffunction-sections -fdata-sections' CPPFLAGS='$(SMALL)' \
	    BUILD=$(BUILD)/cortex lib
	$(CORTEX) -std=c11 -Os $(SMALL) -I. -Imodels -c -o $(BUILD)/cortex/switches.o tests/switches.c
	sh tests/cortex.sh mps2-an386 $(BUILD)/cortex/switches $(BUILD)/cortex/switches.o $(BUILD)/cortex/libwengert.a | \
	    grep 'loss 0.131949'

# ---- one pair of files, and installation ---------------------------------------------------------

amalgamation: $(BUILD)/wengert.c
$(BUILD)/wengert.c: tests/amalgamate.sh $(OTHER_SRC) $(CHECK_SRC) $(FILES_SRC) $(ALL_HEADERS) $(BUILD)/sources
	@sh tests/amalgamate.sh $(BUILD) $(OTHER_SRC) WG_NO_CHECK $(CHECK_SRC) WG_NO_FILES $(FILES_SRC)

# One header for cffi and LuaJIT, which know C and no preprocessor: nothing of libc's, no attributes, no bodies.
ffi: $(BUILD)/wengert_ffi.h
$(BUILD)/wengert_ffi.h: tests/ffi.sh $(BUILD)/wengert.c
	@CC='$(CC)' sh $< $(BUILD)/wengert.h > $@

# The manual, and the reference with the tutorial as HTML; both fail where a function has no comment of its own.
DOC_HEADERS := $(filter-out models/wengert.h,$(HEADERS))
docs: man $(addprefix $(BUILD)/,error_curve learning_rates iris moons decision_boundary l2 threshold)
	@sh tests/docs/docs.sh $(BUILD) $(VERSION) html $(DOC_HEADERS)
man: $(BUILD)/train $(BUILD)/predict
	@sh tests/docs/docs.sh $(BUILD) $(VERSION) man $(DOC_HEADERS)

BINDIR     ?= $(PREFIX)/bin
LIBDIR     ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR     ?= $(PREFIX)/share/man
# $(call quote,PATH): one word of the shell, whatever PATH holds.  Only these paths may have spaces.
quote       = '$(subst ','\'',$(1))'
to_bin     := $(call quote,$(DESTDIR)$(BINDIR))
to_lib     := $(call quote,$(DESTDIR)$(LIBDIR))
to_include := $(call quote,$(DESTDIR)$(INCLUDEDIR))
to_man     := $(call quote,$(DESTDIR)$(MANDIR))
to_share   := $(call quote,$(DESTDIR)$(PREFIX)/share/wengert)
INSTALLED  := train predict

install: all amalgamation man
	@VERSION=$(VERSION) PREFIX=$(call quote,$(PREFIX)) LIBDIR=$(call quote,$(LIBDIR)) \
	    INCLUDEDIR=$(call quote,$(INCLUDEDIR)) LIBS="$$(cat $(LIBS))" \
	    SHARED='$(if $(SHARED),$(call versioned,$(VERSION)))' sh tests/package.sh $(BUILD)/package
	install -d $(to_bin) $(to_include) $(to_lib)/pkgconfig $(to_lib)/cmake/wengert $(to_man)/man1 $(to_man)/man3
	for p in $(INSTALLED); do install -m 755 $(BUILD)/$$p $(to_bin)/wengert-$$p || exit 1; done
	install -m 644 $(BUILD)/wengert.h tests/support/wengert_check.h $(to_include)
	install -m 644 $(BUILD)/docs/man/man1/*.1 $(to_man)/man1
	install -m 644 $(BUILD)/docs/man/man3/*.3 $(to_man)/man3
	install -d $(to_share)/examples/support $(to_share)/examples/data
	install -m 644 $(filter-out examples/train_mpi.c,$(wildcard examples/*.c)) $(to_share)/examples
	install -m 644 examples/support/* $(to_share)/examples/support
	install -m 644 examples/data/* $(to_share)/examples/data
	install -m 644 $(STATIC) $(to_lib)
	install -m 644 $(BUILD)/package/wengert.pc $(to_lib)/pkgconfig
	install -m 644 $(BUILD)/package/*.cmake $(to_lib)/cmake/wengert
ifneq ($(SHARED),)
	install -m 755 $(SHARED) $(to_lib)/$(call versioned,$(VERSION))
	ln -sf $(call versioned,$(VERSION)) $(to_lib)/$(call versioned,$(SOVERSION))
	ln -sf $(call versioned,$(SOVERSION)) $(to_lib)/$(notdir $(SHARED))
	[ -n $(call quote,$(DESTDIR)) ] || ldconfig 2> /dev/null || true # so that programs find it at once
endif

uninstall:
	rm -f $(to_man)/man1/wengert-*.1 $(to_man)/man3/wengert.3 $(to_man)/man3/wengert-*.3 $(to_man)/man3/wg_*.3
	rm -rf $(to_share) $(to_include)/wengert.h $(to_include)/wengert_check.h $(to_lib)/pkgconfig/wengert.pc $(to_lib)/cmake/wengert \
	    $(foreach p,$(INSTALLED),$(to_bin)/wengert-$(p)) $(to_lib)/libwengert.a \
	    $(if $(SHARED),$(foreach f,$(notdir $(SHARED)) $(call versioned,$(SOVERSION)) $(call versioned,$(VERSION)),$(to_lib)/$(f)))

# ---- for those who work on it --------------------------------------------------------------------

C_FILES = $(wildcard $(addsuffix /*.[ch],$(LIB_DIRS) $(TEST_DIRS) tests/bench tests/fuzz tests/prove examples examples/support))

BENCH  := $(BUILD)/bench
PYTHON ?= python3
BENCH_OBJ := $(call obj,$(wildcard tests/bench/*.c))
bench: $(BENCH)
	@$(BENCH) $(BENCH_ARGS)
peers: $(BENCH)
	@$(CXX) -O3 -o $(BUILD)/adolc tests/bench/peers/adolc.cpp -ladolc 2> $(BUILD)/adolc.log || echo '# no ADOL-C'
	@$(PYTHON) tests/bench/peers.py --bench $(BENCH) --adolc $(BUILD)/adolc $(PEERS_ARGS)
$(BUILD)/obj/tests/bench/%.o: tests/bench/%.c $(BUILD)/flags # without Check
	@mkdir -p $(@D)
	$(call run,CC,$(COMPILE) -c -o $@ $<)
$(BENCH): $(BENCH_OBJ) $(STATIC) $(LIBS)
	$(call run,LD,$(LINK) -o $@ $(BENCH_OBJ) $(STATIC) @$(LIBS))

# Fuzz targets: `fuzz` builds them in BUILD/fuzz with libFuzzer, the library instrumented and under
# sanitizers, and runs each until it has seen enough edges of the code; `fuzz-long` goes on for FUZZ_SECONDS a
# target; `check-fuzz` replays what the corpus holds, with any compiler.
FUZZERS := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_CC ?= clang
FUZZ_SECONDS ?= 3600
IN_FUZZ  = $(MAKE) CC=$(FUZZ_CC) BUILD=$(BUILD)/fuzz SANITIZE=address,undefined,float-cast-overflow \
           CFLAGS='-O1 -g -fsanitize=fuzzer-no-link -fno-sanitize=bool,enum' FUZZ=-fsanitize=fuzzer
fuzz:
	@+$(IN_FUZZ) fuzzers
	@sh tests/fuzz/run.sh $(BUILD)/fuzz/targets 6 $(FUZZERS)
fuzz-long:
	@+$(IN_FUZZ) fuzzers
	@sh tests/fuzz/run.sh $(BUILD)/fuzz/targets $(FUZZ_SECONDS) $(FUZZERS)
# The suite under the sanitizers, on the library that the targets are linked with.
test-fuzz:
	@+$(IN_FUZZ) test
check-fuzz: fuzzers
	@sh tests/fuzz/replay.sh $(BUILD)/targets $(FUZZERS)
fuzzers: $(addprefix $(BUILD)/targets/,$(FUZZERS))
# A target that reads files has no fuzz_bytes of its own.
reads_files = $(if $(shell grep -l fuzz_read $(1)),tests/fuzz/file.c)
$(BUILD)/targets/%: tests/fuzz/%.c tests/fuzz/harness.c tests/fuzz/file.c tests/fuzz/harness.h \
                    tests/fuzz/bytes.h $(STATIC) $(LIBS)
	@mkdir -p $(@D)
	$(call run,LD,$(LINK) $(FUZZ) $(if $(FUZZ),-DWG_LIBFUZZER) -I. -Imodels -o $@ $< \
	    tests/fuzz/harness.c $(call reads_files,$<) $(STATIC) @$(LIBS))

# The suite as it is and the checks of the programs, and the suite once more with an arena that allocates whatever is taken, so that each allocation fails
# alone, and without the wide kernels.
COUNTED := -O0 -g --coverage -fprofile-update=atomic
coverage:
	@$(MAKE) BUILD=$(BUILD)/coverage/plain CFLAGS='$(COUNTED)' test check-programs
	@WENGERT_BASELINE=1 $(MAKE) BUILD=$(BUILD)/coverage/tiny CFLAGS='$(COUNTED) -DWG_ARENA_TINY' test
	gcovr --root . --filter '(autograd|ops|models)/' --exclude-unreachable-branches \
	    --json $(BUILD)/coverage/counted.json $(BUILD)/coverage
	@python3 tests/coverage.py $(BUILD)/coverage/counted.json
format:
	@clang-format -i $(C_FILES)
check-format:
	@clang-format --dry-run -Werror $(C_FILES)
	@! grep -nE '^.{101,}' $(wildcard $(addsuffix /*.[ch],$(LIB_DIRS)) $(addsuffix /*.inc,$(LIB_DIRS)))
# cppcheck 2.10 misreads hexadecimal floats, macros that define functions (the rows of ops/*.inc) and compound
# literals behind a question mark; it cannot know that constructors never return NULL, and that a chain has at
# least two links. It takes what a function pointer returns for its argument's, a function out of an op's table for
# an integer, a struct that callbacks are given while they run for one that outlives its function, and loses its
# way in real.h.
tidy: $(patsubst %.c,$(BUILD)/tidy/%,$(LIB_SRC))
	cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr -I. \
	    $(addprefix --suppress=,incorrectLogicOperator funcArgOrderDifferent arrayIndexThenCheck ctunullpointer \
	        unknownMacro internalAstError CastIntegerToAddressAtReturn:autograd/compile/calls.c zerodiv:autograd/compile/chain.c \
	        $(addprefix returnDanglingLifetime:,models/estimator_data.c models/estimator_write.c autograd/check/linear.c) \
        autoVariables:models/files/csv_cache.c syntaxError:ops/kernels/real.h) \
	    --error-exitcode=1 autograd ops models
$(BUILD)/tidy/%: %.c $(ALL_HEADERS) .clang-tidy
	@mkdir -p $(@D)
	$(call run,TIDY,clang-tidy --quiet $< -- $(filter-out -fno-semantic-interposition,$(BASE_FLAGS)) -I. -Imodels > $@.log 2>&1 || { cat $@.log; exit 1; })
	@touch $@
# gcc's own analyzer, one file at a time: it cannot see that wg_is_inert(NULL) is true and sends the caller
# back, hence no NULL checks; gcc 12 takes vectors that are filled lane by lane for uninitialized.
ANALYZER_OFF := -Wno-analyzer-null-dereference -Wno-analyzer-use-of-uninitialized-value
analyze:
	@$(MAKE) BUILD=$(BUILD) CFLAGS='-O1 -fanalyzer -Werror $(ANALYZER_OFF)' $(BUILD)/libwengert.a
# Frama-C's Eva (Debian's frama-c-base): no value of the inputs that tests/prove names makes these files overflow,
# read or write out of bounds, or read what was not written.
EVA := frama-c -machdep gcc_x86_64 -eva -eva-precision 5 -eva-slevel 20000 -eva-interprocedural-splits \
       -eva-alloc-builtin fresh -eva-alloc-returns-null -eva-no-show-progress \
       -cpp-extra-args='-I. -Imodels -D_POSIX_C_SOURCE=200809L -include tests/prove/builtins.h'
prove: $(addprefix $(BUILD)/prove/,sizes reader)
$(BUILD)/prove/sizes: tests/prove/sizes.c autograd/shape.c models/files/elements.c
$(BUILD)/prove/reader: tests/prove/reader.c models/files/reader.c autograd/temporary.c autograd/shape.c
$(BUILD)/prove/%: tests/prove/builtins.h
	@mkdir -p $(@D)
	@$(EVA) $(filter %.c,$^) > $@.log 2>&1 || { tail -n 30 $@.log; exit 1; }
	@grep -E 'alarms? generated|properties reached have' $@.log
	@! grep -A 3 'eva:alarm' $@.log
	@touch $@
clean:
	rm -rf $(BUILD)

help:
	@sed -n 's/^#: //p' Makefile
#: make                      builds the library (static and shared) and the examples in build/
#: make demo                 the main job: builds graphs on real data, checks gradients, trains
#: make deps                 installs Check, the unit test framework, if it is missing
#: make mpi                  build/train-mpi, train for several machines; make deps-mpi installs OpenMPI
#: make check                every check, and the test suite; make deps check does both
#: make test                 the test suite alone; build/tests/run NAME runs one suite
#: make check-ship           a training step written as C on Cortex-M4, riscv64 and s390x, under qemu
#: make check-aarch64        the demo, cross-compiled, under qemu
#: make check-windows, check-wasi   the demo and suites, built by MinGW-w64, under wine; for WebAssembly, under node
#: make check-cortex         what the switches leave trains on a Cortex-M4 of QEMU's, with newlib and no system
#: make amalgamation         the library as one pair, build/wengert.h and build/wengert.c
#: make size                 bytes of a program that trains a logistic regression, without what the switches leave out
#: make check-switches       builds it with each switch, by gcc and clang
#: make docs                 build/docs/index.html, reference and tutorial; manual pages in build/docs/man
#: make ffi                  build/wengert_ffi.h, for cffi and LuaJIT
#: make install, uninstall   under PREFIX (/usr/local), with wengert.pc and CMake's files; DESTDIR is honoured
#: make check-reproducible   two builds in different folders are the same bytes
#: make bench                times the workloads against the machine's limits (BENCH_ARGS='--only NAME --json')
#: make peers                the same beside NumPy, PyTorch, JAX and others, where PYTHON has them (PEERS_ARGS)
#: make fuzz, fuzz-long      libFuzzer (clang) on the targets of tests/fuzz: seconds each, or FUZZ_SECONDS
#: make check-fuzz           replays the corpus of tests/fuzz, with any compiler
#: make test-fuzz            the suite on the library that they are linked with, under the sanitizers
#: make coverage             which lines the suite and the checks of the programs reach (needs gcovr)
#: make format, check-format with clang-format
#: make tidy, analyze        cppcheck and clang-tidy; gcc -fanalyzer
#: make prove                Frama-C on the arithmetic of sizes and the bounded reader
#: make clean                removes build/
#: Variables: BUILD CC CXX CFLAGS CPPFLAGS=-DWG_NO_FILES (and other switches, see README) LDFLAGS SANITIZE=address,undefined WERROR=1 V=1 PREFIX DESTDIR
