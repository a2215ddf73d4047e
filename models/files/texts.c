/* The different texts of a file, numbered in the order in which they come. They stand in slots by a
 * hash, those of one slot in a tree by the bits in which they differ: no deeper than a text has
 * bits, so that time is linear in the file's size whatever texts someone has chosen for the hash.
 * Source: Morrison 1968, "PATRICIA"; Bernstein, "Crit-bit trees", on how it is written here. */
#include "models/files/bytes_internal.h"

#include "autograd/hash.h"
#include "autograd/op.h"

#include <string.h>

enum { TEXTS_FIRST = 256, TEXTS_BLOCK = 1 << 16, TEXTS_SLOTS = 16 };

/* ---- Their bytes. ---------------------------------------------------------------------------- */

typedef struct texts_block {
    struct texts_block *before;
    size_t used, size;
    char bytes[];
} texts_block;

/* Each twice as large as the one before, up to a bound. */
static bool texts_take_block(wg_texts *x, size_t size)
{
    size_t bytes = x->block != NULL ? 2 * x->block->size : TEXTS_FIRST;
    bytes = bytes < TEXTS_BLOCK ? bytes : TEXTS_BLOCK;
    bytes = bytes > size ? bytes : size;
    texts_block *b = x->kept ? wg_tape_take(x->tape, sizeof *b + bytes)
                             : wg_temporary(x->tape, (int64_t)(sizeof *b + bytes), 1);
    if (b == NULL)
        return false;
    *b = (texts_block){.before = x->block, .size = bytes};
    x->block = b;
    return true;
}

static const char *texts_copy(wg_texts *x, const char *text)
{
    const size_t size = strlen(text) + 1;
    if ((x->block == NULL || x->block->size - x->block->used < size) && !texts_take_block(x, size))
        return NULL;
    char *copy = x->block->bytes + x->block->used;
    x->block->used += size;
    return memcpy(copy, text, size);
}

/* ---- Slots and trees. ------------------------------------------------------------------------
 * A place in a tree: 0 for nothing, 1 + a text's number, or -1 - a fork's. */

typedef struct texts_fork {
    int64_t byte;    /* the first in which the texts of both sides differ, */
    unsigned others; /* and all of its bits but the highest that differs */
    int64_t side[2]; /* where that bit is 0, and 1 */
} texts_fork;

static int64_t *texts_slot(const wg_texts *x, const char *text)
{
    const uint64_t hash = wg_hash_bytes(WG_HASH_START, text, strlen(text));
    return &x->slot[(hash ^ hash >> 29) & ((uint64_t)x->slots - 1)];
}

/* Behind a text's end there are zeros. */
static int texts_side(const texts_fork *f, const char *text, size_t length)
{
    const unsigned c = (size_t)f->byte < length ? (unsigned char)text[f->byte] : 0;
    return (int)((1 + (f->others | c)) >> 8);
}

/* The only text of a tree that this one might be; -1: the tree is empty. */
static int64_t texts_follow(const wg_texts *x, int64_t at, const char *text)
{
    const size_t length = at < 0 ? strlen(text) : 0;
    while (at < 0) {
        const texts_fork *f = &x->fork[-1 - at];
        at = f->side[texts_side(f, text, length)];
    }
    return at - 1;
}

/* A fork of text n and another one. */
static texts_fork texts_fork_of(const wg_texts *x, int64_t n, int64_t other)
{
    const unsigned char *a = (const unsigned char *)x->text[n];
    const unsigned char *b = (const unsigned char *)x->text[other];
    texts_fork f = {.byte = 0};
    while (a[f.byte] == b[f.byte])
        f.byte++;
    unsigned bits = a[f.byte] ^ b[f.byte];
    while ((bits & (bits - 1)) != 0)
        bits &= bits - 1;
    f.others = bits ^ 255;
    return f;
}

/* Puts text n, which is in no tree, into its own; there is room for a fork. */
static void texts_plant(wg_texts *x, int64_t n)
{
    const char *text = x->text[n];
    const size_t length = strlen(text);
    int64_t *at = texts_slot(x, text);
    const int64_t nearest = texts_follow(x, *at, text);
    if (nearest < 0) {
        *at = 1 + n;
        return;
    }
    texts_fork f = texts_fork_of(x, n, nearest);
    while (*at < 0) { /* forks stand in the order of their bits */
        texts_fork *next = &x->fork[-1 - *at];
        if (next->byte > f.byte || (next->byte == f.byte && next->others > f.others))
            break;
        at = &next->side[texts_side(next, text, length)];
    }
    const int side = texts_side(&f, text, length);
    f.side[side] = 1 + n;
    f.side[1 - side] = *at;
    x->fork[x->forks] = f;
    *at = -1 - x->forks++;
}

/* As many slots as twice the texts, and the trees anew. */
static bool texts_grow(wg_texts *x)
{
    const int64_t slots = x->slots > 0 ? 2 * x->slots : TEXTS_SLOTS;
    int64_t *slot = wg_temporary(x->tape, slots, sizeof *slot);
    if (slot == NULL)
        return false;
    memset(slot, 0, (size_t)slots * sizeof *slot);
    wg_temporary_free(x->tape, x->slot);
    x->slot = slot;
    x->slots = slots;
    x->forks = 0;
    for (int64_t i = 0; i < x->n; i++)
        texts_plant(x, i);
    return true;
}

/* For one more. */
static bool texts_room(wg_texts *x)
{
    return wg_temporary_grow(x->tape, (void **)&x->text, &x->capacity, x->n + 1, sizeof *x->text) &&
           wg_temporary_grow(x->tape, (void **)&x->fork, &x->fork_capacity, x->forks + 1,
                             sizeof *x->fork);
}

int64_t wg_texts_number(wg_texts *x, const char *text)
{
    if (2 * x->n >= x->slots && !texts_grow(x))
        return -1;
    const int64_t found = texts_follow(x, *texts_slot(x, text), text);
    if (found >= 0 && strcmp(x->text[found], text) == 0)
        return found;
    const char *copy = texts_room(x) ? texts_copy(x, text) : NULL;
    if (copy == NULL)
        return -1;
    x->text[x->n] = copy;
    texts_plant(x, x->n);
    return x->n++;
}

void wg_texts_clear(wg_texts *x)
{
    for (texts_block *b = x->kept ? NULL : x->block, *before; b != NULL; b = before) {
        before = b->before;
        wg_temporary_free(x->tape, b);
    }
    wg_temporary_free(x->tape, x->slot);
    wg_temporary_free(x->tape, x->fork);
    wg_temporary_free(x->tape, x->text);
    *x = (wg_texts){.tape = x->tape, .kept = x->kept};
}
