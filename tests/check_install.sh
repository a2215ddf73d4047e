#!/bin/sh
# check_install.sh MAKE BUILD CC: installs into a temporary directory, compiles a program with nothing but what
# wengert.pc says, runs it with the shared and with the static library, and uninstalls.
# MAKE, BUILD: the make that runs this and where it builds; CC: the compiler, with options.
set -eu
make=$1
build=$2
cc=$3
dest=$(mktemp -d)
trap 'rm -rf "$dest"' EXIT
prefix=/opt/wengert
root=$dest$prefix

$make -s --no-print-directory install BUILD="$build" DESTDIR="$dest" PREFIX=$prefix

if command -v pkg-config > /dev/null; then
    export PKG_CONFIG_PATH="$root/lib/pkgconfig" PKG_CONFIG_SYSROOT_DIR="$dest"
    cflags=$(pkg-config --cflags wengert)
    libs=$(pkg-config --libs wengert)
else # what pkg-config would do
    value() { sed -n "s/^$1: *//p" "$root/lib/pkgconfig/wengert.pc" |
        sed "s|\${includedir}|$root/include|g; s|\${libdir}|$root/lib|g"; }
    cflags=$(value Cflags)
    libs=$(value Libs)
fi

cat > "$dest/program.c" <<'END'
#include <wengert.h>

int main(void)
{
    wg_tape *tape = wg_tape_new(NULL);
    const int good = wg_tape_status(tape) == WG_OK;
    wg_tape_free(tape);
    return good ? 0 : 1;
}
END
cd "$dest"
# shellcheck disable=SC2086  # lists of words
{
    $cc -std=c11 -Wall -Wextra -Werror $cflags -o shared program.c $libs
    $cc -std=c11 $cflags -o static program.c "$root/lib/libwengert.a" -lm -lpthread
}
LD_LIBRARY_PATH="$root/lib" ./shared && ./static || { echo "install: the program fails"; exit 1; }
for unwanted in kernels _internal.h; do
    if find "$root" | grep $unwanted; then echo "install: installs internals"; exit 1; fi
done
cd - > /dev/null

$make -s --no-print-directory uninstall BUILD="$build" DESTDIR="$dest" PREFIX=$prefix
left=$(find "$root" ! -type d)
[ -z "$left" ] || { echo "install: uninstall leaves $left"; exit 1; }
echo "install: a program compiles with: $(echo "$cflags $libs" | sed "s|$dest||g")"
