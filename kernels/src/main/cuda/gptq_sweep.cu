/*
 * Columns rounded one after the other, each error moved into those after it (GPTQ), under a mask: a block of at most 128 columns of all rows. cuBLAS moves the errors on, behind the block.
 *
 *   q       = deq(v_j) where kept, else 0
 *   err_j   = (v_j - q) / U_jj        from the row's first column on, else 0
 *   v_i    -= err_j U_ji              for the columns i of the block behind j
 *
 *   v      f32 [rows][columns]        in: values, out: values of the grid in the block's columns
 *   u      f32 [columns][columns]     U, upper triangular
 *   kept   u8  [rows][columns]
 *   errors f32 [rows][128]            err, for V[:, end..] -= err U[begin..end, end..]
 *
 * A warp has a row, a lane the columns lane, lane + 32, lane + 64 and lane + 96 of the block. v_j is broadcast from the lane that has it; every lane finds q and err itself. The bits of each step
 * are those of the same steps on the host: products are rounded before they are subtracted.
 *
 * Bound: the chain of 128 steps, a division each, some 50 us a block, whatever the number of rows that the GPU has warps for; 2 us for the bytes of 4096 rows.
 */
#include "instructions.cuh"

enum { LANES = 32, HELD = 4, WIDTH = LANES * HELD };

#define ENTRY(NAME, ...) extern "C" __global__ void __launch_bounds__(256) NAME(__VA_ARGS__)

ENTRY(gptq_sweep, float *v, const float *u, const uint8_t *kept, const float *scales, const float *zeros, const int *firsts, float *errors, uint32_t rows, uint32_t columns, uint32_t begin, uint32_t width, float lowest, float highest) // registers <= 40
{
    const uint32_t lane = threadIdx.x % LANES, row = blockIdx.x * (blockDim.x / LANES) + threadIdx.x / LANES;
    if (row >= rows) return;
    const float scale = scales[row], zero = zeros[row];
    const int first = firsts[row];
    float *values = v + (uint64_t)row * columns + begin;
    const uint8_t *mask = kept + (uint64_t)row * columns + begin;
    float held[HELD];
    uint32_t keeps = 0;
#pragma unroll
    for (int part = 0; part < HELD; part++) {
        const uint32_t i = part * LANES + lane;
        held[part] = i < width ? values[i] : 0.0f;
        keeps |= (i < width && mask[i] ? 1u : 0u) << part;
    }
#pragma unroll
    for (int at = 0; at < HELD; at++) {
        float own = 0.0f; /* the error of the column that this lane has */
        for (uint32_t from = 0; from < LANES; from++) {
            const uint32_t j = at * LANES + from;
            if (j >= width) break;
            const float value = __shfl_sync(0xffffffff, held[at], from);
            const uint32_t there = __shfl_sync(0xffffffff, keeps, from) >> at & 1u;
            const float code = fminf(fmaxf(rintf(__fdiv_rn(value, scale)) + zero, lowest), highest);
            const float q = there ? __fmul_rn(scale, code - zero) : 0.0f;
            const float *pushes = u + (uint64_t)(begin + j) * columns + begin;
            const float error = (int)(begin + j) < first ? 0.0f : __fdiv_rn(value - q, pushes[j]);
            if (lane == from) {
                held[at] = q;
                own = error;
            }
#pragma unroll
            for (int part = at; part < HELD; part++) {
                const uint32_t i = part * LANES + lane;
                if (i > j && i < width) held[part] = __fsub_rn(held[part], __fmul_rn(error, pushes[i]));
            }
        }
        errors[(uint64_t)row * WIDTH + at * LANES + lane] = own;
    }
#pragma unroll
    for (int part = 0; part < HELD; part++) {
        const uint32_t i = part * LANES + lane;
        if (i < width) values[i] = held[part];
    }
}
