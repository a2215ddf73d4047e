#!/bin/sh
# check_examples.sh BUILD: every example prints what the comment at its top says.  Lines that begin with five
# blanks are output, those with `$ build/NAME` are commands; without such a command the program runs without
# arguments.  "..." and empty lines stand for any lines.  Output may differ in its numbers on another
# machine, by little; with EXACT=1 in the environment it may not.
set -u
build=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0 programs=0 lines=0 exact=0

# same(a, b): 2 the same text; 1 the same words and nearly the same numbers; 0 neither.  Numbers with a
# negative exponent are errors and remainders, mostly rounding.
compare='
function magnitude(x) { return x == 0 ? 0 : log(x < 0 ? -x : x) / log(10) }
function near(a, b) {
    if (a == b) return 1
    if (a !~ number || b !~ number) return 0
    if (a ~ /e/ && b ~ /e/) { a = magnitude(a); b = magnitude(b); return a - b < 3 && b - a < 3 }
    return a - b <= 0.02 + 0.25 * (b < 0 ? -b : b) && b - a <= 0.02 + 0.25 * (b < 0 ? -b : b)
}
function same(a, b,    x, y, n, i) {
    if (a == b) return 2
    if (ENVIRON["EXACT"] == 1) return 0
    n = split(a, x, /[ ,():;=]+/)
    if (split(b, y, /[ ,():;=]+/) != n) return 0
    for (i = 1; i <= n; i++) if (!near(x[i], y[i])) return 0
    return 1
}
# The first of the printed lines from one to another that is so much the same; 0: none.
function find(text, how, from, to) {
    for (; from <= to && from <= n; from++) if (same(text, printed[from]) >= how) return from
    return 0
}
BEGIN { number = "^[-+]?[0-9.]+(e[-+]?[0-9]+)?$" }
FILENAME == ARGV[1] { sub(/ +$/, ""); printed[++n] = $0; next }
{ sub(/ +$/, "") }
$0 == "..." || $0 == "" { gap = 1; next }
{
    wanted++
    how = 2
    found = find($0, how, at + 1, gap ? n : at + 1)
    if (!found) found = find($0, how = 1, at + 1, gap ? n : at + 1)
    if (!found) { print "    says   " $0; if (!gap) print "    prints " printed[at + 1]; exit 1 }
    at = found
    exact += how == 2
    gap = 0
}
BEGIN { gap = 1 }
END { print wanted + 0, exact + 0 > counts }'

# check_block FILE NAME COMMAND: the output that FILE documents.
check_block() {
    (cd "$dir/root" && sh -c "$3" > "$dir/printed" 2> "$dir/err")
    awk -v counts="$dir/counts" "$compare" "$dir/printed" "$1" > "$dir/why" && {
        read -r wanted same < "$dir/counts"
        programs=$((programs + 1)) lines=$((lines + wanted)) exact=$((exact + same))
        return 0
    }
    echo "examples/$2.c: \`$3\` does not print what it says:"
    cat "$dir/why" "$dir/err"
    failed=1
}

# Documented files are read and written below a directory of their own.
mkdir "$dir/root"
ln -s "$(cd examples && pwd)" "$dir/root/examples"
ln -s "$(cd "$build" && pwd)" "$dir/root/build"

# idx FILE TYPE: numbers up to 255 on standard input, as an IDX file with the header that TYPE spells in octal.
idx() {
    # shellcheck disable=SC2059,SC2046  # the format is the data
    printf "$2$(awk '{ for (i = 1; i <= NF; i++) printf "\\%03o", $i }')" > "$1"
}
# digits OF ROWS: the pixels, times 16, or the labels, of some rows of digits.csv.
pixels() { awk -F, -v from="$1" -v to="$2" 'NR > from && NR <= to { for (i = 1; i < NF; i++) print ($i < 16 ? 16 * $i : 255) }' examples/data/digits.csv; }
labels() { awk -F, -v from="$1" -v to="$2" 'NR > from && NR <= to { print $NF }' examples/data/digits.csv; }
pixels 1 1501 | idx "$dir/root/train-images" '\000\000\010\003\000\000\005\334\000\000\000\010\000\000\000\010'
labels 1 1501 | idx "$dir/root/train-labels" '\000\000\010\001\000\000\005\334'
pixels 1501 1798 | idx "$dir/root/test-images" '\000\000\010\003\000\000\001\051\000\000\000\010\000\000\000\010'
labels 1501 1798 | idx "$dir/root/test-labels" '\000\000\010\001\000\000\001\051'

for source in $(grep -l '^int main' examples/*.c | grep -v train_mpi); do
    name=$(basename "$source" .c)
    rm -f "$dir"/block*
    awk -v dir="$dir" -v plain="build/$name" '
        /\*\//                      { exit }
        /^ \*     \$ build\//       { block++; command = substr($0, 10)
                                      printf "%s", command > (dir "/block" block ".command"); next }
        /^ \*     build\// && !block { next } # usage
        /^ \*     gnuplot/          { next }
        /^ \*     /                 { if (!block) printf "%s", plain > (dir "/block" ++block ".command")
                                      print substr($0, 8) > (dir "/block" block); text = 1; next }
        block                       { print "" > (dir "/block" block) }' "$source"
    [ -e "$dir/block1.command" ] || { echo "$source: documents no output"; failed=1; continue; }
    for command in "$dir"/block*.command; do
        touch "${command%.command}"
        check_block "${command%.command}" "$name" "$(cat "$command")"
    done
done
[ $failed -eq 0 ] || exit 1
echo "examples: $programs print what they say, $exact of $lines lines to the last digit"
