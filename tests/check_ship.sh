#!/bin/sh
# check_ship.sh LIBRARY: a training step written as C on other machines. An MLP 784-32-10 in f32, row by row,
# by SGD without momentum: the loss after 100 steps on a Cortex-M4 (QEMU's netduinoplus2, semihosting), on
# riscv64 and on s390x is this machine's within 1e-5. Memory, stack and code are what they may be at most.
# What is not installed is said and left out. $CC: the compiler of this machine.
set -eu
library=$1
cc=${CC:-cc}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0

# say_if_more NAME FOUND MOST
say_if_more() {
    echo "ship: $1: $2 (at most $3)"
    [ "$2" -le "$3" ] || failed=1
}

cat > "$dir/make.c" << 'END'
#include <stdio.h>
#include <wengert.h>

/* Writes DIR/step.c, a training step, and DIR/digits.c, the network alone. */
int main(int argc, char **argv)
{
    char step_path[512], path[512];
    (void)argc;
    snprintf(step_path, sizeof step_path, "%s/step.c", argv[1]);
    snprintf(path, sizeof path, "%s/digits.c", argv[1]);
    static float row[784];
    static int64_t digit[1];
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wg_input(t, "x", WG_F32, WG_SHAPE(1, 784), row);
    wg_tensor *label = wg_input(t, "label", WG_I64, WG_SHAPE(1), digit);
    wg_tensor *w[] = {wg_param(t, "w1", WG_F32, WG_SHAPE(784, 32)), wg_param(t, "b1", WG_F32, WG_SHAPE(32)),
                      wg_param(t, "w2", WG_F32, WG_SHAPE(32, 10)), wg_param(t, "b2", WG_F32, WG_SHAPE(10))};
    wg_fill_normal(w[0], 0, 0.05, 1);
    wg_fill_normal(w[2], 0, 0.25, 2);
    wg_tensor *h = wg_rename(wg_relu(wg_add(wg_matmul(x, w[0]), w[1])), "hidden");
    wg_tensor *z = wg_rename(wg_add(wg_matmul(h, w[2]), w[3]), "logits");
    wg_tensor *out[5] = {wg_rename(wg_cross_entropy(z, label), "loss")}, *grads[4];
    wg_grad(out[0], w, 4, grads);
    wg_optimizer *sgd = wg_sgd_new(w, 4, &(wg_sgd_options){.rate = 0.05});
    wg_recorded_step step = wg_optimizer_record(sgd, grads);
    wg_c_update updates[4];
    for (int i = 0; i < step.n; i++) {
        out[1 + i] = step.value[i];
        updates[i] = (wg_c_update){step.param[i], 1 + i};
    }
    wg_program_write_c(wg_compile(out, 5, NULL), step_path,
                       &(wg_c_options){.updates = updates, .n_updates = step.n, .int32 = true});
    wg_program_write_c(wg_compile(&z, 1, NULL), path, NULL);
    if (wg_tape_status(t) != WG_OK)
        fprintf(stderr, "%s\n", wg_tape_message(t));
    return wg_tape_status(t) != WG_OK;
}
END

# 100 steps on rows made by a generator; the last ten losses' mean, in millionths: no printf of floats is needed.
cat > "$dir/main.c" << 'END'
#include "step.h"
#include <stdint.h>
#include <stdio.h>

static step_state state;
static step_work work;
static float x[784];

static uint32_t seed = 1;

static float draw(void)
{
    seed = seed * 1664525u + 1013904223u;
    return (float)(seed >> 8) * (1.0f / 16777216.0f);
}

int main(void)
{
    step_outputs out;
    float sum = 0;
    step_init(&state);
    for (int s = 0; s < 100; s++) {
        step_inputs in = {.x = x, .label = s % 10};
        for (int i = 0; i < 784; i++)
            x[i] = (i / 78 == s % 10 ? 0.5f : 0.0f) + 0.5f * draw();
        if (step_run(&in, &state, &out, &work) != 0)
            return 1;
        if (s >= 90)
            sum += out.loss;
    }
    printf("%ld %lu\n", (long)(sum * 100000.0f), (unsigned long)(sizeof state + sizeof work + sizeof x));
    return 0;
}
END

flags='-std=c99 -Wall -Wextra -Wconversion -Wpedantic -Werror -ffp-contract=off'
# shellcheck disable=SC2086  # lists of words
{
    $cc -std=c11 -I. -Imodels -o "$dir/make" "$dir/make.c" "$library" -lm -lpthread
    "$dir/make" "$dir"
    $cc $flags -O2 -I"$dir" -o "$dir/here" "$dir/main.c" "$dir/step.c" -lm
}
read -r here bytes <<END
$("$dir/here")
END
echo "ship: loss after 100 steps here: $here millionths"
say_if_more 'bytes of parameters, work and row' "$bytes" $((116 * 1024))

# there NAME COMMAND: its loss.
there() {
    name=$1
    shift
    read -r loss _ <<END
$("$@")
END
    away=$((loss > here ? loss - here : here - loss))
    echo "ship: loss after 100 steps on $name: $loss millionths"
    [ $away -le 10 ] || { echo "ship: that is not this machine's"; failed=1; }
}

for machine in riscv64 s390x; do
    gcc=$(command -v $machine-linux-gnu-gcc || command -v $machine-linux-gnu-gcc-12 || true)
    qemu=$(command -v qemu-$machine || command -v qemu-$machine-static || true)
    if [ -z "$gcc" ] || [ -z "$qemu" ]; then
        echo "ship: no compiler, or no QEMU, for $machine: left out"
        continue
    fi
    # shellcheck disable=SC2086
    "$gcc" $flags -static -O2 -I"$dir" -o "$dir/$machine" "$dir/main.c" "$dir/step.c" -lm
    there $machine "$qemu" "$dir/$machine"
done

arm=$(sh tests/cortex.sh flags)
if command -v arm-none-eabi-gcc > /dev/null && command -v qemu-system-arm > /dev/null; then
    # shellcheck disable=SC2086
    {
        arm-none-eabi-gcc $arm $flags -Os -fstack-usage -c -o "$dir/digits.o" "$dir/digits.c"
        arm-none-eabi-gcc $arm $flags -O2 -fstack-usage -c -o "$dir/step.o" "$dir/step.c"
        code=$(arm-none-eabi-nm -S --radix=d "$dir/digits.o" |
            awk '$3 ~ /[tT]/ { n += $2 } END { print n }')
    }
    say_if_more 'bytes of code of the network on Cortex-M4' "$code" 2048
    say_if_more 'bytes of stack of a training step' \
        "$(awk -F'\t' '$2 > n { n = $2 } END { print n }' "$dir/step.su")" 4096
    # shellcheck disable=SC2086
    arm-none-eabi-gcc $arm -O2 -I"$dir" -c -o "$dir/main.o" "$dir/main.c"
    there Cortex-M4 sh tests/cortex.sh netduinoplus2 "$dir/cortex.elf" "$dir/main.o" "$dir/step.o"
else
    echo "ship: no arm-none-eabi-gcc, or no qemu-system-arm: left out"
fi
exit $failed
