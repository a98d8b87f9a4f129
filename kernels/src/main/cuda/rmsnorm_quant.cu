/*
 * Activations before a linear layer: RMS norm where there is a weight, then codes of 4 or 8 bits with one scale a token.
 *
 *     h = x * (1 / sqrt(sum x^2 / K + eps)) * weight
 *     scale = fp16(clip * max|h| / q), 1 where that is 0      q = 7 or 127
 *     code = clamp(rint(h / scale), -q - 1, q)                4 bits, clip 0: of 1, 0.8, 0.65 and 0.5 the one with the least sum (h - scale * code)^2, the largest of equals
 *
 * x [tokens][K] fp16 or f32 -> codes [tokens][K / 2 or K], columns after the last as zeros up to a whole step of 128, and scales [tokens] f32 (each a half float's value)
 *
 *     4 bits    natural order, element 2i in the low half of byte i
 *     1 byte    for each step 64 bytes of even columns, 64 of odd ones; in both, 4 bytes of chunk m = 4 (n % 4) + n / 4 stand for the 8-column chunk n (forms.cuh)
 *
 * One thread block a token. Thread t of T holds units t, t + T, t + 2 T, t + 3 T of 8 columns in registers from the one read to the one write: 16 bytes in, 4 bytes or twice 4 out,
 * neighbours beside each other; 8 floats are two reads of half sectors, the second of them from L1. K is a multiple of 8, up to 32 T: 8192 with 256 threads, 32768 with 1024.
 *
 * Sums are taken in one order, so that a scalar twin finds the same codes: a thread over its units and columns ascending, each step one fused multiply-add; the 32 lanes of a warp by
 * butterflies, that is, halves of 16, 8, 4, 2, 1; so the warps (32, with zeros for those that are not there). Candidates for the clip are compared by h * (1 / scale), the codes come from
 * the division: the two round differently only where a value is halfway between codes, and both errors are the same.
 *
 * No numbers pass: max|h| is taken on bits, where they are the largest, and makes scale and product no number.
 *
 * Bound (modelled): the bytes of x and codes; at K = 4096 and 2048 tokens 21 MB, 10 us of an A100's memory, next to some 60 instructions a column of four candidates.
 */
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

template <class Input, class Codes>
DEVICE void rmsnorm_quant(const Input *x, const float *weight, float eps, int most, float clip, uint8_t *codes, float *scales,
                          uint32_t columns, uint32_t row_bytes) {
    __shared__ float squares[1][LANES], errors[CLIPS][LANES];
    __shared__ uint32_t maxima[LANES];
    const uint32_t units = columns / UNIT, all_units = (columns + 127) / 128 * (128 / UNIT);
    x += (uint64_t)blockIdx.x * columns;
    float h[UNITS][UNIT] = {};
#pragma unroll
    for (int i = 0; i < UNITS; i++) {
        const uint32_t unit = threadIdx.x + i * blockDim.x;
        if (unit < units) load(x + unit * UNIT, h[i]);
    }

    if (weight) {
        float sum[1] = {};
#pragma unroll
        for (int i = 0; i < UNITS; i++)
#pragma unroll
            for (int k = 0; k < UNIT; k++) sum[0] = __fmaf_rn(h[i][k], h[i][k], sum[0]);
        add_up(sum, squares);
        const float norm = __frcp_rn(__fsqrt_rn(__fadd_rn(__fdiv_rn(sum[0], (float)columns), eps)));
#pragma unroll
        for (int i = 0; i < UNITS; i++) {
            const uint32_t unit = threadIdx.x + i * blockDim.x;
            if (unit < units) {
                float w[UNIT];
                load(weight + unit * UNIT, w);
#pragma unroll
                for (int k = 0; k < UNIT; k++) h[i][k] = __fmul_rn(__fmul_rn(h[i][k], norm), w[k]);
            }
        }
    }

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
            for (int i = 0; i < UNITS; i++)
#pragma unroll
                for (int k = 0; k < UNIT; k++) {
                    const float lost = __fmaf_rn(-step, (float)code_of(__fmul_rn(h[i][k], inverse), most), h[i][k]);
                    error[c] = __fmaf_rn(lost, lost, error[c]);
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
            Codes::store(codes, unit, unit_codes);
        }
    }
    if (threadIdx.x == 0) scales[blockIdx.x] = scale;
}

/* One entry: weight may be null; most = 7 or 127, clip = 0 for the search. */
#define RMSNORM_QUANT(NAME, INPUT, CODES)                                                                              \
    extern "C" __global__ void __launch_bounds__(1024)                                                                 \
        NAME(const INPUT *x, const float *weight, float eps, int most, float clip, uint8_t *codes, float *scales,      \
             uint32_t columns, uint32_t row_bytes) {                                                                   \
        rmsnorm_quant<INPUT, CODES>(x, weight, eps, most, clip, codes, scales, columns, row_bytes);                    \
    }

RMSNORM_QUANT(rmsnorm_quant_f16_s4, __half, Int4Codes) // registers <= 64
RMSNORM_QUANT(rmsnorm_quant_f16_s8, __half, Int8Codes) // registers <= 64
RMSNORM_QUANT(rmsnorm_quant_f32_s4, float, Int4Codes)  // registers <= 64
RMSNORM_QUANT(rmsnorm_quant_f32_s8, float, Int8Codes)  // registers <= 64
