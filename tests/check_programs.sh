#!/bin/sh
# check_programs.sh BUILD: build/train, build/predict and build/mnist as programs: what goes to which stream,
# exit statuses, the same results whatever the threads, kills and resumptions, hostile files, pictures.
set -u
build=$(cd "$1" && pwd)
data=$(cd examples/data && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
train=$build/train predict=$build/predict iris=$data/iris.csv
checks=0 failed=0 skipped=

# ---- expectations --------------------------------------------------------------------------------------

complain() {
    echo "programs: $what: $1"
    head -n 5 out err
    failed=1
}
# run STATUS COMMAND...: leaves its standard output and error in out and err.
run() {
    wanted=$1
    shift
    what=$* checks=$((checks + 1))
    "$@" > out 2> err < /dev/null
    found=$?
    [ $found -eq "$wanted" ] || complain "exit status $found, not $wanted"
}
# expect MESSAGE COMMAND...: of what ran last.
expect() {
    message=$1
    shift
    "$@" > /dev/null 2>&1 || complain "$message"
}
silent() { expect "something in $1" test ! -s "$1"; }
says() { expect "$1 does not say '$2'" grep -qF -e "$2" "$1"; }
same() { expect "$1 and $2 differ" cmp "$1" "$2"; }
lines() { expect "not $2 lines in $1" test "$(wc -l < "$1")" -eq "$2"; }

# ---- the command line ----------------------------------------------------------------------------------

for name in train predict mnist moons iris l2 threshold learning_rates decision_boundary error_curve; do
    run 0 "$build/$name" --help
    silent err
    says out "usage: "
done

usage() {
    run 2 "$@"
    silent out
    lines err 1
}
usage "$train"
usage "$train" a.csv b.csv
for wrong in --nonsense -x --label --rate --rate=0 '--rate x' '--rate nan' '--test 1' '--test -0.1' --epochs=0 \
    --epochs=1.5 --epochs=99999999999999999999 --hidden=8,,8 --hidden=0 --hidden=8, --hidden= '--model tree' \
    '--model soft' --model= '--model logistic|softmax' --optimizer --balanced=1 --seed=-1 --threads=0 \
    --degree=11 --resume '--rate 0.1' '--batch 5 --optimizer lbfgs' '--dropout 0.5' '--hidden 4' --zero-based \
    '--model mlp --penalty l1' '--penalty l1 --optimizer lbfgs' '--l1-ratio 0.3' '--l1-ratio 0.3 --penalty l1'; do
    # shellcheck disable=SC2086  # words
    usage "$train" "$iris" $wrong
done
ln -s "$train" wengert-train # as it is installed
run 0 ./wengert-train --help
says out 'usage: wengert-train [options] DATA'
usage ./wengert-train --penalty-c 0.1,x "$iris"
says err "wengert-train: --penalty-c C,C: not 'x'; see wengert-train --help"
usage "$train" "$iris" --hidden 8,7,1.5
says err "not '1.5'"

usage "$predict"
usage "$predict" a
usage "$predict" a b c
usage "$predict" a b --threshold 2
for wrong in --classes-only --with-input '--format csv' '--labels y' '--missing drop' --zero-based '--separator ;' --no-header; do
    # shellcheck disable=SC2086  # words
    usage "$predict" a --c a.c $wrong
    says err "is of rows, and --c reads none: '${wrong%% *}'"
done

# ---- streams -------------------------------------------------------------------------------------------

run 0 "$train" "$iris" --optimizer sgd --epochs 7 --validation 0.2
says out 'epochs       7, loss '
says out 'test         accuracy 0.'
lines err 7
expect 'not a line an epoch' test \
    "$(grep -c '^epoch [1-7]/7  loss 1*[0-9.]*  accuracy 0[0-9.]*  validation [0-9.]*, 0[0-9.]*  rate 0.01  ' err)" -eq 7
run 0 "$train" "$iris"
says out ', converged'
expect 'not a line an iteration' grep -q '^iteration 2/1000  loss 0.[0-9]*  .* rows/s$' err
# What helps is not what is there already, nor what would be refused.
run 0 "$train" "$iris" --epochs 2
says out ', not yet at the optimum (--epochs, --optimizer newton)'
for how in '--optimizer newton' '--penalty l1' '--penalty elastic_net --penalty-c inf'; do
    # shellcheck disable=SC2086  # words
    run 0 "$train" "$iris" --epochs 1 $how
    says out ', not yet at the optimum (--epochs)'
done
run 0 "$train" --optimizer=sgd --validation 0.3 --patience 2 --rate 2 -- "$iris"
says out ' at the best one, '
for patience in 3 30; do # weights are the best epoch's, whether the patience ended the training or not
    run 0 "$train" "$iris" --model mlp --validation 0.3 --patience $patience --epochs 8 --rate 0.1 --report best.html
    best=$(awk '/^epoch/ { v = $8 + 0; if (!at || v < least) { least = v; at = $2 + 0 } } END { print at }' err)
    expect 'not the best epoch' grep -q "^epochs .*, loss .* at the best one, $best\$" out
    expect 'another loss on the page' grep -qF "<td>$(sed -n 's/^epochs .* loss \([0-9.]*\) .*/\1/p' out)</td>" best.html
done
if [ -w /dev/full ]; then
    run 1 sh -c '"$0" "$1" > /dev/full' "$train" "$iris"
    says err 'train: standard output: '
else
    skipped="$skipped /dev/full"
fi

# On a terminal one line that lives, within 79 columns.
if script -qec true /dev/null > /dev/null 2>&1 < /dev/null; then
    run 0 script -qec "'$train' '$iris' --optimizer sgd --epochs 30 --validation 0.2" /dev/null
    tr '\r' '\n' < out > live
    expect 'no live line' grep -q '^epoch 30/30 ' live
    expect 'more than one line' test "$(grep -c '^epoch' out)" -le 1
    expect 'results on the live line' grep -q '^test         accuracy' live
    expect 'a line that wraps' awk '/^epoch/ { sub(/.\[K$/, ""); if (length($0) > 79) exit 1 }' live
else
    skipped="$skipped script"
fi

# ---- the same results ----------------------------------------------------------------------------------

how() {
    for threads in 1 2 3; do
        run 0 "$train" "$@" --epochs 5 --seed 3 --threads $threads --save m$threads
        mv out out$threads
        same out1 out$threads
        same m1 m$threads
    done
}
how "$iris"
how "$iris" --optimizer sgd --batch 20
how "$iris" --model mlp --hidden 16,8 --dropout 0.2 --validation 0.2
how "$data/digits.csv" --model one_vs_rest --optimizer momentum
how "$data/breast_cancer.csv" --model logistic --optimizer adam --degree 2
how "$data/breast_cancer.csv" --model logistic --balanced
run 0 "$train" "$iris" --seed 4 --epochs 5 --save other
expect 'the seed changes nothing' test "$(cmp out out1)$(cmp m1 other 2>&1)"

# ---- saved and loaded ----------------------------------------------------------------------------------

for name in iris breast_cancer digits; do
    run 0 "$train" "$data/$name.csv" --test 0 --save model
    accuracy=$(sed -n 's/^train  *accuracy \([0-9.]*\).*/\1/p' out)
    run 0 "$predict" model "$data/$name.csv"
    says err "accuracy $accuracy, log loss "
    lines out "$(wc -l < "$data/$name.csv")"
done
sed 's/,[^,]*$//' "$iris" > unlabelled.csv
run 0 "$train" "$iris" --save model
run 0 "$predict" model "$iris"
cp out labelled
run 0 "$predict" model unlabelled.csv
silent err
same out labelled
sed '5s/,[^,]*$/,/' "$iris" > some.csv # a label that is not filled in
run 0 "$predict" model some.csv
says err 'predict: not judged: some.csv:5: '
lines err 1
same labelled out
awk -F, -v OFS=, 'NR > 1 { for (i = 0; i < 20; i++) { $5 = "id" NR "." i; print } } NR == 1' "$iris" > ids.csv
run 0 "$predict" model ids.csv # labels that are no classes are nothing to judge by
says err "predict: not judged: ids.csv: label column 'species' holds 3000 different labels"
lines err 1
lines out 3001
run 0 "$predict" model unlabelled.csv --classes-only
expect 'not the classes alone' sh -c 'cut -d, -f1 labelled | cmp - out'
run 1 "$predict" model unlabelled.csv --threshold 0.5
says err 'model has 3 classes'
run 0 "$train" "$data/breast_cancer.csv" --save two
run 0 "$predict" two "$data/breast_cancer.csv" --threshold 0.9
expect 'the threshold is not kept' awk -F, 'NR > 1 && ($1 == 1) != ($3 >= 0.9) { exit 1 }' out

# ---- as C ----------------------------------------------------------------------------------------------

run 0 "$predict" model --c flower.c
run 1 "$predict" two --c two.c --threshold 0.9
says err '--threshold'
run 0 "$train" "$data/linear_1000.csv" --model regression --save line
run 0 "$predict" line --c line.c
cat > main.c << 'END'
#include "flower.h"
#include "line.h"
#include <stdio.h>

int main(void)
{
    static const double x[] = {5.1, 3.5, 1.4, 0.2};
    static flower_work work;
    flower_outputs out;
    if (flower_run(&(flower_inputs){x}, &out, &work) == 0)
        puts(flower_names[out.predicted]);
    return 0;
}
END
run 0 "${CC:-cc}" -std=c99 -Wall -Wextra -Werror -o flower main.c flower.c line.c -lm
run 0 ./flower
says out setosa

# Numbers that are predicted have all their digits.
awk 'BEGIN { print "a,y"; for (i = 1; i < 60; i++) print i "," 1000003 * i + 7 }' > steep.csv
for f32 in '' --f32; do
    # shellcheck disable=SC2086  # none
    run 0 "$train" steep.csv --model regression --penalty-c inf --test 0 --save steep $f32
    run 0 "$predict" steep steep.csv
    expect 'digits are lost' awk -v f32=$f32 'NR > 1 { x = $1 - 1000003 * (NR - 1) - 7; x = x < 0 ? -x : x
        if (x > (f32 ? 1e-5 * $1 : 1e-3)) exit 1 }' out
    says out 590001
done

printf 'a,y\n1,unknown\n2,2000013\n' > unknown.csv
run 0 "$predict" steep unknown.csv
says err "predict: not judged: unknown.csv: label column 'y' does not hold numbers alone"
lines err 1
lines out 3

# Names that C does not take, with spaces, and of more than ASCII.
for name in 'int' 'my model' 'gr\303\266\303\237e' '9' 'NAN' 'a(b)'; do
    name=$(printf "$name")
    run 0 "$predict" model --c "$name.c"
    says out '_run takes a row of 4 numbers'
    run 0 "${CC:-cc}" -std=c99 -Wall -Wextra -Wpedantic -Wconversion -Werror -c -o odd.o "$name.c"
done
run 1 "$predict" model --c 'a"b.c'
says err 'cannot be included'
run 1 "$predict" model --c Math.c
says err '"Math.h" is a header of the system'
cp line line.st.h
run 1 "$predict" line.st.h --c line.st.c # the header would be the model
says err 'line.st.h: is the model, which would be lost'
same line line.st.h
mkdir -p taken.c
run 1 "$predict" line --c taken.c
run 1 "$predict" line --c ''
run 1 "$predict" '' "$iris"
says err "predict: '': No such file or directory"
run 1 "$train" "$iris" --save ''
says err "train: '': No such file or directory"
run 1 "$predict" line --c slope
says err 'a path that ends with NAME.c wanted, not "slope"'
expect 'a header without its file' test ! -e taken.h

# ---- columns -------------------------------------------------------------------------------------------

cat > colour.csv << 'EOF'
size,colour,weight,shape,price
1,red,7,round,high
2,red,3,square,low
3,blue,4,round,high
4,green,2,round,low
5,"dark, blue",4,square,high
2.5,red,6,round,high
3.5,blue,1,square,low
1.5,green,2,round,low
EOF
run 0 "$train" colour.csv --test 0 --save other # the columns of strings are found
run 0 "$train" colour.csv --category colour,shape --test 0 --save model
says out '8 rows, 4 columns, 2 classes of price'
same model other
run 1 "$train" colour.csv --category colour
says err "column 4 (shape): 'round' is not a number"
says err '--category'
run 0 "$predict" model colour.csv
cp out labelled
awk -F, -v OFS=, '!/dark/ { print $2, $1, $4, $5, $3 }' colour.csv > moved.csv # texts and numbers keep their order
run 0 "$predict" model moved.csv
expect 'other predictions' sh -c 'sed 6d labelled | cmp - out'
awk -F, -v OFS=, '!/dark/ { print $3, $2, $1, $4, $5 }' colour.csv > swapped.csv
run 0 "$predict" model swapped.csv # by their names
expect 'other predictions' sh -c 'sed 6d labelled | cmp - out'
run 0 "$predict" model --c colour.c # strings as they are, and the same predictions
says out 'colour_run takes a row of 2 numbers and 2 strings; colour_names has the 2 classes'
for line in 'x[0] size' 'x[1] weight' 'strings[0] colour' 'strings[1] shape' 'No number may be missing (NaN).' 'no string may be NULL'; do
    says colour.h "$line"
done
cat > main.c << 'END'
#include "colour.h"
#include <stdio.h>

static int predict(double size, const char *colour, double weight, const char *shape)
{
    static colour_work work;
    const double x[] = {size, weight};
    const char *strings[] = {colour, shape};
    colour_outputs out;
    if (colour_run(&(colour_inputs){x, strings}, &out, &work) != 0)
        return 1;
    return printf("%s,%.6g,%.6g\n", colour_names[out.predicted], out.probabilities[0], out.probabilities[1]) < 0;
}

int main(void)
{
    return predict(1, "red", 7, "round") || predict(2, "red", 3, "square") || predict(3, "blue", 4, "round") ||
           predict(4, "green", 2, "round") || predict(5, "dark, blue", 4, "square") ||
           !predict(1, "violet", 1, "round") || !predict(1, "round", 1, "red");
}
END
run 0 "${CC:-cc}" -std=c99 -Wall -Wextra -Wpedantic -Wconversion -Werror -o colour main.c colour.c -lm
run 0 ./colour
expect 'other predictions in C' sh -c 'sed 1d labelled | head -n 5 | cmp - out'
sed 's/green/violet/' colour.csv > violet.csv
run 1 "$predict" model violet.csv
says err "violet.csv: column 'colour': 'violet' was not there"
run 0 "$train" colour.csv --category colour,shape --test 0 --ignore-unknown --save model
run 0 "$predict" model violet.csv
run 0 "$predict" model --c colour.c
expect 'a word of a failure that cannot be' sh -c '! grep known colour.h colour.c'
run 0 "${CC:-cc}" -std=c99 -Wall -Wextra -Werror -o colour main.c colour.c -lm
run 1 ./colour
lines out 6
# What is left out stays out, also where it is said to hold strings.
run 1 "$train" colour.csv --drop colour --category colour,shape --test 0
says err "column 'colour' is in option strings, but option drop leaves it out"
says err '--category is for columns that are used: --columns, --drop'
run 1 "$train" colour.csv --columns size,shape --category colour,shape --test 0
says err "column 'colour' is in option strings, but not in option columns"
run 0 "$train" colour.csv --columns size,shape --category shape --test 0
says out '8 rows, 2 columns'
run 1 "$train" colour.csv --category colour,nonsense
says err "no column is 'nonsense'"
tail -n +2 "$iris" > bare.csv
run 0 "$train" bare.csv --no-header --save model
says out '3 classes of x5'
run 0 "$predict" model bare.csv --no-header
says err ' of 150 rows'
mv out labelled
run 0 "$predict" model bare.csv # the model knows
same labelled out
tr ',' ';' < "$iris" > semicolons.csv
tr ',' '\t' < "$iris" > tabs.csv
run 0 "$train" "$iris" --save model
sed 1d out > results
run 0 "$train" semicolons.csv --save other # the separator is found
expect 'other results' sh -c 'sed 1d out | cmp - results'
same model other
run 1 "$train" semicolons.csv --separator ,
says err "without --separator the file's own is found"
for separator in ';' '\t' '|' ' '; do # rows with their prediction are separated as they were
    tr ',' "$separator" < "$iris" > separated.csv
    run 0 "$predict" model separated.csv --with-input
    expect 'a comma' sh -c '! grep -q , out'
    tr "$separator" ',' < out > commas
    run 0 "$predict" model "$iris" --with-input
    same commas out
done
echo 'a;y' > quoted.csv
for i in 1 2 3 4 5; do echo "$i;\"p;q\""; echo "-$i;r"; done >> quoted.csv
run 0 "$train" quoted.csv --test 0 --save other
run 0 "$predict" other quoted.csv --with-input --classes-only
says out '1;"p;q";"p;q"'
printf 'a;y\n1;"p\n\n ;q"\n\n-1;r\n2;"p\n\n ;q"\n-2;r' > quoted.csv
run 0 "$predict" other quoted.csv --with-input --classes-only
(printf 'a;y;predicted\n1;"p\n\n ;q";"p;q"\n-1;r;r\n2;"p\n\n ;q";"p;q"\n-2;r;r\n') > given
same out given
run 0 "$train" semicolons.csv --separator ';' --save other
expect 'other results' sh -c 'sed 1d out | cmp - results'
run 0 "$train" tabs.csv --separator tab
expect 'other results' sh -c 'sed 1d out | cmp - results'
run 0 "$predict" model "$iris"
mv out labelled
run 0 "$predict" model semicolons.csv --separator=';'
same labelled out
run 1 "$train" "$iris" --separator 5
usage "$train" "$iris" --separator ';;'
usage "$train" "$iris" --separator=
run 1 "$predict" "$iris" model
says err 'no safetensors file?'
printf 'a,b,y\n1,2,0\n2,,1\n3,2,0\n4,1,1\n5,NA,0\n' > missing.csv
run 0 "$train" missing.csv --missing drop --test 0
says out ' 3 rows'

# ---- missing values, columns, formats ------------------------------------------------------------------

awk -F, -v OFS=, 'NR > 1 && NR % 7 == 0 { $2 = "?" } NR > 1 && NR % 11 == 0 { $3 = "NA" } { print }' "$iris" > holes.csv
run 1 "$train" holes.csv
says err "--missing drop, mean or median"
run 0 "$train" holes.csv --missing drop
says out 'rows were left out'
run 0 "$train" holes.csv --missing median --indicate --test 0 --save model
says out 'sepal_width 21, petal_length 13, 34 in all: numbers became'
says out 'sepal_width_missing'
accuracy=$(sed -n 's/^train  *accuracy \([0-9.]*\).*/\1/p' out)
run 0 "$predict" model holes.csv
says err "accuracy $accuracy, log loss "
head -n 8 holes.csv | tail -n 2 | sed 's/,[^,]*$//' > two.csv # a row's prediction does not depend on the others
(head -n 1 holes.csv | sed 's/,[^,]*$//'; sed -n 2p two.csv) > one.csv
run 0 "$predict" model holes.csv
sed -n 8p out > among
run 0 "$predict" model one.csv
expect 'another prediction alone' sh -c 'sed 1d out | cmp - among'
run 0 "$train" "$iris" --drop sepal_width,sepal_length --save model
says out '150 rows, 2 columns'
run 0 "$train" "$iris" --columns petal_length,petal_width --save other
same model other
run 0 "$predict" model "$iris" # columns that the model does not know are left out
says err 'accuracy '
run 1 "$train" "$iris" --drop petal_lenght
says err 'train: there are petal_length, '
run 0 sh -c "'$train' - < '$iris'"
says out '150 rows'
cp "$iris" copy.csv
run 0 "$train" "$iris" --test-file copy.csv --quiet
lines out 5
silent err
says out '150 training rows, 150 test rows'
sed 's/setosa/another/' "$iris" > another.csv
usage "$train" "$iris" --test-file copy.csv --test 0.5
says err '--test '
run 1 "$train" "$iris" --save -
says err "not to '-'"
usage "$train" "$iris" --test-file "$iris"
usage "$train" "$iris" --test-file "$data/../data/iris.csv"
says err 'the test rows would be those that are trained on'
usage sh -c "cat '$iris' | '$train' - --test-file -"
run 1 "$train" "$iris" --test-file another.csv
says err "no training row is of the test rows' class another"
sed 's/setosa/-1/; s/versicolor/+1/; s/virginica/20/' "$iris" > numbers.csv # as numbers other letters are the same class
sed 's/setosa/-1.0/; s/versicolor/1/; s/virginica/2e1/' "$iris" > letters.csv
run 0 "$train" numbers.csv --test-file letters.csv --save model
cp out train_out
says out 'test         accuracy 0.'
run 0 "$predict" model letters.csv
says err "$(sed -n 's/^test  *\(accuracy [0-9.]*\).*/\1/p' train_out)"
sed 's/,0.2,setosa/,thin,setosa/' "$iris" > thin.csv
run 1 "$train" "$iris" --label petal_width --model regression --test-file thin.csv
says err "thin.csv: label column 'petal_width' does not hold numbers alone"
expect 'trained all the same' sh -c '! grep -q "^iteration" err'
awk -F, -v OFS=, '{ print $5, $3, $1, $4, $2 }' "$iris" > moved.csv # columns and the label are known by their names
run 0 "$train" "$iris" --test-file moved.csv --quiet
says out '150 training rows, 150 test rows'
cut -d, -f1,2,5 "$iris" > less.csv
run 1 "$train" "$iris" --test-file less.csv --save spoiled
says err "less.csv: no column is 'petal_length'"
says err 'train: there are sepal_length, sepal_width, species'
expect 'trained all the same' sh -c '! grep -q "^iteration" err'
run 0 "$train" less.csv --test-file "$iris" # what was not trained on is left out
gzip -c "$iris" > iris.csv.gz
run 1 "$train" iris.csv.gz
says err 'gunzip -c iris.csv.gz | train -'
run 0 "$predict" --version
says out 'predict (Wengert '
run 0 "$train" "$iris" --save model
run 0 "$predict" model "$iris" --with-input --classes-only
expect 'not the rows as they stand' sh -c "paste -d, '$iris' labelled | cut -d, -f1-5 | cmp - '$iris'"
says out '5.1,3.5,1.4,0.2,setosa,setosa'
says out 'petal_width,species,predicted'
# Lines of blanks, anywhere, are no rows; byte order mark, CRLF and CR, quotes over lines, no line end at the end.
(printf '\357\273\277  \r\n' && head -n 2 "$iris" && printf ' \t\n\n' && sed -n 60,61p "$iris" && printf ' \n\t') > blanks.csv
(head -n 1 "$iris" && sed -n 2p "$iris" && sed -n 60,61p "$iris") > rows.csv
run 0 "$predict" model rows.csv --with-input --classes-only
mv out given
for end in '' '\r' '\r\n'; do
    if [ -n "$end" ]; then
        awk -v end="$end" '{ printf "%s%s%s", between, $0, end }' blanks.csv > other.csv
    else
        cp blanks.csv other.csv
    fi
    run 0 "$predict" model other.csv --with-input --classes-only
    same out given
done
run 0 sh -c "cat blanks.csv | '$predict' model - --with-input --classes-only"
same out given
sed 1d rows.csv | cut -d, -f1-4 > nameless.csv
run 0 "$predict" model nameless.csv --no-header --with-input --classes-only
expect 'not the rows as they stand' sh -c 'sed 1d given | cut -d, -f1-4,6 | cmp - out'
run 1 "$predict" model --format svmlight nameless.csv --with-input --classes-only
silent out
# Options that the format has no use for are no options.
useless() { # useless OPTION MODEL DATA...
    option=$1
    shift
    run 1 "$predict" "$@" --"$option"
    silent out
    says err "--${option%%=*} is"
    lines err 1
}
for option in labels=nowhere zero-based; do
    useless $option model "$iris"
done
# Finite numbers that are too large: no class is made up of what is not finite, and nothing half written.
not_finite() {
    run 1 "$predict" "$@"
    silent out
    says err "predict: huge.csv: row 3: the model's output is not finite ("
    says err 'numbers of the row are too large for it'
    expect 'a cure of something else' sh -c '! grep -q missing err'
}
(cat rows.csv && echo '1.7e308,-1.7e308,1.7e308,-1.7e308,setosa') | sed 3d > huge.csv
for option in '' --classes-only --with-input '--with-input --classes-only'; do
    # shellcheck disable=SC2086  # words
    not_finite model huge.csv $option
done
run 1 "$train" "$iris" --test-file huge.csv --quiet
says err "train: huge.csv: row 3 of the test rows: the model's output is not finite ("
# Of rows that were dealt to parts none is named by a number that the file does not know it by.
(cat "$iris" && echo '1.7e308,-1.7e308,1.7e308,-1.7e308,setosa') > huge.csv
for seed in 0 1 2 3 4 5 6 7 8 9; do
    "$train" huge.csv --quiet --seed $seed > out 2> err
    ! grep -q 'of the test rows' err || break
done
what="huge.csv --seed $seed" checks=$((checks + 1))
says err "train: huge.csv: a row of the test rows: the model's output is not finite ("
run 0 "$train" "$iris" --model one_vs_rest --degree 2 --save other
(cat rows.csv && echo '1e200,1e200,1e200,1e200,setosa') | sed 3d > huge.csv
not_finite other huge.csv
run 0 "$train" "$iris" --f32 --raw --optimizer newton --save other
(cat rows.csv && echo '3e38,3e38,3e38,-3e38,setosa') | sed 3d > huge.csv
not_finite other huge.csv
run 0 "$train" "$iris" --label petal_width --model regression --save other
(cat rows.csv && echo '1.7e308,1.7e308,1.7e308,1,setosa') | sed 3d > huge.csv
not_finite other huge.csv
grep -v virginica "$iris" > two.csv
run 0 "$train" two.csv --save other
(cat rows.csv && echo '1.7e308,-1.7e308,1.7e308,-1.7e308,setosa') | sed 3d > huge.csv
not_finite other huge.csv --threshold 0.5
run 0 "$predict" model --c finite.c
says finite.h 'predicted is -1'
# Many rows through a wide model, some at a time: the same text, memory for some alone, and rows counted from the first.
printf 'x,y\n0,a\n1,b\n' > few.csv
run 0 "$train" few.csv --model mlp --hidden 20000 --epochs 1 --test 0 --save wide
awk 'BEGIN { print "x"; for (i = 0; i < 5000; i++) print i / 5000 }' > many.csv
limit='ulimit -v 600000' # of which sanitizers take more by themselves
sh -c "$limit && '$predict' --version" > /dev/null 2>&1 || limit=:
run 0 sh -c "$limit; '$predict' wide many.csv"
lines out 5001
mv out whole
for row in 2 1777 5001; do
    (head -n 1 many.csv && sed -n ${row}p many.csv) > one.csv
    run 0 "$predict" wide one.csv
    expect "another row $row" sh -c "sed 1d out > one && sed -n ${row}p whole | cmp - one"
done
awk 'NR == 4002 { print 1.7e308 } NR != 4002' many.csv > huge.csv
run 1 "$predict" wide huge.csv
says err 'huge.csv: row 4001: the model'
awk 'NR == 4002 { print "NA" } NR != 4002' many.csv > hole.csv
run 1 "$predict" wide hole.csv
says err 'row 4001, column 1 (x) is nan'

# ---- what the model knows of its file: other files are read alike ---------------------------------------

# What stands for a missing value is a number where no one says so.
awk 'BEGIN { print "age,city,bought"
    for (i = 0; i < 60; i++)
        print (i % 5 ? 20 + i : -999) "," (i % 7 ? (i % 2 ? "Rome" : "Oslo") : "none") "," (i < 30 ? "no" : "yes") }' > people.csv
awk 'BEGIN { print "a,b,y"; for (i = 0; i < 20; i++) print (i % 5 ? i : "t64") "," i % 3 "," i % 2 }' > texts.csv
texts=$(awk 'BEGIN { for (i = 1; i < 64; i++) printf "t%d,", i; print "t64" }') # as many as a list takes
run 0 "$train" texts.csv --missing mean --missing-texts "$texts" --quiet
usage "$train" texts.csv --missing mean --missing-texts "$texts,t65"
says err "--missing-texts takes 64 at most, and 't65' is one more"
run 0 "$train" people.csv --missing median --missing-texts none,-999 --test 0 --save model
accuracy=$(sed -n 's/^train  *\(accuracy .*\)/\1/p' out)
run 0 "$predict" model people.csv
says err "$accuracy of 60 rows"
mv out labelled
sed 's/-999//; s/none//' people.csv > blank.csv
run 0 "$predict" model blank.csv
same labelled out
# Texts alone: the first row would be taken for a header.
awk 'BEGIN { for (i = 0; i < 40; i++) print (i ? (i % 2 ? "left" : "right") : "start") "," (i ? "c" i % 3 : "c") }' > texts.csv
run 0 "$train" texts.csv --no-header --test 0 --save model
run 0 "$predict" model texts.csv
lines out 41
# A separator that another seems to be.
awk 'BEGIN { print "a,x|b,x|y,x"; for (i = 0; i < 9; i++) print "p" i % 3 ",r|q" i % 4 ",r|" i % 2 ",r" }' > bars.csv
run 0 "$train" bars.csv --separator '|' --test 0 --save model
run 0 "$predict" model bars.csv
says err ' of 9 rows'
# Rows that look like svmlight's; and features that count from 0, of which the first is in no row.
awk 'BEGIN { for (i = 1; i < 10; i++) print i, i % 2 ":1" }' > looks.txt
run 0 "$train" looks.txt --format csv --separator ' ' --no-header --test 0 --save model
run 0 "$predict" model looks.txt
says err ' of 9 rows'
awk 'BEGIN { for (i = 0; i < 40; i++) print i % 2, "0:" i % 3 + 1, (i % 2 ? "1:1" : "2:1") }' > zeros.svm
run 0 "$train" zeros.svm --zero-based --test 0 --save model
sed 's/ 0:[0-9]//' zeros.svm > few.svm
run 0 "$predict" model few.svm --zero-based
mv out labelled
run 0 "$predict" model few.svm
same labelled out
says err 'accuracy 1.0000'
# The array of labels in an archive of NumPy's.
if command -v python3 > /dev/null && python3 -c 'import numpy' 2> /dev/null; then
    python3 -c 'import numpy as np; np.savez("a.npz", X=np.arange(40.).reshape(20, 2) % 7, target=np.arange(20) % 2)'
    run 0 "$train" a.npz --test 0 --save model
    run 0 "$predict" model a.npz
    says err ' of 20 rows'
    python3 -c 'import numpy as np; X = np.arange(40.).reshape(20, 2) % 7; X[3, 1] = np.nan
np.savez("b.npz", X=X, y=np.arange(20) % 2, names=np.array(["a", "b"]), s=np.zeros(2, dtype=[("a", "f4")]))
np.savez("c.npz", X=X[:0], y=np.arange(0)); np.savez("d.npz", X=X, y=np.where(X[:, 0] > 3, "a", "b"))'
    run 1 "$train" b.npz --test 0
    says err 'train: missing values: --missing drop, mean or median'
    run 0 "$train" b.npz --test 0 --missing drop --save model
    says out 'missing      x2 1, 1 in all: 1 rows were left out'
    run 0 "$predict" model b.npz --missing drop
    says err ' of 19 rows'
    run 0 "$train" b.npz --test 0 --missing mean
    says out "numbers became their column's mean"
    run 1 "$train" c.npz --test 0
    says err 'train: c.npz holds no rows'
    run 1 "$train" d.npz
    says err 'd.npz: array y is of type <U1, which is not read'
else
    skipped="$skipped numpy"
fi

# Arrays of another type of numbers than the model's become that.
npy() { # npy TYPE SHAPE BYTES
    printf '\223NUMPY\1\0v\0%-117s\n' "{'descr': '$1', 'fortran_order': False, 'shape': $2, }"
    printf "$3"
}
npy '|u1' '(6, 1)' '\0\1\0\1\0\1' > whole.npy
one='\0\0\200\77' zero='\0\0\0\0'
npy '<f4' '(6, 1)' "$zero$one$zero$one$zero$one" > floats.npy
run 0 "$train" whole.npy --labels whole.npy --test 0 --save model
run 0 "$predict" model whole.npy
mv out labelled
run 0 "$predict" model floats.npy
same labelled out
large='\50\153\156\116' # 1e9: f32 is the file's own, and no option
npy '<f4' '(6, 1)' "$large$large$large$large$large$large" > large.npy
run 0 "$train" large.npy --labels whole.npy --test 0 --quiet
says err "column 'x1': in f32 its numbers, around 1e+09, are all the same; in f64 they keep more"
expect 'an option that was not given' sh -c '! grep -q -e --f32 err'
for option in zero-based 'separator=;' no-header; do
    useless "$option" model floats.npy
done
nan='\0\0\300\177' # a label that is missing
npy '<f4' '(6,)' "$zero$one$zero$nan$zero$one" > labels.npy
run 1 "$train" whole.npy --labels labels.npy --test 0
run 0 "$train" whole.npy --labels labels.npy --test 0 --missing drop --save other
says out '5 rows, 1 column, 2 classes'
run 0 "$predict" other whole.npy --labels labels.npy
says err 'predict: not judged: whole.npy: the label of row 4 is nan'

# What no model takes stands in a row of the file, whatever part that row falls to, and whatever rows are left out.
many="$one$zero$one$zero$one$zero$one$zero$one$zero"
inf='\0\0\200\377'
npy '<f4' '(40, 1)' "$many$many$many$zero$zero$zero$nan$one$zero$one$zero$one$zero" > hole.npy
npy '<f4' '(40, 1)' "$many$nan$zero$one$zero$one$zero$one$zero$one$zero$many$zero$zero$zero$inf$one$zero$one$zero$one$zero" > inf.npy
npy '<f4' '(40, 1)' "$many$many$many$many" > labels.npy
for option in '' --f32 --stream '--stream --f32' '--seed 1' '--seed 2' '--test 0' '--cv 3'; do
    # shellcheck disable=SC2086  # words
    run 1 "$train" hole.npy --labels labels.npy $option
    says err 'train: hole.npy: row 34, column 1 (x1) is nan'
done
for option in drop mean; do
    run 1 "$train" inf.npy --labels labels.npy --missing $option
    says err 'train: inf.npy: row 34, column 1 (x1) is -inf'
done

# ---- pipes: any format, read as often as it takes, from a file's beginning ----------------------------

run 0 "$train" "$iris" --save model
run 0 "$predict" model "$iris"
mv out labelled
run 0 sh -c "cat '$iris' | '$train' - --save other"
same model other
run 0 sh -c "cat unlabelled.csv | '$predict' model -"
same labelled out
run 0 "$predict" model "$iris" --with-input
mv out given
run 0 sh -c "cat '$iris' | '$predict' model - --with-input"
same given out
(echo something else; cat "$iris") > behind.csv
run 0 sh -c "(read line; '$predict' model - --with-input) < behind.csv"
same given out
if [ -e /proc/self/fd ] && mkfifo fifo; then
    (cat "$iris" > fifo &)
    run 0 "$predict" model fifo
    same labelled out
fi
run 1 sh -c "cat '$iris' | '$train' - --label speceis"
says err 'train: there are species, '
run 1 "$predict" model missing.csv
says err 'predict: there are a, b, y'

# ---- what helps ----------------------------------------------------------------------------------------

printf '@relation r\n@attribute a numeric\n@data\n1,x\n2,z\n3,x\n4,z\n5,x\n6,z\n' > r.arff
run 1 "$train" r.arff
says err "grep -v '^[#%@]' r.arff | train -"
run 0 sh -c "grep -v '^[#%@]' r.arff | '$train' -"
printf '\377\376a\0,\0y\0\n\0' > wide.csv
run 1 "$train" wide.csv
says err 'iconv -f UTF-16 -t UTF-8 wide.csv | train -'
printf 'a\0,\0y\0\n\0' > wide.csv
run 1 "$train" wide.csv
says err 'iconv -f UTF-16LE -t UTF-8 wide.csv | train -'
printf '\377\376\0\0a\0\0\0' > wide.csv
run 1 "$train" wide.csv
says err 'iconv -f UTF-32 -t UTF-8 wide.csv | train -'
printf '[{"a":1,"y":"x"},{"a":2,"y":"z"}]\n' > data.json
run 1 "$train" data.json
says err "jq -r '.[] | [.[]] | @csv' data.json | train -"
(echo 'sep=;'; tr , ';' < "$iris") > excel.csv
run 1 "$train" excel.csv
says err 'tail -n +2 excel.csv | train -'
run 0 sh -c "tail -n +2 excel.csv | '$train' -"
sed '5s/^[^,]*/-inf/' "$iris" > infinite.csv
run 1 "$train" infinite.csv
says err '--missing-texts inf,-inf --missing mean'
run 0 "$train" infinite.csv --missing-texts inf,-inf --missing mean --quiet
printf 'version https://git-lfs.github.com/spec/v1\noid sha256:0a\nsize 12\n' > lfs.csv
run 1 "$train" lfs.csv
says err 'lfs.csv: byte 0: is a pointer of Git LFS, not the data: git lfs pull'
printf 'a,y,\n1,x,\n2,z,\n3,x,\n4,z,\n5,x,\n6,z,\n' > ends.csv
run 1 "$train" ends.csv
says err "sed 's/.\$//' FILE | train -"
run 0 "$train" holes.csv --missing drop --save model
run 1 "$predict" model holes.csv
says err 'predict: --missing drop leaves out rows'
run 0 "$predict" model holes.csv --missing drop
says err ' rows with missing values were left out'
lines out "$(($(grep -cv -e '?' -e NA holes.csv)))"
usage "$predict" model holes.csv --missing drop --with-input
cp "$iris" tested.csv
run 1 "$train" "$iris" --test-file tested.csv --save tested.csv
says err 'tested.csv: is the data, which would be lost'
same tested.csv "$iris"
run 0 "$train" "$iris" --label petal_width --model regression --save line
run 1 "$predict" line "$iris" --threshold 0.5
says err 'line predicts numbers, not classes'

# ---- cross-validation, checks, the page ----------------------------------------------------------------

run 0 "$train" "$data/breast_cancer.csv" --cv 5 --penalty-c 0.01,1,100
expect 'not a line for each C' test "$(grep -c '^cv           C ' out)" -eq 3
says out 'chosen       C 1'
says err 'cv part 5/5'
run 0 "$train" "$iris" --model mlp --hidden 4 --epochs 2 --cv 2 --quiet
says out 'cv           no penalty accuracy '
usage "$train" "$iris" --penalty-c 0.1,1
printf 'a,b,y\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n' > xor.csv
run 1 "$train" xor.csv --test 0 --cv 5
says err '--cv has more parts than there are training rows'
run 1 "$train" "$data/digits.csv" --degree 10
says err 'out of memory for 1032350799853080 items'
run 0 "$train" "$iris" --label petal_width --model regression --cv 3
says out 'RMSE'
run 0 "$train" "$iris" --model mlp --hidden 8 --epochs 3 --check-every 1
says out 'gradient     67 of 67 entries agree with differences at the start, 67 of 67 at the end'
# The penalty of a regression beside Ridge(alpha=0.5) of scikit-learn 1.9 on the same standardized rows.
run 0 "$train" "$iris" --label petal_width --drop species --model regression --test 0
says out 'petal_length                    0.895661'
says out 'sepal_length                   -0.148590'
for model in softmax one_vs_rest 'mlp --epochs 5' 'regression --label sepal_width'; do
    # shellcheck disable=SC2086  # words
    run 0 "$train" "$iris" --report page.html --model $model
    expect 'no page' sh -c 'tail -n 1 page.html | grep -qx "</body></html>"'
    expect 'the page needs a network' sh -c '! grep -qE "(src|href)=" page.html'
    expect 'a number that is none' sh -c '! grep -qE "[\" >](nan|-nan|inf|-inf)[\" <]" page.html'
    expect 'the gradient was not checked' grep -q '<td>passed</td>' page.html
done

run 0 "$train" "$data/breast_cancer.csv" --plot loss.svg --pr pr.svg --confusion confusion.svg
for name in loss pr confusion; do
    expect 'a title without the data' grep -q '>[^<]*: breast_cancer</text>' $name.svg
done
sed 's/5\.1/NA/' "$iris" > few.csv
run 0 sh -c "'$train' - --missing mean --report page.html < few.csv"
expect 'no name of the standard input' grep -q '<h1>standard input</h1>' page.html
expect 'no word of missing values' grep -q "numbers became their column's mean" page.html

# ---- Ctrl-C: the best weights are kept, judged and saved, and the status is 130; a second one ends at once ---

"$train" "$data/digits.csv" --model mlp --epochs 100000 --save stopped > out 2> err &
victim=$!
for try in 1 2 3 4 5 6 7 8 9 10; do
    sleep 0.3
    [ "$(wc -l < err)" -ge 3 ] && break
done
kill -INT $victim
wait $victim
found=$? what='Ctrl-C' checks=$((checks + 1))
[ $found -eq 130 ] || complain "exit status $found, not 130"
says err 'stopped by Ctrl-C'
says out ', stopped'
says out 'test         accuracy '
run 0 "$predict" stopped "$data/digits.csv"

# ---- told before the training: nothing is written, and no step is made -----------------------------------

before() {
    run 1 "$train" "$@" --save spoiled
    expect 'a model' test ! -e spoiled
    expect 'a step' sh -c '! grep -q "^iteration" err'
}
printf 'a\377,y\n1,0\n2,1\n3,0\n4,1\n5,0\n' > bytes.csv
before bytes.csv
says err 'not UTF-8'
printf 'c,y\ncaf\351,1\ntea,0\ncaf\351,1\ntea,0\n' > latin.csv # in a column that is predicted from
before latin.csv --test 0
says err "not UTF-8: 'caf"
says err "of column 'c', row 1 "
printf 'c,x,y\ntea,,1\ncaf\351,1,1\ntea,0,0\ncaf\351,1,1\ntea,0,0\n' > left.csv # row 2 of the file, 1 of those that are kept
before left.csv --test 0 --missing drop
says err "of column 'c' (iconv"
run 0 "$train" latin.csv --test 0
# Test rows that cannot be judged, or not be predicted, are refused before the training.
printf '\223NUMPY\1\0v\0%-117s\n' "{'descr': '|u1', 'fortran_order': False, 'shape': (3, 4), }" > rows.npy
printf '\1\2\3\4\5\6\7\1\2\3\4\5' >> rows.npy
before "$iris" --test-file rows.npy
says err 'train: the test rows have no labels to judge by: rows.npy'
echo "1 1:1" > test.svm
awk -F, 'NR > 1 { print $1 "," $2 "," NR % 2 }' "$iris" > binary.csv
before binary.csv --no-header --test-file test.svm
says err 'or neither: test.svm'
printf 'y,y\n1,0\n2,1\n3,0\n4,1\n5,0\n6,1\n' > twice.csv
before twice.csv
says err "has the label's name: y"
printf ',,y\n1,2,0\n2,3,1\n3,1,0\n4,5,1\n5,2,0\n6,1,1\n' > unnamed.csv
before unnamed.csv
says err "two columns have one name"
printf 'a,a,y\n1,red,0\n2,blue,1\n3,red,0\n4,blue,1\n' > twice.csv
before twice.csv # numbers and strings
says err "two columns have one name, one of which must be another in the header: a"
printf 'a;y\n1,5;0\n2,5;1\n3;0\n4,25;1\n' > comma.csv
before comma.csv
says err 'train -; where it divides thousands, take it out; column a'
before "$iris" --plot loss.svg --confusion loss.svg
says err 'two results would be written to loss.svg'
before "$iris" --plot loss.svg --confusion ./loss.svg # the same by its place, though it is not there yet
mkdir folder
ln -s ../spoiled folder/linked
ln -s folder again
for name in ./spoiled folder/../spoiled folder/linked again/linked; do
    before "$iris" --report $name
    says err 'two results would be written to '
    before "$iris" --checkpoint $name
    says err 'two results would be written to '
done
awk 'BEGIN { print "c,a,y"; for (i = 0; i < 60; i++) print (i == 7 ? "rare" : "common") "," i "," i % 2 }' > rare.csv
for seed in 0 1 2 3 4 5 6 7; do
    "$train" rare.csv --quiet --seed $seed > out 2> err || break
done
what="rare.csv" checks=$((checks + 1))
says err "no training row has 'rare' in column 'c'"
run 0 "$train" rare.csv --quiet --seed $seed --ignore-unknown
printf 'a,y\n1,0\n2,1\n3,0\n4,1\n5,0\n6,1\n' > column.csv # one column: its rows without a label are predicted
run 0 "$train" column.csv --save model --test 0
printf 'a\n1\n2\n' > rows.csv
run 0 "$predict" model rows.csv
lines out 3
awk -F, -v OFS=, 'NR > 1 { print $5, $1, $2, $3, $4 }' "$iris" > first.csv # the label first, and no header
run 0 "$train" first.csv --no-header --label x1 --save model
cut -d, -f2- first.csv > rows.csv
run 0 "$predict" model first.csv --no-header
mv out labelled
run 0 "$predict" model rows.csv --no-header
same out labelled

run 0 "$train" "$iris" --save model
sed 's/setosa/Setosa/' "$iris" > another.csv # a class that the model does not know
run 0 "$predict" model another.csv
says err ' of 150 rows, 50 with a label that is none of the model'

printf 'a,y\n1,\n2,?\n' > open.csv # labels that are to be found out
run 0 "$train" column.csv --save model --test 0
run 0 "$predict" model open.csv
lines out 3
silent err
printf 'a,y\n1,1\n2,?\n' > open.csv
run 0 "$predict" model open.csv
lines out 3
says err 'predict: not judged: open.csv:3: '

# ---- numbers that lose their differences ---------------------------------------------------------------

# far OFFSET STEP: numbers from there on, in one column of two.
far() { awk -v o="$1" -v s="$2" 'BEGIN { print "near,far,y"
    for (i = 0; i < 60; i++) printf "%d,%.17g,%d\n", i % 7, o + i % 11 * s, (i % 3 > 0) }'; }
far 1e6 1 > far.csv
run 0 "$train" far.csv --f32 --raw --quiet
says err "train: warning: column 'far': in f32 its numbers, around 1e+06, lose all but 2 digits"
says err 'without --f32'
run 0 "$train" far.csv --f32 --quiet # whole numbers, less their mean, are exact
silent err
run 0 "$train" far.csv --raw --quiet
silent err
far 1e6 0.1 > tenths.csv
run 0 "$train" tenths.csv --f32 --quiet
says err "column 'far': in f32"
far 1e9 1 > ids.csv
run 0 "$train" ids.csv --f32 --quiet
says err "column 'far': in f32 its numbers, around 1e+09, are all the same"
far 1e15 1 > ids.csv
run 0 "$train" ids.csv --raw --quiet
says err "without --raw they keep them"
run 0 "$train" ids.csv --quiet
says err "column 'far': in f64 its numbers, around 1e+15, differ so little that they count as constant"
awk -F, 'NR > 1 { print $3, "1:" $1, "2:" $2 }' ids.csv > ids.svm
run 0 "$train" ids.svm --quiet
says err 'feature 2: in f64'
awk 'BEGIN { print "id,x,y"; for (i = 10; i < 60; i++) print "12345678901234567" i "," i % 7 "," (i % 3 > 0) }' > ids.csv
run 0 "$train" ids.csv --quiet
says err "train: warning: column 'id': integers beyond 2^53 lose their last digits; ids are for --drop"
run 0 "$train" ids.csv --quiet --drop id
silent err
for name in iris breast_cancer digits linear_1000; do # ordinary numbers
    run 0 "$train" "$data/$name.csv" --f32 --raw --quiet --epochs 2
    silent err
done

far 1e200 1e199 > large.csv
run 1 "$train" large.csv --raw --quiet # no step can be chosen: it stayed where it began, "converged"
says err 'are so large that their squares overflow'
says err 'the value or the gradient is NaN, infinite, or too large'

# ---- columns that tell rows apart, and numbers with something around them ------------------------------

awk -F, -v OFS=, '{ print (NR > 1 ? NR - 2 : ""), $0 }' "$iris" > index.csv # as pandas writes it
run 0 "$train" index.csv --quiet
says err "train: warning: column '' counts the rows: --drop '' leaves it out"
run 0 "$train" index.csv --quiet --drop '' --save model
silent err
run 0 "$train" "$iris" --quiet --save other
same model other
awk -F, -v OFS=, '{ print (NR > 1 ? NR - 1 : "\"no, of row\""), (NR % 7 == 3 ? "" : $2), $5 }' "$iris" > holes1.csv
run 0 "$train" holes1.csv --quiet --missing drop # also where rows are left out, and where the name has a comma
says err "column 'no, of row' counts the rows"
run 0 "$train" holes1.csv --quiet --missing drop --drop '"no, of row"'
silent err
run 0 "$train" holes1.csv --quiet --missing mean --columns 'sepal_width,"no, of row"'
usage "$train" "$iris" --hidden ''
awk -F, -v OFS=, '{ print $0, (NR > 1 ? "2024-01-" NR : "day") }' "$iris" > days.csv
run 1 "$train" days.csv --label species --quiet
says err "column 'day' holds 150 different strings in 150 rows: --drop 'day' leaves it out"
says err "no training row has '2024-01-"
says err '--drop leaves the column out'
for dress in '$%.1f' '%.1f %%' '(%.1f)' '%.1f cm' '%.1fD+01' "'%.1f'" '\342\202\254 %.1f'; do
    awk -F, -v OFS=, -v d="$dress" 'NR > 1 { $1 = sprintf(d, $1) } { print }' "$iris" > dressed.csv
    run 1 "$train" dressed.csv
    says err "train: column 'sepal_length': numbers like '"
    run 0 "$train" dressed.csv --quiet --test 0 --category sepal_length
done
awk -F, -v OFS=, 'NR > 1 { $1 = NR % 4 "th class" } { print }' "$iris" > dressed.csv # few: they may well be names
run 0 "$train" dressed.csv --quiet
silent err
awk -F, -v OFS=, 'NR > 1 { $1 = "\"1," 100 + NR ".5\"" } { print }' "$iris" > dressed.csv
run 1 "$train" dressed.csv
says err 'where it divides thousands, take it out; column sepal_length'

# A model asks for each of its columns by its name: that takes no time for each pair of them.
awk 'BEGIN { for (i = 0; i < 100000; i++) printf "c%d,", i; print "y"
    for (k = 0; k < 4; k++) { for (i = 0; i < 100000; i++) printf "%d,", (i * 7 + k) % 5; print k % 2 } }' > wide.csv
run 0 "$train" wide.csv --quiet --test 0 --epochs 2 --save model
run 0 sh -c "ulimit -t 15 && '$predict' model wide.csv"
says err ' of 4 rows'
# Nor do names of columns of strings, or strings of test rows beside those of training rows.
awk 'BEGIN { for (i = 0; i < 120000; i++) printf "c%d,", i; print "y"
    for (k = 0; k < 4; k++) { for (i = 0; i < 120000; i++) printf "%s,", k % 2 ? "a" : "b"; print k % 2 } }' > wide.csv
run 0 sh -c "ulimit -t 15 && '$train' wide.csv --quiet --test 0 --epochs 1 --memory 1000"
awk 'BEGIN { print "s,y"; for (i = 0; i < 100000; i++) print (i ? "a" : "b") "," i % 2 }' > long.csv
awk 'BEGIN { print "s,y"; for (i = 0; i < 100000; i++) print (i < 99999 ? "b" : "c") "," i % 2 }' > longer.csv
run 1 sh -c "ulimit -t 5 && '$train' long.csv --quiet --test-file longer.csv"
says err "no training row has 'c' in column 's'"

# ---- labels that are numbers -------------------------------------------------------------------------

run 1 "$train" "$iris" --label sepal_length
says err 'sepal_length holds 35 different numbers: --model regression predicts numbers, --model softmax classes'
awk 'BEGIN { print "a,age"; for (i = 0; i < 90; i++) print i % 7 "," 20 + i % 31 }' > ages.csv
run 1 "$train" ages.csv
says err 'age holds 31 different numbers: --model regression'
run 0 "$train" ages.csv --model regression
run 0 "$train" ages.csv --model softmax
awk 'BEGIN { print "a,y"; for (i = 0; i < 10; i++) print i % 7 "," i }' > ten.csv
run 1 "$train" ten.csv
says err 'a column of many numbers is predicted by --model regression'

# ---- numbers, and a start at the optimum --------------------------------------------------------------

run 0 "$train" "$iris" --label petal_width --category species --model regression --save model
says out 'petal_width in numbers'
says out 'test         R2 0.9'
run 0 "$predict" model "$iris"
says err 'R2 0.9'
lines out 151
run 1 "$train" "$iris" --label petal_width --category species --model regression --confusion c.svg
says err 'for classes, not for regression'
run 0 "$train" xor.csv --test 0 --save model
says out 'iterations   0, loss 0.693147, converged'
says out 'accuracy 0.5000, log loss 0.6931'
run 0 "$predict" model xor.csv

# ---- sparse rows ---------------------------------------------------------------------------------------

awk -F, 'NR > 1 { line = $NF; for (i = 1; i < NF; i++) if ($i != 0) line = line " " i ":" $i / 16; print line }' \
    "$data/digits.csv" > digits.svm
head -n 40 digits.svm | sed 's/ 4[0-9]:.*//' > few.svmlight
run 0 "$train" digits.svm --test 0 --save model
says out '1797 rows, 64 columns, 10 classes'
accuracy=$(sed -n 's/^train  *accuracy \([0-9.]*\).*/\1/p' out)
run 0 "$predict" model digits.svm
says err "accuracy $accuracy, log loss "
run 0 "$predict" model few.svmlight # no row has the last features
lines out 41
run 0 "$train" digits.svm --model mlp --hidden 8 --epochs 20 --seed 1 --threads 1
mv out one
run 0 "$train" digits.svm --model mlp --hidden 8 --epochs 20 --seed 1 --threads 2
same one out
cp digits.svm digits.t # known by its look
run 0 "$train" digits.t --test 0 --save other
same model other
run 1 "$train" digits.svm --optimizer adam
says err "(lbfgs), not by 'adam'"
usage "$train" digits.svm --category a
usage "$train" digits.svm --separator tab
usage "$train" digits.svm --no-header
run 0 sh -c "cat digits.svm | '$train' - --test 0 --save other"
same model other
awk '{ for (i = 2; i <= NF; i++) { split($i, f, ":"); $i = f[1] - 1 ":" f[2] } print }' digits.svm > zero.svm
printf '0 0:1 1:2\n1 0:2\n' > zeros.svm
run 1 "$train" zeros.svm
says err 'features that count from 0 are for --zero-based'
run 0 "$train" zero.svm --zero-based --test 0 --save other
run 0 "$predict" model digits.svm
mv out labelled
run 0 "$predict" model zero.svm --zero-based
same labelled out
for option in 'labels=y' 'separator=;' no-header missing=drop; do
    useless "$option" model digits.svm
done
echo '3 2:1 65:4 70:1' > bad.libsvm # features that the model does not know
run 0 "$predict" model bad.libsvm
says err 'bad.libsvm: 2 entries were left out, of features beyond the 64 '
mv out labelled
echo '3 2:1' > bad.libsvm
run 0 "$predict" model bad.libsvm
same labelled out
printf '1 2:1\n3 4:1\n1 2:3\n3 4:2 1000000:1\n' > beyond.libsvm
sed 's/ 1000000:1//' beyond.libsvm > within.libsvm
run 0 "$train" within.libsvm --test-file beyond.libsvm
says err '1 entries were left out'
printf '1 1:1\n2 3:1 2:4\n' > bad.svm
run 1 "$train" bad.svm
says err "bad.svm:2: '2'"
printf '1 1:x\n' > bad.svm
run 1 "$train" bad.svm
expect 'advice for CSV files' sh -c '! grep -q category err'
printf '1\n2\n' > bad.svm
run 1 "$train" bad.svm --test 0
says err 'no columns'
run 0 "$train" "$data/digits.csv" --epochs 3 --save prepared
run 1 "$predict" prepared digits.svm
silent out
run 1 "$predict" prepared digits.svm --format svmlight
says err 'prepared: the model prepares its rows'

# ---- killed and resumed --------------------------------------------------------------------------------

# start_and_kill LINES COMMAND...: kills it when it has reported so many epochs; false where it was faster.
start_and_kill() {
    enough=$1
    shift
    : > err
    # What counts coverage counts elsewhere: a kill may come while it writes.
    GCOV_PREFIX=$PWD/killed nice -n 19 "$@" > out 2> err < /dev/null & # whatever else runs, this shell comes first
    victim=$!
    while kill -0 $victim 2> /dev/null && [ "$(wc -l < err)" -lt "$enough" ]; do :; done
    kill -9 $victim 2> /dev/null
    wait $victim 2> /dev/null
    [ $? -eq 137 ]
}
# killed_twice COMMAND...: at first, and again when it has resumed: all anew where this shell was not in time, for what a
# late kill leaves may be too little for another.
killed_twice() {
    what="killed: $*" checks=$((checks + 1))
    for try in 1 2 3 4 5 6 7 8; do
        rm -f state
        start_and_kill 4 "$@" && start_and_kill 3 "$@" --resume && return
    done
    complain "ended before it was killed, $try times"
}
kill_and_resume() {
    run 0 "$train" "$data/digits.csv" "$@" --save whole
    mv out results
    killed_twice "$train" "$data/digits.csv" "$@" --checkpoint state
    run 0 "$train" "$data/digits.csv" "$@" --checkpoint state --resume --save resumed
    expect 'began anew' test "$(wc -l < err)" -le 33
    same whole resumed
    same results out
}
kill_and_resume --optimizer sgd --epochs 40
kill_and_resume --model mlp --hidden 32 --dropout 0.1 --validation 0.1 --epochs 40
kill_and_resume --optimizer rmsprop --epochs 40
kill_and_resume --optimizer lbfgs --epochs 40
run 1 "$train" "$data/digits.csv" --optimizer sgd --epochs 40 --checkpoint state --resume
says err 'train: state: checkpoint: of another training'
run 1 "$predict" state "$iris"
says err 'predict: state: estimator: '
run 1 "$train" "$iris" --checkpoint nowhere --resume
says err 'nowhere: '

# ---- hostile files -------------------------------------------------------------------------------------

# hostile MESSAGE TEXT: train refuses such a file, by its name.
hostile() {
    # shellcheck disable=SC2059  # the text is the format
    printf "$2" > bad.csv
    run 1 "$train" bad.csv --save spoiled
    silent out
    says err "train: bad.csv$1"
    expect 'a model of it' test ! -e spoiled
}
hostile ': the file is empty' ''
hostile ': a header without rows' 'a,b,y\n'
hostile ':3: 2 fields' 'a,b,y\n1,2,0\n1,2\n'
hostile ":2: column 2 (b): 'x' is not a number" 'a,b,y\n1,x,0\n1,2,1\n'
hostile ":2: column 2 (b): '' is a missing value" 'a,b,y\n1,,0\n1,2,1\n'
hostile ":2: column 2 (b): 'inf' is not finite" 'a,b,y\n1,inf,0\n1,2,1\n'
hostile ":2: column 2 (b): '1e999'" 'a,b,y\n1,1e999,0\n1,2,1\n'
hostile ':2: the quote' 'a,b,y\n1,"2,0\n1,2,1\n'
hostile ':1: a NUL byte' 'a\000b,c\n1,2\n'
hostile ': one column' 'y\n0\n1\n'

# A small file asks for much memory by the product of what it counts: classes and features, rows and classes, rows
# and categories.
awk 'BEGIN { for (i = 0; i < 60; i++) print i % 5, "130000:" i % 3 }' > far.svm
run 1 "$train" far.svm --quiet --save spoiled
says err ' but 64 MB are allowed (64, or 40 times the file, whichever is more); --memory MB allows more'
says err 'train: far.svm: '
expect 'a model of it' test ! -e spoiled
run 1 "$train" far.svm --quiet --memory 50
says err ' but --memory allows 50 MB'
run 0 "$train" far.svm --quiet --memory 400 --epochs 2
run 0 "$train" "$data/digits.csv" --quiet --epochs 2 --threads 256
run 1 "$train" far.svm --quiet --model mlp
says err '--memory'
awk 'BEGIN { print "x,y"; for (i = 0; i < 6000; i++) print i % 7 ",k" i % 300 }' > many.csv
run 0 "$train" many.csv --epochs 2 --memory 20 --report many.html
says out 'no ROC AUC: probabilities of 1200 rows are too many to keep (--memory)'
says many.html 'no ROC AUC and no curves'
sed -n 's/^test .*log loss/log loss/p' out > blocks
run 0 "$train" many.csv --epochs 2 --memory 1000
says out 'ROC AUC 0.'
sed -n 's/^test .*log loss/log loss/p' out > whole
same blocks whole
awk 'BEGIN { print "a,b,c,y"; for (i = 0; i < 15000; i++)
    printf "%c%c,%c%c,%c%c,%d\n", 65 + i % 8, 65 + i % 9, 65 + i % 7, 65 + i % 11, 65 + i % 5, 65 + i % 13, i * i % 7 % 2 }' > texts.csv
run 0 "$train" "$iris" --quiet --epochs 1000000000 # no memory for epochs that do not come
run 0 "$train" "$iris" --quiet --optimizer sgd --batch 150 --epochs 1100
says out 'epochs       1100,'
run 0 "$train" texts.csv --quiet --epochs 2 --memory 15 # as columns of numbers they would be 20 MB
run 1 "$train" "$dir"
says err 'is a directory'
run 1 "$train" nowhere.csv
says err 'train: nowhere.csv: '
run 1 "$train" "$iris" --label nonsense
says err "no column is 'nonsense'"
printf 'a,b,y\n1,2,same\n1,3,same\n2,2,same\n' > one.csv
run 1 "$train" one.csv
printf 'a,y\n1,x\n2,z\n3,x\n4,z\n' > own.csv
cp own.csv before.csv
for option in --save --plot --confusion --pr --checkpoint; do
    run 1 "$train" own.csv $option ./own.csv
    says err 'train: ./own.csv: is the data'
    expect 'the data as they were' cmp -s own.csv before.csv
done
printf x > file
for option in --save --plot --confusion --pr --checkpoint; do # noticed before the training: no line an epoch
    for path in nowhere/model "$dir" file/model; do
        run 1 "$train" "$iris" $option $path
        lines err 1
        says err "train: $path: "
        silent out
    done
done
# Advice for what went wrong, and not for what has a word in common with it.
run 1 "$train" "$iris" --optimizer sgd --rate 1e30
says err 'a smaller rate may help'
says err 'a smaller --rate may help'
for file in "$iris" floats.npy; do
    run 1 "$train" "$file" --model mlp --rate 1e300 --test 0 $([ "$file" = "$iris" ] || echo --labels whole.npy)
    says err 'a smaller --rate may help'
    expect 'a cure for missing values' sh -c '! grep -q missing err'
done
run 1 "$train" "$iris" --model mlp --rate 1e300 --batch 200 --validation 0.3
says err 'the validation loss is nan'
expect 'a cure for missing values' sh -c '! grep -q missing err'
printf 'a,y\n1,0\n2,1\n' > two.csv
run 1 "$train" two.csv
says err 'train: --test 0 tests no rows'
run 1 "$train" two.csv --test 0 --validation 0.5
says err 'train: a smaller --validation, or none'
expect 'a cure of the test rows' sh -c '! grep -q -e --test err'
run 1 "$train" "$iris" --no-header
says err 'leave out --no-header'

run 0 "$train" "$iris" --save model
head -c 400 model > short
run 1 "$predict" short "$iris"
silent out
says err 'predict: short: '
run 1 "$predict" "$iris" "$iris"
says err 'iris.csv: '
run 1 "$predict" nowhere "$iris"
says err 'predict: nowhere: '
run 1 "$predict" model "$data/moons_400.csv"
silent out
printf 'sepal_length,sepal_width,petal_length,petal_width,species\n1,2,3,4,setosa\n1,2,3,many,setosa\n' > bad.csv
run 1 "$predict" model bad.csv
says err "bad.csv:3: column 4 (petal_width): 'many'"
printf 'a,b,c,d\n1,2,3,4\n' > bad.csv
run 1 "$predict" model bad.csv
says err "no column is 'sepal_length'"

# ---- names and paths as a terminal may show them --------------------------------------------------------

plain() { expect 'control characters' sh -c '! cat out err | LC_ALL=C tr -d "\n" | LC_ALL=C grep -q "[[:cntrl:]]"'; }
printf 'a\033[31mred\a,y\302\233\n%s' "$(for i in 1 2 3 4 5 6; do printf 'abc\033[3%im,%i\\r\n' $i $((i % 2)); done)" > escapes.csv
run 0 "$train" escapes.csv --test 0
plain
says out 'strings      1: a?[31mred?'
run 0 "$train" escapes.csv --test 0 --ignore-unknown --epochs 1
run 1 "$train" escapes.csv --columns c --test 0
plain
run 1 "$train" "$(printf 'no\033[31m.csv')"
plain
says err 'train: no?[31m.csv: No such file'
run 1 "$train" "$iris" --save "$(printf 'no\033[31m/model')"
plain
long=$(printf '%0250d' 0)
mkdir "$long" "$long/$long"
(echo "$long$long,y" && printf '1,0\n2,1\nx,1\n3,0\n') > "$long/$long/long.csv"
run 1 "$train" "$long/$long/long.csv" --test 0
says err "): 'x' is not a number, as others are"

# ---- files of results are written entirely or not at all, and why not is told ----------------------------

full() { # of a disk on which files of a kilobyte have no place
    sh -c 'trap "" XFSZ; ulimit -f 1; exec "$@" 2>&1' full "$@" | cat
}
for option in --report=a.html --plot=a.svg --pr=a.svg --confusion=a.svg --save=a.model; do
    file=${option#*=}
    mkdir full && echo old > "full/$file"
    (cd full && full "$train" "$data/breast_cancer.csv" --quiet "${option%%=*}" "$file" > ../out) 2> err
    what="train $option of a full disk"
    checks=$((checks + 1))
    says out "train: $file: "
    expect 'the reason is missing' grep -qi "^train: $file: .*large" out
    expect 'the old file is lost' grep -qx old "full/$file"
    expect 'a file is left behind' test "$(find full -type f | wc -l)" -eq 1
    rm -r full
done
mkdir full && cd full
full "$build/l2" --svg a.svg "$data/breast_cancer.csv" > ../out 2> ../err
full "$build/error_curve" --svg a.svg >> ../out 2>> ../err
cd ..
what='pictures of a full disk'
expect 'the reason is missing' grep -qi '^l2: a.svg: .*large' out
expect 'the reason is missing' grep -qi '^error_curve: a.svg: .*large' out
expect 'a file is left behind' test "$(find full -type f | wc -l)" -eq 0
mkdir files
ln -s ../linked.html files/link.html
echo old > linked.html
chmod 640 linked.html
run 0 "$train" "$iris" --quiet --report files/link.html
expect 'the link was replaced' test -h files/link.html
expect 'not what the link points to' grep -q '</html>' linked.html
expect 'other permissions' sh -c 'ls -l linked.html | grep -q "^-rw-r-----"'

# ---- pictures ------------------------------------------------------------------------------------------

well_formed() {
    for file in "$@"; do
        expect "$file is no picture" sh -c 'head -n 1 "$0" | grep -q "^<svg " && tail -n 1 "$0" | grep -qx "</svg>"' "$file"
        expect "$file holds a number that is none" sh -c '! grep -qE "[\" ](nan|-nan|inf|-inf)[\" ]" "$0"' "$file"
        if command -v xmllint > /dev/null; then
            expect "$file is not well-formed" xmllint --noout "$file"
        fi
    done
}
command -v xmllint > /dev/null || skipped="$skipped xmllint"
run 0 "$train" "$iris" --plot loss.svg --confusion confusion.svg
well_formed loss.svg confusion.svg
run 0 "$train" "$iris" --optimizer adam --validation 0.2 --plot loss.svg
well_formed loss.svg
run 0 "$train" "$iris" --model mlp --hidden 8 --validation 0.2 --epochs 60 --report page.html
expect 'the legend hides the ends of the curves' sh -c \
    'grep -o "<rect x=\"[0-9]*[^>]*fill-opacity" page.html | head -n 1 | grep -q "x=\"88"'
run 0 "$train" "$data/breast_cancer.csv" --pr pr.svg
well_formed pr.svg
run 1 "$train" "$iris" --pr pr.svg
says err 'has 3 classes, not two'
run 1 "$train" "$iris" --plot nowhere/loss.svg
says err 'nowhere/loss.svg'
run 0 "$train" "$iris" --epochs 1 --plot loss.svg
well_formed loss.svg
run 0 "$train" "$iris" --epochs 1 --optimizer sgd --plot loss.svg
well_formed loss.svg
expect 'no point' grep -q '<circle' loss.svg
printf 'a,b,"<y> & ""z"""\n1,2,"<&>"""\n2,1,\303\251]]>\n3,2,"<&>"""\n4,1,\303\251]]>\n' > names.csv
run 0 "$train" names.csv --test 0 --confusion names.svg --pr pr.svg
well_formed names.svg pr.svg
printf 'a,b,y\n1,2,\377\001\n2,1,\303(\n3,2,\377\001\n4,1,\303(\n' > names.csv
run 0 "$train" names.csv --test 0 --confusion names.svg --pr pr.svg
well_formed names.svg pr.svg
printf 'a,b,y\n1,2,\357\277\277\n2,1,"\357\277\276"\n3,2,\357\277\277\n4,1,"\357\277\276"\n' > names.csv # U+FFFF
run 0 "$train" names.csv --test 0 --confusion names.svg
well_formed names.svg
expect "names.svg holds what is no character of XML" sh -c '! LC_ALL=C grep -q "$(printf "\357\277[\276\277]")" names.svg'
run 1 "$train" "$iris" --plot x.png
says err 'x.png: pictures are SVG'
# A constant column, and one that doubles hardly tell apart: axes of some width, and no end of ticks.
printf 'a,b,y\n1,1e16,0\n1,10000000000000002,1\n1,10000000000000006,0\n' > flat.csv
run 0 "$build/decision_boundary" --svg flat.svg flat.csv
well_formed flat.svg
expect "more than 40 ticks" test "$(grep -c '<path d=' flat.svg)" -lt 40
# What is wrong with the data is told before any table of numbers.
for name in moons iris l2 threshold learning_rates decision_boundary toy_5 linear_1000 two_class_300; do
    run 1 "$build/$name" nowhere.csv
    silent out
done
for name in moons iris l2 threshold learning_rates decision_boundary error_curve toy_5 linear_1000 two_class_300 cross_entropy; do
    run 0 sh -c "cd '$data/../..' && '$build/$name' --svg '$dir/$name.svg'"
    well_formed $name.svg
done

# ---- images --------------------------------------------------------------------------------------------

# octal NUMBER...: as bytes for printf.
octal() { printf '\\%03o' "$@"; }
# classes ROWS SEED: images of 4 x 4 pixels, of which a class lights one row or column, on noise, and labels.
images() {
    # shellcheck disable=SC2046,SC2059  # words; the text is the format
    printf "$(octal 0 0 8 3 0 0 $(($1 / 256)) $(($1 % 256)) 0 0 0 4 0 0 0 4 $(awk -v n="$1" -v seed="$2" '
        BEGIN { srand(seed); for (i = 0; i < n; i++) for (j = 0; j < 16; j++) {
                    lit = i % 8 < 4 ? int(j / 4) == i % 8 : j % 4 == i % 8 - 4
                    print int(rand() * 100) + 150 * lit } }'))"
}
labels() {
    # shellcheck disable=SC2046,SC2059
    printf "$(octal 0 0 8 1 0 0 $(($1 / 256)) $(($1 % 256)) $(awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++) print i % 8 }'))"
}
images 1000 1 > X
labels 1000 > y
images 200 2 > Xtest
labels 200 > ytest
run 0 "$train" X --labels y --f32 --save model
says out '1000 rows, 16 columns, 8 classes of label'
run 0 "$predict" model Xtest --labels ytest
expect 'the images are not told apart' awk '{ exit $2 < 0.9 }' err
mv out labelled
run 0 "$predict" model Xtest
silent err
same out labelled
usage "$train" X
usage "$train" "$iris" --labels y
# The same rows as NumPy's arrays: version 1, unsigned bytes, in Fortran order: 16 columns, one behind the other.
array() {
    # shellcheck disable=SC2059  # the text is the format
    printf '\223NUMPY\001\000\166\000%-117s\n' "$1"
}
bytes() { od -An -v -tu1 -j "$1" "$2" | awk '{ for (i = 1; i <= NF; i++) print $i }'; }
binary() { awk '{ printf "\\%03o", $1 }' > format && xargs -0 printf < format; }
(array "{'descr': '|u1', 'fortran_order': True, 'shape': (1000, 16), }"
    bytes 16 X | awk '{ x[NR - 1] = $1 } END { for (j = 0; j < 16; j++) for (i = 0; i < 1000; i++) print x[16 * i + j] }' | binary) > X.npy
(array "{'descr': '|u1', 'fortran_order': False, 'shape': (1000,), }"; bytes 8 y | binary) > y.npy
run 0 "$train" X.npy --labels y.npy --f32 --save other
same model other
# Streamed: the same model of the same rows, and other rows to test by.
run 1 "$train" X.npy --labels y.npy --stream
says err 'X.npy: rows do not lie together in Fortran order'
(array "{'descr': '|u1', 'fortran_order': False, 'shape': (1000, 16), }"; bytes 16 X | binary) > X.npy
run 0 "$train" X.npy --labels y.npy --test 0 --save one
mv out held
run 0 "$train" X.npy --labels y.npy --test 0 --save two --stream --threads 2
same one two
same out held
run 0 "$train" X.npy --labels y.npy --test 0 --stream --epochs 3 --check-every 2
says out 'gradient     136 of 136 entries agree with differences at the start, 136 of 136 at the end'
run 0 "$train" X.npy --labels y.npy --stream --quiet
says out 'model        softmax, 800 training rows, 200 test rows'
usage "$train" "$iris" --stream
usage "$train" X.npy --labels y.npy --stream --missing mean
says err "--missing does not go with"
usage sh -c "cat X.npy | '$train' - --labels y.npy --stream"
says err "not 'a pipe'"
# A cache of a CSV file: made once, and again when the file is another.
awk 'BEGIN { srand(5); print "a,colour,b,y"
    for (i = 0; i < 4000; i++) {
        a = rand(); b = rand()
        print (i % 9 ? a : "") "," (i % 13 ? (a < b ? "red" : "blue") : "") "," b "," (a + b > 1 ? "yes" : "no") } }' > big.csv
for how in '--missing mean --indicate' '--missing drop --balanced' '--missing median --f32 --optimizer newton'; do
    # shellcheck disable=SC2086  # words
    run 0 "$train" big.csv $how --test 0 --epochs 8 --save one
    mv out held
    for threads in 1 2; do
        # shellcheck disable=SC2086
        run 0 "$train" big.csv $how --test 0 --epochs 8 --threads $threads --cache big.cache --save two
        same one two
        same out held
    done
done
expect 'made again' test "$(grep -c 'big.cache: made' err)" -eq 0
run 0 "$train" big.csv --missing median --f32 --test 0 --cache big.cache --epochs 2 --check-every 1
says out ' entries agree with differences at the start, '
# Strings that are encoded whenever their rows are read, since they would take more than 16 MB: also for a page.
awk 'BEGIN { print "s,y"; for (i = 0; i < 2400; i++) print "k" i % 1200 "," (i % 5 > i % 3) }' > often.csv
run 0 "$train" often.csv --test 0 --epochs 2 --report page.html
says out ' entries agree with differences at the start, '
run 0 "$train" big.csv --missing mean --cache big.cache --quiet
says err 'train: big.cache: made, for it was of another file, or of other options'
says out 'model        logistic, 3200 training rows, 800 test rows'
echo '0.5,red,0.7,yes' >> big.csv
run 0 "$train" big.csv --missing mean --cache big.cache --quiet
says out 'model        logistic, 3200 training rows, 801 test rows'
echo 'a file of mine' > mine
run 1 "$train" big.csv --missing mean --cache mine
says err 'mine: byte 0: is no .npy file'
expect 'another file was written over' grep -q 'a file of mine' mine
usage "$train" big.csv --cache big.csv
usage "$train" big.csv --cache -
for option in --save --checkpoint --plot --confusion --pr --test-file; do
    usage "$train" big.csv --cache held.cache --test 0 $option held.cache
    says err 'would be written over by --cache, or write over it'
done
usage "$train" big.csv --cache c --report r.html
usage "$train" X.npy --labels y.npy --cache c
usage sh -c "cat big.csv | '$train' - --cache c"
# More labels than can be classes have no names.
awk 'BEGIN { print "x,y"; for (i = 0; i < 3000; i++) print i % 7 "," i }' > many.csv
awk -F, 'NR > 1 { print $2, "1:" $1 }' many.csv > many.svm
for name in many.csv many.svm; do
    run 1 "$train" $name --cache $name.cache --model softmax
    says err 'different labels, and the limit is '
done
# The same of an svmlight file.
run 0 "$train" digits.svm --test 0 --epochs 8 --save one
mv out held
for threads in 1 2; do
    run 0 "$train" digits.svm --test 0 --epochs 8 --threads $threads --cache pairs.cache --save two
    same one two
    same out held
done
expect 'made again' test "$(grep -c 'pairs.cache: made' err)" -eq 0
run 0 "$train" digits.svm --test 0 --epochs 2 --cache pairs.cache --check-every 1
says out ' entries agree with differences at the start, '
usage "$train" digits.svm --cache pairs.cache --validation 0.2
usage "$train" digits.svm --cache new.cache --save ./new.cache # neither is there yet
run 0 "$train" digits.svm --cache pairs.cache --quiet
says out '360 test rows'
run 1 "$train" big.csv --missing mean --cache pairs.cache
says err 'it is of another format'
# A class that no test row has.
(head -n 1 "$iris" && grep setosa "$iris") > setosa.csv
run 0 "$train" "$iris" --test-file setosa.csv
says err "ROC AUC is nan: no row of 'test' is of class 'versicolor'"
run 0 "$build/mnist" --hidden 32 --epochs 12 X y Xtest ytest
lines out 12
expect 'the images are not told apart' awk '/^epoch 12/ { exit $NF < 0.9 }' out
run 0 "$build/mnist" --hidden 0 --epochs 7 X y Xtest ytest
lines out 7
usage "$build/mnist" X y Xtest
usage "$build/mnist" --hidden -1 X y Xtest ytest
usage "$build/mnist" --epochs x X y Xtest ytest
head -c 999 X > Xshort
run 1 "$build/mnist" Xshort y Xtest ytest
says err 'Xshort: '
run 1 "$build/mnist" y X Xtest ytest
run 1 "$build/mnist" X ytest Xtest ytest

[ $failed -eq 0 ] || exit 1
echo "programs: $checks runs of train, predict and the others as they should be${skipped:+; not there:$skipped}"
