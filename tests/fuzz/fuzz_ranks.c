/* A rank whose partners are hostile: messages that are torn, made up, or right but for what they
 * hold. */
#include "autograd/ranks/ranks.h"
#include "autograd/tape_internal.h"
#include "models/estimator.h"
#include "tests/fuzz/bytes.h"
#include "tests/fuzz/harness.h"

#include <string.h>

enum { ROWS = 40, COLUMNS = 2 };

/* As autograd/ranks/ranks.c has it before every payload. */
typedef struct header {
    uint64_t magic, check, operation, bytes;
    int64_t status;
    char text[WG_MESSAGE_SIZE];
} header;

typedef struct wire {
    fuzz_stream bytes;
    const wg_tape *t;
    size_t sent; /* of the payload sent last */
    unsigned char payload[1 << 12];
} wire;

static uint64_t mix(uint64_t hash, const void *data, size_t n)
{
    for (const char *at = data; n > 0; at += sizeof hash) {
        const size_t part = n < sizeof hash ? n : sizeof hash;
        uint64_t word = 0;
        memcpy(&word, at, part);
        hash = (hash ^ word) * UINT64_C(0x100000001b3);
        hash ^= hash >> 32;
        n -= part;
    }
    return hash;
}

/* What a partner of the same program could have sent, with numbers of its own. */
static void forge(wire *w, unsigned char *in, size_t n, int how)
{
    header h = {.magic = UINT64_C(0x57472d72616e6b31),
                .operation = w->t->wire.operation,
                .bytes = n - sizeof h};
    unsigned char *payload = in + sizeof h;
    if (how % 8 == 7)
        h.status = fuzz_below(&w->bytes, WG_E_RANKS + 3);
    if (how % 8 == 7)
        fuzz_raw(&w->bytes, h.text, 20);
    memset(payload, 0, h.bytes);
    if (how % 8 > 0 && h.bytes <= w->sent) /* the same as mine */
        memcpy(payload, w->payload, h.bytes);
    for (int k = how / 8 % 4; k > 0; k--) { /* but for some words */
        const size_t at = h.bytes / 8 > 0 ? (size_t)fuzz_byte(&w->bytes) % (h.bytes / 8) * 8 : 0;
        const double value = fuzz_value(&w->bytes);
        if (h.bytes >= 8 && how >= 128)
            memcpy(payload + at, &value, 8);
        else
            fuzz_raw(&w->bytes, payload + at, h.bytes < 8 ? h.bytes : 8);
    }
    h.check = mix(UINT64_C(0xcbf29ce484222325), &h.operation, sizeof h - 2 * sizeof h.magic);
    h.check = mix(h.check, payload, h.bytes);
    memcpy(in, &h, sizeof h);
}

static bool exchange(void *user, int partner, const void *out, size_t n_out, void *in, size_t n_in)
{
    wire *w = user;
    (void)partner;
    if (n_out > sizeof(header)) {
        w->sent = n_out - sizeof(header) < sizeof w->payload ? n_out - sizeof(header)
                                                             : sizeof w->payload;
        memcpy(w->payload, (const char *)out + sizeof(header), w->sent);
    }
    if (n_in == 0)
        return true;
    const int how = fuzz_left(&w->bytes) ? fuzz_byte(&w->bytes) : 0;
    if (how == 1)
        return false;
    if (how == 2)
        fuzz_raw(&w->bytes, in, n_in);
    else
        forge(w, in, n_in, how);
    return true;
}

static void add_rows(int64_t first, int64_t end, double sum[], void *user)
{
    const wg_tensor *x = user;
    for (int64_t i = first; i < end; i++)
        sum[0] += wg_element(x, i * COLUMNS);
}

static void use_functions(wg_tape *t, wg_tensor *X, int which)
{
    double x[3] = {1, 2, 3};
    size_t total;
    int64_t first;
    if (which & 1)
        wg_ranks_vote(t, 7, "numbers", x, 3);
    if (which & 2)
        wg_temporary_free(t, wg_ranks_gather(t, x, sizeof x, which & 4, &total));
    if (which & 8)
        wg_ranks_rows(t, ROWS, &first);
    wg_tensor *shared = wg_ranks_share(X);
    if (wg_tape_status(t) == WG_OK)
        wg_ranks_sum_rows(t, shared->shape.dim[0], 1, add_rows, shared, x);
    wg_ranks_broadcast(t, x, sizeof x);
}

static void train(wg_tape *t, wg_tensor *X, int which)
{
    int64_t y[ROWS];
    for (int i = 0; i < ROWS; i++)
        y[i] = i % 3;
    const wg_dataset d = {.X = X, .y = wg_constant(t, WG_I64, WG_SHAPE(ROWS), y)};
    wg_estimator_fit(
        &d, &(wg_estimator_options){
                .optimizer = which & 1 ? "newton" : NULL,
                .fit = {.epochs = 2, .balanced = which & 2, .validation = which & 4 ? 0.3 : 0}});
}

void fuzz_bytes(const uint8_t *bytes, size_t size)
{
    wire w = {.bytes = {bytes, bytes + size}};
    const int which = fuzz_byte(&w.bytes), ranks = 2 + fuzz_below(&w.bytes, 4);
    const wg_ranks r = {fuzz_below(&w.bytes, ranks), ranks, exchange, &w};
    fuzz_memory memory = {.most = (size_t)1 << 28};
    wg_tape *t = wg_tape_new(&(wg_tape_options){.allocator = fuzz_allocator(&memory), .ranks = &r});
    double x[ROWS * COLUMNS];
    for (int i = 0; i < ROWS * COLUMNS; i++)
        x[i] = i % 7 - i % 5;
    w.t = t;
    wg_tensor *X = wg_constant(t, WG_F64, WG_SHAPE(ROWS, COLUMNS), x);
    if (which & 128)
        train(t, X, which);
    else
        use_functions(t, X, which);
    if (wg_tape_status(t) != WG_OK && *wg_tape_message(t) == '\0')
        fuzz_die("a status without message", "");
    wg_tape_free(t);
    if (memory.blocks != 0)
        fuzz_die("memory was lost", "");
}
