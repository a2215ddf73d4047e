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

# No place twice on a page: links would lead to the first.
twice=$(grep -oE ' id="?[^" >]*' "$docs"/*.html | sort | uniq -d)
[ -z "$twice" ] || { printf '%s\n' "$twice" "docs: the ids above stand twice"; exit 1; }

# A label's sentence stays with it.
broken=$(awk '/^<p>/ && cut { print FILENAME ": " $0 } { cut = 0 } /^<p class=label><b>/ { label = 1 }
    /^<\/p>/ { cut = label && last !~ /[.:;]$/; label = 0 } { last = $0 }' "$docs"/*.html)
[ -z "$broken" ] || { printf '%s\n' "$broken" "docs: the lines above go on with a label"; exit 1; }

# Pages say what they are needed for, and refer to pages that are there.
page() { grep -qF -e "$2" "$docs/man/man3/$1.3" || { echo "docs: $1(3) does not say '$2'"; exit 1; }; }
page wg_hvp 'd xs[k] . vs[k], the Hessian'
page wg_hvp 'WG_E_SHAPE          shapes do not fit'
page wg_apply 'struct wg_op {'
page wg_tape_options 'uint64_t seed;'
page wg_head_softmax 'The heads that come with the library'
page wg_add 'wengert\-ops\-elementwise(3)'
for name in $(grep -ohE 'wengert\\-[a-z0-9_\\-]*\(3\)' "$docs"/man/man3/*.3 | tr -d '\\' | sort -u); do
    [ -f "$docs/man/man3/${name%(3)}.3" ] || { echo "docs: there is no $name"; exit 1; }
done

checked=", mandoc was not found"
if command -v mandoc > /dev/null; then
    wrong=$(cd "$docs/man" && mandoc -T lint -W warning man1/*.1 man3/*.3) ||
        { printf '%s\n' "$wrong" | head -n 20; echo "docs: mandoc warns"; exit 1; }
    checked=", mandoc has no warning"
fi
echo "docs: $(find "$docs" -name '*.html' | wc -l) pages without dead links, $(find "$docs/man" -name '*.[13]' | wc -l) manual pages$checked"
