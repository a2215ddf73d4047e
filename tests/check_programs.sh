#!/bin/sh
# check_programs.sh BUILD: build/train and build/predict as programs: what goes to which stream, exit statuses,
# the same results whatever the threads, kills and resumptions, hostile files, pictures.
set -u
build=$(cd "$1" && pwd)
data=$(cd examples/data && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
checks=0 failed=0

# ---- expectations --------------------------------------------------------------------------------------

# run STATUS COMMAND...: leaves standard output and error in out and err.
run() {
    status=$1 what="$*"
    shift
    "$@" > out 2> err < /dev/null
    found=$?
    [ $found -eq "$status" ] || complain "exit status $found"
    checks=$((checks + 1))
}
complain() {
    echo "programs: $what: $1"
    head -n 5 out err
    failed=1
}
expect() { # expect MESSAGE COMMAND...: of the last run
    message=$1
    shift
    "$@" > /dev/null 2>&1 || complain "$message"
}
silent() { expect "something on $1" test ! -s "$1"; }
says() { expect "$1 does not say '$2'" grep -qF -e "$2" "$1"; }
same() { expect "$1 and $2 differ" cmp "$1" "$2"; }

cd "$dir" || exit 1
train=$build/train predict=$build/predict

# ---- the command line ----------------------------------------------------------------------------------

for program in $(cd "$build" && grep -l -- --help demo train predict mnist moons iris l2 threshold gradcheck \
    learning_rates decision_boundary error_curve 2> /dev/null); do
    [ "$program" = demo ] || {
        run 0 "$build/$program" --help
        silent err
        says out usage
    }
done

usage() {
    run 2 "$@"
    silent out
    expect "not one line on err" test "$(wc -l < err)" -eq 1
}
usage "$train"
usage "$train" a.csv b.csv
for wrong in --nonsense --label --rate --rate=0 "--rate x" "--rate nan" "--test 1" "--test -0.1" "--epochs 0" \
    "--epochs 1.5" "--epochs 99999999999999999999" "--hidden 8,,8" "--hidden 0" "--hidden 8," "--model tree" \
    "--model soft" "--model ''" "--optimizer" "--optimizer=adamw|adam" "--balanced=1" "--seed -1" \
    "--threads 0" "--degree 11" --resume -x; do
    eval "usage \"\$train\" \"\$data/iris.csv\" $wrong"
done
usage "$predict"
usage "$predict" a
usage "$predict" a b c
usage "$predict" a b --threshold 2

# ---- streams -------------------------------------------------------------------------------------------

run 0 "$train" "$data/iris.csv" --optimizer sgd --epochs 7 --validation 0.2
says out "epochs       7"
says out "test         accuracy"
expect "not a line an epoch" test "$(grep -c '^epoch [1-7]/7  loss .*accuracy .*validation .*rate ' err)" -eq 7
expect "more than that on err" test "$(wc -l < err)" -eq 7
run 0 "$train" --optimizer=sgd -- "$data/iris.csv"
says out "epochs       100"
[ -w /dev/full ] && {
    run 1 sh -c '"$0" "$1" > /dev/full' "$train" "$data/iris.csv"
    says err "standard output"
}
# On a terminal, one line that lives, within 79 columns.
if command -v script > /dev/null && script -qec true /dev/null > /dev/null 2>&1; then
    run 0 script -qec "'$train' '$data/iris.csv' --optimizer sgd --epochs 30 --validation 0.2" /dev/null
    tr '\r' '\n' < out > lines
    expect "no live line" grep -q "^epoch 30/30 " lines
    expect "results amid the live line" grep -q "^test         accuracy" lines
    expect "a line that wraps" awk '{ sub(/\033\[K$/, ""); if (length($0) > 79) exit 1 }' lines
fi

# ---- the same results ----------------------------------------------------------------------------------

for how in "--optimizer lbfgs" "--optimizer sgd" "--optimizer adam --model logistic --label classes" \
    "--model mlp --hidden 16 --dropout 0.2" "--model one_vs_rest --optimizer momentum"; do
    case $how in *logistic*) file=$data/breast_cancer.csv how=${how% --label*} ;; *) file=$data/iris.csv ;; esac
    for threads in 1 2 3; do
        # shellcheck disable=SC2086  # words
        run 0 "$train" "$file" $how --epochs 5 --batch 20 --seed 3 --threads $threads --save m$threads
        mv out out$threads
        same out1 out$threads
        same m1 m$threads
    done
done

# ---- saved and loaded ----------------------------------------------------------------------------------

for name in iris breast_cancer digits; do
    run 0 "$train" "$data/$name.csv" --test 0 --save model
    accuracy=$(sed -n 's/^train  *accuracy \([0-9.]*\).*/\1/p' out)
    run 0 "$predict" model "$data/$name.csv"
    says err "accuracy $accuracy of "
    expect "not a line a row" cmp -s out out -a "$(wc -l < out)" -eq "$(wc -l < "$data/$name.csv")"
done
