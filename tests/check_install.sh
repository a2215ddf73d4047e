#!/bin/sh
# check_install.sh MAKE BUILD: installs into a temporary directory and tries what is there: a program by pkg-config
# with the shared and the static library, a project by CMake's find_package, README's lines for CMake and Meson, the
# programs, Python by ctypes; uninstalls. All a second time where every path has a space and a quote in it, beside a
# directory that must stay. What the machine has no tool for is named as left out.
# MAKE, BUILD: the make that runs this and where it builds.  $TRY_CC: the compiler, with options; not $CC, which
# the make would take for its own and build everything anew.
set -eu
make=$1
build=$2
cc=${TRY_CC:-cc}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
tried=
left_out=

fail() { echo "install: $*"; exit 1; }
has() { # has TOOL: is it there? Otherwise it is named at the end
    if command -v "$1" > /dev/null; then return 0; fi
    case " $left_out " in *" $1 "*) ;; *) left_out="$left_out $1" ;; esac
    return 1
}
quietly() { "$@" > "$dir/log" 2>&1 || { cat "$dir/log"; fail "this fails: $*"; }; }

cat > "$dir/program.c" << 'END'
#include <wengert.h>

#include <string.h>

int main(void)
{
    wg_tape *tape = wg_tape_new(NULL);
    const int good = wg_tape_status(tape) == WG_OK && strcmp(wg_version(), WG_VERSION) == 0;
    wg_tape_free(tape);
    return good ? 0 : 1;
}
END
# A project has a table.h of its own where the library's sources have one.
mkdir -p "$dir/models/files"
echo '#error "the project has a table.h of its own"' | tee "$dir/models/table.h" > "$dir/models/files/table.h"

by_pkg_config() { # by_pkg_config ROOT
    has pkg-config || return 0
    cflags=$(PKG_CONFIG_PATH="$1/lib/pkgconfig" pkg-config --cflags wengert)
    libs=$(PKG_CONFIG_PATH="$1/lib/pkgconfig" pkg-config --libs wengert)
    all_libs=$(PKG_CONFIG_PATH="$1/lib/pkgconfig" pkg-config --static --libs wengert)
    (cd "$dir" && eval "$cc -std=c11 -Wall -Wextra -Werror -I. $cflags -o shared program.c $libs" &&
        eval "$cc -std=c11 $cflags -o static program.c -Wl,-Bstatic ${all_libs%%-lm*} -Wl,-Bdynamic -lm${all_libs#*-lm}")
    LD_LIBRARY_PATH="$1/lib" "$dir/shared" && "$dir/static" || fail "the program fails"
    tried="$tried pkg-config"
}

# -O0: whether it builds is asked, and the library as one file takes minutes to be made fast.
cmake_project() { # cmake_project ROOT LINES...: a project with these lines, which make the targets
    root=$1
    shift
    rm -rf "$dir/cmake"
    mkdir "$dir/cmake"
    printf '%s\n' 'cmake_minimum_required(VERSION 3.14)' 'project(try C)' "$@" > "$dir/cmake/CMakeLists.txt"
    cp "$dir/program.c" "$dir/cmake/model.c"
    [ ! -d "$dir/subprojects" ] || cp -r "$dir/subprojects/wengert" "$dir/cmake/wengert"
    quietly env CC="$cc -O0" cmake -S "$dir/cmake" -B "$dir/cmake/build" "-DCMAKE_PREFIX_PATH=$root"
    quietly cmake --build "$dir/cmake/build"
    "$dir/cmake/build/model" || fail "the program that CMake built fails"
}
by_cmake() { # by_cmake ROOT
    has cmake || return 0
    for target in wengert static; do
        cmake_project "$1" 'find_package(wengert 0.2 REQUIRED)' 'add_executable(model model.c)' \
            "target_link_libraries(model wengert::$target)"
    done
    mkdir -p "$dir/cmake/refused"
    printf 'cmake_minimum_required(VERSION 3.14)\nproject(try C)\nfind_package(wengert 0.1 REQUIRED)\n' \
        > "$dir/cmake/refused/CMakeLists.txt"
    if cmake -S "$dir/cmake/refused" -B "$dir/cmake/no" "-DCMAKE_PREFIX_PATH=$1" > /dev/null 2>&1; then
        fail "find_package takes another minor version"
    fi
    tried="$tried find_package"
}

# README's blocks in that language.
readme() { awk -v from="^\`\`\`$1\$" '$0 ~ from { on = 1; next } /^```/ { on = 0 } on' README.md; }
by_readme() { # the amalgamation in a project's own folder
    mkdir -p "$dir/subprojects/wengert"
    cp "$build/wengert.c" "$build/wengert.h" "$dir/subprojects/wengert"
    if has cmake; then
        cmake_project /nowhere "$(readme cmake)"
        tried="$tried FetchContent"
    fi
    if has meson && has ninja; then
        mkdir "$dir/meson"
        cp -r "$dir/subprojects/wengert" "$dir/meson/wengert"
        cp "$dir/program.c" "$dir/meson/model.c"
        { echo "project('try', 'c', default_options: ['c_std=gnu11', 'optimization=0'])"; readme meson; } > "$dir/meson/meson.build"
        quietly env CC="$cc -O0" meson setup "$dir/meson/build" "$dir/meson"
        quietly meson compile -C "$dir/meson/build"
        "$dir/meson/build/model" || fail "the program that Meson built fails"
        tried="$tried Meson"
    fi
}

by_programs() { # by_programs ROOT
    "$1/bin/wengert-train" examples/data/iris.csv --save "$dir/iris.safetensors" > "$dir/log" 2>&1 &&
        "$1/bin/wengert-predict" "$dir/iris.safetensors" examples/data/iris.csv > "$dir/log" 2> "$dir/err" ||
        { cat "$dir/log" "$dir/err"; fail "the programs fail"; }
    [ "$(wc -l < "$dir/log")" -eq 151 ] || fail "wengert-predict prints $(wc -l < "$dir/log") lines for 150 rows"
    case $cc in *-fsanitize*) return 0 ;; esac # whose runtime Python does not have
    has python3 || return 0
    python3 tests/ffi_iris.py "$1/lib/libwengert.so" examples/data/iris.csv > "$dir/log" 2>&1 &&
        grep -qE '^loss 0\.0[0-9]+ $' "$dir/log" || { cat "$dir/log"; fail "Python fails"; }
    ! python3 -c 'import cffi' 2> /dev/null ||
        quietly python3 -c 'import cffi, sys; f = cffi.FFI(); f.cdef(open(sys.argv[1]).read()); f.dlopen(sys.argv[2]).wg_version()' \
            "$build/wengert_ffi.h" "$1/lib/libwengert.so"
    tried="$tried Python"
}

by_tutorial() { # by_tutorial ROOT: README's way to run it
    has pkg-config || return 0
    libs=$(PKG_CONFIG_PATH="$1/lib/pkgconfig" pkg-config --cflags --libs wengert)
    (cd "$1/share/wengert" && eval "$cc -o '$dir/a' examples/12_threads.c $libs -lm" &&
        eval "$cc -o '$dir/b' examples/iris.c examples/support/*.c $libs -lm" &&
        LD_LIBRARY_PATH="$1/lib" "$dir/a" && LD_LIBRARY_PATH="$1/lib" "$dir/b") > "$dir/log" 2>&1 ||
        { cat "$dir/log"; fail "the tutorial cannot be run"; }
    tried="$tried tutorial"
}

try() { # try DEST PREFIX [COMMAND...]: installs, runs the commands on the tree, uninstalls
    dest=$1 prefix=$2
    shift 2
    quietly $make --no-print-directory install BUILD="$build" DESTDIR="$dest" PREFIX="$prefix"
    if find "$dest$prefix" | grep -E 'kernels|_internal.h'; then fail "installs internals"; fi
    # A tree may be moved.
    mv "$dest$prefix" "$dest/moved"
    for command in "$@"; do $command "$dest/moved"; done
    mv "$dest/moved" "$dest$prefix"
    quietly $make --no-print-directory uninstall BUILD="$build" DESTDIR="$dest" PREFIX="$prefix"
    left=$(find "$dest$prefix" ! -type d)
    [ -z "$left" ] || fail "uninstall leaves $left"
}

try "$dir/plain" /opt/wengert by_pkg_config by_cmake by_programs by_tutorial by_readme
mkdir "$dir/victim"
echo kept > "$dir/victim/kept"
with=$tried
try "$dir/victim x" "/opt/wen gert" by_pkg_config by_cmake
try "$dir/victim it's" "/opt/wen gert's"
[ -f "$dir/victim/kept" ] || fail "a path with a space deletes what stands beside it"

if $make -s lib BUILD="$dir/a b" > /dev/null 2>&1; then fail "BUILD with a space passes"; fi
here=$(pwd)
(cd "$dir" && ! $make -f "$here/Makefile" lib > "$dir/log" 2>&1) && grep -q 'make -C' "$dir/log" ||
    fail "make -f from elsewhere does not say what to do"
echo "install: tried$with, moved, and with spaces in the paths${left_out:+; not here:$left_out}"
