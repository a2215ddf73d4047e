#!/bin/sh
# check_headers.sh: every header compiles alone and twice as C11, every public one also as C++11, and is
# reached from <wengert.h>; tests and examples compile with nothing but their own includes.
# $CC, $CXX: the compilers.
set -eu
cc=${CC:-cc}
flags="-I. -Imodels -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Wpedantic -Wundef -Werror -fsyntax-only"
count=0

compile() { # compile HEADER COMPILER...
    header=$1
    shift
    printf '#include "%s"\n#include "%s"\n' "$header" "$header" | "$@" -
}

cxx=
for candidate in ${CXX:-} c++ g++ clang++; do
    if command -v "$candidate" > /dev/null; then cxx=$candidate; break; fi
done
[ -n "$cxx" ] || echo "headers: SKIPPED as C++: no C++ compiler was found (c++, g++, clang++)"

# The headers that <wengert.h> includes, one a line; make's rule for it lists them.
reached=$($cc -I. -Imodels -MM -x c models/wengert.h | tr ' \\' '\n\n' | sed 's|^\./||')

for header in autograd/*.h autograd/*/*.h ops/*.h ops/kernels/*.h models/*.h models/*/*.h; do
    [ -e "$header" ] || continue
    count=$((count + 1))
    # shellcheck disable=SC2086  # lists of words
    compile "$header" $cc -std=c11 -Wstrict-prototypes -Wmissing-prototypes $flags -x c ||
        { echo "headers: $header does not compile alone as C11"; exit 1; }
    case $header in *_internal.h | ops/kernels/*) continue ;; esac
    printf '%s\n' "$reached" | grep -qxF "$header" ||
        { echo "headers: $header is public, but <wengert.h> does not include it"; exit 1; }
    [ -n "$cxx" ] || continue
    # shellcheck disable=SC2086
    compile "$header" $cxx -std=c++11 $flags -x c++ ||
        { echo "headers: $header does not compile alone as C++"; exit 1; }
    grep -q 'extern "C"' "$header" || ! grep -qE '^[a-z].*\(.*' "$header" ||
        { echo "headers: $header declares functions without extern \"C\""; exit 1; }
done
# Their macros take integers of any type in C++, in every version of it.
for standard in 11 14 17 20; do
    [ -n "$cxx" ] || break
    # shellcheck disable=SC2086
    printf '%s\n' '#include <wengert.h>' 'wg_tensor *turned(wg_tensor *x, size_t n, long m);' \
        'wg_tensor *turned(wg_tensor *x, size_t n, long m)' \
        '{ return wg_permute(wg_reshape(x, WG_SHAPE(n, m, 1)), WG_AXES(2, n - n, m - m + 1)); }' |
        $cxx -std=c++$standard -pedantic-errors -Wconversion -Wsign-conversion -Wold-style-cast $flags -x c++ - ||
        { echo "headers: WG_SHAPE or WG_AXES does not compile as C++$standard"; exit 1; }
done
# On other machines tests are built with a stand-in for Check, which brings no headers of libc's along as Check
# does, and a long double may be a double there.
narrow=-mlong-double-64
$cc $narrow -fsyntax-only -x c /dev/null 2> /dev/null || narrow=
suites=$(mktemp -d)
trap 'rm -rf "$suites"' EXIT
echo 'WGT_SUITE(scan)' > "$suites/suites.inc"
# shellcheck disable=SC2046,SC2086
$cc -std=c11 $flags -Wconversion $narrow -Itests/support/check "-I$suites" \
    $(find tests examples -name '*.c' ! -name train_mpi.c ! -path 'tests/prove/*' ! -path 'tests/fuzz/*') ||
    { echo "headers: a test or an example does not compile with its own includes"; exit 1; }
[ $count -gt 0 ] || { echo "headers: there are none"; exit 1; }
echo "headers: $count compile alone${cxx:+, the public ones also as C++}; tests and examples by their own includes"
