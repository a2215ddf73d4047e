#!/bin/sh
# docs.sh BUILD VERSION man|html HEADER...: writes BUILD/docs: manual pages from the headers and from what the programs
# of BUILD say of themselves, or the HTML reference and the tutorial, with the pictures that its programs draw.
set -eu
build=$1 version=$2 what=$3
shift 3
here=$(dirname "$0")
out=$build/docs
date=$(sed -n 's/^## .*(\(2[0-9-]*\))$/\1/p' CHANGELOG.md | head -n 1)

# help PROGRAM: what it says of itself, by the name that it is installed by.
help() { "$build/$1" --help | sed "s/ train / wengert-train /g; s/ predict / wengert-predict /g; s/^usage: /&wengert-/"; }

awk -f "$here/parse.awk" -f "$here/check.awk" "$@" README.md examples/*.c
case $what in
man)
    rm -rf "$out/man"
    mkdir -p "$out/man/man1" "$out/man/man3"
    awk -v out="$out/man/man3" -v version="$version" -v date="$date" -f "$here/parse.awk" -f "$here/man.awk" "$@" README.md
    page() { # page PROGRAM OTHER ABOUT
        help "$1" | awk -v name="wengert-$1" -v about="$3" \
            -v see=".BR wengert-$2 (1)," -v version="$version" -v date="$date" \
                -f "$here/man1.awk" > "$out/man/man1/wengert-$1.1"
        printf '.BR wengert (3)\n' >> "$out/man/man1/wengert-$1.1"
    }
    page train predict "train a classifier or a regression on a file"
    page predict train "predict a file's rows by a saved model" ;;
html)
    mkdir -p "$out"
    rm -f "$out"/*.html "$out"/*.svg
    pictures=
    for pair in 02_three_ways=error_curve 03_loop=learning_rates 04_softmax=iris 05_mlp=moons 08_verdicts=error_curve \
        moons=moons decision_boundary=decision_boundary error_curve=error_curve iris=iris l2=l2 \
        learning_rates=learning_rates threshold=threshold; do
        drawn=${pair#*=}
        [ -f "$out/$drawn.svg" ] || "$build/$drawn" --svg "$out/$drawn.svg" > /dev/null
        pictures="$pictures $pair.svg"
    done
    cp "$here/style.css" "$out"
    for program in train predict; do help $program > "$out/wengert-$program.help"; done
    # shellcheck disable=SC2046  # a list of files
    awk -v out="$out" -v version="$version" -v pictures="$pictures" -f "$here/parse.awk" -f "$here/html.awk" \
        "$@" README.md "$out"/*.help examples/[0-9]*.c $(grep -l '^int main' examples/[a-z]*.c)
    rm "$out"/*.help
    echo "docs: $out/index.html" ;;
esac
