#!/bin/sh
# check_readme.sh LIBRARY: what README.md shows is what compiles.  Every ```c and ```cpp block that includes
# <wengert.h> compiles as it stands, the latter in several versions of C++; one with a main, of which there must be at
# least one, also links and runs, from the project's root, and has nothing to complain of on stderr.
# $CC, $CXX: the compilers.
set -eu
library=$1
cc=${CC:-cc}
flags="-D_POSIX_C_SOURCE=200809L -Wall -Wextra -Werror -I. -Imodels"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

[ -f README.md ] || { echo "readme: there is no README.md"; exit 1; }
awk -v dir="$dir" '
    /^```c$/   { file = sprintf("%s/block%d.c", dir, ++block); next }
    /^```cpp$/ { file = sprintf("%s/block%d.cpp", dir, ++block); next }
    /^```/     { file = "" }
    file       { print > file }' README.md

# Names and headers that it mentions are there.
headers=$(ls autograd/*.h autograd/*/*.h ops/*.h models/*.h models/*/*.h | grep -v _internal)
missing=$({ grep -oE '\bwg_[a-z0-9_]*[a-z0-9]\b' README.md
    # shellcheck disable=SC2086  # a list of files
    cat $headers $headers | grep -oE '\bwg_[a-z0-9_]*[a-z0-9]\b'; } | LC_ALL=C sort | uniq -u
    grep -oE '`(autograd|ops|models)/[a-z_/]*\.h`' README.md | tr -d '`' | while read -r file; do [ -f "$file" ] || echo "$file"; done)
[ -z "$missing" ] || { printf '%s\n' "$missing" "readme: the names above are not in the headers"; exit 1; }

programs=0
compile_and_run() { # compile_and_run BLOCK COMPILER...
    block=$1 program=${1%.c*}
    shift
    "$@" -c -o "$program.o" "$block" || { echo "readme: $block does not compile with $*"; exit 1; }
    grep -qE '^int main' "$block" || return 0
    "$@" -o "$program" "$program.o" "$library" -lm -lpthread
    "$program" > "$program.out" 2> "$program.err" && [ ! -s "$program.err" ] ||
        { cat "$program.out" "$program.err"; echo "readme: the program in $block fails"; exit 1; }
    [ -s "$program.out" ] || { echo "readme: the program in $block prints nothing"; exit 1; }
}

compilers=
for candidate in ${CXX:-g++ clang++}; do
    ! command -v "$candidate" > /dev/null || compilers="$compilers $candidate"
done
for block in "$dir"/block*.c "$dir"/block*.cpp; do
    [ -e "$block" ] && grep -q '#include <wengert.h>' "$block" || continue
    case $block in
    *.c)
        # shellcheck disable=SC2086  # lists of words
        compile_and_run "$block" $cc -std=c11 $flags ;;
    *)
        case $cc in *-fsanitize*) continue ;; esac # of another compiler
        for cxx in $compilers; do
            for standard in 11 14 17 20; do
                # shellcheck disable=SC2086
                compile_and_run "$block" $cxx -std=c++$standard -pedantic-errors $flags
            done
        done ;;
    esac
    programs=$((programs + 1))
done
[ $programs -gt 0 ] || { echo "readme: no block has a main"; exit 1; }
echo "readme: $programs program(s) compile and run as shown${compilers:+, the one in C++ with$compilers}"
