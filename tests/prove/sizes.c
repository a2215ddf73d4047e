/* For Frama-C's Eva: the arithmetic of shapes and of the bytes that they take, whatever the sizes. */
#include "autograd/tape_internal.h"
#include "models/files/bytes_internal.h"

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
    const int64_t size = wg_shape_size(&a);
    /*@ assert -1 <= size <= PTRDIFF_MAX / 16; */
    const int64_t bytes = wg_elements_bytes(&a, Frama_C_long_long_interval(1, 8));
    /*@ assert -1 <= bytes; */
    if (wg_shape_broadcast(&a, &b, &both)) {
        /*@ assert 0 <= both.ndim <= WG_MAX_DIMS; */
    }
    return 0;
}
