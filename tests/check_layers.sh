#!/bin/sh
# check_layers.sh [DIR]: who includes whom (a layer sees the layers below it and libc, nothing else),
# what the library never calls, and that no file names a machine's paths.
# check_layers.sh --self-test: plants a violation of each kind and sees it caught.
set -eu

# <headers> that C11 and POSIX provide; that compilers do, for the kernels; and sanitizers.
# Neither ctype.h nor its wide kin: what a letter is, is not for the user's locale to say.
libc='assert|complex|errno|fenv|float|inttypes|iso646|limits|math|setjmp|signal|stdalign'
libc="$libc|stdarg|stdatomic|stdbool|stddef|stdint|stdio|stdlib|stdnoreturn|string|strings|tgmath|time"
libc="$libc|threads|dirent|fcntl|pthread|sched|unistd|sys/(mman|stat|time|types)"
platform='io|langinfo|locale|windows|xlocale' # in the platform*.c and their headers
compiler='immintrin|cpuid|arm_neon|sys/auxv'
sanitizer='sanitizer/(asan|ubsan)_interface'

# Prints the file with comments and the insides of strings blanked, lines kept.
code() {
    awk '{
        out = ""
        while (length($0)) {
            if (inside) {
                at = index($0, "*/")
                if (!at) { $0 = ""; break }
                $0 = substr($0, at + 2); inside = 0
            } else if (match($0, /^"([^"\\]|\\.)*"/) && out !~ /^[ \t]*#[ \t]*include/) {
                out = out "\"\""; $0 = substr($0, RLENGTH + 1)
            } else if (substr($0, 1, 2) == "//") { $0 = ""
            } else if (substr($0, 1, 2) == "/*") { inside = 1; $0 = substr($0, 3)
            } else { out = out substr($0, 1, 1); $0 = substr($0, 2) }
        }
        print out
    }' "$1"
}

# layer DIR QUOTED SYSTEM: in DIR/*.{c,h,inc} every #include "x" has x match QUOTED, every <x> SYSTEM.
layer() {
    for file in "$1"/*.c "$1"/*.h "$1"/*.inc; do
        [ -e "$file" ] || continue
        case $file in */platform*) also="($platform)\.h|" ;; *) also= ;; esac
        code "$file" | grep -nE '^[[:space:]]*#[[:space:]]*include' |
            grep -vE "include[[:space:]]*(\"($2)\"|<($also$3)>)" | sed "s|^|$file:|" || true
    done
}

# calls DIR...: what a library must not do: print, end the process, assert.
calls() {
    for dir in "$@"; do
        for file in "$dir"/*.c "$dir"/*.h "$dir"/*.inc; do
            [ -e "$file" ] || continue
            code "$file" | grep -nE \
                '(^|[^A-Za-z0-9_])((printf|vprintf|puts|putchar|perror|abort|exit|_Exit|_exit|quick_exit|assert|system)[[:space:]]*\(|std(out|err)([^A-Za-z0-9_]|$))' |
                sed "s|^|$file:|" || true
        done
    done
}

# numbers DIR...: reals are printed and read with a point in every locale: by autograd/number_text.c alone. A
# call goes to the end of its statement; of formats that are handed on, nobody knows what they hold.
numbers() {
    for dir in "$@"; do
        for file in "${dir%/}"/*.c "${dir%/}"/*.h "${dir%/}"/*.inc; do
            [ -e "$file" ] || continue
            [ "$file" != autograd/number_text.c ] || continue
            awk -v file="$file" '
                /^[ \t]*(\/?\*|\/\/)/ { next }
                { statement = statement $0 }
                !/;[ \t]*(\/[*\/].*)?$/ && !/[{}]$/ { next }
                statement ~ /(^|[^A-Za-z0-9_])(strto(d|f|ld)|atof|v?[fs]?scanf|vsn?printf|vfprintf|strcoll|strxfrm|strn?casecmp)[ \t]*\(/ ||
                (statement ~ /(^|[^A-Za-z0-9_])(sn?printf|fprintf)[ \t]*\(/ &&
                 statement ~ /%[-+#0]*[*0-9]*(\.[*0-9]*)?[lL]?[aAeEfFgG]/) { print file ":" NR ":" $0 }
                { statement = "" }' "$file"
        done
    done
}

# Home, work and helper directories; the brackets keep this line from finding itself.
paths() {
    if ! files=$(git ls-files -co --exclude-standard 2> /dev/null) || [ -z "$files" ]; then
        files=$(find . -name 'build*' -prune -o -name .git -prune -o -type f -print)
    fi
    printf '%s\n' "$files" | while read -r file; do
        [ ! -f "$file" ] || grep -HnIE '(^|[^A-Za-z0-9_.])(/[w]ork/|/[t]mp/h/|/[h]ome/[a-z]|/[r]oot/)' "$file" || true
    done
}

# internals: an x_internal.h belongs to its folder. Those of the engine are also for the rest of autograd/ and
# for ops/, those of a folder of models/ for the folders behind it.
internals() {
    text='autograd/(number_text|platform_locale)_internal\.h' # numbers in files are printed as the engine prints them
    for dir in autograd autograd/*/ ops models models/*/; do
        dir=${dir%/}
        case $dir in
        autograd) mine=autograd ;;
        autograd/compile) mine="autograd|autograd/(print|ranks)|$dir" ;; # reads formulas, sums shards
        autograd/*) mine="autograd|$dir" ;;
        ops) mine='autograd|autograd/compile|ops|ops/kernels' ;;
        *) mine='models|models/[a-z]+' ;;
        esac
        grep -nE 'include[[:space:]]*"[a-z0-9_/]*_internal\.h"' "$dir"/*.[ch] /dev/null 2> /dev/null |
            grep -vE "\"($mine)/[a-z0-9_]*_internal\.h\"|^models/files/.*\"$text\"" || true
    done
}

# The folders of models/, each behind those that it may include.
order='files data metrics optim train'

violations() {
    engine='autograd/[a-z0-9_]+\.(h|inc)'
    layer autograd "$engine" "($libc|$sanitizer)\.h"
    for part in print ranks; do
        layer autograd/$part "$engine|autograd/$part/[a-z0-9_]+\.h" "($libc)\.h"
    done
    layer autograd/compile "$engine|autograd/(print|ranks|compile)/[a-z0-9_]+\.(h|inc)" "($libc)\.h"
    for part in derivatives check; do
        layer autograd/$part "$engine|autograd/(derivatives|$part)/[a-z0-9_]+\.(h|inc)|autograd/compile/[a-z0-9_]+\.h" "($libc)\.h"
    done
    # The wide float and the choice by processor are matters of compiler and libc; their headers include no other.
    layer ops/kernels 'ops/kernels/[a-z0-9_]+\.(h|inc)|autograd/(wide|cpu_internal|run_internal)\.h' "($libc|$compiler)\.h"
    # Ops write themselves as C by the writer's public header; a loop runs its body as a program.
    layer ops '((autograd|ops|ops/kernels)/[a-z0-9_]+\.(h|inc)|autograd/compile/(c_writer|c_function_internal|program_internal)\.h)' "($libc)\.h"
    below='(autograd|autograd/(print|ranks|compile|derivatives|check)|ops)/[a-z0-9_]+\.h'
    for part in $order; do
        below="$below|models/$part/[a-z0-9_]+\.(h|inc)"
        layer models/$part "$below" "($libc)\.h"
    done
    layer models "$below|models/[a-z0-9_]+\.h" "($libc)\.h"
    internals
    layer examples '((examples/)?support/)?[a-z0-9_]+\.h' "($libc|wengert|mpi)\.h"
    grep -rnE --include='*.[ch]' --include='*.inc' 'include[[:space:]]*"[^"]*\.\./' autograd ops models tests examples || true
    calls autograd autograd/print autograd/ranks autograd/compile autograd/derivatives autograd/check ops ops/kernels models
    for part in $order; do calls models/$part; done
    numbers autograd autograd/*/ ops ops/kernels models models/*/
    paths
}

check() { # check DIR
    cd "$1"
    found=$(violations)
    [ -z "$found" ] || { printf '%s\n' "$found" "layers: the lines above break a rule of the layers"; return 1; }
    echo "layers: every include, call and path is in order"
}

# plant FILE LINE: the rules hold in a clean tree and are broken by that line.
plant() {
    rm -rf "$tree"
    mkdir -p "$tree/autograd/print" "$tree/autograd/ranks" "$tree/autograd/compile" "$tree/autograd/check" "$tree/ops/kernels" "$tree/models/files" "$tree/models/optim" "$tree/tests" "$tree/examples"
    echo '#include <wengert.h> /* "../x.h", printf(x) in a comment */' > "$tree/examples/a.c"
    echo 'static const char *text = "abort() /* stdout";' > "$tree/autograd/a.c"
    (check "$tree") > "$tree.log" || { cat "$tree.log"; echo "layers: a clean tree is refused"; exit 1; }
    printf '%s\n' "$2" > "$tree/$1"
    if (check "$tree") > "$tree.log"; then echo "layers: not caught: $1: $2"; exit 1; fi
}

self_test() {
    tree=$(mktemp -d)/tree
    trap 'rm -rf "$(dirname "$tree")"' EXIT
    plant autograd/b.c '#include "ops/ops.h"'
    plant autograd/b.h '#include <cblas.h>'
    plant autograd/b.c '#include "autograd/../models/mlp.h"'
    plant autograd/b.c '#include "autograd/compile/program.h"'
    plant autograd/b.c '#include "autograd/ranks/ranks.h"'
    plant autograd/print/b.c '#include "autograd/compile/c_writer.h"'
    plant autograd/compile/b.c '#include "autograd/check/gradcheck.h"'
    plant autograd/check/b.c '#include "autograd/compile/program_internal.h"'
    plant models/files/b.c '#include "models/optim/optimizer.h"'
    plant models/optim/b.c '#include "models/mlp.h"'
    plant models/optim/b.c '#include "models/wengert.h"'
    plant ops/kernels/b.c '#include "autograd/tape.h"'
    plant ops/b.c '#include "models/mlp.h"'
    plant ops/b.inc '#  include "shape.h"'
    plant models/b.c '#include "ops/kernels/gemm.h"'
    plant models/b.c '#include "autograd/tape_internal.h"'
    plant examples/b.c '#include "autograd/tape.h"'
    plant tests/b.c '#include "../autograd/tape.h"'
    plant autograd/b.c 'void f(void) { /* why */ printf("x"); }'
    plant ops/b.c 'void f(void) { if (x) abort(); }'
    plant ops/kernels/b.inc 'void f(void) { exit (1); }'
    plant models/b.c 'void f(void) { assert(x); }'
    plant models/b.c 'FILE *out = stderr;'
    plant autograd/b.c '#include <ctype.h>'
    plant models/b.c '#include "autograd/number_text_internal.h"'
    plant autograd/print/b.c '    x = strtod(s, &end);'
    plant models/files/b.c '    vsnprintf(text, size, format, list);'
    plant ops/b.c '    snprintf(text, size, "%d of %.3g", n, x);'
    plant models/b.c "    fprintf(out,
        \"%*.*f\", 3, 4, x);"
    plant tests/b.c "/* see /$(printf work)/notes */"
    echo "layers: the check catches what it should"
}

case ${1:-.} in
--self-test) self_test ;;
*) check "${1:-.}" ;;
esac
