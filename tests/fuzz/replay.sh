#!/bin/sh
# replay.sh DIR TARGET...: replays the corpus of every target, seeds and what once failed.
set -eu
dir=$1
shift
for target in "$@"; do
    corpus=tests/fuzz/corpus/${target#fuzz_}
    [ -d "$corpus" ] || { echo "fuzz: $corpus is missing"; exit 1; }
    "$dir/$target" "$corpus"/* > /dev/null || { echo "fuzz: $target fails on $corpus"; exit 1; }
done
echo "fuzz: $# targets replay their corpora"
