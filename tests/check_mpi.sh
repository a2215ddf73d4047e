#!/bin/sh
# check_mpi.sh BUILD: train-mpi makes the same file as one process of it, with any number of processes and threads;
# goes on with another number; and a process that is killed ends the job.
set -eu
build=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
# As root, with more processes than processors, which then must not wait busily, and without a network.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
export OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_btl=self,vader OMPI_MCA_plm_rsh_agent=false
# An mpirun that does not notice that its processes have ended is not waited for without end.
mpi() {
    n=$1
    shift
    timeout -k 10 300 mpirun --oversubscribe -n "$n" "$build/train-mpi" "$@" --quiet > "$dir/out" 2> "$dir/err" < /dev/null
}
die() { echo "mpi: $*"; cat "$dir/err"; exit 1; }

for data in "examples/data/digits.csv --epochs 20" "examples/data/iris.csv --model one_vs_rest --optimizer newton" \
    "examples/data/breast_cancer.csv --validation 0.2 --patience 5"; do
    # shellcheck disable=SC2086  # a list of words
    mpi 1 $data --save "$dir/one" || die "one process fails"
    for n in 2 3 4; do
        # shellcheck disable=SC2086
        mpi $n $data --save "$dir/$n" --threads $((n / 2)) || die "$n processes fail"
        cmp -s "$dir/one" "$dir/$n" || die "$n processes give another model than one: $data"
    done
done

# What one process writes, all train for: a page wants its gradient checked. The model is the same.
page="$dir/p.html --plot $dir/p.svg --confusion $dir/c.svg"
mpi 1 examples/data/iris.csv --save "$dir/one" || die "one process fails"
for n in 1 2 3; do
    # shellcheck disable=SC2086
    mpi $n examples/data/iris.csv --save "$dir/$n" --report $page || die "$n processes write no page"
    cmp -s "$dir/one" "$dir/$n" || die "$n processes with a page give another model"
    grep -q '<td>passed</td>' "$dir/p.html" || die "the gradient of $n processes was not checked"
done

# Rows of a file larger than memory: each process reads its part.
awk 'BEGIN { srand(1); for (i = 0; i < 25000; i++) printf "\\%03o", rand() * 256 }' > "$dir/X"
awk 'BEGIN { srand(2); for (i = 0; i < 5000; i++) printf "\\%03o", rand() * 3 }' > "$dir/y"
array() { # array SHAPE OCTAL: an NPY file of unsigned bytes
    printf '\223NUMPY\001\000\166\000%-117s\n' "{'descr': '|u1', 'fortran_order': False, 'shape': $1, }"
    xargs -0 printf < "$2"
}
array '(5000, 5)' "$dir/X" > "$dir/X.npy"
array '(5000,)' "$dir/y" > "$dir/y.npy"
mpi 1 "$dir/X.npy" --labels "$dir/y.npy" --test 0 --save "$dir/one" || die "one process fails"
for n in 1 2 3; do
    mpi $n "$dir/X.npy" --labels "$dir/y.npy" --test 0 --stream --save "$dir/$n" || die "$n processes fail"
    cmp -s "$dir/one" "$dir/$n" || die "$n processes that stream give another model"
done

# Caches: strings, and sparse rows; of these, in memory, some to validate by.
awk 'BEGIN { srand(3); print "a,s,b,y"; for (i = 0; i < 3000; i++) {
    a = rand(); b = rand(); print a ",k" int(5 * b * b) "," b "," (a > b) } }' > "$dir/s.csv"
awk -F, 'NR > 1 { printf "%d", $4; for (i = 1; i < 6; i++) if (rand() < 0.5) printf " %d:%.6f", i, $1 + i * $3; print "" }' \
    "$dir/s.csv" > "$dir/s.svm"
for data in "s.csv --cache $dir/c.csv" "s.svm --cache $dir/c.svm" "s.svm --validation 0.2 --patience 5"; do
    # shellcheck disable=SC2086
    mpi 1 "$dir/"$data --test 0 --epochs 15 --save "$dir/one" || die "one process fails: $data"
    for n in 2 3; do
        # shellcheck disable=SC2086
        mpi $n "$dir/"$data --test 0 --epochs 15 --save "$dir/$n" || die "$n processes fail: $data"
        cmp -s "$dir/one" "$dir/$n" || die "$n processes give another model: $data"
    done
done

# A file of the same shape with one digit changed.
sed '1000s/,1/,2/' examples/data/digits.csv > "$dir/other.csv"
if timeout -k 10 300 mpirun --oversubscribe -n 1 "$build/train-mpi" examples/data/digits.csv --quiet : \
    -n 1 "$build/train-mpi" "$dir/other.csv" --quiet > "$dir/out" 2> "$dir/err"; then
    die "a process with another file is not refused"
fi
grep -q 'rank 1 has another file' "$dir/err" || die "another file is not named"

mpi 3 examples/data/digits.csv --epochs 7 --checkpoint "$dir/c" || die "a checkpoint"
mpi 2 examples/data/digits.csv --epochs 20 --checkpoint "$dir/c" --resume --save "$dir/gone_on" || die "resuming"
mpi 1 examples/data/digits.csv --epochs 20 --save "$dir/one" || die "one process fails"
cmp -s "$dir/one" "$dir/gone_on" || die "two processes that go on from three's checkpoint give another model"

mpi 3 examples/data/digits.csv --epochs 100000 --raw --penalty-c 1e9 --checkpoint "$dir/d" &
job=$!
while [ ! -e "$dir/d" ]; do sleep 0.1; done
kill -9 "$(pgrep -f "$build/train-mpi.*$dir/d " | tail -n 1)"
if wait $job; then die "a process was killed, and the job ended well"; fi
echo "mpi: one model for 1, 2, 3 and 4 processes, gone on with by others; a killed process ends the job"
