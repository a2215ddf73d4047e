#!/bin/sh
# ffi.sh HEADER: prints the declarations of the amalgamated HEADER for a foreign function interface that parses C
# itself (cffi, LuaJIT): preprocessed, without libc's declarations, attributes and inline functions, and without
# wide floats, which those do not know.  $CC: the compiler.
set -eu
echo "/* The declarations of Wengert, made by \`make ffi\`. bool, size_t, FILE and intN_t are libc's. */"
echo 'typedef int sig_atomic_t;'
sed '/^#[ ]*include </d' "$1" | ${CC:-cc} -std=c11 -E -P -x c -DNULL=0 '-D__attribute__(x)=' -U__GLIBC__ - |
    awk '
        { text = text $0 "\n" }
        END { # bodies of inline functions, innermost braces first
            while (match(text, /static inline[^;{]*\{/)) {
                head = substr(text, 1, RSTART - 1)
                text = substr(text, RSTART + RLENGTH)
                for (depth = 1; depth > 0;) {
                    match(text, /[{}]/)
                    depth += substr(text, RSTART, 1) == "{" ? 1 : -1
                    text = substr(text, RSTART + 1)
                }
                text = head text
            }
            printf "%s", text
        }'
