#!/bin/sh
# check_symbols.sh LIBRARY [SHARED]: every name that the static library exports begins with wg_ or wgk_, it holds
# no mutable global state (no writable section has anything in it), and no files of it use each other in a circle.
# The shared one exports what the public headers declare, no less and no more.  $CC: the compiler.
set -eu
library=$1
shared=${2:-}
if ! command -v nm > /dev/null || ! command -v objdump > /dev/null; then
    echo "symbols: SKIPPED: nm or objdump was not found"
    exit 0
fi

foreign=$(nm -g --defined-only "$library" | awk 'NF == 3 && $3 !~ /^wgk?_/ { print $3 }')
[ -z "$foreign" ] || { printf '%s\n' "$foreign" "symbols: the names above lack the prefix wg_ or wgk_"; exit 1; }

# Two variables are as good as constant: error_tape is never written, it lacks const only because a
# tape is handed out as a wg_tape *; cpu.c's `known` is an atomic in which every thread stores the same.
allowed='error_tape|(wg_cpu_isa\.)?known(\.[0-9]+)?'

# .data.rel.ro holds constant tables of pointers, which the loader makes read-only.
mutable=$(objdump -t "$library" | awk '
    /file format/ { member = $1 }
    / O / && /[ \t]\.(data|bss|tdata|tbss)[ .\t]/ && !/\.data\.rel\.ro/ &&
    $NF !~ /^('"$allowed"')$/ { print member, $NF }')
[ -z "$mutable" ] || { printf '%s\n' "$mutable" "symbols: the variables above are mutable global state"; exit 1; }
# Which file needs which: its undefined symbols, by who defines them. Files are told apart by number, since two
# folders may have one of the same name.
if command -v tsort > /dev/null; then
    circles=$(nm -g "$library" | awk '
        /^$/ { next }
        /:$/ { file = ++files ":" $0; next }
        $(NF - 1) == "U" { needs[++n] = file; what[n] = $NF; next }
        { definer[$NF] = file }
        END { for (i = 1; i <= n; i++) if (what[i] in definer) print needs[i], definer[what[i]] }' |
        tsort 2>&1 > /dev/null | sed -n 's/^tsort: [0-9]*:\([a-z0-9_]*\.o\):$/\1/p' | tr '\n' ' ')
    [ -z "$circles" ] || { echo "symbols: files that use each other in a circle: $circles"; exit 1; }
fi
# Functions and objects that <wengert.h> declares, one a line: statements outside of all braces, without
# typedefs and inline functions; a function is the first name before a parenthesis.
declared() {
    ${CC:-cc} -std=c11 -D_POSIX_C_SOURCE=200809L -E -P -I. -Imodels models/wengert.h | awk '
        { text = text " " $0 }
        END {
            while (gsub(/\{[^{}]*\}/, ";", text)) continue
            n = split(text, statement, ";")
            for (i = 1; i <= n; i++) {
                s = statement[i]
                if (s ~ /^ *(typedef|static) /) continue
                if (match(s, /wg_[a-z0-9_]+ *\(/)) print substr(s, RSTART, RLENGTH)
                else if (s ~ /^ *extern const wg_/) {
                    sub(/^ *extern const wg_[a-z_]+/, "", s)
                    k = split(s, name, ",")
                    for (j = 1; j <= k; j++) print name[j]
                }
            }
        }' | tr -d ' (' | LC_ALL=C sort -u
}
if [ -n "$shared" ]; then
    differences=$({ declared; nm -D --defined-only "$shared" | awk 'NF == 3 { print $3 }'; } | LC_ALL=C sort | uniq -u)
    [ -z "$differences" ] || { printf '%s\n' "$differences" \
        "symbols: the names above are declared and not exported, or exported and not declared"; exit 1; }
fi
echo "symbols: ${shared:+$(declared | wc -l) are exported, as declared; }every exported name has the prefix, nothing global can change, no files go in a circle"
