#!/bin/sh
# exports.sh SUFFIX LIBRARY HEADER...: prints, for the linker of a shared library, the symbols of the static
# LIBRARY that the public headers name: a version script for .so, a list of symbols for .dylib.
set -eu
suffix=$1
library=$2
shift 2
names=$({ cat "$@"; echo "/* ---- */"; ${NM:-nm} -g "$library"; } | awk '
    $0 == "/* ---- */" { symbols = 1; next }
    symbols { name = $NF; sub(/^_/, "", name); if (NF == 3 && $2 ~ /^[TDRBSV]$/ && name in public) print name; next }
    { while (match($0, /wg_[a-z0-9_]+/)) { public[substr($0, RSTART, RLENGTH)]; $0 = substr($0, RSTART + RLENGTH) } }' |
    LC_ALL=C sort -u)
case $suffix in
.so) printf '{ global:\n%s;\nlocal: *; };\n' "$(printf '%s\n' "$names" | sed '$!s/$/;/')" ;;
*) printf '%s\n' "$names" | sed 's/^/_/' ;;
esac
