#!/bin/sh
# run.sh DIR SECONDS TARGET...: runs libFuzzer targets side by side, each for SECONDS on its corpus
# (tests/fuzz/corpus/TARGET without fuzz_), and fails where one finds something or its first run covers
# fewer edges than FLOOR (150): then the library is not instrumented, or the target reaches nothing.
# New inputs are kept in DIR/corpus; findings are left there, too, to be replayed and mended.
set -u
dir=$1
seconds=$2
shift 2
floor=${FLOOR:-150}
[ -n "${TMPDIR:-}" ] || [ ! -w /dev/shm ] || export TMPDIR=/dev/shm
failed=0

fuzz() { # fuzz TARGET
    name=${1#fuzz_}
    seeds=tests/fuzz/corpus/$name
    new=$dir/corpus/$name
    mkdir -p "$new"
    set -- "$dir/$1" -seed=1 -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -max_len=4096 \
        -artifact_prefix="$new-" -print_final_stats=1
    [ ! -f "$seeds.dict" ] || set -- "$@" -dict="$seeds.dict"
    [ ! -d "$seeds" ] || seeds="$new $seeds"
    # shellcheck disable=SC2086  # one or two directories
    "$@" $seeds > "$new.log" 2>&1 || { tail -n 30 "$new.log"; echo "fuzz: $name found something"; return 1; }
    edges=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$new.log" | tail -n 1)
    runs=$(sed -n 's/^stat::number_of_executed_units: //p' "$new.log")
    echo "fuzz: $name: $runs executions, ${edges:-0} edges"
    [ "${edges:-0}" -ge "$floor" ] || { echo "fuzz: $name: at least $floor edges must be reached"; return 1; }
}

for target in "$@"; do fuzz "$target" || failed=1; done
exit $failed
