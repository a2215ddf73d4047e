#!/bin/sh
# find_libs.sh: prints what a program that uses the library links with besides it: libatomic where the machine
# has no instructions for atomics of all sizes.  $CC: the compiler, with options.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cat > "$dir/atomics.c" <<'END'
#include <stdatomic.h>
static atomic_bool flag;
static atomic_int_fast64_t count;
int main(void) { return atomic_exchange(&flag, 1) + (int)atomic_fetch_add(&count, 1); }
END
links() { ${CC:-cc} -o "$dir/atomics" "$dir/atomics.c" "$@" 2> /dev/null; }
if links || ! links -latomic; then echo "-lm -lpthread"; else echo "-lm -lpthread -latomic"; fi
