/*
 * Attention of each token over the cached positions of its sequence up to its own, over 4-bit codes as they lie (kv_cache.cuh).
 *
 *     query head h of KV head h / GROUP, position p      x' = scale * (code - zero), so
 *
 *     score[p] = scale_k[p] * (sum_d q[d] code_k[p][d] - zero_k[p] * sum_d q[d])        q times 1 / sqrt(D) already
 *     w[p]     = e^(score[p] - m) * scale_v[p]                                          m the largest score of a split
 *     out[d]   = (sum_p w[p] code_v[p][d] - sum_p w[p] zero_v[p]) / sum_p e^(score[p] - m)
 *
 * Positions are taken by splits of 256, of which each gives (out, m, total); a split is added to those before it by their common largest score.
 *
 *     decode     a thread block takes the query heads of one KV head and one token, over one split; a second kernel adds up the splits. Grid: splits x KV heads x tokens; blocks of
 *                splits that begin behind the token's position have nothing to do, so that one grid, for the whole capacity, serves every step of a graph.
 *     prefill    a thread block takes up to 8 query heads, of the same KV head and of TOKENS = 8 / GROUP consecutive tokens of one sequence, over all splits: codes are read once for them.
 *                Grid: KV heads x tokens / TOKENS, the last tokens, which see most, first.
 *
 *     positions   | 0 .. 255 | 256 .. 511 | 512 .. 700 |            sums [tokens][heads][splits][D], largest and total [tokens][splits][heads] (2 floats)
 *     decode           0            1           2
 *     prefill          0     ------ 0 --------- 0
 *
 * In a block of 4 warps, for each split:
 *
 *     scores    16 bytes of codes a lane (4, for D = 8), D / 32 lanes a position, so that a warp reads 512 bytes beside each other; their sums meet in butterflies
 *     weights   a warp a query head, in turns; 0 behind the token's position
 *     out       4 bytes of codes a thread, D / 8 threads a position, 128 / (D / 8) positions at once: thread t has word t % (D / 8) of positions t / (D / 8) + ..; all threads' sums
 *               meet in shared memory, where component i of word w stands in row i at column t, rows 128 + 1 or + 4 floats apart: stores and loads then meet all banks
 *
 * A code becomes a float by two instructions: its bits as they stand in the word, below the exponent of 2^23, less 2^23. It is then 16^i times too large, i its place in the word, which
 * the query (or in the end the sum) makes up for; powers of two change no rounding.
 *
 * Everything is added in one order, which does not depend on what is computed together: what comes out, of decode and of prefill, is ScalarAttention to the bit.
 *
 * Limits: D = 8, 32, 64, 128. GROUP = 1, 2, 3, 4, 8: sums are 8 GROUP TOKENS registers a thread.
 *
 * Bound (modelled, of counted instructions): decode with D = 128 and 1024 positions takes 65 warp instructions a position and KV head where GROUP = 1, 118 where it is 4, 188 where it is 8:
 * 16, 30 and 47 cycles of an A100's multiprocessor, whose share of the memory brings the 136 bytes in 10. Prefill with GROUP = 4 takes 94 a position and token, 2048 tokens of 32 heads
 * 3.3 ms a layer, next to 0.33 ms for its products. Tensor cores would do either in a fraction, on queries and weights rounded to fp16: what is here is the correct one that those are
 * measured by.
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

struct AttentionOperands {
    const float *queries; // [tokens][KV heads * GROUP][D]
    const Place *places;  // [tokens]
    const uint8_t *key_codes;
    const uint32_t *key_steps;
    const uint8_t *value_codes;
    const uint32_t *value_steps;
    uint32_t dim, capacity, tokens;
    float scale;
};

/* What a split gives, and what all up to it give: sums are relative to e^largest. */
struct __align__(8) Top {
    float largest, total;
};

/* One more split for those before it: the factors of both. */
DEVICE float2 join(Top &all, Top split) {
    const float largest = fmaxf(all.largest, split.largest);
    const float2 factors = {exponential(__fsub_rn(all.largest, largest)), exponential(__fsub_rn(split.largest, largest))};
    all = {largest, __fmaf_rn(factors.y, split.total, __fmul_rn(factors.x, all.total))};
    return factors;
}

DEVICE float join(float2 factors, float all, float split) { return __fmaf_rn(factors.y, split, __fmul_rn(factors.x, all)); }

/* The query heads of one KV head and TOKENS tokens, from `first_token` on: row r is head r % GROUP of token r / GROUP. */
template <int GROUP, int TOKENS> struct Block {
    enum { ROWS = GROUP * TOKENS, MOST_PITCH = THREADS + 4 };

    float queries[ROWS][MOST_PARTS * PART_PITCH], query_sums[ROWS], weights[ROWS][SPLIT], zeros[ROWS];
    Top tops[ROWS];
    uint32_t ends[ROWS], value_steps[SPLIT]; // a row sees positions below its end
    float sums[ROWS * 8 * MOST_PITCH];

    DEVICE static uint64_t head_of(uint32_t row, uint32_t first_token, uint32_t kv_head, uint32_t kv_heads) {
        return ((uint64_t)(first_token + row / GROUP) * kv_heads + kv_head) * GROUP + row % GROUP;
    }

    /* Queries in parts of 32 components, zeros behind a shorter one; each as its code's place in a word wants it. Ends with a barrier. */
    DEVICE void load(const AttentionOperands &p, uint32_t first_token, uint32_t kv_head, uint32_t kv_heads) {
        const uint32_t lane = threadIdx.x % LANES, width = max(p.dim, PART);
        if (threadIdx.x < ROWS) {
            const uint32_t token = first_token + threadIdx.x / GROUP;
            ends[threadIdx.x] = token < p.tokens ? p.places[token].position + 1 : 0;
        }
        for (uint32_t i = threadIdx.x; i < ROWS * width; i += THREADS) {
            const uint32_t row = i / width, d = i % width;
            float q = 0;
            if (d < p.dim && first_token + row / GROUP < p.tokens)
                q = __fmul_rn(p.queries[head_of(row, first_token, kv_head, kv_heads) * p.dim + d], p.scale);
            queries[row][d / PART * PART_PITCH + d % PART] = __fmul_rn(q, __uint_as_float(0x3f800000 - (4 * (d % 8 % 5) << 23)));
        }
        __syncthreads();
        for (uint32_t row = threadIdx.x / LANES; row < ROWS; row += WARPS) {
            float sum = 0;
            for (uint32_t d = lane; d < width; d += LANES) // all at place lane % 8 of a word
                sum = __fadd_rn(sum, __fmul_rn(queries[row][d / PART * PART_PITCH + d % PART],
                                               __uint_as_float(0x3f800000 + (4 * (lane % 8 % 5) << 23))));
            sum = butterfly_sum(sum, LANES);
            if (lane == 0) query_sums[row] = sum;
        }
        __syncthreads();
    }

    /* Positions first .. first + positions - 1, the cache's from `cache_row` on: sums, zeros and tops of the rows. Ends with a barrier; the next call has one before it touches
     * these again. */
    DEVICE void attend(const AttentionOperands &p, uint64_t cache_row, uint32_t first, uint32_t positions) {
        const uint32_t lane = threadIdx.x % LANES, warp = threadIdx.x / LANES, parts = max(p.dim / PART, 1);
        const uint8_t *key_codes = p.key_codes + cache_row * (p.dim / 2);
        const uint8_t *codes_of_values = p.value_codes + cache_row * (p.dim / 2);
        for (uint32_t i = threadIdx.x; i < positions; i += THREADS) value_steps[i] = p.value_steps[cache_row + i];

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
                step = __ldg(p.key_steps + cache_row + position);
            }
            const uint32_t words[4] = {codes.x, codes.y, codes.z, codes.w};
            float dots[ROWS] = {};
#pragma unroll
            for (int w = 0; w < 4; w++)
                if (w == 0 || p.dim >= PART) {
                    float c[8];
#pragma unroll
                    for (int k = 0; k < 8; k++) c[k] = shifted_code(words[w], k);
#pragma unroll
                    for (int row = 0; row < ROWS; row++) {
                        const float4 *q = (const float4 *)&queries[row][part * PART_PITCH + 8 * w];
                        const float4 low = q[0], high = q[1];
                        dots[row] = __fmaf_rn(low.x, c[0], dots[row]);
                        dots[row] = __fmaf_rn(low.y, c[1], dots[row]);
                        dots[row] = __fmaf_rn(low.z, c[2], dots[row]);
                        dots[row] = __fmaf_rn(low.w, c[3], dots[row]);
                        dots[row] = __fmaf_rn(high.x, c[4], dots[row]);
                        dots[row] = __fmaf_rn(high.y, c[5], dots[row]);
                        dots[row] = __fmaf_rn(high.z, c[6], dots[row]);
                        dots[row] = __fmaf_rn(high.w, c[7], dots[row]);
                    }
                }
#pragma unroll
            for (int row = 0; row < ROWS; row++) {
                const float dot = butterfly_sum(dots[row], parts);
                if (there && part == 0)
                    weights[row][position] = __fmul_rn(scale_of(step), __fmaf_rn(-zero_of(step), query_sums[row], dot));
            }
        }
        __syncthreads();

        /* weights */
        for (uint32_t row = warp; row < ROWS; row += WARPS) {
            const uint32_t seen = min(max(ends[row], first) - first, positions);
            float largest = -INFINITY;
            for (uint32_t i = lane; i < seen; i += LANES) largest = fmaxf(largest, weights[row][i]);
#pragma unroll
            for (int mask = LANES / 2; mask > 0; mask /= 2) largest = fmaxf(largest, __shfl_xor_sync(0xffffffff, largest, mask));
            float total = 0, zero = 0;
            for (uint32_t i = lane; i < seen; i += LANES) {
                const float e = exponential(__fsub_rn(weights[row][i], largest)), weight = __fmul_rn(e, scale_of(value_steps[i]));
                weights[row][i] = weight;
                total = __fadd_rn(total, e);
                zero = __fmaf_rn(weight, zero_of(value_steps[i]), zero);
            }
            if (TOKENS > 1)
                for (uint32_t i = seen + lane; i < positions; i += LANES) weights[row][i] = 0;
            total = butterfly_sum(total, LANES);
            zero = butterfly_sum(zero, LANES);
            if (lane == 0) {
                zeros[row] = zero;
                tops[row] = {largest, total};
            }
        }
        __syncthreads();

        /* out */
        const uint32_t words = p.dim / 8, at_once = THREADS / words, pitch = THREADS + min(words, 4);
        float sum[ROWS][8] = {};
#pragma unroll 4
        for (uint32_t position = threadIdx.x / words; position < positions; position += at_once) {
            const uint32_t codes = load_once(codes_of_values + position * (p.dim / 2) + threadIdx.x % words * 4);
#pragma unroll
            for (int k = 0; k < 8; k++) {
                const float c = shifted_code(codes, k);
#pragma unroll
                for (int row = 0; row < ROWS; row++) sum[row][k] = __fmaf_rn(weights[row][position], c, sum[row][k]);
            }
        }
#pragma unroll
        for (int row = 0; row < ROWS; row++)
#pragma unroll
            for (int k = 0; k < 8; k++)
                sums[(row * 8 + k) * pitch + threadIdx.x] = __fmul_rn(sum[row][k], shift_back(k));
        __syncthreads();
    }

    /* Component d of a row, of the positions just attended to. */
    DEVICE float out(uint32_t row, uint32_t d, uint32_t dim) const {
        const uint32_t words = dim / 8, pitch = THREADS + min(words, 4);
        const float *of = sums + (row * 8 + d % 8) * pitch + d / 8;
        float all = 0;
        for (uint32_t t = 0; t < THREADS; t += words) all = __fadd_rn(all, of[t]);
        return __fsub_rn(all, zeros[row]);
    }
};

/* sums [tokens][heads][splits][D] and tops [tokens][splits][heads] of one split. */
template <int GROUP> DEVICE void decode(const AttentionOperands &p, float *sums, Top *tops, uint32_t splits) {
    __shared__ Block<GROUP, 1> block;
    const uint32_t kv_head = blockIdx.y, kv_heads = gridDim.y, token = blockIdx.z, first = blockIdx.x * SPLIT;
    const Place place = p.places[token];
    if (first > place.position) return;
    block.load(p, token, kv_head, kv_heads);
    block.attend(p, row_of({place.slot, first}, kv_head, kv_heads, p.capacity), first, min(place.position + 1 - first, SPLIT));
    for (uint32_t i = threadIdx.x; i < GROUP * p.dim; i += THREADS) {
        const uint32_t row = i / p.dim, d = i % p.dim;
        const uint64_t split = block.head_of(row, token, kv_head, kv_heads) * splits + blockIdx.x;
        sums[split * p.dim + d] = block.out(row, d, p.dim);
    }
    if (threadIdx.x < GROUP) {
        const uint64_t split = (uint64_t)token * splits + blockIdx.x;
        tops[(split * kv_heads + kv_head) * GROUP + threadIdx.x] = block.tops[threadIdx.x];
    }
}

DEVICE void store(__half *out, float v) { *out = __float2half_rn(v); }
DEVICE void store(float *out, float v) { *out = v; }

/* out [tokens][heads][D] of tokens that stand behind each other in one sequence. */
template <int GROUP, int TOKENS> DEVICE void prefill(const AttentionOperands &p, void *out, bool half_floats) {
    enum { ROWS = GROUP * TOKENS };
    __shared__ Block<GROUP, TOKENS> block;
    const uint32_t kv_head = blockIdx.x, kv_heads = gridDim.x, first_token = (gridDim.y - 1 - blockIdx.y) * TOKENS;
    const Place last = p.places[min(first_token + TOKENS, p.tokens) - 1];
    block.load(p, first_token, kv_head, kv_heads);
    float sums[ROWS] = {}; // the thread's elements, THREADS apart: no more than one a row
    Top tops[ROWS];
#pragma unroll
    for (int j = 0; j < ROWS; j++) tops[j] = {-INFINITY, 0};
#pragma unroll 1
    for (uint32_t first = 0; first <= last.position; first += SPLIT) {
        block.attend(p, row_of({last.slot, first}, kv_head, kv_heads, p.capacity), first, min(last.position + 1 - first, SPLIT));
#pragma unroll
        for (int j = 0; j < ROWS; j++) {
            const uint32_t i = threadIdx.x + j * THREADS, row = i / p.dim;
            if (row < ROWS && block.ends[row] > first)
                sums[j] = join(join(tops[j], block.tops[row]), sums[j], block.out(row, i % p.dim, p.dim));
        }
    }
#pragma unroll
    for (int j = 0; j < ROWS; j++) {
        const uint32_t i = threadIdx.x + j * THREADS, row = i / p.dim;
        if (row < ROWS && block.ends[row] > 0) {
            const uint64_t to = block.head_of(row, first_token, kv_head, kv_heads) * p.dim + i % p.dim;
            const float y = __fdiv_rn(sums[j], tops[j].total);
            if (half_floats)
                store((__half *)out + to, y);
            else
                store((float *)out + to, y);
        }
    }
}

#define DECODE(NAME, GROUP)                                                                                            \
    extern "C" __global__ void __launch_bounds__(THREADS)                                                              \
        NAME(const float *queries, const Place *places, const uint8_t *key_codes, const uint32_t *key_steps,           \
             const uint8_t *value_codes, const uint32_t *value_steps, uint32_t dim, uint32_t capacity,                 \
             uint32_t tokens, float scale, float *sums, Top *tops, uint32_t splits) {                                  \
        decode<GROUP>({queries, places, key_codes, key_steps, value_codes, value_steps, dim, capacity, tokens, scale}, \
                      sums, tops, splits);                                                                             \
    }

#define PREFILL(NAME, GROUP, TOKENS)                                                                                   \
    extern "C" __global__ void __launch_bounds__(THREADS)                                                              \
        NAME(const float *queries, const Place *places, const uint8_t *key_codes, const uint32_t *key_steps,           \
             const uint8_t *value_codes, const uint32_t *value_steps, uint32_t dim, uint32_t capacity,                 \
             uint32_t tokens, float scale, void *out, uint32_t half_floats) {                                          \
        prefill<GROUP, TOKENS>(                                                                                        \
            {queries, places, key_codes, key_steps, value_codes, value_steps, dim, capacity, tokens, scale}, out,      \
            half_floats);                                                                                              \
    }

DECODE(decode_attention_kv4_1, 1) // registers <= 64
DECODE(decode_attention_kv4_2, 2) // registers <= 72
DECODE(decode_attention_kv4_3, 3) // registers <= 80
DECODE(decode_attention_kv4_4, 4) // registers <= 96
DECODE(decode_attention_kv4_8, 8) // registers <= 128

PREFILL(prefill_attention_kv4_1, 1, 8) // registers <= 168
PREFILL(prefill_attention_kv4_2, 2, 4) // registers <= 168
PREFILL(prefill_attention_kv4_3, 3, 2) // registers <= 128
PREFILL(prefill_attention_kv4_4, 4, 2) // registers <= 168
PREFILL(prefill_attention_kv4_8, 8, 1) // registers <= 168

/* One thread a component, one block a head and token: the splits up to the token's position, in their order. out [tokens][heads][D]. */
template <class Output>
DEVICE void merge(const float *sums, const Top *tops, const Place *places, Output *out, uint32_t dim, uint32_t splits) {
    const uint64_t head = (uint64_t)blockIdx.y * gridDim.x + blockIdx.x;
    const uint32_t used = places[blockIdx.y].position / SPLIT + 1;
    if (threadIdx.x >= dim) return;
    sums += head * splits * dim + threadIdx.x;
    tops += (uint64_t)blockIdx.y * splits * gridDim.x + blockIdx.x;
    Top all = {-INFINITY, 0};
    float sum = 0;
    for (uint32_t i = 0; i < used; i++) sum = join(join(all, tops[(uint64_t)i * gridDim.x]), sum, sums[(uint64_t)i * dim]);
    store(out + head * dim + threadIdx.x, __fdiv_rn(sum, all.total));
}

#define MERGE(NAME, OUTPUT)                                                                                            \
    extern "C" __global__ void __launch_bounds__(128) NAME(const float *sums, const Top *tops, const Place *places, \
                                                           OUTPUT *out, uint32_t dim, uint32_t splits) {               \
        merge<OUTPUT>(sums, tops, places, out, dim, splits);                                                           \
    }

MERGE(decode_attention_merge_f16, __half) // registers <= 40
MERGE(decode_attention_merge_f32, float)  // registers <= 40
