#!/bin/sh
# check_readme.sh LIBRARY: what README.md shows is what compiles.  Every ```c block that includes
# <wengert.h> compiles as it stands; one with a main, of which there must be at least one, also
# links and runs, from the project's root, and has nothing to complain of on stderr.  $CC: the compiler.
set -eu
library=$1
cc=${CC:-cc}
flags="-std=c11 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Werror -I. -Imodels"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

[ -f README.md ] || { echo "readme: there is no README.md"; exit 1; }
awk -v dir="$dir" '
    /^```c$/ { block++; file = sprintf("%s/block%d.c", dir, block); next }
    /^```/   { file = "" }
    file     { print > file }' README.md

programs=0
for block in "$dir"/block*.c; do
    [ -e "$block" ] && grep -q '#include <wengert.h>' "$block" || continue
    name=$(basename "$block" .c)
    # shellcheck disable=SC2086  # lists of words
    $cc $flags -c -o "$dir/$name.o" "$block" || { echo "readme: $name does not compile"; exit 1; }
    grep -qE '^int main' "$block" || continue
    $cc $flags -o "$dir/$name" "$dir/$name.o" "$library" -lm -lpthread
    "$dir/$name" > "$dir/$name.out" 2> "$dir/$name.err" && [ ! -s "$dir/$name.err" ] ||
        { cat "$dir/$name.out" "$dir/$name.err"; echo "readme: the program in $name fails"; exit 1; }
    [ -s "$dir/$name.out" ] || { echo "readme: the program in $name prints nothing"; exit 1; }
    programs=$((programs + 1))
done
[ $programs -gt 0 ] || { echo "readme: no \`\`\`c block has a main"; exit 1; }
echo "readme: $programs program(s) compile and run as shown"
