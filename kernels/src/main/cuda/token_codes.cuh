/*
 * From a token's numbers, in the registers of one thread block, to codes and their scale: the rule, and the order of its sums, of rmsnorm_quant.cu. Thread t of T holds units
 * t, t + T, t + 2 T, t + 3 T of 8 columns.
 */
#pragma once

#include "instructions.cuh"

enum { UNIT = 8, UNITS = 4, LANES = 32, CLIPS = 4 };


DEVICE void load(const __half *x, float (&h)[UNIT]) {
    const uint4 eight = __ldg((const uint4 *)x);
    const __half2 *pairs = (const __half2 *)&eight;
#pragma unroll
    for (int i = 0; i < UNIT / 2; i++) {
        h[2 * i] = __low2float(pairs[i]);
        h[2 * i + 1] = __high2float(pairs[i]);
    }
}

DEVICE void load(const float *x, float (&h)[UNIT]) {
#pragma unroll
    for (int i = 0; i < UNIT; i += 4) {
        const float4 four = __ldg((const float4 *)(x + i));
        h[i] = four.x;
        h[i + 1] = four.y;
        h[i + 2] = four.z;
        h[i + 3] = four.w;
    }
}

/* All warps' sums of COUNT values; memory is this sum's own. */
template <int COUNT> DEVICE void add_up(float (&sums)[COUNT], float (*memory)[LANES]) {
    const uint32_t lane = threadIdx.x % LANES, warp = threadIdx.x / LANES;
#pragma unroll
    for (int c = 0; c < COUNT; c++) {
#pragma unroll
        for (int mask = LANES / 2; mask > 0; mask /= 2)
            sums[c] = __fadd_rn(sums[c], __shfl_xor_sync(0xffffffff, sums[c], mask));
        if (lane == 0) memory[c][warp] = sums[c];
    }
    __syncthreads();
#pragma unroll
    for (int c = 0; c < COUNT; c++) {
        sums[c] = lane < blockDim.x / LANES ? memory[c][lane] : 0;
#pragma unroll
        for (int mask = LANES / 2; mask > 0; mask /= 2)
            sums[c] = __fadd_rn(sums[c], __shfl_xor_sync(0xffffffff, sums[c], mask));
    }
}

DEVICE uint32_t find_largest(uint32_t largest, uint32_t *memory) {
    const uint32_t lane = threadIdx.x % LANES;
    largest = __reduce_max_sync(0xffffffff, largest);
    if (lane == 0) memory[threadIdx.x / LANES] = largest;
    __syncthreads();
    return __reduce_max_sync(0xffffffff, lane < blockDim.x / LANES ? memory[lane] : 0);
}

DEVICE float scale_of(float largest, float q) {
    const float scale = __half2float(__float2half_rn(__fdiv_rn(largest, q)));
    return scale > 65504 ? 65504 : scale == 0 ? 1 : scale;
}

DEVICE int code_of(float steps, int most) { return min(max(__float2int_rn(steps), -most - 1), most); }

/* Where the codes of a unit go. */
struct Int4Codes {
    DEVICE static void store(uint8_t *row, uint32_t unit, const int (&codes)[UNIT]) {
        uint32_t word = 0;
#pragma unroll
        for (int i = 0; i < UNIT; i++) word |= (codes[i] & 15) << 4 * i;
        *(uint32_t *)(row + unit * 4) = word;
    }
};

struct Int8Codes {
    DEVICE static void store(uint8_t *row, uint32_t unit, const int (&codes)[UNIT]) {
        uint32_t even = 0, odd = 0;
#pragma unroll
        for (int i = 0; i < UNIT; i += 2) {
            even |= (codes[i] & 255) << 4 * i;
            odd |= (codes[i + 1] & 255) << 4 * i;
        }
        uint8_t *step = row + unit / 16 * 128 + (4 * (unit % 4) + unit % 16 / 4) * 4;
        *(uint32_t *)step = even;
        *(uint32_t *)(step + 64) = odd;
    }
};

/* Eight codes, one a byte. */
DEVICE void store_bytes(uint8_t *to, const int (&codes)[UNIT]) {
    uint32_t words[2] = {};
#pragma unroll
    for (int i = 0; i < UNIT; i++) words[i / 4] |= (codes[i] & 255) << i % 4 * 8;
    *(uint2 *)to = make_uint2(words[0], words[1]);
}

/* Eight codes of a token that lie in shared memory, one a byte by column: those of the columns order[0] .. order[7]. */
DEVICE void gather(const uint8_t *natural, const uint16_t *order, int (&codes)[UNIT]) {
    const uint4 eight = __ldg((const uint4 *)order);
    const uint32_t pairs[UNIT / 2] = {eight.x, eight.y, eight.z, eight.w};
#pragma unroll
    for (int i = 0; i < UNIT / 2; i++) {
        codes[2 * i] = (int8_t)natural[pairs[i] & 0xffff];
        codes[2 * i + 1] = (int8_t)natural[pairs[i] >> 16];
    }
}

/*
 * Codes and scale of the thread block's token, h, which is 0 from `columns` on; most = 7 or 127, clip = 0 for the search.
 *
 * order [whole steps] or null: code j is that of column order[j], which is j itself from `columns` on. Codes then pass through `natural`, shared memory of a byte a column up to a whole step
 * that nobody reads any more once all have called this.
 */
template <class Codes>
DEVICE void quantize(const float (&h)[UNITS][UNIT], int most, float clip, const uint16_t *order, uint8_t *natural,
                     uint8_t *codes, float *scales, uint32_t columns, uint32_t row_bytes) {
    __shared__ float errors[CLIPS][LANES];
    __shared__ uint32_t maxima[LANES];
    const uint32_t all_units = (columns + 127) / 128 * (128 / UNIT);
    uint32_t bits = 0;
#pragma unroll
    for (int i = 0; i < UNITS; i++)
#pragma unroll
        for (int k = 0; k < UNIT; k++) bits = max(bits, __float_as_uint(h[i][k]) & 0x7fffffff);
    const float largest = __uint_as_float(find_largest(bits, maxima));

    float scale = scale_of(__fmul_rn(largest, clip == 0 ? 1 : clip), most);
    if (clip == 0) {
        const float clips[CLIPS] = {1, 0.8f, 0.65f, 0.5f};
        float error[CLIPS] = {};
#pragma unroll
        for (int c = 0; c < CLIPS; c++) {
            const float step = scale_of(__fmul_rn(largest, clips[c]), most), inverse = __frcp_rn(step);
#pragma unroll
            for (int i = 0; i < UNITS; i++) {
                if (i * blockDim.x * UNIT >= columns) break; // zeros are coded without loss
#pragma unroll
                for (int k = 0; k < UNIT; k++) {
                    const float lost = __fmaf_rn(-step, (float)code_of(__fmul_rn(h[i][k], inverse), most), h[i][k]);
                    error[c] = __fmaf_rn(lost, lost, error[c]);
                }
            }
        }
        add_up(error, errors);
        float least = error[0];
#pragma unroll
        for (int c = 1; c < CLIPS; c++)
            if (error[c] < least) {
                least = error[c];
                scale = scale_of(__fmul_rn(largest, clips[c]), most);
            }
    }

    codes += (uint64_t)blockIdx.x * row_bytes;
#pragma unroll
    for (int i = 0; i < UNITS; i++) {
        const uint32_t unit = threadIdx.x + i * blockDim.x;
        if (unit < all_units) {
            int unit_codes[UNIT];
#pragma unroll
            for (int k = 0; k < UNIT; k++) unit_codes[k] = code_of(__fdiv_rn(h[i][k], scale), most);
            if (order)
                store_bytes(natural + unit * UNIT, unit_codes);
            else
                Codes::store(codes, unit, unit_codes);
        }
    }
    if (order) {
        __syncthreads();
#pragma unroll
        for (int i = 0; i < UNITS; i++) {
            const uint32_t unit = threadIdx.x + i * blockDim.x;
            if (unit < all_units) {
                int unit_codes[UNIT];
                gather(natural, order + unit * UNIT, unit_codes);
                Codes::store(codes, unit, unit_codes);
            }
        }
    }
    if (threadIdx.x == 0) scales[blockIdx.x] = scale;
}
