#ifndef WG_AUTOGRAD_SHAPE_H
#define WG_AUTOGRAD_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
/* C++ has no compound literals. A list as two arguments: how many, and a pointer into a temporary
 * that lives until the call has returned. Integers of any type convert without narrowing; each is
 * evaluated once. */
template <class T, size_t N> struct wg_cxx_list {
    T at[N];
    static const int size = static_cast<int>(N);
    const T *data() const
    {
        return at;
    }
};
/* wg_cxx_list_of: the list of these values, each converted to T. */
template <class T, class... V> wg_cxx_list<T, sizeof...(V)> wg_cxx_list_of(V... values)
{
    return {{static_cast<T>(values)...}};
}
#define WG_CXX_LIST(type, ...)                                                                     \
    (decltype(wg_cxx_list_of<type>(__VA_ARGS__))::size), (wg_cxx_list_of<type>(__VA_ARGS__).data())

extern "C" {
#endif

#define WG_MAX_DIMS 8

/* A shape as two arguments, the ndim and the sizes: wg_param(t, "w", WG_F64, WG_SHAPE(30, 1)).
 * Zero dimensions are WG_SCALAR. */
#ifdef __cplusplus
#define WG_SHAPE(...) WG_CXX_LIST(int64_t, __VA_ARGS__)
#else
#define WG_SHAPE(...)                                                                              \
    (int)(sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (const int64_t[])             \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
#endif
#define WG_SCALAR 0, NULL

/* The sizes of a dense row-major tensor; dim[ndim..] are 0. */
typedef struct wg_shape {
    int ndim; /* 0 to WG_MAX_DIMS */
    int64_t dim[WG_MAX_DIMS];
} wg_shape;

/* The element types. Whoever asks for WG_DTYPE_DEFAULT, as options of zeros do, gets f64. WG_WIDE
 * is the platform's widest float; tensors of it exist only on copies made by wg_tape_copy. */
typedef enum wg_dtype { WG_DTYPE_DEFAULT, WG_F32, WG_F64, WG_I64, WG_WIDE } wg_dtype;
#define WG_DTYPES 5 /* length of an array that has an element for each */

/* wg_dtype_size: bytes of one element. */
size_t wg_dtype_size(wg_dtype dtype);

/* wg_dtype_name: "f32", "f64", "i64", "wide". */
const char *wg_dtype_name(wg_dtype dtype);

/* wg_size_multiply, wg_size_add: *result = a * b, a + b for a, b >= 0; false where it overflows. */
bool wg_size_multiply(int64_t a, int64_t b, int64_t *result);
bool wg_size_add(int64_t a, int64_t b, int64_t *result);

/* wg_shape_size: the number of elements, the product of the sizes; 1 for ndim 0; -1 where a size is
 * negative or where elements of 16 bytes would not fit into an address space. */
int64_t wg_shape_size(const wg_shape *shape);

/* wg_shape_same: same ndim and sizes. */
static inline bool wg_shape_same(const wg_shape *a, const wg_shape *b)
{
    bool same = a->ndim == b->ndim;
    for (int i = 0; same && i < a->ndim; i++)
        same = a->dim[i] == b->dim[i];
    return same;
}

/* wg_shape_broadcast: the shape that a and b take together (NumPy's rule: aligned at the last axis,
 * sizes equal or one of them 1). False, *result untouched, where they do not go together. */
bool wg_shape_broadcast(const wg_shape *a, const wg_shape *b, wg_shape *result);

/* wg_shape_text: "(64, 784)", "()", "(5,)"; cut off after `size` bytes. Returns text. */
char *wg_shape_text(const wg_shape *shape, char *text, size_t size);
#define WG_SHAPE_TEXT 184 /* bytes that hold any shape as text */

#ifdef __cplusplus
}
#endif
#endif
