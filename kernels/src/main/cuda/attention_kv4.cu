/*
 * Attention of each token over the cached positions of its sequence up to its own, over 4-bit codes as they lie (kv_cache.cuh), by integer tensor cores.
 *
 *     query head h of KV head h / group, position p      x' = scale * (code - zero), so
 *
 *     Q[d]     = rint(q[d] / step)                       q times 1 / sqrt(D) already, step = max |q| / 32512
 *     score[p] = scale_k[p] step * (sum_d Q[d] code_k[p][d] - zero_k[p] * sum_d Q[d])
 *     e[p]     = e^(score[p] - m)                        m the largest score of a block of 64 positions
 *     W[p]     = rint(e[p] scale_v[p] / step_w)          step_w = max e scale_v / 32512
 *     out[d]   = step_w * (sum_p W[p] code_v[p][d] - sum_p W[p] zero_v[p]),  total = sum_p rint(2^21 e[p]) / 2^21
 *
 * A block gives (out, m, total) and is added to those before it by their common largest score. Whatever is added within a block is whole numbers: no order of addition, no shape of a launch
 * shows in the result, and what comes out, of decode and of prefill, is ScalarAttention to the bit.
 *
 * 16 bits are two digits, Q = 256 high + low with -128 <= low < 128: two products of 8 bits, the first one's sums times 256 below the second one. Steps of 1 / 32512 of the largest are
 * more than fifteen times finer than half floats are next to it.
 *
 *     decode     a warp takes the query heads of one KV head and one token, over one block; a second kernel adds up the blocks. Grid: splits of 4 blocks x KV heads x tokens; warps whose block
 *                begins behind the token's position have nothing to do, so that one grid, for the whole capacity, serves every step of a graph.
 *     prefill    a warp takes 16 rows, which are the query heads of one KV head of consecutive tokens of one sequence, over all blocks. Grid: KV heads x 64 rows, the last rows, which see
 *                most, first.
 *
 *     positions   | 0 .. 63 | 64 .. 127 | 128 .. 147 |               sums [tokens][heads][blocks][D], tops [tokens][blocks][heads]
 *     decode           0          1            2       warps
 *     prefill          0    ----- 0 ---------- 0
 *
 * Lane (g, t) = (lane / 4, lane % 4) of a product m16n8k32 has rows g and g + 8 of A and of the result, column g of B. In which order a product meets its k is the same to a sum, so that
 * codes need no shared memory:
 *
 *     scores    product 8 positions wide: lane (g, t) loads part t of position g's codes, D / 8 bytes; a word's low nibbles and its high ones are one product's two registers of B.
 *               Queries are put in that order.
 *     out       k are positions: byte b of register h of product s is position 32 s + 16 h + 8 (b / 2) + 2 t + b % 2, which are those whose scores the lane has: its weights become A without
 *               a shuffle. Column g of product i is component 64 part + 8 g + i (D = 128, 64; for fewer D / 8 instead of 8): lane (g, t) loads that word of 4 positions and turns 4 words of
 *               8 nibbles into 8 words of 4 bytes.
 *
 * Limits: D = 8, 32, 64, 128; up to 8 query heads to a KV head.
 *
 * Bound (modelled, of counted PTX instructions): instruction issue. Decode with D = 128 takes 45 warp instructions a position and KV head, whatever the group: 11 cycles of an A100's
 * multiprocessor, whose share of the memory brings the 136 bytes in 10. Prefill takes 3.2 a row and position, a third of them for weights: 2048 tokens of 32 heads 0.37 ms a layer. Floats instead
 * of digits, on the ordinary units, took 65 to 188 and 23: 2.6 ms.
 */
#include "exponential.cuh"
#include "kv_cache.cuh"

enum { LANES = 32, WARPS = 4, THREADS = WARPS * LANES, BLOCK = 64, GROUPS = BLOCK / 8, MOST = 127 * 256 };

/* What brings a number below 2^22 to whole ones, in its low bits. */
#define WHOLE 0x1.8p23f
#define WHOLE_BITS 0x4b400000

struct AttentionOperands {
    const float *queries; // [tokens][KV heads * group][D]
    const Place *places;  // [tokens]
    const uint8_t *key_codes;
    const uint32_t *key_steps;
    const uint8_t *value_codes;
    const uint32_t *value_steps;
    uint32_t group, capacity, tokens;
    float scale;
};

/* What a block gives, and what all up to it give: relative to e^largest; a block's sums count `step`. */
struct __align__(16) Top {
    float largest, total, step, none;
};

/* One more block for those before it: the factors of both, the second one for whole numbers. */
DEVICE float2 join(Top &all, const Top &block) {
    const float largest = fmaxf(all.largest, block.largest);
    const float2 factors = {exponential(__fsub_rn(all.largest, largest)), exponential(__fsub_rn(block.largest, largest))};
    all.largest = largest;
    all.total = __fmaf_rn(factors.y, block.total, __fmul_rn(factors.x, all.total));
    return make_float2(factors.x, __fmul_rn(factors.y, block.step));
}

DEVICE float join(float2 factors, float all, float block) { return __fmaf_rn(factors.y, block, __fmul_rn(factors.x, all)); }

/* ---- across the four lanes that have a row ---- */

DEVICE float largest_of_four(float v) {
    v = fmaxf(v, __shfl_xor_sync(0xffffffff, v, 1));
    return fmaxf(v, __shfl_xor_sync(0xffffffff, v, 2));
}

DEVICE int sum_of_four(int v) {
    v += __shfl_xor_sync(0xffffffff, v, 1);
    return v + __shfl_xor_sync(0xffffffff, v, 2);
}

/* ---- numbers of 16 bits as two digits, of four numbers each ---- */

struct Digits {
    uint32_t high, low;
};

/* Of -32512 .. 32512. */
DEVICE Digits digits(int a, int b, int c, int d) {
    const uint32_t high_ab = __byte_perm(a + 128, b + 128, 0x0051), high_cd = __byte_perm(c + 128, d + 128, 0x0051);
    const uint32_t low_ab = __byte_perm(a, b, 0x0040), low_cd = __byte_perm(c, d, 0x0040);
    return {__byte_perm(high_ab, high_cd, 0x5410), __byte_perm(low_ab, low_cd, 0x5410)};
}

/* Of 0 .. 32512, in the low halves of four words: two numbers a word carry nothing into each other. */
DEVICE Digits positive_digits(uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
    const uint32_t ab = __byte_perm(a, b, 0x5410), cd = __byte_perm(c, d, 0x5410);
    return {__byte_perm(ab + 0x00800080, cd + 0x00800080, 0x7531), __byte_perm(ab, cd, 0x6420)};
}

/* Word i of four, byte by byte, becomes byte i of four words. */
DEVICE void transpose(const uint32_t (&words)[4], uint32_t (&columns)[4]) {
    const uint32_t low01 = __byte_perm(words[0], words[1], 0x5140), high01 = __byte_perm(words[0], words[1], 0x7362);
    const uint32_t low23 = __byte_perm(words[2], words[3], 0x5140), high23 = __byte_perm(words[2], words[3], 0x7362);
    columns[0] = __byte_perm(low01, low23, 0x5410);
    columns[1] = __byte_perm(low01, low23, 0x7632);
    columns[2] = __byte_perm(high01, high23, 0x5410);
    columns[3] = __byte_perm(high01, high23, 0x7632);
}

/* ---- the query heads of a warp: ROWS = 1 of rows 0 .. 7, or 2 of rows 0 .. 15 ---- */

template <int DIM, int ROWS> struct Heads {
    enum {
        WORDS = DIM > 32 ? DIM / 32 : 1,     // of codes of a key that a lane has
        COLUMNS = DIM > 64 ? 8 : DIM / 8,    // components of a value that a lane has, in each part
        PARTS = DIM > 64 ? DIM / 64 : 1,
        COMPONENTS = 2 * COLUMNS             // of a result that a lane has, in each part, beside each other
    };

    uint4 high_queries[WORDS], low_queries[WORDS];
    float query_steps[ROWS];
    int query_sums[ROWS];
    uint4 high_weights[2], low_weights[2];
    int zeros[ROWS];
    Top tops[ROWS];

    DEVICE static uint32_t lane() { return threadIdx.x % LANES; }

    DEVICE static void set(uint4 &a, int row, int half, uint32_t word) {
        (row == 0 ? half == 0 ? a.x : a.z : half == 0 ? a.y : a.w) = word;
    }

    /* Queries of the lane's row r (null where there is none). */
    DEVICE void load(int r, const float *q, float scale) {
        const uint32_t t = lane() % 4;
        float v[WORDS][8] = {};
        if (q && t * 8 < DIM)
#pragma unroll
            for (int w = 0; w < WORDS; w++) {
                const float4 *from = (const float4 *)(q + 8 * (WORDS * t + w));
                const float4 low = __ldg(from), high = __ldg(from + 1);
                const float eight[8] = {low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w};
#pragma unroll
                for (int k = 0; k < 8; k++) v[w][k] = __fmul_rn(eight[k], scale);
            }
        float largest = 0;
#pragma unroll
        for (int w = 0; w < WORDS; w++)
#pragma unroll
            for (int k = 0; k < 8; k++) largest = fmaxf(largest, fabsf(v[w][k]));
        largest = largest_of_four(largest);
        const float inverse = largest > 0 ? __fdiv_rn(MOST, largest) : 0;
        query_steps[r] = __fdiv_rn(largest, MOST);
        int sum = 0;
#pragma unroll
        for (int w = 0; w < WORDS; w++) {
            int whole[8];
#pragma unroll
            for (int k = 0; k < 8; k++) {
                whole[k] = __float_as_int(__fmaf_rn(v[w][k], inverse, WHOLE)) - WHOLE_BITS;
                sum += whole[k];
            }
#pragma unroll
            for (int half = 0; half < 2; half++) {
                const Digits d = digits(whole[half], whole[2 + half], whole[4 + half], whole[6 + half]);
                set(high_queries[w], r, half, d.high);
                set(low_queries[w], r, half, d.low);
            }
        }
        query_sums[r] = sum_of_four(sum);
    }

    /* Bytes that others read soon, too, of a prompt; that nobody else reads, of a step. */
    DEVICE static uint32_t load_word(const uint8_t *from) { return ROWS == 1 ? load_once(from) : __ldg((const uint32_t *)from); }

    DEVICE static void load_key(const uint8_t *from, uint32_t (&words)[WORDS]) {
        if constexpr (WORDS == 4) {
            const uint4 four = ROWS == 1 ? load_once_16(from) : __ldg((const uint4 *)from);
            words[0] = four.x, words[1] = four.y, words[2] = four.z, words[3] = four.w;
        } else if constexpr (WORDS == 2) {
            const uint2 two = ROWS == 1 ? load_once_8(from) : __ldg((const uint2 *)from);
            words[0] = two.x, words[1] = two.y;
        } else {
            words[0] = load_word(from);
        }
    }

    /* The steps of two positions, of which the first `left` are there. */
    DEVICE static uint2 load_steps(const uint32_t *from, int left) {
        if (left >= 2) return __ldg((const uint2 *)from);
        return make_uint2(left == 1 ? __ldg(from) : 0, 0);
    }

    /* Weights, zeros and tops over the block that begins at row `from` of the cache and has so many positions, of which rows see `seen`. */
    DEVICE void weigh(const AttentionOperands &p, uint64_t from, int positions, const int (&seen)[ROWS]) {
        const int g = lane() / 4, t = lane() % 4;
        float scores[GROUPS][2 * ROWS];
#pragma unroll
        for (int j = 0; j < GROUPS; j++) {
            uint32_t words[WORDS] = {};
            if (8 * j + g < positions && t * 8 < DIM)
                load_key(p.key_codes + (from + 8 * j + g) * (DIM / 2) + t * (4 * WORDS), words);
            const uint2 steps = load_steps(p.key_steps + from + 8 * j + 2 * t, positions - 8 * j - 2 * t);
            int dots[4] = {};
#pragma unroll
            for (int w = 0; w < WORDS; w++)
                multiply_dense_s8(dots, high_queries[w], make_uint2(words[w] & 0x0f0f0f0f, words[w] >> 4 & 0x0f0f0f0f));
#pragma unroll
            for (int i = 0; i < 2 * ROWS; i++)
                dots[i] = dots[i] * 256 - (int)((i % 2 ? steps.y : steps.x) >> 16 & 255) * query_sums[i / 2];
#pragma unroll
            for (int w = 0; w < WORDS; w++)
                multiply_dense_s8(dots, low_queries[w], make_uint2(words[w] & 0x0f0f0f0f, words[w] >> 4 & 0x0f0f0f0f));
#pragma unroll
            for (int i = 0; i < 2 * ROWS; i++) {
                const float step = __fmul_rn(scale_of(i % 2 ? steps.y : steps.x), query_steps[i / 2]);
                scores[j][i] = 8 * j + 2 * t + i % 2 < seen[i / 2] ? __fmul_rn(step, __int2float_rn(dots[i])) : -INFINITY;
            }
        }
        uint2 value_steps[GROUPS];
#pragma unroll
        for (int j = 0; j < GROUPS; j++)
            value_steps[j] = load_steps(p.value_steps + from + 8 * j + 2 * t, positions - 8 * j - 2 * t);
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            float largest = -INFINITY;
#pragma unroll
            for (int j = 0; j < GROUPS; j++) largest = fmaxf(largest, fmaxf(scores[j][2 * r], scores[j][2 * r + 1]));
            largest = largest_of_four(largest);
            uint32_t total = 0;
            float most = 0;
#pragma unroll
            for (int j = 0; j < GROUPS; j++)
#pragma unroll
                for (int c = 0; c < 2; c++) {
                    float &score = scores[j][2 * r + c];
                    const float e = exponential(__fsub_rn(score, largest));
                    total += __float_as_uint(__fmaf_rn(e, 0x1p21f, WHOLE)) - WHOLE_BITS;
                    score = __fmul_rn(e, scale_of(c ? value_steps[j].y : value_steps[j].x));
                    most = fmaxf(most, score);
                }
            most = largest_of_four(most);
            const bool any = seen[r] > 0;
            const float inverse = any ? __fdiv_rn(MOST, most) : 0;
            tops[r] = {largest, __fmul_rn(__int2float_rn(sum_of_four(total)), 0x1p-21f), any ? __fdiv_rn(most, MOST) : 0, 0};
            int zero = 0;
#pragma unroll
            for (int q = 0; q < 4; q++) {
                uint32_t w[4];
#pragma unroll
                for (int b = 0; b < 4; b++) {
                    const int j = 2 * q + b / 2;
                    const uint32_t step = b % 2 ? value_steps[j].y : value_steps[j].x;
                    w[b] = __float_as_uint(__fmaf_rn(scores[j][2 * r + b % 2], inverse, WHOLE));
                    zero += (int)(w[b] & 0xffff) * (int)(step >> 16 & 255);
                }
                const Digits d = positive_digits(w[0], w[1], w[2], w[3]);
                set(high_weights[q / 2], r, q % 2, d.high);
                set(low_weights[q / 2], r, q % 2, d.low);
            }
            zeros[r] = sum_of_four(zero);
        }
    }

    /* Component `column` of part `part` of the lane's columns 2 t and 2 t + 1, for each row, as take(part, column, sums): whole numbers of the rows' steps. */
    template <class Take> DEVICE void mix(const AttentionOperands &p, uint64_t from, int positions, Take take) const {
        const int g = lane() / 4, t = lane() % 4;
#pragma unroll
        for (int part = 0; part < PARTS; part++) {
            const uint32_t bit = 4 * (64 * part + COLUMNS * g);
            const uint8_t *codes = p.value_codes + from * (DIM / 2) + bit / 32 * 4;
            uint32_t columns[4][8];
#pragma unroll
            for (int q = 0; q < 4; q++) {
                uint32_t even[4], odd[4], evens[4], odds[4];
#pragma unroll
                for (int b = 0; b < 4; b++) {
                    const int position = 16 * q + 8 * (b / 2) + 2 * t + b % 2;
                    const uint32_t word = position < positions ? load_word(codes + position * (DIM / 2)) >> bit % 32 : 0;
                    even[b] = word & 0x0f0f0f0f;
                    odd[b] = word >> 4 & 0x0f0f0f0f;
                }
                transpose(even, evens);
                transpose(odd, odds);
#pragma unroll
                for (int i = 0; i < 4; i++) columns[q][2 * i] = evens[i], columns[q][2 * i + 1] = odds[i];
            }
#pragma unroll
            for (int i = 0; i < COLUMNS; i++) {
                int sums[4] = {};
                multiply_dense_s8(sums, high_weights[0], make_uint2(columns[0][i], columns[1][i]));
                multiply_dense_s8(sums, high_weights[1], make_uint2(columns[2][i], columns[3][i]));
#pragma unroll
                for (int k = 0; k < 2 * ROWS; k++) sums[k] = sums[k] * 256 - zeros[k / 2];
                multiply_dense_s8(sums, low_weights[0], make_uint2(columns[0][i], columns[1][i]));
                multiply_dense_s8(sums, low_weights[1], make_uint2(columns[2][i], columns[3][i]));
                take(part, i, sums);
            }
        }
    }
};

/* ---- a lane's components of a row, which lie beside each other: neighbours exchange 16 bytes, so that a store fills sectors ---- */

DEVICE uint4 choose(bool first, const uint4 &a, const uint4 &b) {
    return make_uint4(first ? a.x : b.x, first ? a.y : b.y, first ? a.z : b.z, first ? a.w : b.w);
}

template <int PIECES> DEVICE void store(uint4 *to, uint4 (&pieces)[PIECES], bool there) {
    const bool odd = threadIdx.x % 2;
    if constexpr (PIECES == 1) {
        if (there) *to = pieces[0];
    } else {
#pragma unroll
        for (int i = 0; i < PIECES; i += 2) {
            const uint4 give = choose(odd, pieces[i], pieces[i + 1]);
            const uint4 got = make_uint4(__shfl_xor_sync(0xffffffff, give.x, 1), __shfl_xor_sync(0xffffffff, give.y, 1),
                                         __shfl_xor_sync(0xffffffff, give.z, 1), __shfl_xor_sync(0xffffffff, give.w, 1));
            if (there) {
                to[odd ? i + 1 - PIECES : i] = choose(odd, got, pieces[i]);
                to[odd ? i + 1 : i + PIECES] = choose(odd, pieces[i + 1], got);
            }
        }
    }
}

template <int N> DEVICE void store(float *to, const float (&v)[N], bool there) {
    if constexpr (N == 2) {
        if (there) *(float2 *)to = make_float2(v[0], v[1]);
    } else {
        uint4 pieces[N / 4];
#pragma unroll
        for (int i = 0; i < N / 4; i++)
            pieces[i] = make_uint4(__float_as_uint(v[4 * i]), __float_as_uint(v[4 * i + 1]), __float_as_uint(v[4 * i + 2]),
                                   __float_as_uint(v[4 * i + 3]));
        store((uint4 *)to, pieces, there);
    }
}

DEVICE uint32_t pair(float a, float b) {
    const __half2 both = __floats2half2_rn(a, b);
    return *(const uint32_t *)&both;
}

template <int N> DEVICE void store(__half *to, const float (&v)[N], bool there) {
    if constexpr (N == 2) {
        if (there) *(uint32_t *)to = pair(v[0], v[1]);
    } else {
        uint4 pieces[N / 8];
#pragma unroll
        for (int i = 0; i < N / 8; i++)
            pieces[i] = make_uint4(pair(v[8 * i], v[8 * i + 1]), pair(v[8 * i + 2], v[8 * i + 3]),
                                   pair(v[8 * i + 4], v[8 * i + 5]), pair(v[8 * i + 6], v[8 * i + 7]));
        store((uint4 *)to, pieces, there);
    }
}

/* sums [tokens][heads][blocks][D] and tops [tokens][blocks][heads] of one block of 64 positions a warp. */
template <int DIM> DEVICE void decode(const AttentionOperands &p, float *sums, Top *tops, uint32_t blocks) {
    const uint32_t kv_head = blockIdx.y, kv_heads = gridDim.y, token = blockIdx.z;
    const uint32_t block = blockIdx.x * WARPS + threadIdx.x / LANES, first = block * BLOCK, g = threadIdx.x % LANES / 4;
    const Place place = p.places[token];
    if (first > place.position) return;
    const bool there = g < p.group;
    const uint64_t head = ((uint64_t)token * kv_heads + kv_head) * p.group + g;
    const uint64_t from = row_of({place.slot, first}, kv_head, kv_heads, p.capacity);
    const int positions = min(place.position + 1 - first, BLOCK), seen[1] = {positions};
    Heads<DIM, 1> heads;
    heads.load(0, there ? p.queries + head * DIM : nullptr, p.scale);
    heads.weigh(p, from, positions, seen);
    float *to = sums + (head * blocks + block) * DIM + Heads<DIM, 1>::COMPONENTS * (threadIdx.x % 4);
    float v[Heads<DIM, 1>::COMPONENTS];
    heads.mix(p, from, positions, [&](int part, int column, const int (&whole)[4]) {
        v[column] = __int2float_rn(whole[0]);
        v[column + Heads<DIM, 1>::COLUMNS] = __int2float_rn(whole[1]);
        if (column + 1 == Heads<DIM, 1>::COLUMNS) store(to + 64 * part, v, there);
    });
    if (there && threadIdx.x % 4 == 0)
        tops[((uint64_t)token * blocks + block) * kv_heads * p.group + kv_head * p.group + g] = heads.tops[0];
}

/* out [tokens][heads][D] of tokens that stand behind each other in one sequence. */
template <int DIM> DEVICE void prefill(const AttentionOperands &p, void *out, bool half_floats) {
    enum { ROWS = 16, PARTS = Heads<DIM, 2>::PARTS, COLUMNS = Heads<DIM, 2>::COLUMNS };
    const uint32_t kv_head = blockIdx.x, kv_heads = gridDim.x, rows = p.tokens * p.group, g = threadIdx.x % LANES / 4;
    const uint32_t first_row = ((gridDim.y - 1 - blockIdx.y) * WARPS + threadIdx.x / LANES) * ROWS;
    if (first_row >= rows) return;
    const Place last = p.places[(min(first_row + ROWS, rows) - 1) / p.group];
    Heads<DIM, 2> heads;
    uint64_t to[2];
    int ends[2]; // a row sees positions below its end
    Top tops[2];
#pragma unroll
    for (int r = 0; r < 2; r++) {
        const uint32_t row = first_row + g + 8 * r, token = row / p.group;
        to[r] = (((uint64_t)token * kv_heads + kv_head) * p.group + row % p.group) * DIM;
        ends[r] = row < rows ? p.places[token].position + 1 : 0;
        heads.load(r, row < rows ? p.queries + to[r] : nullptr, p.scale);
        tops[r] = {-INFINITY, 0, 0, 0};
    }
    float sums[PARTS][2][2 * COLUMNS] = {};
#pragma unroll 1
    for (int first = 0; first <= (int)last.position; first += BLOCK) {
        const uint64_t from = row_of({last.slot, (uint32_t)first}, kv_head, kv_heads, p.capacity);
        const int positions = min((int)last.position + 1 - first, BLOCK);
        const int seen[2] = {ends[0] - first, ends[1] - first};
        heads.weigh(p, from, positions, seen);
        const float2 factors[2] = {join(tops[0], heads.tops[0]), join(tops[1], heads.tops[1])};
        heads.mix(p, from, positions, [&](int part, int column, const int (&whole)[4]) {
#pragma unroll
            for (int k = 0; k < 4; k++) {
                float &sum = sums[part][k / 2][column + k % 2 * COLUMNS];
                sum = join(factors[k / 2], sum, __int2float_rn(whole[k]));
            }
        });
    }
#pragma unroll
    for (int r = 0; r < 2; r++)
#pragma unroll
        for (int part = 0; part < PARTS; part++) {
            float y[2 * COLUMNS];
#pragma unroll
            for (int i = 0; i < 2 * COLUMNS; i++) y[i] = __fdiv_rn(sums[part][r][i], tops[r].total);
            const uint64_t at = to[r] + 64 * part + 2 * COLUMNS * (threadIdx.x % 4);
            if (half_floats)
                store((__half *)out + at, y, ends[r] > 0);
            else
                store((float *)out + at, y, ends[r] > 0);
        }
}

#define DECODE(NAME, DIM)                                                                                              \
    extern "C" __global__ void __launch_bounds__(THREADS)                                                              \
        NAME(const float *queries, const Place *places, const uint8_t *key_codes, const uint32_t *key_steps,           \
             const uint8_t *value_codes, const uint32_t *value_steps, uint32_t group, uint32_t capacity,               \
             uint32_t tokens, float scale, float *sums, Top *tops, uint32_t blocks) {                                  \
        decode<DIM>({queries, places, key_codes, key_steps, value_codes, value_steps, group, capacity, tokens, scale}, \
                    sums, tops, blocks);                                                                               \
    }

#define PREFILL(NAME, DIM)                                                                                             \
    extern "C" __global__ void __launch_bounds__(THREADS)                                                              \
        NAME(const float *queries, const Place *places, const uint8_t *key_codes, const uint32_t *key_steps,           \
             const uint8_t *value_codes, const uint32_t *value_steps, uint32_t group, uint32_t capacity,               \
             uint32_t tokens, float scale, void *out, uint32_t half_floats) {                                          \
        prefill<DIM>(                                                                                                  \
            {queries, places, key_codes, key_steps, value_codes, value_steps, group, capacity, tokens, scale}, out,    \
            half_floats);                                                                                              \
    }

DECODE(decode_attention_kv4_8, 8)     // registers <= 96
DECODE(decode_attention_kv4_32, 32)   // registers <= 96
DECODE(decode_attention_kv4_64, 64)   // registers <= 96
DECODE(decode_attention_kv4_128, 128) // registers <= 128

PREFILL(prefill_attention_kv4_8, 8)     // registers <= 128
PREFILL(prefill_attention_kv4_32, 32)   // registers <= 168
PREFILL(prefill_attention_kv4_64, 64)   // registers <= 168
PREFILL(prefill_attention_kv4_128, 128) // registers <= 255

/* One thread a component, one block a head and token: the blocks of positions up to the token's, in their order. out [tokens][heads][D]. */
template <class Output>
DEVICE void merge(const float *sums, const Top *tops, const Place *places, Output *out, uint32_t dim, uint32_t blocks) {
    const uint64_t head = (uint64_t)blockIdx.y * gridDim.x + blockIdx.x;
    const uint32_t used = places[blockIdx.y].position / BLOCK + 1;
    if (threadIdx.x >= dim) return;
    sums += head * blocks * dim + threadIdx.x;
    tops += (uint64_t)blockIdx.y * blocks * gridDim.x + blockIdx.x;
    Top all = {-INFINITY, 0, 0, 0};
    float sum = 0;
#pragma unroll 4
    for (uint32_t i = 0; i < used; i++) {
        const uint4 top = load_once_16(tops + (uint64_t)i * gridDim.x);
        const Top block = {__uint_as_float(top.x), __uint_as_float(top.y), __uint_as_float(top.z), 0};
        sum = join(join(all, block), sum, sums[(uint64_t)i * dim]);
    }
    const float y = __fdiv_rn(sum, all.total);
    if constexpr (sizeof(Output) == sizeof(float))
        out[head * dim + threadIdx.x] = y;
    else
        out[head * dim + threadIdx.x] = __float2half_rn(y);
}

#define MERGE(NAME, OUTPUT)                                                                                            \
    extern "C" __global__ void __launch_bounds__(128) NAME(const float *sums, const Top *tops, const Place *places, \
                                                           OUTPUT *out, uint32_t dim, uint32_t blocks) {               \
        merge<OUTPUT>(sums, tops, places, out, dim, blocks);                                                           \
    }

MERGE(decode_attention_merge_f16, __half) // registers <= 48
MERGE(decode_attention_merge_f32, float)  // registers <= 48
