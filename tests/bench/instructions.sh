#!/bin/sh
# instructions.sh BENCH [KEPT]: counts the instructions of every workload of the bench (valgrind's callgrind,
# baseline kernels), prints them beside those in KEPT (tests/bench/instructions.txt), and fails
# where one grew by more than 3 %.  UPDATE=1 writes KEPT instead.  The numbers depend on compiler and libc,
# which KEPT names: with others they are only printed.
set -eu
bench=$1
kept=${2:-tests/bench/instructions.txt}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
tools="$(cc --version | head -n 1); $(ldd --version 2>&1 | head -n 1)"

# The second call of each workload alone: data and first calls are left out.
count() { # count WORKLOAD
    WENGERT_BASELINE=1 valgrind --tool=callgrind --callgrind-out-file="$dir/out" \
        --toggle-collect=bench_counted "$bench" --once --only "=$1" > /dev/null 2> "$dir/log" ||
        { cat "$dir/log"; exit 1; }
    sed -n 's/^totals: //p' "$dir/out" | head -n 1
}

echo "# $tools" > "$dir/new"
# Not those that take minutes in the emulator, what several threads share, or what is timed beside another.
"$bench" --list | grep -vE "${SKIP:-gemm_.*_(512|1000|1024|2047|2048)|1e6x100|_fit|_threads|6x4096|1x100000|_value}" > "$dir/list"
while read -r workload; do
    echo "$workload|$(count "$workload")" >> "$dir/new"
done < "$dir/list"
if [ "${UPDATE:-0}" = 1 ]; then cp "$dir/new" "$kept"; cat "$kept"; exit 0; fi

same=0
[ "$(head -n 1 "$kept")" = "# $tools" ] || { same=1; echo "instructions: other tools than $kept was made with"; }
awk -F'|' -v strict=$((1 - same)) '
    /^#/ { next }
    NR == FNR { old[$1] = $2; next }
    !($1 in old) { printf "%-32s %15d  new\n", $1, $2; next }
    { change = 100 * ($2 / old[$1] - 1)
      printf "%-32s %15d  %+.1f %%\n", $1, $2, change
      if (change > 3) bad++ }
    END { if (bad && strict) { print "instructions: " bad " workload(s) grew by more than 3 %"; exit 1 } }
' "$kept" "$dir/new"
