#!/bin/sh
# cortex.sh MACHINE PROGRAM OBJECT...: links objects compiled for a Cortex-M4 (FLAGS: `cortex.sh flags`) with newlib
# and its semihosting into PROGRAM, and runs it on that machine of QEMU's.  netduinoplus2 has 1 MiB of flash and
# 128 KiB of RAM, mps2-an386 4 MiB of each.
set -eu
flags='-mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16'
case $1 in
flags) echo "$flags"; exit 0 ;;
netduinoplus2) rom=0x08000000 rom_size=1M ram_size=128K ;;
mps2-an386) rom=0x00000000 rom_size=4M ram_size=4M ;;
*) echo "cortex: unknown machine $1" >&2; exit 2 ;;
esac
machine=$1 program=$2
shift 2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

cat > "$dir/start.c" << 'END'
extern unsigned long stack_end;
void _start(void);
void reset(void);
void _init(void) {}
void _fini(void) {}
void reset(void)
{
    *(volatile unsigned long *)0xE000ED88 |= 0xFul << 20; /* the floating-point unit */
    __asm__ volatile("dsb\n isb");
    _start();
}
__attribute__((section(".vectors"), used)) const void *vectors[16] = {&stack_end, (void *)reset};
END
cat > "$dir/memory.ld" << END
MEMORY { FLASH (rx) : ORIGIN = $rom, LENGTH = $rom_size  RAM (rwx) : ORIGIN = 0x20000000, LENGTH = $ram_size }
ENTRY(reset)
SECTIONS {
    .text : { KEEP(*(.vectors)) *(.text*) *(.rodata*) *(.init) *(.fini) KEEP(*(.init_array*)) KEEP(*(.fini_array*)) } > FLASH
    .ARM.exidx : { *(.ARM.exidx*) } > FLASH
    .data : { *(.data*) } > RAM
    .bss : { __bss_start__ = .; *(.bss*) *(COMMON) __bss_end__ = .; } > RAM
    end = .;
    __end__ = .;
    stack_end = ORIGIN(RAM) + LENGTH(RAM);
}
END
# shellcheck disable=SC2086  # lists of words
arm-none-eabi-gcc $flags -O2 --specs=rdimon.specs -nostartfiles -Wl,--gc-sections -T "$dir/memory.ld" -o "$program" \
    "$dir/start.c" "$@" "$(arm-none-eabi-gcc $flags --print-file-name=rdimon-crt0.o)" -lm 2> "$dir/log" ||
    { cat "$dir/log" >&2; exit 1; }
qemu-system-arm -M "$machine" -nographic -semihosting-config enable=on,target=native -kernel "$program"
