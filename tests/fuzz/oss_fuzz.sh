#!/bin/sh
# oss_fuzz.sh: builds the targets as OSS-Fuzz asks: $CC, $CFLAGS, $LIB_FUZZING_ENGINE (default -fsanitize=fuzzer)
# from its environment, programs, seeds and dictionaries into $OUT.  Runs from the project's root.
set -eu
: "${CC:=clang}" "${OUT:?where the targets go}" "${LIB_FUZZING_ENGINE:=-fsanitize=fuzzer}"
: "${CFLAGS:=-O1 -g -fsanitize=fuzzer-no-link,address}"
work=${WORK:-build/oss_fuzz}

make -s CC="$CC" CFLAGS="$CFLAGS" FUZZ="$LIB_FUZZING_ENGINE" BUILD="$work" fuzzers
for target in "$work"/targets/fuzz_*; do
    name=${target##*/fuzz_}
    cp "$target" "$OUT/fuzz_$name"
    (cd "tests/fuzz/corpus/$name" && zip -q -r - .) > "$OUT/fuzz_${name}_seed_corpus.zip"
    [ ! -f "tests/fuzz/corpus/$name.dict" ] || cp "tests/fuzz/corpus/$name.dict" "$OUT/fuzz_$name.dict"
done
