/* For Frama-C's Eva: the arithmetic of sizes and shapes, whatever the dimensions are. */
#include "autograd/tape_internal.h"

#include <__fc_builtin.h>

static wg_shape any_shape(void)
{
    wg_shape s = {0};
    s.ndim = Frama_C_interval(0, WG_MAX_DIMS);
    //@ split s.ndim;
    for (int i = 0; i < WG_MAX_DIMS; i++)
        s.dim[i] = Frama_C_long_long_interval(INT64_MIN, INT64_MAX);
    return s;
}

int main(void)
{
    const wg_shape a = any_shape(), b = any_shape();
    wg_shape both;
    char text[WG_SHAPE_TEXT], little[1];
    const int64_t size = wg_shape_size(&a);
    /*@ assert -1 <= size <= PTRDIFF_MAX / 16; */
    if (wg_shape_broadcast(&a, &b, &both)) {
        /*@ assert 0 <= both.ndim <= WG_MAX_DIMS; */
        wg_shape_text(&both, text, sizeof text);
        wg_shape_text(&both, little, sizeof little);
    }
    return 0;
}
