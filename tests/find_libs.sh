#!/bin/sh
# find_libs.sh: prints what a program that uses the library links with besides it: libm, libpthread and what stands
# in for signals and processes on WASI, where the machine has them; libatomic where it has no instructions for atomics
# of all sizes.  $CC: the compiler, with options.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
echo 'int main(void) { return 0; }' > "$dir/plain.c"
cat > "$dir/atomics.c" <<'END'
#include <stdatomic.h>
static atomic_bool flag;
static atomic_int_fast64_t count;
int main(void) { return atomic_exchange(&flag, 1) + (int)atomic_fetch_add(&count, 1); }
END
links() { # links PROGRAM FLAG...
    program=$dir/$1.c
    shift
    ${CC:-cc} -o "$dir/program" "$program" "$@" 2> /dev/null
}
libs=
for lib in m pthread wasi-emulated-signal wasi-emulated-getpid; do
    if links plain "-l$lib"; then libs="$libs -l$lib"; fi
done
if ! links atomics && links atomics -latomic; then libs="$libs -latomic"; fi
echo "${libs# }"
