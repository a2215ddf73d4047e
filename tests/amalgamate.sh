#!/bin/sh
# amalgamate.sh DIR SOURCE... [MACRO SOURCE...]...: writes DIR/wengert.h, all public headers in one, and DIR/wengert.c, all
# sources and internal headers in one, which includes nothing but it and libc.
# The sources behind the name of a macro are left out where it is defined; they come last, since the others need what
# they paste.  A header is pasted where it is first included; an .inc file wherever it is included, for it may be
# meant to be compiled several times.  Macros of a source are undefined at its end, as if it ended there.
set -eu
dir=$1
shift
mkdir -p "$dir"

awk -v header="$dir/wengert.h" -v source="$dir/wengert.c" '
function preface(out) {
    print "/* Wengert in one .h/.c pair, made from its sources by `make amalgamation`: read and change those." > out
    print " * Compile wengert.c with any C11 compiler and link with -lm -lpthread; -ffp-contract=off gives the" > out
    print " * same bits as the library. */" > out
}
function paste(file, out,    line, name, status) {
    printf "\n/* ---- %s ---- */\n\n", file > out
    while ((status = (getline line < file)) > 0) {
        if (line ~ /^[ \t]*#[ \t]*include[ \t]*"/) {
            split(line, part, "\"")
            name = part[2]
            if (name ~ /\.inc$/ || !(name in seen)) {
                seen[name] = 1
                paste(name, out)
            }
            continue
        }
        if (file !~ /\.h$/ && match(line, /^[ \t]*#[ \t]*define[ \t]+[A-Za-z][A-Za-z0-9_]*/)) {
            name = substr(line, RSTART, RLENGTH)
            sub(/.*[ \t]/, "", name)
            macros[name] = 1
        }
        print line > out
        if (line ~ /<windows\.h>/) print "#undef near /* words of this file */\n#undef far\n#undef NEAR\n#undef FAR" > out
    }
    if (status < 0) { print "amalgamate: cannot read " file > "/dev/stderr"; failed = 1; exit 1 }
    close(file)
}
BEGIN {
    preface(header)
    seen["models/wengert.h"] = 1
    paste("models/wengert.h", header)
    preface(source)
    print "\n#ifndef _POSIX_C_SOURCE\n#define _POSIX_C_SOURCE 200809L\n#endif\n#if !defined(_FILE_OFFSET_BITS) && !defined(__LP64__)\n#define _FILE_OFFSET_BITS 64\n#endif" > source
    print "#ifndef _DEFAULT_SOURCE /* madvise */\n#define _DEFAULT_SOURCE\n#endif\n#include \"wengert.h\"" > source
    for (i = 1; i < ARGC; i++) {
        if (ARGV[i] ~ /^WG_/) {
            if (left_out) print "#endif /* " left_out " */" > source
            left_out = ARGV[i]
            print "\n#ifndef " left_out > source
            continue
        }
        paste(ARGV[i], source)
        for (name in macros) print "#undef " name > source
        split("", macros)
    }
    if (left_out) print "#endif /* " left_out " */" > source
    exit failed
}' "$@"
