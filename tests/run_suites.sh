#!/bin/sh
# run_suites.sh LOG RUNNER...: all suites of the runner, a command with its arguments, every other one in a process beside
# the rest's. Suites are told as they end; what failed comes last, in LOG as well, and then the sum, as Check says it.
log=$1
shift
lane() { # lane REST RUNNER...: the suites whose number divided by two leaves the rest; other lines go to LOG.REST
    rest=$1
    shift
    : > "$log.$rest"
    # shellcheck disable=SC2046  # a list of suites
    { "$@" $("$@" -l | awk "NR % 2 == $rest") || echo failed > "$log.failed"; } 2>&1 | while IFS= read -r line; do
        case $line in
        *[0-9]' tests '*' s' | *[0-9]' tests '*' s   FAILED') printf '%s\n' "$line" ;;
        *) printf '%s\n' "$line" >> "$log.$rest" ;;
        esac
    done
}
rm -f "$log.failed"
lane 1 "$@" &
lane 0 "$@"
wait
awk '/^[0-9]+%: Checks: / {
        gsub(/[^0-9 ]/, "")
        checks += $2; failures += $3; errors += $4
        next
     }
     { print }
     END {
        printf "%d%%: Checks: %d, Failures: %d, Errors: %d\n",
               checks ? 100 * (checks - failures - errors) / checks : 0, checks, failures, errors
     }' "$log.1" "$log.0" | tee "$log"
[ ! -e "$log.failed" ]
