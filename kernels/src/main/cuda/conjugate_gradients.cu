/*
 * What conjugate gradients of many rows need beside cuBLAS: H_RR x = b of each row, R its own unknowns, all vectors [rows][columns], zero where nothing is unknown.
 *
 *   b, x, r, p  f32 [rows][columns]     right-hand side, solution, residual, search direction
 *   y           f32 [rows][columns]     what a product gave: p H, x H, or what the preconditioner takes away
 *   unknown     u8  [rows][columns]
 *   sums        f64 [rows][3]           r r | b b | x (b + r), each over the row's unknowns
 *   dots        f64 [rows]
 *
 * A thread block a row: every vector is read once and written once in a step, and the row's sums come of the same pass. Sums: a thread's columns ascending, the lanes of a warp by butterflies, the warps in
 * their order, in double precision, so that equal calls give equal bits. Products are rounded before they are added, as on the host.
 *
 * Bound: bytes; a step reads and writes 29 for each column, a whole iteration 70, next to 2 columns flops of its product with H.
 */
#include "instructions.cuh"

enum { LANES = 32, THREADS = 256, WARPS = THREADS / LANES };

#define ENTRY(NAME, ...) extern "C" __global__ void __launch_bounds__(THREADS) NAME(__VA_ARGS__)

/* The sum of the block's numbers, in thread 0. */
DEVICE double sum_of_block(double v, double *warps) {
#pragma unroll
    for (int mask = LANES / 2; mask > 0; mask /= 2) v = __dadd_rn(v, __shfl_xor_sync(0xffffffff, v, mask));
    if (threadIdx.x % LANES == 0) warps[threadIdx.x / LANES] = v;
    __syncthreads();
    double sum = 0;
    if (threadIdx.x == 0)
        for (int warp = 0; warp < WARPS; warp++) sum = __dadd_rn(sum, warps[warp]);
    return sum;
}

DEVICE void store_sums(double squares, double given, double gain, double *sums) {
    __shared__ double warps[3][WARPS];
    squares = sum_of_block(squares, warps[0]);
    given = sum_of_block(given, warps[1]);
    gain = sum_of_block(gain, warps[2]);
    if (threadIdx.x == 0) {
        sums += (uint64_t)blockIdx.x * 3;
        sums[0] = squares;
        sums[1] = given;
        sums[2] = gain;
    }
}

/* r = b - y. */
ENTRY(gradient_residual, const float *b, const float *x, const float *y, const uint8_t *unknown, float *r, double *sums, uint32_t columns) // registers <= 40
{
    const uint64_t row = (uint64_t)blockIdx.x * columns;
    double squares = 0, given = 0, gain = 0;
    for (uint32_t c = threadIdx.x; c < columns; c += THREADS) {
        const bool counts = unknown[row + c];
        const float right = counts ? b[row + c] : 0.0f, rest = counts ? __fsub_rn(right, y[row + c]) : 0.0f;
        r[row + c] = rest;
        squares += (double)rest * rest;
        given += (double)right * right;
        if (counts) gain += (double)x[row + c] * __fadd_rn(right, rest);
    }
    store_sums(squares, given, gain, sums);
}

/* x += length p, r -= length y. */
ENTRY(gradient_step, const float *b, float *x, float *r, const float *p, const float *y, const uint8_t *unknown, const float *lengths, double *sums, uint32_t columns) // registers <= 40
{
    const uint64_t row = (uint64_t)blockIdx.x * columns;
    const float length = lengths[blockIdx.x];
    double squares = 0, given = 0, gain = 0;
    for (uint32_t c = threadIdx.x; c < columns; c += THREADS) {
        if (!unknown[row + c]) continue;
        const float right = b[row + c], at = __fadd_rn(x[row + c], __fmul_rn(length, p[row + c]));
        const float rest = __fsub_rn(r[row + c], __fmul_rn(length, y[row + c]));
        x[row + c] = at;
        r[row + c] = rest;
        squares += (double)rest * rest;
        given += (double)right * right;
        gain += (double)at * __fadd_rn(right, rest);
    }
    store_sums(squares, given, gain, sums);
}

/* dots = p y. */
ENTRY(gradient_dots, const float *p, const float *y, double *dots, uint32_t columns) // registers <= 40
{
    __shared__ double warps[WARPS];
    const uint64_t row = (uint64_t)blockIdx.x * columns;
    double dot = 0;
    for (uint32_t c = threadIdx.x; c < columns; c += THREADS) dot += (double)p[row + c] * y[row + c];
    dot = sum_of_block(dot, warps);
    if (threadIdx.x == 0) dots[blockIdx.x] = dot;
}

/* y = (r - y) inverse, dots = r y. */
ENTRY(gradient_precondition, const float *r, float *y, const uint8_t *unknown, float inverse, double *dots, uint32_t columns) // registers <= 40
{
    __shared__ double warps[WARPS];
    const uint64_t row = (uint64_t)blockIdx.x * columns;
    double dot = 0;
    for (uint32_t c = threadIdx.x; c < columns; c += THREADS) {
        const float rest = r[row + c];
        const float z = unknown[row + c] ? __fmul_rn(inverse, __fsub_rn(rest, y[row + c])) : 0.0f;
        y[row + c] = z;
        dot += (double)rest * z;
    }
    dot = sum_of_block(dot, warps);
    if (threadIdx.x == 0) dots[blockIdx.x] = dot;
}

/* p = y + share p; 0 in rows that are done. */
ENTRY(gradient_turn, float *p, const float *y, const float *shares, const int *done, uint32_t columns) // registers <= 40
{
    const uint64_t row = (uint64_t)blockIdx.x * columns;
    const float share = shares[blockIdx.x];
    const bool stays = done[blockIdx.x];
    for (uint32_t c = threadIdx.x; c < columns; c += THREADS)
        p[row + c] = stays ? 0.0f : __fadd_rn(y[row + c], __fmul_rn(share, p[row + c]));
}

/* 1 where something is unknown: times the products below, the sum of a row's. */
ENTRY(gradient_mask, const uint8_t *unknown, float *mask, uint32_t columns) // registers <= 40
{
    const uint64_t row = (uint64_t)blockIdx.x * columns;
    for (uint32_t c = threadIdx.x; c < columns; c += THREADS) mask[row + c] = unknown[row + c] ? 1.0f : 0.0f;
}

/* z [columns][rank] -> [columns][rank][rank]: z zT of each column. A thread block a column. */
ENTRY(outer_products, const float *z, float *products, uint32_t rank) // registers <= 40
{
    z += (uint64_t)blockIdx.x * rank;
    products += (uint64_t)blockIdx.x * rank * rank;
    for (uint32_t i = threadIdx.x; i < rank * rank; i += THREADS) products[i] = __fmul_rn(z[i / rank], z[i % rank]);
}
