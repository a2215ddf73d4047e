#!/bin/sh
# check_amalgamation.sh DIR EXAMPLE...: DIR/wengert.h and .c compile alone, with the compiler's
# defaults as with -std=c11 and warnings, and the example (with its helpers) compiles and links with them.  $CC: the compiler.
set -eu
from=$1
shift
cc=${CC:-cc}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cp "$from/wengert.h" "$from/wengert.c" "$dir"

if grep -nE '#[[:space:]]*include[[:space:]]*"' "$dir/wengert.h"; then
    echo "amalgamation: wengert.h includes files of the tree"
    exit 1
fi
# With -O1 warnings that follow the flow of values are given, too; -O3 takes three minutes for a file of this size.
# shellcheck disable=SC2086  # a compiler and its options
(cd "$dir" && $cc -Werror -fsyntax-only wengert.c && $cc -O1 -std=c11 -pedantic -Wall -Wextra -Werror -c wengert.c) ||
    { echo "amalgamation: wengert.c does not compile alone"; exit 1; }
# shellcheck disable=SC2086
$cc -std=c11 -D_POSIX_C_SOURCE=200809L -I"$dir" -I. -o "$dir/program" "$@" "$dir/wengert.o" -lm -lpthread ||
    { echo "amalgamation: $1 does not compile with it"; exit 1; }
echo "amalgamation: $(wc -l < "$dir/wengert.c") lines compile alone, and $1 with them"
