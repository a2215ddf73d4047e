/* Which rank has which rows, sums over them, and rows that move to where they belong. */
#include "autograd/ranks/ranks_internal.h"

#include <inttypes.h>
#include <string.h>

/* ---- Shards ---------------------------------------------------------------------------------- */

static int64_t shards_low_bit(int64_t x)
{
    return x & -x;
}

/* Where the next rank begins, this one beginning at shard `from` and `ranks` sharing out what is
 * left, at most `most` each, and at least one where there are as many: at the bound from which the
 * larger subtree goes, so that few of them have to be sent. */
static int shards_bound(int from, int count, int ranks, int most)
{
    int least = count - (ranks - 1) * most, last = count - (ranks - 1);
    if (last <= from)
        last = count;
    last = from + most < last ? from + most : last;
    if (least <= from)
        least = from < count ? from + 1 : count;
    int best = last;
    for (int i = last; i >= least; i--)
        if (shards_low_bit(i) > shards_low_bit(best))
            best = i;
    return best;
}

static void shards_give(wg_shards *s, int rank, int size)
{
    const int most = (s->count + size - 1) / size;
    for (int r = 0, from = 0, end; r < size; r++, from = end) {
        end = shards_bound(from, s->count, size - r, most);
        for (int i = from; i < end; i++)
            s->owner[i] = r;
        if (r == rank) {
            s->first = from;
            s->end = end;
        }
    }
}

wg_shards wg_shards_of(const wg_tape *t, int64_t rows, int64_t block)
{
    wg_shards s = {.rows = rows, .block = block};
    s.blocks = rows > 0 ? (rows - 1) / block + 1 : 0;
    s.count = s.blocks > 0 ? 1 : 0;
    while (s.count > 0 && s.count < WG_SHARDS && 2 * s.count <= s.blocks)
        s.count *= 2;
    shards_give(&s, wg_ranks_number(t), wg_ranks_size(t));
    return s;
}

int64_t wg_shards_block(const wg_shards *s, int shard)
{
    /* shard * blocks / count, without overflow; count is a power of two */
    const int64_t n = s->count > 0 ? s->count : 1;
    return s->blocks / n * shard + s->blocks % n * shard / n;
}

int64_t wg_shards_row(const wg_shards *s, int shard)
{
    const int64_t block = wg_shards_block(s, shard);
    return block < s->blocks ? block * s->block : s->rows;
}

int wg_shards_width(const wg_shards *s, int most)
{
    int width = 1;
    while (2 * width <= most && 2 * width <= s->count && s->first % (2 * width) == 0 &&
           s->end % (2 * width) == 0)
        width *= 2;
    return width;
}

/* ---- Sums over the tree ----------------------------------------------------------------------
 * Sources: Demmel and Nguyen 2015, "Parallel reproducible summation", on why the order of a sum
 *   must be fixed; Stelz, Huebner and Stamatakis 2026, "Bit-reproducible parallel phylogenetic tree
 *   inference" (ReproRed): what must be fixed is the tree of the sum, not that of the messages. */

static void shards_add(double *to, const double *from, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        to[i] += from[i];
}

/* The subtrees at `left` and `right` become one, on the left one's rank. */
static bool shards_join(wg_tape *t, const wg_shards *s, double *const node[], int width, int left,
                        int right, int64_t n)
{
    const int me = wg_ranks_number(t);
    const bool has_left = s->owner[left] == me, has_right = s->owner[right] == me;
    const void *theirs;
    if (has_left && has_right && right - left >= width)
        shards_add(node[(left - s->first) / width], node[(right - s->first) / width], n);
    if (has_left == has_right)
        return true;
    if (has_right)
        return wg_ranks_message(t, s->owner[left], node[(right - s->first) / width],
                                (size_t)n * sizeof(double), 0, NULL);
    if (!wg_ranks_message(t, s->owner[right], NULL, 0, (size_t)n * sizeof(double), &theirs))
        return false;
    shards_add(node[(left - s->first) / width], theirs, n);
    return true;
}

/* From the leaves to the root, in an order that is the same everywhere, so that no two ranks wait
 * for each other. */
static bool shards_climb(wg_tape *t, const wg_shards *s, double *const node[], int width, int top,
                         int64_t n)
{
    for (int step = 1; step < top; step *= 2)
        for (int i = 0; i < s->count; i += 2 * step)
            if (!shards_join(t, s, node, width, i, i + step, n))
                return false;
    return true;
}

/* As many ranks as a power of two, each with one subtree: what two partners have, both add up. */
static bool shards_swap(wg_tape *t, double *sum, int64_t n)
{
    const wg_ranks *r = t->options.ranks;
    const size_t bytes = (size_t)n * sizeof(double);
    const void *theirs;
    for (int step = 1; step < r->size; step *= 2) {
        if (!wg_ranks_message(t, r->rank ^ step, sum, bytes, bytes, &theirs))
            return false;
        shards_add(sum, theirs, n);
    }
    return true;
}

bool wg_shards_sum(wg_tape *t, const wg_shards *s, double *const node[], int width, int64_t n)
{
    const wg_ranks *r = wg_ranks_of(t);
    if (r == NULL)
        return shards_climb(t, s, node, width, s->count, n) && wg_tape_status(t) == WG_OK;
    if (s->count == 0)
        return wg_ranks_agree(t, 0, "") == WG_OK;
    if (!wg_ranks_begin(t, (size_t)n * sizeof(double)))
        return false;
    const bool even = (r->size & (r->size - 1)) == 0 && r->size <= s->count;
    const bool done = even ? shards_climb(t, s, node, width, s->count / r->size, n) &&
                                 shards_swap(t, node[0], n)
                           : shards_climb(t, s, node, width, s->count, n) &&
                                 wg_ranks_hand_out(t, node[0], (size_t)n * sizeof(double));
    return done && wg_tape_status(t) == WG_OK;
}

/* ---- Rows that move -------------------------------------------------------------------------- */

enum { MOVE_BYTES = 1 << 20 }; /* of one message, but at least a row */

typedef struct move_range {
    int64_t from, to;
} move_range;

/* The rows of the whole that rank r has now, and that belong to it. */
static move_range move_held(const double count[], int r)
{
    move_range x = {0, 0};
    for (int i = 0; i < r; i++)
        x.from += (int64_t)count[i];
    x.to = x.from + (int64_t)count[r];
    return x;
}

static move_range move_due(const wg_shards *s, int r)
{
    int first = 0;
    while (first < s->count && s->owner[first] < r)
        first++;
    int end = first;
    while (end < s->count && s->owner[end] == r)
        end++;
    return (move_range){wg_shards_row(s, first), wg_shards_row(s, end)};
}

static move_range move_common(move_range a, move_range b)
{
    move_range x = {a.from > b.from ? a.from : b.from, a.to < b.to ? a.to : b.to};
    return x.from < x.to ? x : (move_range){0, 0};
}

/* Rows that belong to this rank: those that it held already stay where they are, what others had
 * stands in front of them and behind. */
typedef struct move_kept {
    move_range due, stay; /* none stay: all are in front */
    const char *held;     /* the first that stays */
    char *front, *back;
    size_t row; /* bytes */
} move_kept;

typedef struct move {
    wg_tape *t;
    const wg_shards *shards; /* by which rows are due; NULL: by count */
    const double *count;     /* how many are due to each rank */
    const char *from;        /* what this rank holds, from row held.from on */
    move_range held;
    move_kept *to;
    size_t row; /* bytes */
} move;

/* Where row i, which is due, lies; *end: the last that follows it there. */
static const char *move_place(const move_kept *k, int64_t i, int64_t *end)
{
    const bool before = i < k->stay.from, behind = i >= k->stay.to;
    const char *base = before ? k->front : behind ? k->back : k->held;
    const int64_t first = before ? k->due.from : behind ? k->stay.to : k->stay.from;
    *end = before ? k->stay.from : behind ? k->due.to : k->stay.to;
    return base + (size_t)(i - first) * k->row;
}

static const void *move_at(void *user, int64_t first, int64_t n)
{
    const move_kept *k = user;
    int64_t end;
    if (first < 0 || n > k->due.to - k->due.from || first > k->due.to - k->due.from - n)
        return NULL;
    const char *at = move_place(k, k->due.from + first, &end);
    return k->due.from + first + n <= end ? at : NULL;
}

static const char *move_read(void *user, int64_t first, int64_t n, void *to)
{
    const move_kept *k = user;
    if (first < 0 || n > k->due.to - k->due.from || first > k->due.to - k->due.from - n)
        return "another rank has them";
    for (int64_t i = k->due.from + first, left = n, part, end; left > 0; left -= part, i += part) {
        const char *at = move_place(k, i, &end);
        part = end - i < left ? end - i : left;
        memcpy(to, at, (size_t)part * k->row);
        to = (char *)to + (size_t)part * k->row;
    }
    return NULL;
}

static move_range move_due_to(const move *m, int r)
{
    return m->shards != NULL ? move_due(m->shards, r) : move_held(m->count, r);
}

/* Rows out of this rank, and into it, to and from one other, in pieces. */
static bool move_exchange(const move *m, int partner, move_range out, move_range in)
{
    const int64_t most = (int64_t)(MOVE_BYTES / m->row) + 1;
    const void *payload;
    while (out.from < out.to || in.from < in.to) {
        const int64_t sent = out.to - out.from < most ? out.to - out.from : most;
        const int64_t taken = in.to - in.from < most ? in.to - in.from : most;
        if (!wg_ranks_message(m->t, partner, m->from + (size_t)(out.from - m->held.from) * m->row,
                              (size_t)sent * m->row, (size_t)taken * m->row, &payload))
            return false;
        int64_t end;
        if (taken > 0) /* of one rank all are in front, or behind */
            memcpy((char *)(uintptr_t)move_place(m->to, in.from, &end), payload,
                   (size_t)taken * m->row);
        out.from += sent;
        in.from += taken;
    }
    return true;
}

static bool move_all(const move *m, const double count[])
{
    const wg_ranks *r = m->t->options.ranks;
    for (int i = 0; i < r->size; i++)
        if (i != r->rank && !move_exchange(m, i, move_common(m->held, move_due_to(m, i)),
                                           move_common(move_held(count, i), m->to->due)))
            return false;
    return true;
}

static bool move_is_needed(const move *m, const double count[])
{
    for (int i = 0; i < m->t->options.ranks->size; i++) {
        const move_range held = move_held(count, i), due = move_due_to(m, i);
        if (held.from != due.from || held.to != due.to)
            return true;
    }
    return false;
}

/* Others of the rows that all ranks can read. */
static wg_tensor *move_stream(const wg_tensor *x, int64_t by, const wg_shape *shape)
{
    wg_stream stream = *(const wg_stream *)x->plan;
    stream.first += by;
    return wg_streamed(x->tape, x->name, x->dtype, shape->ndim, shape->dim, &stream);
}

/* Room for what this rank does not hold. */
static move_kept *move_room(const move *m, move_range due)
{
    move_kept *k = wg_tape_take(m->t, sizeof *k);
    if (k == NULL)
        return NULL;
    *k = (move_kept){.due = due, .stay = move_common(m->held, due), .row = m->row};
    if (k->stay.from >= k->stay.to)
        k->stay = (move_range){due.to, due.to};
    else
        k->held = m->from + (size_t)(k->stay.from - m->held.from) * m->row;
    k->front = wg_tape_take(m->t, (size_t)(k->stay.from - due.from) * m->row);
    k->back = wg_tape_take(m->t, (size_t)(due.to - k->stay.to) * m->row);
    return k;
}

/* x itself, or a stream of rows that are in memory. */
static wg_tensor *move_rows(wg_tensor *x, const double count[], move m)
{
    wg_tape *t = x->tape;
    if (wg_ranks_of(t) == NULL || wg_is_inert(x) || !move_is_needed(&m, count))
        return x;
    const int rank = wg_ranks_number(t);
    const move_range due = move_due_to(&m, rank);
    wg_shape shape = x->shape;
    shape.dim[0] = due.to - due.from;
    m.held = move_held(count, rank);
    m.row = wg_row_bytes(x);
    if (wg_is_streamed(x))
        return move_stream(x, due.from - m.held.from, &shape);
    m.from = x->data;
    m.to = move_room(&m, due);
    wg_ranks_agree(t, 0, "");
    if (m.row > 0 && wg_tape_status(t) == WG_OK && wg_ranks_begin(t, MOVE_BYTES + m.row))
        move_all(&m, count);
    return wg_streamed(t, x->name, x->dtype, shape.ndim, shape.dim,
                       &(wg_stream){.read = move_read, .user = m.to, .at = move_at});
}

/* The same in one piece of memory, of which x's is none where `copied`. */
static wg_tensor *move_together(wg_tensor *x, wg_tensor *moved, bool copied)
{
    wg_tape *t = x->tape;
    if (moved == x || wg_is_inert(moved) || wg_is_streamed(x) || !wg_is_streamed(moved))
        return moved;
    const int64_t n = moved->shape.dim[0];
    const void *at = copied ? NULL : move_at(((const wg_stream *)moved->plan)->user, 0, n);
    void *room = at == NULL ? wg_tape_take(t, (size_t)n * wg_row_bytes(x)) : NULL;
    if (room != NULL && move_read(((const wg_stream *)moved->plan)->user, 0, n, room) == NULL)
        at = room;
    return wg_input(t, x->name, x->dtype, moved->shape.ndim, moved->shape.dim, at);
}

/* An input may be bound to other memory, and what it had be gone: its rows are copied. */
wg_tensor *wg_ranks_move(wg_tensor *x, const double count[], const wg_shards *s)
{
    wg_tensor *moved = move_rows(x, count, (move){.t = x->tape, .shards = s});
    return (x->state & WG_NODE_LIVE) != 0 ? move_together(x, moved, true) : moved;
}

wg_tensor *wg_ranks_deal(wg_tensor *x, int64_t due)
{
    const wg_ranks *r = x != NULL ? wg_ranks_of(x->tape) : NULL;
    if (r == NULL)
        return x;
    wg_tape *t = x->tape;
    const bool fits = !wg_is_inert(x) && x->shape.ndim > 0 &&
                      (x->data != NULL || wg_is_streamed(x));
    double *count = wg_temporary(t, 2 * (int64_t)r->size, sizeof *count);
    wg_tensor *dealt = &t->inert;
    if (!fits)
        wg_fail(t, WG_E_SHAPE, "ranks: no rows to deal: %s", wg_tensor_text(x).s);
    if (wg_ranks_agree(t, 0, "") == WG_OK) {
        const int64_t held = wg_ranks_count(t, x->shape.dim[0], count);
        const int64_t all = wg_ranks_count(t, due, count + r->size);
        if (held != all)
            wg_fail(t, WG_E_RANKS, "ranks: %" PRId64 " rows to deal, of %" PRId64, all, held);
        if (wg_tape_status(t) == WG_OK)
            dealt = move_together(x, move_rows(x, count, (move){.t = t, .count = count + r->size}),
                                  false);
    }
    wg_temporary_free(t, count);
    return dealt;
}

/* ---- Sums over rows -------------------------------------------------------------------------- */

int64_t wg_ranks_rows(wg_tape *t, int64_t n, int64_t *first)
{
    const wg_ranks *r = wg_ranks_of(t);
    const int size = r != NULL ? r->size : 1;
    double one[1] = {0}, *count = size > 1 ? wg_temporary(t, size, sizeof *count) : one;
    const int64_t all = wg_ranks_count(t, n, count);
    if (first != NULL)
        *first = count != NULL ? move_held(count, r != NULL ? r->rank : 0).from : 0;
    if (size > 1)
        wg_temporary_free(t, count);
    return all > 0 ? all : 0;
}

void wg_ranks_range(const wg_tape *t, int64_t n, int64_t *first, int64_t *end)
{
    wg_ranks_range_of(t, n, WG_RANKS_BLOCK, first, end);
}

void wg_ranks_range_of(const wg_tape *t, int64_t n, int64_t block, int64_t *first, int64_t *end)
{
    const wg_shards s = wg_shards_of(t, n, block);
    *first = wg_shards_row(&s, s.first);
    *end = wg_shards_row(&s, s.end);
}

wg_tensor *wg_ranks_share(wg_tensor *x)
{
    const wg_ranks *r = x != NULL ? wg_ranks_of(x->tape) : NULL;
    if (r == NULL)
        return x;
    wg_tape *t = x->tape;
    const bool streamed = !wg_is_inert(x) && wg_is_streamed(x);
    const bool fits = !wg_is_inert(x) && x->shape.ndim > 0 && (x->data != NULL || streamed);
    double *count = wg_temporary(t, r->size, sizeof *count);
    if (!fits)
        wg_fail(t, WG_E_SHAPE, "ranks: no rows to share: %s", wg_tensor_text(x).s);
    wg_ranks_agree(t, streamed, "rows (streamed, or in memory)");
    const int64_t all = wg_ranks_count(t, fits ? x->shape.dim[0] : 0, count);
    const wg_shards s = wg_shards_of(t, all, WG_RANKS_BLOCK);
    wg_tensor *shared = wg_tape_status(t) == WG_OK
                            ? move_together(x, wg_ranks_move(x, count, &s), false)
                            : &t->inert;
    wg_temporary_free(t, count);
    return shared;
}

/* What is added up, of rows from `first` of the whole on. */
typedef struct rows_job {
    const wg_shards *shards;
    int64_t first, n;
    wg_rows_sum *add;
    void *user;
} rows_job;

/* A shard's sums. */
static void rows_sum_one(const rows_job *j, int shard, double sum[])
{
    memset(sum, 0, (size_t)j->n * sizeof *sum);
    j->add(wg_shards_row(j->shards, shard) - j->first,
           wg_shards_row(j->shards, shard + 1) - j->first, sum, j->user);
}

/* The subtree of `count` shards, a power of two, from one on, where all are here: what
 * shards_climb makes of them, with room for n sums a level, not a shard. */
static void rows_sum_tree(const rows_job *j, int shard, int count, double sum[], double *room)
{
    if (count == 1) {
        rows_sum_one(j, shard, sum);
        return;
    }
    rows_sum_tree(j, shard, count / 2, sum, room + j->n);
    rows_sum_tree(j, shard + count / 2, count / 2, room, room + j->n);
    shards_add(sum, room, j->n);
}

/* This rank's shards, each into a node of its own, and then with those of others. */
static void rows_sum_shared(wg_tape *t, const rows_job *j, double sum[], double *room)
{
    const wg_shards *s = j->shards;
    double *node[WG_SHARDS] = {sum};
    memset(sum, 0, (size_t)j->n * sizeof *sum);
    for (int i = 0; i < s->end - s->first; i++)
        rows_sum_one(j, s->first + i, node[i] = room + (int64_t)i * j->n);
    wg_shards_sum(t, s, node, 1, j->n);
    memmove(sum, node[0], (size_t)j->n * sizeof *sum);
}

static int rows_levels(int count)
{
    int levels = 0;
    while (1 << levels < count)
        levels++;
    return levels;
}

wg_status wg_ranks_sum_rows(wg_tape *t, int64_t rows, int64_t n, wg_rows_sum *add, void *user,
                            double sum[])
{
    const wg_shards s = wg_shards_of(t, wg_ranks_count(t, rows, NULL), WG_RANKS_BLOCK);
    const int64_t first = wg_shards_row(&s, s.first), due = wg_shards_row(&s, s.end) - first;
    const bool alone = wg_ranks_of(t) == NULL && s.count > 0;
    const rows_job job = {&s, first, n, add, user};
    const int rooms = alone ? rows_levels(s.count) : s.end - s.first;
    double *room = wg_temporary(t, rooms, (size_t)n * sizeof *room);
    if (rows != due)
        wg_fail(t, WG_E_VALUE, "ranks: %" PRId64 " rows to add up, where %" PRId64 " are due", rows,
                due);
    memset(sum, 0, (size_t)n * sizeof *sum);
    wg_ranks_agree(t, 0, "");
    if (wg_tape_status(t) == WG_OK && alone)
        rows_sum_tree(&job, 0, s.count, sum, room);
    else if (wg_tape_status(t) == WG_OK)
        rows_sum_shared(t, &job, sum, room);
    wg_temporary_free(t, room);
    return wg_tape_status(t);
}
