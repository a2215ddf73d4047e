#!/bin/sh
# install_deps.sh TOOL...: installs what is missing of check, clang, clang-format, clang-tidy, c++, cppcheck,
# frama-c, gcovr, valgrind, musl, i686 (a cross compiler), aarch64, s390x, riscv64, armhf, ppc64le, cortex (with
# emulators), windows (MinGW-w64 and wine), wasi (with node), through the system's package manager; as root directly,
# else through sudo.
set -eu
here=$(dirname "$0")

say() { printf 'deps: %s\n' "$*"; }
die() { printf 'deps: %s\n' "$*" >&2; exit 1; }

all_there() { for program in "$@"; do command -v "$program" > /dev/null || return 1; done; }
is_there() {
    case $1 in
    check)
        probe=$(mktemp -d)
        if sh "$here/find_check.sh" "$probe/check" 2> "$probe/log"; then found=0; else found=1; fi
        rm -rf "$probe"
        return $found ;;
    clang) # its sanitizers come in a package of their own
        echo 'int main(void){return 0;}' | clang -fsanitize=address -x c -o /dev/null - 2> /dev/null ;;
    c++) command -v c++ > /dev/null || command -v g++ > /dev/null || command -v clang++ > /dev/null ;;
    i686) command -v i686-linux-gnu-gcc > /dev/null ;;
    aarch64 | s390x | riscv64) all_there "$1-linux-gnu-gcc" "qemu-$1-static" ;;
    armhf) all_there arm-linux-gnueabihf-gcc qemu-arm-static ;;
    ppc64le) all_there powerpc64le-linux-gnu-gcc qemu-ppc64le-static ;;
    cortex) all_there arm-none-eabi-gcc qemu-system-arm ;;
    windows) all_there x86_64-w64-mingw32-gcc wine ;;
    wasi)
        all_there llvm-ar node &&
            echo 'int main(void){return 0;}' | clang --target=wasm32-wasi --sysroot=/usr -x c -o /dev/null - 2> /dev/null ;;
    musl) command -v musl-gcc > /dev/null ;;
    mpi) command -v mpicc > /dev/null && command -v mpirun > /dev/null ;;
    *) command -v "$1" > /dev/null ;;
    esac
}

find_manager() {
    for manager in apt-get dnf pacman zypper apk brew; do
        if command -v $manager > /dev/null; then echo $manager; return; fi
    done
}

# What the tool's package is called there; most call it what everybody calls it.
package() { # package MANAGER TOOL
    case $1:$2 in
    dnf:check | zypper:check) echo check-devel ;;
    apk:check) echo check-dev ;;
    apt-get:clang)
        version=$(apt-cache depends clang 2> /dev/null | sed -n 's/.*Depends: clang-\([0-9]*\)$/\1/p')
        echo clang
        if [ -n "$version" ] && apt-cache show "libclang-rt-$version-dev" > /dev/null 2>&1; then
            echo "libclang-rt-$version-dev"
        fi ;;
    dnf:clang | apk:clang) echo clang compiler-rt ;;
    brew:clang) echo llvm ;;
    dnf:clang-format) echo clang-tools-extra ;;
    pacman:clang-format) echo clang ;;
    zypper:clang-format) echo clang-tools ;;
    apk:clang-format) echo clang-extra-tools ;;
    apt-get:c++ | apk:c++) echo g++ ;;
    dnf:c++ | zypper:c++) echo gcc-c++ ;;
    *:c++) echo gcc ;;
    apt-get:i686) echo gcc-i686-linux-gnu libc6-dev-i386-cross ;;
    apt-get:aarch64) echo gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static ;;
    apt-get:s390x | apt-get:riscv64) echo "gcc-$2-linux-gnu" "libc6-dev-$2-cross" qemu-user-static ;;
    apt-get:armhf) echo gcc-arm-linux-gnueabihf libc6-dev-armhf-cross qemu-user-static ;;
    apt-get:ppc64le) echo gcc-powerpc64le-linux-gnu libc6-dev-ppc64el-cross qemu-user-static ;;
    apt-get:cortex) echo gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm ;;
    apt-get:windows) echo gcc-mingw-w64-x86-64-posix wine wine64 ;;
    apt-get:wasi) echo clang lld llvm wasi-libc libclang-rt-dev-wasm32 nodejs ;;
    apt-get:musl) echo musl-tools ;;
    apt-get:mpi) echo libopenmpi-dev openmpi-bin ;;
    dnf:mpi) echo openmpi-devel ;;
    pacman:mpi | brew:mpi) echo open-mpi ;;
    zypper:mpi | apk:mpi) echo openmpi openmpi-dev ;;
    apt-get:frama-c) echo frama-c-base ;;
    *:i686 | *:aarch64 | *:s390x | *:riscv64 | *:armhf | *:ppc64le | *:cortex | *:windows | *:wasi | *:musl) die "no packages known here for $2" ;;
    *) echo "$2" ;;
    esac
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"
    elif command -v sudo > /dev/null; then sudo "$@"
    else die "not root, and there is no sudo; as root, run: $*"
    fi
}

install_packages() { # install_packages MANAGER PACKAGE...
    manager=$1
    shift
    case $manager in
    apt-get) as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" ;;
    dnf) as_root dnf install -y "$@" ;;
    pacman) as_root pacman -S --noconfirm --needed "$@" ;;
    zypper) as_root zypper --non-interactive install "$@" ;;
    apk) as_root apk add "$@" ;;
    brew) brew install "$@" ;;
    esac
}

# On a fresh machine the lists of packages are empty or old.
refresh() { # refresh MANAGER
    say "updating the package lists"
    case $1 in
    apt-get) as_root apt-get update ;;
    pacman) as_root pacman -Sy ;;
    apk) as_root apk update ;;
    zypper) as_root zypper --non-interactive refresh ;;
    *) ;;
    esac
}

missing=
for tool in "$@"; do
    if is_there "$tool"; then say "$tool is there"; else missing="$missing $tool"; fi
done
[ -n "$missing" ] || exit 0

manager=$(find_manager)
[ -n "$manager" ] || die "no package manager known to this script was found; please install:$missing" \
    "(Check is at https://libcheck.github.io/check)"

packages=
for tool in $missing; do packages="$packages $(package "$manager" "$tool" | tr '\n' ' ')"; done
say "missing:$missing; installing with $manager:$packages"
# shellcheck disable=SC2086  # a list of words
if ! install_packages "$manager" $packages; then
    refresh "$manager" || say "that failed; trying once more with the old ones"
    # The lists may only now tell what the packages are.
    packages=
    for tool in $missing; do packages="$packages $(package "$manager" "$tool" | tr '\n' ' ')"; done
    install_packages "$manager" $packages || die "$manager could not install$packages"
fi
for tool in $missing; do
    is_there "$tool" || die "$tool was installed, and still is not found"
done
