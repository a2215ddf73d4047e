#ifndef WG_AUTOGRAD_COMPILE_BLOCKS_INTERNAL_H
#define WG_AUTOGRAD_COMPILE_BLOCKS_INTERNAL_H

#include "autograd/compile/blocks.h"
#include "autograd/compile/program_internal.h"
#include "autograd/ranks/ranks_internal.h"

#define WG_BLOCKS_LEVELS 7 /* of a tree of WG_SHARDS */

/* Blocks are in shards, which are the leaves of a tree: a shard adds up its blocks in order. A lane
 * is a subtree, which one worker adds up; whose it is, and how large the lanes are, makes no
 * difference to the sum. */
typedef struct wg_blocks_lane {
    wg_status status; /* of the first block that failed, and what it said */
    int64_t row;
    char message[WG_MESSAGE_SIZE];
} wg_blocks_lane;

/* A worker's memory for sums: [n_sums] each. */
typedef struct wg_blocks_sums {
    double *rest;                    /* what rounding lost in a shard; NULL: not compensated */
    double *level[WG_BLOCKS_LEVELS]; /* right subtrees of 1, 2, 4, ... shards */
} wg_blocks_sums;

/* The graph of a block of some number of rows, and each worker's program for it. */
typedef struct wg_blocks_size {
    int64_t rows;        /* 0: there is no such block */
    wg_tensor **input;   /* [n_rows] stand for the block's rows */
    wg_program **worker; /* [n_workers] */
} wg_blocks_size;

struct wg_blocks {
    wg_tape *tape; /* NULL: inert */
    wg_blocks_options options;
    int n_rows, n_params, n_workers;
    wg_tensor **rows;  /* [n_rows] */
    wg_tensor **param; /* [n_params] */
    wg_block_loss *loss;
    void *user;
    wg_block_derive *derive;
    void *derive_user;

    double *held;      /* [ranks]: how many rows each was given */
    int64_t first_row; /* of those that this rank has */
    wg_shards shards;
    wg_blocks_size full, last;
    void **read;          /* [n_workers][n_rows]: a block of streamed rows; NULL: not streamed */
    wg_tape *host;        /* [n_workers] take the workers' errors */
    wg_program *penalty;  /* its value and gradients; NULL: none */
    wg_blocks_sums *sums; /* [n_workers] */
    wg_blocks_lane *lane; /* [n_lanes] */
    double **sum;         /* [n_lanes, or 1 if there are none][n_sums]: value, gradients */
    int64_t n_lanes, n_sums;
    int width;        /* of a lane: shards */
    bool compensated; /* some of what is added up is f64 */

    wg_freshness fresh;
    wg_tensor **output; /* [1 + n_params]: the value, the gradient */
    int64_t tape_size;
};

static inline bool wg_blocks_is_inert(const wg_blocks *b)
{
    return b == NULL || b->tape == NULL;
}

#endif
