#!/bin/sh
# check_install.sh MAKE BUILD: installs into a temporary directory, compiles a program with nothing but what
# wengert.pc says, runs it with the shared and with the static library, and uninstalls; all of it a
# second time where every path has a space and a quote in it, beside a directory that must stay.
# MAKE, BUILD: the make that runs this and where it builds.  $CC: the compiler, with options.
set -eu
make=$1
build=$2
cc=${CC:-cc}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

cat > "$dir/program.c" <<'END'
#include <wengert.h>

int main(void)
{
    wg_tape *tape = wg_tape_new(NULL);
    const int good = wg_tape_status(tape) == WG_OK;
    wg_tape_free(tape);
    return good ? 0 : 1;
}
END

fail() { echo "install: $*"; exit 1; }

# Flags as words of the shell; without pkg-config, what it would say.
flags() { # flags DEST ROOT cflags|libs
    if command -v pkg-config > /dev/null; then
        PKG_CONFIG_PATH="$2/lib/pkgconfig" PKG_CONFIG_SYSROOT_DIR="$1" pkg-config "--$3" wengert
    elif [ "$3" = cflags ]; then
        sed -n "s|^Cflags: *||p" "$2/lib/pkgconfig/wengert.pc" | sed "s|\${includedir}|$2/include|"
    else
        sed -n "s|^Libs: *||p" "$2/lib/pkgconfig/wengert.pc" | sed "s|\${libdir}|$2/lib|"
    fi
}

compile_and_run() { # compile_and_run DEST ROOT
    cflags=$(flags "$1" "$2" cflags)
    libs=$(flags "$1" "$2" libs)
    eval "$cc -std=c11 -Wall -Wextra -Werror $cflags -o \"\$1/shared\" \"\$dir/program.c\" $libs"
    eval "$cc -std=c11 $cflags -o \"\$1/static\" \"\$dir/program.c\" \"\$2/lib/libwengert.a\" -lm -lpthread"
    LD_LIBRARY_PATH="$2/lib" "$1/shared" && "$1/static" || fail "the program fails"
    for unwanted in kernels _internal.h; do
        if find "$2" | grep $unwanted; then fail "installs internals"; fi
    done
}

try() { # try DEST PREFIX
    $make -s --no-print-directory install BUILD="$build" DESTDIR="$1" PREFIX="$2"
    [ -z "${3:-}" ] || compile_and_run "$1" "$1$2"
    $make -s --no-print-directory uninstall BUILD="$build" DESTDIR="$1" PREFIX="$2"
    left=$(find "$1$2" ! -type d)
    [ -z "$left" ] || fail "uninstall leaves $left"
}

try "$dir/plain" /opt/wengert run
said="$cflags $libs"

mkdir "$dir/victim"
echo kept > "$dir/victim/kept"
try "$dir/victim x" "/opt/wen gert" run
try "$dir/victim it's" "/opt/wen gert's"
[ -f "$dir/victim/kept" ] || fail "a path with a space deletes what stands beside it"
if $make -s lib BUILD="$dir/a b" > /dev/null 2>&1; then fail "BUILD with a space passes"; fi
echo "install: a program compiles with: $(echo "$said" | sed "s|$dir/plain||g"); so with spaces in the paths"
