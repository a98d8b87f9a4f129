/*
 * Codes of many rows, rounded while substituting backwards along the factor L of each row's H[P,P], for several scales at once: a block of at most 64 unknowns of all systems. cuBLAS moves what is rounded
 * into the unknowns before it, between the blocks.
 *
 *   for i = last .. first of the block:
 *     x    = u_i - sum of L_ji q_j over the block's j > i         q of later blocks is in u already
 *     x   /= L_ii
 *     q_i  = scale * code,  code = x / scale, rounded and clamped
 *     loss += (L_ii (x - q_i))^2
 *
 *   l      f32 [systems][order][order]            L, lower triangular; what is above its diagonal is not read
 *   u      f32 [systems][order][candidates]       in: values before they are rounded, out: q in the block's unknowns
 *   scales f32 [systems][candidates]
 *   losses f64 [systems][candidates]
 *
 * round_block: a thread block a system, a thread a candidate, which needs no other: each goes down a column of its own of the block's values.
 *
 *              candidate 0 | 1 | 2 | ..
 *   unknown 0       u      | u | u |          shared memory [64][64]: u above the unknown that is rounded, q below it
 *           1       q      | q | q |          and the corner of L [64][65], transposed: all threads read one address, and its 65 keep stores in 32 banks
 *           ..
 *
 * Products are added in the order of j, by fused multiply-add; all else is rounded step by step. Unknowns that are none (L is the identity there, u is 0) get the code 0 and lose nothing.
 *
 * Bound: shared memory, two words for a fused multiply-add: 8000 cycles of a multiprocessor for a block of 64 unknowns and 50 candidates (modelled), some 1% of what the factor takes at 2048 unknowns.
 */
#include "instructions.cuh"

enum { BLOCK = 64, CANDIDATES = 64, THREADS = 256 };

#define ENTRY(NAME, LIMIT, ...) extern "C" __global__ void __launch_bounds__(LIMIT) NAME(__VA_ARGS__)

/* u = y in all candidates. */
ENTRY(spread_candidates, THREADS, const float *y, float *u, uint32_t order, uint32_t candidates) // registers <= 40
{
    const uint32_t at = blockIdx.x * blockDim.x + threadIdx.x, system = blockIdx.y;
    if (at < order * candidates) u[(uint64_t)system * order * candidates + at] = y[(uint64_t)system * order + at / candidates];
}

ENTRY(round_block, CANDIDATES, const float *l, float *u, const float *scales, double *losses, uint32_t order, uint32_t candidates, uint32_t begin, uint32_t size, float lowest, float highest) // registers <= 64
{
    __shared__ float below[BLOCK][BLOCK + 1], held[BLOCK][CANDIDATES];
    const uint32_t own = threadIdx.x, system = blockIdx.x;
    const float *corner = l + ((uint64_t)system * order + begin) * order + begin;
    for (uint32_t row = own; row < size; row++) below[own][row] = corner[(uint64_t)row * order + own];
    __syncthreads();
    if (own >= candidates) return;
    float *values = u + ((uint64_t)system * order + begin) * candidates + own;
    for (uint32_t i = 0; i < size; i++) held[i][own] = values[(uint64_t)i * candidates];
    const uint64_t which = (uint64_t)system * candidates + own;
    const float scale = scales[which];
    double loss = losses[which];
    for (int i = size - 1; i >= 0; i--) {
        float x = held[i][own];
#pragma unroll 4
        for (int j = i + 1; j < (int)size; j++) x = __fmaf_rn(-below[i][j], held[j][own], x);
        const float diagonal = below[i][i], best = __fdiv_rn(x, diagonal);
        const float code = rintf(fminf(fmaxf(__fdiv_rn(best, scale), lowest), highest));
        const float q = __fmul_rn(scale, code), error = __fmul_rn(diagonal, __fsub_rn(best, q));
        loss += (double)error * error; /* the square is exact */
        held[i][own] = q;
        values[(uint64_t)i * candidates] = q;
    }
    losses[which] = loss;
}

/* The candidate of least loss, of equal ones the first: its codes, its number and its loss. */
ENTRY(choose_candidate, THREADS, const float *u, const float *scales, const double *losses, int8_t *codes, int *chosen, double *least, uint32_t order, uint32_t candidates) // registers <= 40
{
    const uint32_t i = blockIdx.x * blockDim.x + threadIdx.x, system = blockIdx.y;
    if (i >= order) return;
    losses += (uint64_t)system * candidates;
    uint32_t best = 0;
    for (uint32_t candidate = 1; candidate < candidates; candidate++)
        if (losses[candidate] < losses[best]) best = candidate;
    const uint64_t at = (uint64_t)system * order + i;
    codes[at] = (int8_t)rintf(__fdiv_rn(u[at * candidates + best], scales[(uint64_t)system * candidates + best]));
    if (i > 0) return;
    chosen[system] = best;
    least[system] = losses[best];
}
