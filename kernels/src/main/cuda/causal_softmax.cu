/*
 * Scores of queries become the weights of their positions, in place: p = e^(s - largest) / sum over the positions that a query sees, zero behind them.
 *
 *   scores f32 [heads][queries][stride]      query t of a tile sees first + t positions, of `columns` that the tile has
 *
 *            | 0 .. first - 1 | first | ..  | columns - 1 |  .. stride
 *   query 0  | s ..         s |   0     0          0      |  left alone
 *   query 1  | s ..         s |   s     0          0      |
 *
 * A warp a row, so that rows of 33 positions and of 100 000 need no barrier and no two forms: lane l has the columns l, l + 32, ... The largest score, then e^x and its sum, then the quotient: three passes,
 * the later two over what the first brought into L1 or L2. A lane adds its columns ascending, lanes are added by butterflies: equal calls give equal bits. What is no number stays one.
 *
 * Limits: 2^32 rows of 2^32 columns. Bound (modelled): bytes of L2, 20 a column, and of memory where a tile's scores exceed it; the products with K and V have 2 x headDim flops each for a column.
 */
#include "exponential.cuh"
#include "instructions.cuh"

enum { LANES = 32, THREADS = 256 };

#define ENTRY(NAME, ...) extern "C" __global__ void __launch_bounds__(THREADS) NAME(__VA_ARGS__)

ENTRY(causal_softmax, float *scores, uint32_t rows, uint32_t queries, uint32_t first, uint32_t columns, uint32_t stride) // registers <= 40
{
    const uint32_t lane = threadIdx.x % LANES, row = blockIdx.x * (THREADS / LANES) + threadIdx.x / LANES;
    if (row >= rows) return;
    const uint32_t seen = first + row % queries;
    scores += (uint64_t)row * stride;

    float largest = -INFINITY;
    for (uint32_t c = lane; c < seen; c += LANES) largest = fmaxf(largest, scores[c]);
#pragma unroll
    for (int mask = LANES / 2; mask > 0; mask /= 2) largest = fmaxf(largest, __shfl_xor_sync(0xffffffff, largest, mask));

    float sum = 0;
    for (uint32_t c = lane; c < seen; c += LANES) {
        const float below = __fsub_rn(scores[c], largest);
        const float e = __fmaf_rn(0, below, exponential(below)); /* exponential() takes what is no number for -87 */
        scores[c] = e;
        sum = __fadd_rn(sum, e);
    }
#pragma unroll
    for (int mask = LANES / 2; mask > 0; mask /= 2) sum = __fadd_rn(sum, __shfl_xor_sync(0xffffffff, sum, mask));

    for (uint32_t c = lane; c < columns; c += LANES) scores[c] = c < seen ? __fdiv_rn(scores[c], sum) : 0.0f;
}
