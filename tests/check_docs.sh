#!/bin/sh
# check_docs.sh BUILD: what `make docs` wrote: every link leads somewhere, every function that the shared library
# exports has a manual page, and mandoc, where there is one, has no warning.
set -eu
docs=$1/docs
[ -f "$docs/index.html" ] || { echo "docs: there is no index.html"; exit 1; }

# Links as FILE#ANCHOR, those within a page too; what they lead to is FILE and FILE#ID.
grep -oE '(href|src)="?[^" >]*' "$docs"/*.html | sed -E 's|^.*/([^/:]*):(href\|src)="?|\1 |' |
    awk '{ print ($2 ~ /^#/ ? $1 $2 : $2) }' | LC_ALL=C sort -u > "$docs/links"
{ (cd "$docs" && ls); grep -oE ' id="?[^" >]*' "$docs"/*.html | sed -E 's|^.*/([^/:]*): id="?|\1#|'; } |
    LC_ALL=C sort -u > "$docs/places"
dead=$(LC_ALL=C comm -23 "$docs/links" "$docs/places")
rm -f "$docs/links" "$docs/places"
[ -z "$dead" ] || { printf '%s\n' "$dead" "docs: the links above lead nowhere"; exit 1; }

lacking=
for name in $(sed -n 's/^\(wg_[a-z0-9_]*\);*$/\1/p' "$1/exports" 2> /dev/null); do
    [ -f "$docs/man/man3/$name.3" ] || ! grep -qE "[ *]$name\(" autograd/*.h autograd/*/*.h ops/*.h models/*.h models/*/*.h ||
        lacking="$lacking $name"
done
[ -z "$lacking" ] || { echo "docs: no manual page for$lacking"; exit 1; }

checked=", mandoc was not found"
if command -v mandoc > /dev/null; then
    wrong=$(cd "$docs/man" && mandoc -T lint -W warning man1/*.1 man3/*.3) ||
        { printf '%s\n' "$wrong" | head -n 20; echo "docs: mandoc warns"; exit 1; }
    checked=", mandoc has no warning"
fi
echo "docs: $(find "$docs" -name '*.html' | wc -l) pages without dead links, $(find "$docs/man" -name '*.[13]' | wc -l) manual pages$checked"
