#!/bin/sh
# find_check.sh OUT: finds flags with which a program that uses Check compiles and links, and writes
# them to OUT.cflags and OUT.libs.  $CC is the compiler, with options if need be.
# pkg-config is asked first; where it is missing or wrong, the usual lists of libraries are tried.
set -eu
out=$1
cc=${CC:-cc}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

cat > "$dir/probe.c" <<'END'
#include <check.h>
int main(void)
{
    SRunner *runner = srunner_create(suite_create("probe"));
    srunner_free(runner);
    return 0;
}
END

try() { # try CFLAGS LIBS
    # shellcheck disable=SC2086  # both are lists of words
    $cc $1 -o "$dir/probe" "$dir/probe.c" $2 2>> "$dir/log" || return 1
    printf '%s\n' "$1" > "$out.cflags"
    printf '%s\n' "$2" > "$out.libs"
    exit 0
}

pkg=${PKG_CONFIG:-pkg-config}
if $pkg --exists check 2> /dev/null; then
    try "$($pkg --cflags check)" "$($pkg --libs check)" || true
fi
try "" "-lcheck -lsubunit -lrt -lm -lpthread" || true
try "" "-lcheck -lrt -lm -lpthread" || true
try "" "-lcheck -lm -lpthread" || true
try "" "-lcheck_pic -lsubunit -lrt -lm -lpthread" || true
if command -v brew > /dev/null; then
    at=$(brew --prefix)
    try "-I$at/include" "-L$at/lib -lcheck -lm -lpthread" || true
fi

echo "The unit test framework Check was not found: run \`make deps\`, or install it by hand" >&2
echo "(package check on most systems, check-devel on Fedora, check-dev on Alpine)." >&2
exit 1
