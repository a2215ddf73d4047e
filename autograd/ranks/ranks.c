/* What ranks do together: messages that are checked, and what is made of them. */
#include "autograd/hash.h"
#include "autograd/ranks/ranks_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- Messages -------------------------------------------------------------------------------- */

/* Before every payload. The magic number is another one in another byte order, too. */
static const uint64_t ranks_magic = UINT64_C(0x57472d72616e6b31); /* "WG-rank1" */

typedef struct ranks_header {
    uint64_t magic, check; /* see ranks_check */
    uint64_t operation;    /* which of those that the ranks have done together */
    uint64_t bytes;        /* of the payload */
    int64_t status;        /* of the sender's tape */
    char text[WG_MESSAGE_SIZE];
} ranks_header;

const wg_ranks *wg_ranks_of(const wg_tape *t)
{
    const wg_ranks *r = wg_tape_is_real(t) ? t->options.ranks : NULL;
    return r != NULL && r->size > 1 ? r : NULL;
}

int wg_ranks_number(const wg_tape *t)
{
    const wg_ranks *r = wg_ranks_of(t);
    return r != NULL ? r->rank : 0;
}

int wg_ranks_size(const wg_tape *t)
{
    const wg_ranks *r = wg_ranks_of(t);
    return r != NULL ? r->size : 1;
}

/* Of all that stands behind it, payload included. */
static uint64_t ranks_check(const ranks_header *h, const void *payload, size_t n)
{
    const size_t from = offsetof(ranks_header, operation);
    uint64_t hash = wg_hash_bytes(WG_HASH_START, (const char *)h + from, sizeof *h - from);
    return wg_hash_bytes(hash, payload, n);
}

/* An error of the tape's own is told with the rank that had it. */
static void ranks_tell_error(const wg_tape *t, ranks_header *h)
{
    h->status = t->status;
    if (t->status == WG_OK)
        return;
    const bool heard = strncmp(t->message, "rank ", 5) == 0;
    int used = heard ? 0 : snprintf(h->text, sizeof h->text, "rank %d: ", t->options.ranks->rank);
    snprintf(h->text + used, sizeof h->text - (size_t)used, "%s", t->message);
}

static void ranks_pack(const wg_tape *t, const void *payload, size_t n)
{
    ranks_header h = {.magic = ranks_magic, .operation = t->wire.operation, .bytes = n};
    ranks_tell_error(t, &h);
    h.check = ranks_check(&h, payload, n);
    memcpy(t->wire.send, &h, sizeof h);
    memcpy((char *)t->wire.send + sizeof h, payload, n);
}

/* What is wrong with a message that has been taken; NULL: nothing. */
static const char *ranks_fault(const wg_tape *t, const ranks_header *h, const void *payload,
                               size_t n)
{
    return h->magic != ranks_magic                       ? "it is of another version"
           : h->check != ranks_check(h, payload, n)      ? "it is damaged"
           : h->operation != t->wire.operation           ? "it is of another step"
           : h->bytes != n                               ? "it has another length"
           : h->status < WG_OK || h->status > WG_E_RANKS ? "it has no such error"
           : h->status != WG_OK && h->text[0] == '\0'    ? "it does not tell its error"
                                                         : NULL;
}

static bool ranks_lose(wg_tape *t)
{
    t->wire.lost = true;
    return false;
}

static bool ranks_unpack(wg_tape *t, int partner, size_t n)
{
    ranks_header h;
    memcpy(&h, t->wire.receive, sizeof h);
    const char *fault = ranks_fault(t, &h, (char *)t->wire.receive + sizeof h, n);
    if (fault != NULL) {
        wg_fail(t, WG_E_RANKS, "ranks: rank %d refuses a message of rank %d: %s",
                t->options.ranks->rank, partner, fault);
        return ranks_lose(t);
    }
    h.text[sizeof h.text - 1] = '\0';
    if (h.status != WG_OK)
        wg_fail(t, (wg_status)h.status, "%s", h.text);
    return true;
}

bool wg_ranks_message(wg_tape *t, int partner, const void *send, size_t n_send, size_t n_receive,
                      const void **payload)
{
    const wg_ranks *r = t->options.ranks;
    const size_t head = sizeof(ranks_header);
    if (n_send > 0)
        ranks_pack(t, send, n_send);
    if (!r->exchange(r->user, partner, t->wire.send, n_send > 0 ? head + n_send : 0,
                     t->wire.receive, n_receive > 0 ? head + n_receive : 0)) {
        wg_fail(t, WG_E_RANKS,
                "ranks: rank %d has lost rank %d, which has ended or is at another step", r->rank,
                partner);
        return ranks_lose(t);
    }
    if (payload != NULL)
        *payload = (char *)t->wire.receive + head;
    return n_receive == 0 || ranks_unpack(t, partner, n_receive);
}

bool wg_ranks_begin(wg_tape *t, size_t n)
{
    wg_wire *w = &t->wire;
    const int64_t bytes = (int64_t)(sizeof(ranks_header) + n);
    w->operation++;
    if (w->lost)
        wg_fail(t, WG_E_RANKS, "ranks: rank %d has lost another one before",
                t->options.ranks->rank);
    else if (!wg_temporary_grow(t, &w->send, &w->send_room, bytes, 1) ||
             !wg_temporary_grow(t, &w->receive, &w->receive_room, bytes, 1))
        return ranks_lose(t);
    return !w->lost;
}

/* ---- One to all, and all to one -------------------------------------------------------------- */

/* After the step of 1, 2, 4, ... so many ranks have it. */
bool wg_ranks_hand_out(wg_tape *t, void *data, size_t n)
{
    const wg_ranks *r = t->options.ranks;
    const void *payload;
    for (int step = 1; step < r->size; step *= 2) {
        if (r->rank < step && r->rank + step < r->size &&
            !wg_ranks_message(t, r->rank + step, data, n, 0, NULL))
            return false;
        if (r->rank < step || r->rank >= 2 * step)
            continue;
        if (!wg_ranks_message(t, r->rank - step, NULL, 0, n, &payload))
            return false;
        memcpy(data, payload, n);
    }
    return true;
}

/* Takes the partner's into mine. */
typedef void ranks_join(void *mine, const void *theirs, size_t n, int partner);

/* The whole ends up on all ranks. */
static bool ranks_reduce(wg_tape *t, void *data, size_t n, ranks_join *join)
{
    const wg_ranks *r = t->options.ranks;
    const void *payload;
    if (!wg_ranks_begin(t, n))
        return false;
    for (int step = 1; step < r->size; step *= 2) {
        if (r->rank % (2 * step) != 0) {
            if (!wg_ranks_message(t, r->rank - step, data, n, 0, NULL))
                return false;
            break;
        }
        if (r->rank + step >= r->size)
            continue;
        if (!wg_ranks_message(t, r->rank + step, NULL, 0, n, &payload))
            return false;
        join(data, payload, n, r->rank + step);
    }
    return wg_ranks_hand_out(t, data, n);
}

/* ---- What the ranks do together -------------------------------------------------------------- */

typedef struct ranks_view {
    uint64_t hash;
    int64_t one, other; /* two ranks that have not the same; of one: they all have */
} ranks_view;

static void ranks_compare(void *mine, const void *theirs, int partner)
{
    ranks_view a, b;
    memcpy(&a, mine, sizeof a);
    memcpy(&b, theirs, sizeof b);
    if (a.one == a.other && b.one != b.other) {
        a.one = b.one;
        a.other = b.other;
    } else if (a.one == a.other && a.hash != b.hash)
        a.other = partner;
    memcpy(mine, &a, sizeof a);
}

static void ranks_add(void *mine, const void *theirs, size_t n, int partner)
{
    double *to = mine;
    const double *from = theirs;
    (void)partner;
    for (size_t i = 0; i < n / sizeof *to; i++)
        to[i] += from[i];
}

/* A view, and numbers behind it. */
static void ranks_compare_and_add(void *mine, const void *theirs, size_t n, int partner)
{
    const size_t view = sizeof(ranks_view);
    ranks_compare(mine, theirs, partner);
    ranks_add((char *)mine + view, (const char *)theirs + view, n - view, partner);
}

wg_status wg_ranks_vote(wg_tape *t, uint64_t hash, const char *what, double x[], int n)
{
    const int me = wg_ranks_number(t);
    struct {
        ranks_view view;
        double x[WG_RANKS_VOTES];
    } all = {.view = {hash, me, me}};
    const size_t bytes = (size_t)n * sizeof *x;
    if (wg_ranks_of(t) == NULL)
        return wg_tape_status(t);
    memcpy(all.x, x, bytes);
    if (!ranks_reduce(t, &all, sizeof all.view + bytes, ranks_compare_and_add))
        return wg_tape_status(t);
    memcpy(x, all.x, bytes);
    if (all.view.one != all.view.other)
        wg_fail(t, WG_E_RANKS, "rank %" PRId64 " has other %s than rank %" PRId64, all.view.other,
                what, all.view.one);
    return wg_tape_status(t);
}

wg_status wg_ranks_agree(wg_tape *t, uint64_t hash, const char *what)
{
    double nothing[1] = {0};
    return wg_ranks_vote(t, hash, what, nothing, 0);
}

wg_status wg_ranks_sum(wg_tape *t, double x[], int64_t n)
{
    if (wg_ranks_of(t) != NULL && n > 0)
        ranks_reduce(t, x, (size_t)n * sizeof *x, ranks_add);
    return wg_tape_status(t);
}

wg_status wg_ranks_broadcast(wg_tape *t, void *data, size_t n)
{
    if (wg_ranks_of(t) != NULL && n > 0 && wg_ranks_begin(t, n))
        wg_ranks_hand_out(t, data, n);
    return wg_tape_status(t);
}

/* A number that a partner has told may be anything. */
static bool ranks_is_count(double x)
{
    return x >= 0 && x <= 0x1p53 && x == (double)(int64_t)x;
}

int64_t wg_ranks_count(wg_tape *t, int64_t n, double count[])
{
    const wg_ranks *r = wg_ranks_of(t);
    bool counts = true;
    double total = (double)n;
    if (count != NULL && r != NULL) {
        memset(count, 0, (size_t)r->size * sizeof *count);
        count[r->rank] = total;
        wg_ranks_sum(t, count, r->size);
        total = 0;
        for (int i = 0; i < r->size; i++) {
            counts = counts && ranks_is_count(count[i]);
            total += count[i];
        }
        counts = counts && count[r->rank] == (double)n;
    } else
        wg_ranks_sum(t, &total, 1);
    if (!counts || !ranks_is_count(total))
        wg_fail(t, WG_E_RANKS, "ranks: others tell numbers of rows that cannot be");
    if (wg_tape_status(t) != WG_OK && count != NULL && r != NULL)
        memset(count, 0, (size_t)r->size * sizeof *count);
    return wg_tape_status(t) == WG_OK ? (int64_t)total : -1;
}

/* ---- Gathering ------------------------------------------------------------------------------- */

/* Rank 0 puts the others' bytes behind its own, in order. */
static bool ranks_collect(wg_tape *t, const void *data, size_t n, const double count[], char *all)
{
    const wg_ranks *r = t->options.ranks;
    const void *payload;
    if (r->rank > 0)
        return n == 0 || wg_ranks_message(t, 0, data, n, 0, NULL);
    memcpy(all, data, n);
    all += n;
    for (int i = 1; i < r->size; i++) {
        const size_t part = (size_t)count[i];
        if (part > 0 && !wg_ranks_message(t, i, NULL, 0, part, &payload))
            return false;
        if (part > 0)
            memcpy(all, payload, part);
        all += part;
    }
    return true;
}

static void *ranks_gather_all(wg_tape *t, const void *data, size_t n, bool everywhere,
                              const double count[], size_t total)
{
    const bool takes = everywhere || t->options.ranks->rank == 0;
    char *all = takes ? wg_temporary(t, (int64_t)total, 1) : NULL;
    wg_ranks_agree(t, 0, ""); /* without memory on one, there is nothing on any */
    if (wg_tape_status(t) == WG_OK && wg_ranks_begin(t, total > 0 ? total : 1) &&
        ranks_collect(t, data, n, count, all) && everywhere && total > 0)
        wg_ranks_hand_out(t, all, total);
    if (wg_tape_status(t) == WG_OK)
        return all;
    wg_temporary_free(t, all);
    return NULL;
}

void *wg_ranks_gather(wg_tape *t, const void *data, size_t n, bool everywhere, size_t *total)
{
    void *all = NULL;
    *total = n;
    if (wg_ranks_of(t) == NULL) {
        all = wg_temporary(t, (int64_t)n, 1);
        if (all != NULL && n > 0)
            memcpy(all, data, n);
        return all;
    }
    double *count = wg_temporary(t, wg_ranks_size(t), sizeof *count);
    if (count == NULL) {
        ranks_lose(t);
        return NULL;
    }
    const int64_t sum = wg_ranks_count(t, (int64_t)n, count);
    if (sum >= 0) {
        *total = (size_t)sum;
        all = ranks_gather_all(t, data, n, everywhere, count, *total);
    }
    wg_temporary_free(t, count);
    return all;
}
