/*
 * What the systems H[P,P] x = b of many rows need beside cuBLAS and cuSOLVER: their matrices gathered from H, and vectors moved between a row's own unknowns and the columns of H.
 *
 *   unknowns int32 [systems][order]            P, in the order of the equations; -1 behind the last one
 *   a        f32   [systems][order][order]     H[P,P]; the identity where there are no unknowns, so that all systems have one order
 *   x, r, e  f32   [systems][order]            a value for each unknown
 *   v, y     f64   [systems][columns]          a value for each column of H; y = v H is one product of all systems
 *
 * A thread of the gathering has a column of the matrix and goes down ROWS rows: reads of H run along a row of it, in steps of the pattern's density. The others have an unknown each.
 *
 * Bound: bytes, 8 for each element of a; nothing next to the factors.
 */
#include "instructions.cuh"

#define ROWS 8

#define ENTRY(NAME, ...) extern "C" __global__ void __launch_bounds__(256) NAME(__VA_ARGS__)

ENTRY(gather_principal, const float *h, const int *unknowns, float *a, uint32_t columns, uint32_t order) // registers <= 40
{
    const uint32_t j = blockIdx.x * blockDim.x + threadIdx.x, system = blockIdx.z;
    if (j >= order) return;
    const int *p = unknowns + (uint64_t)system * order;
    const int column = p[j];
    float *to = a + (uint64_t)system * order * order + j;
    for (uint32_t i = blockIdx.y * ROWS; i < min(blockIdx.y * ROWS + ROWS, order); i++) {
        const int row = p[i];
        const float padding = i == j ? 1.0f : 0.0f;
        to[(uint64_t)i * order] = row < 0 || column < 0 ? padding : h[(uint64_t)row * columns + column];
    }
}

/* v[P] = x - e; v is zero before. */
ENTRY(scatter_difference, const float *x, const float *e, const int *unknowns, double *v, uint32_t columns, uint32_t order) // registers <= 40
{
    const uint32_t i = blockIdx.x * blockDim.x + threadIdx.x, system = blockIdx.y;
    if (i >= order) return;
    const uint64_t at = (uint64_t)system * order + i;
    const int column = unknowns[at];
    if (column >= 0) v[(uint64_t)system * columns + column] = (double)x[at] - (double)e[at];
}

/* r = b - y[P] of the leading unknowns, else 0. */
ENTRY(leading_residual, const float *b, const double *y, const int *unknowns, const int *leading, float *r, uint32_t columns, uint32_t order) // registers <= 40
{
    const uint32_t i = blockIdx.x * blockDim.x + threadIdx.x, system = blockIdx.y;
    if (i >= order) return;
    const uint64_t at = (uint64_t)system * order + i;
    r[at] = i < leading[system] ? (float)((double)b[at] - y[(uint64_t)system * columns + unknowns[at]]) : 0.0f;
}

/* r = 0 behind the leading unknowns. */
ENTRY(keep_leading, const int *leading, float *r, uint32_t order) // registers <= 40
{
    const uint32_t i = blockIdx.x * blockDim.x + threadIdx.x, system = blockIdx.y;
    if (i >= order) return;
    if (i >= leading[system]) r[(uint64_t)system * order + i] = 0.0f;
}

/* x += r. */
ENTRY(add_correction, float *x, const float *r, uint64_t count) // registers <= 40
{
    const uint64_t at = (uint64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (at < count) x[at] += r[at];
}

ENTRY(widen, const float *x, double *y, uint64_t count) // registers <= 40
{
    const uint64_t at = (uint64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (at < count) y[at] = x[at];
}
