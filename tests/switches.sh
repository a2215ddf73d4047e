#!/bin/sh
# switches.sh check|size MAKE BUILD: what WG_NO_THREADS, WG_NO_FILES, WG_BASELINE_ONLY and WG_NO_CHECK leave of the
# library, each by itself and all four.
#   check  builds it with gcc and clang under $WARNINGS, trains with it (tests/switches.c), and looks for what should
#          be gone; the tree once, with all four.
#   size   prints the bytes of that program, -Os, stripped, without what it does not call.
set -eu
what=$1 make=$2 build=$3
all='-DWG_NO_THREADS -DWG_NO_FILES -DWG_BASELINE_ONLY -DWG_NO_CHECK'
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# trains PROGRAM: does it print the loss that the whole library arrives at?
trains() {
    loss=$("$1")
    [ "$loss" = "loss 0.131949" ] || { echo "switches: $2 trains to '$loss', not to 'loss 0.131949'"; exit 1; }
}

# gone OBJECT SYMBOLS SWITCHES: none of the symbols (a regular expression) is defined or wanted.
gone() {
    found=$(nm "$1" | awk -v re="^($2)$" '$NF ~ re { print $NF }' | head -n 3)
    [ -z "$found" ] || { echo "switches: with $3 there still is:" $found; exit 1; }
}

# The symbols that a switch takes away.
symbols() {
    case $1 in
    *THREADS) echo 'pthread_.*' ;;
    *FILES) echo 'f?open(64)?|read|write|rename|unlink|fsync|[fl]?stat(64)?|opendir|wg_(csv|idx|np[yz]|svmlight)_.*' ;;
    *BASELINE_ONLY) echo '.*avx.*' ;;
    *CHECK) echo 'wg_(grad)?check.*|wg_audit.*|.*f128|__.*tf[23]' ;;
    esac
}

# clang knows no headers in one file, and so reports inline functions that are not used there.
compile() { # compile CC SWITCHES
    # shellcheck disable=SC2086  # lists of words
    $1 -O0 -std=c11 -D_POSIX_C_SOURCE=200809L ${WARNINGS:-} -Wno-unused-function -Wno-static-in-inline -Werror $2 -I"$build" -c -o "$dir/wengert.o" "$build/wengert.c"
    # shellcheck disable=SC2086
    $1 -std=c11 $2 -I"$build" -o "$dir/train" tests/switches.c "$dir/wengert.o" -lm -lpthread
    trains "$dir/train" "$1 $2"
    for switch in $2; do gone "$dir/wengert.o" "$(symbols "$switch")" "$switch"; done
}

check() {
    for cc in gcc clang; do
        command -v $cc > /dev/null || { echo "switches: SKIPPED with $cc, which is not here"; continue; }
        for switch in $all "$all"; do compile $cc "$switch"; done
    done
    $make --no-print-directory BUILD="$build/switches" CFLAGS=-O0 CPPFLAGS="$all" WERROR=1 lib > /dev/null
    # shellcheck disable=SC2086
    ${CC:-cc} -std=c11 $all -I. -Imodels -o "$dir/train" tests/switches.c "$build/switches/libwengert.a" -lm
    trains "$dir/train" "the tree"
    echo "switches: each, and all four, train with what they leave"
}

# Flags for small programs, of which those count that the compiler and its linker take.
small() {
    for flag in -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables -fno-pie -no-pie -Wl,--gc-sections \
        -Wl,-z,noseparate-code -Wl,-z,norelro; do
        echo 'int main(void) { return 0; }' | ${CC:-cc} -Werror $flag -x c -o "$dir/try" - 2> /dev/null && printf '%s ' $flag
    done
}

size() {
    flags=$(small)
    echo "bytes, ${CC:-cc} -Os -s $flags"
    for switch in "" $all "$all"; do
        # shellcheck disable=SC2086
        ${CC:-cc} -Os -s -std=c11 -ffp-contract=off $flags $switch -I"$build" -o "$dir/train" tests/switches.c "$build/wengert.c" -lm -lpthread
        name=$switch
        if [ "$switch" = "$all" ]; then name='all four'; fi
        printf '%8d  %s\n' "$(wc -c < "$dir/train")" "${name:-the whole library}"
        trains "$dir/train" "$name"
    done
}

$what
