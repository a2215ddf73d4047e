#!/bin/sh
# check_reproducible.sh MAKE: the library and the programs, built in two folders of which one has a space and a quote
# in its path, are the same bytes once debugging information is stripped.
set -eu
make=$1
here=$(pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
for folder in "$dir/one" "$dir/it's the other"; do
    mkdir "$folder"
    (cd "$folder" && for entry in Makefile autograd ops models examples tests; do ln -s "$here/$entry" .; done
        $make -s all BUILD=build > /dev/null && cd build && strip -g libwengert.a && strip libwengert.so demo train predict &&
        sha256sum libwengert.a libwengert.so demo train predict) > "$folder.sums" ||
        { cat "$folder.sums"; echo "reproducible: it does not build in $folder"; exit 1; }
done
diff "$dir"/*.sums || { echo "reproducible: two builds differ"; exit 1; }
echo "reproducible: two builds give the same libraries and programs"
