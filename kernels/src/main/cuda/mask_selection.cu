/*
 * Which weights are kept: a score for each, and of each row, or of each aligned group, those of least score pruned; of equal ones those on the left.
 *
 *   w    f32 [rows][columns]
 *   by   f32 [columns]           what a column's scores go by
 *   kept u8  [rows][columns]     0 where pruned
 *
 *   metric 0   |w|               1   |w| by                2   w w / (by by)
 *
 * Products and quotients are rounded as on the host, so masks are the host's to the bit. Scores are not negative, so they are in the order of their bits.
 *
 * select_least: a warp a row. The score below which fewer are than are to be pruned is found bit by bit from the highest: one count of the row's scores a bit, computed anew each time, as the row lies in
 * the L1 cache. Where a count is what is to be pruned, the scores counted are the ones, after some 20 bits of 31.
 *
 *   | 0 .. 31 | 32 .. 63 | ..     columns of the lanes; the last pass goes from left to right, so that ballots rank equal scores
 *
 * select_groups: a thread a unit (a column; a pair of them of 4:8p, which scores the root of its squares' sum), a group's threads in one block. A unit is pruned if fewer of its group rank before it than
 * are to be.
 *
 *   group 0          | group 1          | ..     the last one may be short: what it lacks is pruned first
 *   unit 0 | 1 | ..  | ..
 *
 * Bound (modelled): reads of L1, 8 bytes a column and bit; 1 ms for 4096 x 4096 on an A100, where the weight's bytes take 0.04 ms.
 */
#include "instructions.cuh"

enum { LANES = 32, THREADS = 256, HIGHEST_BIT = 30 };
enum { MAGNITUDE = 0, WANDA = 1, SPARSEGPT = 2 };

#define ENTRY(NAME, ...) extern "C" __global__ void __launch_bounds__(THREADS) NAME(__VA_ARGS__)

DEVICE float score(const float *w, const float *by, uint32_t column, uint32_t metric) {
    const float weight = w[column];
    if (metric == MAGNITUDE) return fabsf(weight);
    const float factor = by[column];
    if (metric == WANDA) return __fmul_rn(fabsf(weight), factor);
    return __fdiv_rn(__fmul_rn(weight, weight), __fmul_rn(factor, factor));
}

ENTRY(select_least, const float *w, const float *by, uint8_t *kept, uint32_t rows, uint32_t columns, uint32_t metric, uint32_t pruned) // registers <= 40
{
    const uint32_t lane = threadIdx.x % LANES, row = blockIdx.x * (blockDim.x / LANES) + threadIdx.x / LANES;
    if (row >= rows) return;
    w += (uint64_t)row * columns;
    kept += (uint64_t)row * columns;
    uint32_t least = 0, before = 0; /* of the scores that are kept; how many are less */
#pragma unroll 1
    for (int bit = HIGHEST_BIT; bit >= 0 && before < pruned; bit--) {
        const uint32_t with = least | 1u << bit;
        uint32_t count = 0;
#pragma unroll 4
        for (uint32_t c = lane; c < columns; c += LANES) count += __float_as_uint(score(w, by, c, metric)) < with;
        count = __reduce_add_sync(0xffffffff, count);
        if (count <= pruned) {
            least = with;
            before = count;
        }
    }
    uint32_t equal = pruned - before; /* of those equal to it, how many are still to be pruned */
    for (uint32_t from = 0; from < columns; from += LANES) {
        const uint32_t c = from + lane;
        const bool there = c < columns;
        const uint32_t key = there ? __float_as_uint(score(w, by, c, metric)) : 0xffffffff;
        const uint32_t same = __ballot_sync(0xffffffff, key == least);
        const uint32_t rank = __popc(same & ((1u << lane) - 1));
        if (there) kept[c] = key > least || (key == least && rank >= equal) ? 1 : 0;
        const uint32_t passed = __popc(same);
        equal = equal > passed ? equal - passed : 0;
    }
}

/* The score of the unit that begins at a column. */
DEVICE float unit_score(const float *w, const float *by, uint32_t column, uint32_t unit, uint32_t columns, uint32_t metric) {
    const float first = score(w, by, column, metric);
    if (unit == 1) return first;
    const double second = column + 1 < columns ? score(w, by, column + 1, metric) : 0.0f;
    return (float)sqrt((double)first * first + second * second);
}

ENTRY(select_groups, const float *w, const float *by, uint8_t *kept, uint32_t rows, uint32_t columns, uint32_t metric, uint32_t group, uint32_t unit) // registers <= 40
{
    __shared__ uint32_t keys[THREADS];
    const uint32_t whole = group / unit, groups = (columns + group - 1) / group, at = blockIdx.x * THREADS + threadIdx.x;
    const uint32_t row = at / (groups * whole), own = at % (groups * whole), column = own * unit;
    const bool there = row < rows && column < columns;
    w += (uint64_t)row * columns;
    kept += (uint64_t)row * columns;
    const uint32_t mine = there ? __float_as_uint(unit_score(w, by, column, unit, columns, metric)) : 0;
    keys[threadIdx.x] = mine;
    __syncthreads();
    if (!there) return;
    const uint32_t first = own / whole * whole, units = min(whole, (columns - first * unit + unit - 1) / unit);
    const uint32_t half = whole / 2, lacking = whole - units, pruned = half > lacking ? half - lacking : 0;
    const uint32_t *others = keys + threadIdx.x - (own - first);
    uint32_t before = 0;
    for (uint32_t other = 0; other < units; other++) {
        const uint32_t its = others[other];
        before += its < mine || (its == mine && first + other < own);
    }
    const uint8_t keeps = before >= pruned;
    kept[column] = keeps;
    if (unit == 2 && column + 1 < columns) kept[column + 1] = keeps;
}
