#!/bin/sh
# check_symbols.sh LIBRARY: every name that the library exports begins with wg_ or wgk_, and it holds no
# mutable global state: no writable section has anything in it.
set -eu
library=$1
if ! command -v nm > /dev/null || ! command -v objdump > /dev/null; then
    echo "symbols: SKIPPED: nm or objdump was not found"
    exit 0
fi

foreign=$(nm -g --defined-only "$library" | awk 'NF == 3 && $3 !~ /^wgk?_/ { print $3 }')
[ -z "$foreign" ] || { printf '%s\n' "$foreign" "symbols: the names above lack the prefix wg_ or wgk_"; exit 1; }

# Two variables are as good as constant: error_tape is never written, it lacks const only because a
# tape is handed out as a wg_tape *; cpu.c's `known` is an atomic in which every thread stores the same.
allowed='error_tape|(wgk_cpu_isa\.)?known(\.[0-9]+)?'

# .data.rel.ro holds constant tables of pointers, which the loader makes read-only.
mutable=$(objdump -t "$library" | awk '
    /file format/ { member = $1 }
    / O / && /[ \t]\.(data|bss|tdata|tbss)[ .\t]/ && !/\.data\.rel\.ro/ &&
    $NF !~ /^('"$allowed"')$/ { print member, $NF }')
[ -z "$mutable" ] || { printf '%s\n' "$mutable" "symbols: the variables above are mutable global state"; exit 1; }
echo "symbols: every exported name has the prefix, and nothing global can change"
