/*
 * Attention of each token over the cached positions of its sequence up to its own, over 4-bit codes as they lie (kv_cache.cuh).
 *
 *     query head h of KV head h / GROUP, position p      x' = scale * (code - zero), so
 *
 *     score[p] = scale_k[p] * (sum_d q[d] code_k[p][d] - zero_k[p] * sum_d q[d])        q times 1 / sqrt(D) already
 *     w[p]     = e^(score[p] - m) * scale_v[p]                                          m the largest score
 *     out[d]   = (sum_p w[p] code_v[p][d] - sum_p w[p] zero_v[p]) / sum_p e^(score[p] - m)
 *
 * One thread block takes the query heads of one KV head and one token over SPLIT positions; where there are more, a second kernel merges the splits' (out, m, sum). Grid: splits x KV heads
 * x tokens; blocks of splits that begin behind the token's position have nothing to do, so that one grid, for the whole capacity, serves every step of a graph.
 *
 *     positions   | 0 .. 255 | 256 .. 511 | 512 .. 700 |            sums [tokens][heads][splits][D], largest and total [tokens][heads][splits] (2 floats)
 *     blocks           0            1           2
 *
 * In a block of 4 warps:
 *
 *     scores    16 bytes of codes a lane (4, for D = 8), D / 32 lanes a position, so that a warp reads 512 bytes beside each other; their sums meet in butterflies
 *     weights   a warp a head, in turns
 *     out       4 bytes of codes a thread, D / 8 threads a position, 128 / (D / 8) positions at once: thread t has word t % (D / 8) of positions t / (D / 8) + ..; all threads' sums
 *               meet in shared memory, where component i of word w stands in row i at column t, rows 128 + 1 or + 4 floats apart: stores and loads then meet all banks
 *
 * A code becomes a float by two instructions: its bits as they stand in the word, below the exponent of 2^23, less 2^23. It is then 16^i times too large, i its place in the word, which
 * the query (or in the end the sum) makes up for; powers of two change no rounding.
 *
 * Everything is added in one order, given SPLIT: what comes out is ScalarDecodeAttention to the bit.
 *
 * Limits: SPLIT is 256. D = 8, 32, 64, 128. GROUP = 1, 2, 3, 4, 8: sums are 8 GROUP registers a thread.
 *
 * Bound (modelled): with D = 128 a position of one KV head is 136 bytes, 10 cycles of an A100's memory per multiprocessor; its 256 codes take 8 cycles of additions, and 4 GROUP of
 * multiplications. So GROUP = 1 is near the memory's time, larger ones are at a third of it: tensor cores would halve that, but on queries and weights rounded to fp16.
 */
#include "exponential.cuh"
#include "kv_cache.cuh"

enum { LANES = 32, WARPS = 4, THREADS = WARPS * LANES, SPLIT = 256, PART = 32, PART_PITCH = PART + 4, MOST_PARTS = 4 };

/* Code i of a word, times 16^(i % 5). */
DEVICE float shifted_code(uint32_t word, int i) {
    const uint32_t bits = i < 5 ? word : word >> 20;
    return __fsub_rn(__uint_as_float((bits & 15u << 4 * (i % 5)) | 0x4b000000), 0x1p23f);
}

/* 16^-(i % 5) */
DEVICE constexpr float shift_back(int i) { return 1.0f / (1 << 4 * (i % 5)); }

DEVICE float butterfly_sum(float v, uint32_t lanes) {
    for (uint32_t mask = lanes / 2; mask > 0; mask /= 2) v = __fadd_rn(v, __shfl_xor_sync(0xffffffff, v, mask));
    return v;
}

struct DecodeOperands {
    const float *queries; // [tokens][KV heads * GROUP][D]
    const Place *places;  // [tokens]
    const uint8_t *key_codes;
    const uint32_t *key_steps;
    const uint8_t *value_codes;
    const uint32_t *value_steps;
    float *sums;  // [tokens][heads][splits][D]
    float2 *tops; // [tokens][heads][splits]: largest score, sum of its e^(score - largest)
    uint32_t dim, capacity, splits;
    float scale;
};

template <int GROUP> DEVICE void decode(const DecodeOperands &p) {
    enum { MOST_PITCH = THREADS + 4 };
    __shared__ float queries[GROUP][MOST_PARTS * PART_PITCH], query_sums[GROUP], weights[GROUP][SPLIT], zeros[GROUP];
    __shared__ uint32_t value_steps[SPLIT];
    __shared__ float sums[GROUP * 8 * MOST_PITCH];
    const uint32_t lane = threadIdx.x % LANES, warp = threadIdx.x / LANES;
    const uint32_t kv_head = blockIdx.y, kv_heads = gridDim.y, token = blockIdx.z, first = blockIdx.x * SPLIT;
    const Place place = p.places[token];
    if (first > place.position) return;
    const uint32_t positions = min(place.position + 1 - first, SPLIT);
    const uint64_t row = row_of({place.slot, first}, kv_head, kv_heads, p.capacity);
    const uint8_t *key_codes = p.key_codes + row * (p.dim / 2), *value_codes = p.value_codes + row * (p.dim / 2);
    const uint64_t first_head = (uint64_t)token * kv_heads * GROUP + kv_head * GROUP;

    /* queries: parts of 32 components, zeros behind a shorter one; each as its code's place in a word wants it */
    const uint32_t parts = max(p.dim / PART, 1);
    for (uint32_t i = threadIdx.x; i < GROUP * parts * PART; i += THREADS) {
        const uint32_t head = i / (parts * PART), d = i % (parts * PART), place_in_word = d % 8;
        float q = d < p.dim ? __fmul_rn(p.queries[(first_head + head) * p.dim + d], p.scale) : 0;
        q = __fmul_rn(q, __uint_as_float(0x3f800000 - (4 * (place_in_word % 5) << 23)));
        queries[head][d / PART * PART_PITCH + d % PART] = q;
    }
    for (uint32_t i = threadIdx.x; i < positions; i += THREADS) value_steps[i] = p.value_steps[row + i];
    __syncthreads();
    for (uint32_t head = warp; head < GROUP; head += WARPS) {
        float sum = 0;
        for (uint32_t d = lane; d < parts * PART; d += LANES) // the lane's place in a word is lane % 8
            sum = __fadd_rn(sum, __fmul_rn(queries[head][d / PART * PART_PITCH + d % PART],
                                           __uint_as_float(0x3f800000 + (4 * (lane % 8 % 5) << 23))));
        sum = butterfly_sum(sum, LANES);
        if (lane == 0) query_sums[head] = sum;
    }
    __syncthreads();

    /* scores */
    const uint32_t part = lane % parts;
    for (uint32_t i = warp * (LANES / parts); i < positions; i += THREADS / parts) {
        const uint32_t position = i + lane / parts;
        const bool there = position < positions;
        uint4 codes = {};
        uint32_t step = 0;
        if (there) {
            if (p.dim < PART)
                codes.x = __ldg((const uint32_t *)(key_codes + position * (p.dim / 2)));
            else
                codes = load_once_16(key_codes + position * (p.dim / 2) + part * 16);
            step = __ldg(p.key_steps + row + position);
        }
        const uint32_t words[4] = {codes.x, codes.y, codes.z, codes.w};
        float dots[GROUP] = {};
#pragma unroll
        for (int w = 0; w < 4; w++)
            if (w == 0 || p.dim >= PART) {
                float c[8];
#pragma unroll
                for (int k = 0; k < 8; k++) c[k] = shifted_code(words[w], k);
#pragma unroll
                for (int head = 0; head < GROUP; head++) {
                    const float4 *q = (const float4 *)&queries[head][part * PART_PITCH + 8 * w];
                    const float4 low = q[0], high = q[1];
                    dots[head] = __fmaf_rn(low.x, c[0], dots[head]);
                    dots[head] = __fmaf_rn(low.y, c[1], dots[head]);
                    dots[head] = __fmaf_rn(low.z, c[2], dots[head]);
                    dots[head] = __fmaf_rn(low.w, c[3], dots[head]);
                    dots[head] = __fmaf_rn(high.x, c[4], dots[head]);
                    dots[head] = __fmaf_rn(high.y, c[5], dots[head]);
                    dots[head] = __fmaf_rn(high.z, c[6], dots[head]);
                    dots[head] = __fmaf_rn(high.w, c[7], dots[head]);
                }
            }
#pragma unroll
        for (int head = 0; head < GROUP; head++) {
            const float dot = butterfly_sum(dots[head], parts);
            if (there && part == 0)
                weights[head][position] = __fmul_rn(scale_of(step), __fmaf_rn(-zero_of(step), query_sums[head], dot));
        }
    }
    __syncthreads();

    /* weights */
    for (uint32_t head = warp; head < GROUP; head += WARPS) {
        float largest = -INFINITY;
        for (uint32_t i = lane; i < positions; i += LANES) largest = fmaxf(largest, weights[head][i]);
#pragma unroll
        for (int mask = LANES / 2; mask > 0; mask /= 2) largest = fmaxf(largest, __shfl_xor_sync(0xffffffff, largest, mask));
        float total = 0, zero = 0;
        for (uint32_t i = lane; i < positions; i += LANES) {
            const float e = exponential(__fsub_rn(weights[head][i], largest)), weight = __fmul_rn(e, scale_of(value_steps[i]));
            weights[head][i] = weight;
            total = __fadd_rn(total, e);
            zero = __fmaf_rn(weight, zero_of(value_steps[i]), zero);
        }
        total = butterfly_sum(total, LANES);
        zero = butterfly_sum(zero, LANES);
        if (lane == 0) {
            zeros[head] = zero;
            p.tops[(first_head + head) * p.splits + blockIdx.x] = make_float2(largest, total);
        }
    }
    __syncthreads();

    /* out */
    const uint32_t words = p.dim / 8, at_once = THREADS / words, pitch = THREADS + min(words, 4);
    float sum[GROUP][8] = {};
#pragma unroll 4
    for (uint32_t position = threadIdx.x / words; position < positions; position += at_once) {
        const uint32_t codes = load_once(value_codes + position * (p.dim / 2) + threadIdx.x % words * 4);
#pragma unroll
        for (int k = 0; k < 8; k++) {
            const float c = shifted_code(codes, k);
#pragma unroll
            for (int head = 0; head < GROUP; head++) sum[head][k] = __fmaf_rn(weights[head][position], c, sum[head][k]);
        }
    }
#pragma unroll
    for (int head = 0; head < GROUP; head++)
#pragma unroll
        for (int k = 0; k < 8; k++)
            sums[(head * 8 + k) * pitch + threadIdx.x] = __fmul_rn(sum[head][k], shift_back(k));
    __syncthreads();
    for (uint32_t i = threadIdx.x; i < GROUP * p.dim; i += THREADS) {
        const uint32_t head = i / p.dim, d = i % p.dim;
        const float *of = sums + (head * 8 + d % 8) * pitch + d / 8;
        float all = 0;
        for (uint32_t t = 0; t < THREADS; t += words) all = __fadd_rn(all, of[t]);
        p.sums[((first_head + head) * p.splits + blockIdx.x) * p.dim + d] = __fsub_rn(all, zeros[head]);
    }
}

#define DECODE(NAME, GROUP)                                                                                            \
    extern "C" __global__ void __launch_bounds__(THREADS)                                                              \
        NAME(const float *queries, const Place *places, const uint8_t *key_codes, const uint32_t *key_steps,           \
             const uint8_t *value_codes, const uint32_t *value_steps, float *sums, float2 *tops, uint32_t dim,         \
             uint32_t capacity, uint32_t splits, float scale) {                                                        \
        decode<GROUP>({queries, places, key_codes, key_steps, value_codes, value_steps, sums, tops, dim, capacity,     \
                       splits, scale});                                                                                \
    }

DECODE(decode_attention_kv4_1, 1) // registers <= 64
DECODE(decode_attention_kv4_2, 2) // registers <= 72
DECODE(decode_attention_kv4_3, 3) // registers <= 80
DECODE(decode_attention_kv4_4, 4) // registers <= 96
DECODE(decode_attention_kv4_8, 8) // registers <= 160

/* One thread a component, one block a head and token: the splits up to the token's position, in their order. out [tokens][heads][D]. */
DEVICE void store(__half *out, float v) { *out = __float2half_rn(v); }
DEVICE void store(float *out, float v) { *out = v; }

template <class Output>
DEVICE void merge(const float *sums, const float2 *tops, const Place *places, Output *out, uint32_t dim, uint32_t splits) {
    const uint64_t head = (uint64_t)blockIdx.y * gridDim.x + blockIdx.x;
    const uint32_t used = places[blockIdx.y].position / SPLIT + 1;
    if (threadIdx.x >= dim) return;
    sums += head * splits * dim + threadIdx.x;
    tops += head * splits;
    float largest = -INFINITY;
    for (uint32_t i = 0; i < used; i++) largest = fmaxf(largest, tops[i].x);
    float total = 0, sum = 0;
    for (uint32_t i = 0; i < used; i++) {
        const float2 top = tops[i];
        const float factor = exponential(__fsub_rn(top.x, largest));
        total = __fmaf_rn(factor, top.y, total);
        sum = __fmaf_rn(factor, sums[(uint64_t)i * dim], sum);
    }
    store(out + head * dim + threadIdx.x, __fdiv_rn(sum, total));
}

#define MERGE(NAME, OUTPUT)                                                                                            \
    extern "C" __global__ void __launch_bounds__(128) NAME(const float *sums, const float2 *tops, const Place *places, \
                                                           OUTPUT *out, uint32_t dim, uint32_t splits) {               \
        merge<OUTPUT>(sums, tops, places, out, dim, splits);                                                           \
    }

MERGE(decode_attention_merge_f16, __half) // registers <= 40
MERGE(decode_attention_merge_f32, float)  // registers <= 40
