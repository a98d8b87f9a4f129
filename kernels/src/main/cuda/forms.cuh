/*
 * The forms of weights and tokens that a product takes, each a step of K = 128 columns: how a lane's part lies in memory, and what the tensor core makes of it.
 *
 *     weights    block of 16 features x 128 columns, in registers' order
 *     Pairs      a: 512 bytes, 16 a lane           e: 128 bytes, one word a lane     4:8p
 *     Fours      a: 512 bytes, 16 a lane           e: 256 bytes, two words a lane    2:4
 *     Dense      a: 1024 bytes, twice 16 a lane    none                              all
 *
 *     tokens     row of a step
 *     Int4       64 bytes, the columns' own order, element 2i in the low half of byte i
 *     Int8       128 bytes: 64 of the even columns, then 64 of the odd ones, chunks transposed (below)
 *
 * K is a dummy index, so the weights are packed with the 8-column chunks of a step transposed as 4 x 4: lane (g, t) then has the matrix' chunks 4 t .. 4 t + 3 in its four registers of tokens,
 * which of 4-bit tokens are bytes 16 t .. 16 t + 15 of token g. All weights agree on that, so that one order of tokens serves all of them.
 *
 * Tensor cores of sm_90 multiply no 4-bit integers, and no other multiplies 2:4 of them. Nibbles become bytes by (x << 4) & 0xF0.. and x & 0xF0..: bytes of 16 x their value without extending
 * signs, of the even and of the odd nibbles; sums are 16 W.x, below 2^31 for K < 2^17, and exact as f32 as W.x is.
 */
#pragma once

#include "instructions.cuh"

enum { BLOCK_FEATURES = 16, STEP = 128 };

/* ---- weights: what a lane holds of a block as it lies in memory ---- */

struct Pairs {
    enum { A_BYTES = 512, E_BYTES = 128 };
    uint4 codes;
    uint32_t kept;

    DEVICE static Pairs shared(uint32_t a, uint32_t e, uint32_t lane) {
        return {load_shared_16(a + lane * 16), load_shared(e + lane * 4)};
    }
    DEVICE static Pairs once(const uint8_t *a, const uint8_t *e, uint32_t lane) {
        return {load_once_16(a + lane * 16), load_once(e + lane * 4)};
    }
};

struct Fours {
    enum { A_BYTES = 512, E_BYTES = 256 };
    uint4 codes;
    uint2 kept;

    DEVICE static Fours shared(uint32_t a, uint32_t e, uint32_t lane) {
        return {load_shared_16(a + lane * 16), load_shared_8(e + lane * 8)};
    }
    DEVICE static Fours once(const uint8_t *a, const uint8_t *e, uint32_t lane) {
        return {load_once_16(a + lane * 16), load_once_8(e + lane * 8)};
    }
};

struct Dense {
    enum { A_BYTES = 1024, E_BYTES = 0 };
    uint4 low, high; /* of the two halves of a step as the instruction takes them */

    DEVICE static Dense shared(uint32_t a, uint32_t, uint32_t lane) {
        return {load_shared_16(a + lane * 16), load_shared_16(a + 512 + lane * 16)};
    }
    DEVICE static Dense once(const uint8_t *a, const uint8_t *, uint32_t lane) {
        return {load_once_16(a + lane * 16), load_once_16(a + 512 + lane * 16)};
    }
};

/* Bytes of 16 x the even (plane 0) or odd nibbles' values. */
DEVICE uint32_t bytes_of(uint32_t nibbles, int plane) { return (plane == 0 ? nibbles << 4 : nibbles) & 0xF0F0F0F0; }

DEVICE uint4 bytes_of(uint4 nibbles, int plane) {
    return make_uint4(bytes_of(nibbles.x, plane), bytes_of(nibbles.y, plane), bytes_of(nibbles.z, plane),
                      bytes_of(nibbles.w, plane));
}

/* ---- tokens ---- */

struct Int4 {
    enum { ROW_BYTES = STEP / 2 };

    /* where 16 bytes of a row lie in shared memory */
    DEVICE static uint32_t place(uint32_t row, uint32_t chunk) { return row * ROW_BYTES + chunk * 16; }

    /* operand B: the 8 tokens whose rows begin at x */
    DEVICE static uint4 shared(uint32_t x, uint32_t lane) { return load_shared_16(x + lane * 16); }

    /* the same of one token, lane t's part of a step in global memory */
    DEVICE static uint4 global(const uint8_t *x, uint32_t t) { return __ldg((const uint4 *)(x + t * 16)); }
};

/*
 * In each plane, register r of lane (g, t) takes bytes 16 r + 4 t .. of token g, which is what ldmatrix deals out. 16-byte chunk c of row r lies at c ^ (r % 8): 8 rows of one chunk are in
 * all banks. From global memory these are half sectors, the other halves of which are taken from L1.
 */
struct Int8 {
    enum { ROW_BYTES = STEP };

    DEVICE static uint32_t place(uint32_t row, uint32_t chunk) { return row * ROW_BYTES + ((chunk ^ (row % 8)) * 16); }

    DEVICE static uint4 shared(uint32_t x, int plane, uint32_t lane) {
        return load_matrices(x + place(lane % 8, lane / 8 + 4 * plane));
    }

    DEVICE static uint4 global(const uint8_t *x, int plane, uint32_t t) {
        const uint32_t *words = (const uint32_t *)(x + plane * (ROW_BYTES / 2)) + t;
        return make_uint4(__ldg(words), __ldg(words + 4), __ldg(words + 8), __ldg(words + 12));
    }
};

/*
 * ---- forms: a step in ROUNDS rounds, each of one operand of weights and one of tokens ----
 *
 *     Stored      what a lane holds of a block      Weights    what it holds for a round
 *     Tokens      what it holds of 8 tokens for a round
 *     UNIT        what xs is multiplied by
 */

/* 4:8p on mma.sp.m16n8k128.s4: sm_80, sm_86 and sm_89 alone. */
struct PairsInt4 : Int4 {
    using Stored = Pairs;
    using Weights = Pairs;
    using Tokens = uint4;
    enum { ROUNDS = 1 };
    static constexpr float UNIT = 1;

    DEVICE static Weights weights(const Stored &stored, int) { return stored; }
    DEVICE static Tokens tokens(uint32_t x, int, uint32_t lane) { return shared(x, lane); }
    DEVICE static Tokens tokens_of(const uint8_t *x, int, uint32_t t) { return global(x, t); }
    DEVICE static void multiply(int (&d)[4], const Weights &w, const Tokens &x) { multiply_s4(d, w.codes, x, w.kept); }
};

/*
 * 4:8p on s8. A pair that 4:8p keeps is one even and one odd column: the even columns of 8 are 4 columns of which 2 are kept, by the same metadata, and so are the odd ones. Thus the s4
 * product is two s8 products of one metadata word: of the even nibbles and columns, of the odd ones.
 */
struct PairsInt8 : Int8 {
    using Stored = Pairs;
    using Weights = Pairs;
    using Tokens = uint4;
    enum { ROUNDS = 2 };
    static constexpr float UNIT = 1.0f / 16;

    DEVICE static Weights weights(const Stored &stored, int round) { return {bytes_of(stored.codes, round), stored.kept}; }
    DEVICE static Tokens tokens(uint32_t x, int round, uint32_t lane) { return shared(x, round, lane); }
    DEVICE static Tokens tokens_of(const uint8_t *x, int round, uint32_t t) { return global(x, round, t); }
    DEVICE static void multiply(int (&d)[4], const Weights &w, const Tokens &x) { multiply_s8(d, w.codes, x, w.kept); }
};

/*
 * 2:4 on s8. Each chunk of 8 columns is two groups of 4: the first ones of all chunks make one product, the second ones another, with a metadata word each. Even nibbles are codes of the
 * first product, odd ones of the second. Tokens come by even and odd columns, so groups of 4 are put together from 2 and 2 bytes: 8 instructions for 8 tokens, next to as many products in the
 * tiles that are not limited by memory.
 */
struct FoursInt8 : Int8 {
    using Stored = Fours;
    struct Weights {
        uint4 first, second;
        uint2 kept;
    };
    struct Tokens {
        uint4 even, odd;
    };
    enum { ROUNDS = 1 };
    static constexpr float UNIT = 1.0f / 16;

    DEVICE static Weights weights(const Stored &stored, int) {
        return {bytes_of(stored.codes, 0), bytes_of(stored.codes, 1), stored.kept};
    }
    DEVICE static Tokens tokens(uint32_t x, int, uint32_t lane) { return {shared(x, 0, lane), shared(x, 1, lane)}; }
    DEVICE static Tokens tokens_of(const uint8_t *x, int, uint32_t t) { return {global(x, 0, t), global(x, 1, t)}; }
    DEVICE static void multiply(int (&d)[4], const Weights &w, const Tokens &x) {
        multiply_s8(d, w.first, interleaved<0x5140>(x), w.kept.x);
        multiply_s8(d, w.second, interleaved<0x7362>(x), w.kept.y);
    }
    template <int ORDER> DEVICE static uint4 interleaved(const Tokens &x) {
        return make_uint4(__byte_perm(x.even.x, x.odd.x, ORDER), __byte_perm(x.even.y, x.odd.y, ORDER),
                          __byte_perm(x.even.z, x.odd.z, ORDER), __byte_perm(x.even.w, x.odd.w, ORDER));
    }
};

/* All weights on mma.m16n8k64.s4: sm_80, sm_86 and sm_89 alone. */
struct DenseInt4 : Int4 {
    using Stored = Dense;
    using Weights = Dense;
    using Tokens = uint4;
    enum { ROUNDS = 1 };
    static constexpr float UNIT = 1;

    DEVICE static Weights weights(const Stored &stored, int) { return stored; }
    DEVICE static Tokens tokens(uint32_t x, int, uint32_t lane) { return shared(x, lane); }
    DEVICE static Tokens tokens_of(const uint8_t *x, int, uint32_t t) { return global(x, t); }
    DEVICE static void multiply(int (&d)[4], const Weights &w, const Tokens &x) {
        multiply_dense_s4(d, w.low, make_uint2(x.x, x.y));
        multiply_dense_s4(d, w.high, make_uint2(x.z, x.w));
    }
};

/* The same on s8: the even nibbles and columns, then the odd ones. */
struct DenseInt8 : Int8 {
    using Stored = Dense;
    using Weights = Dense;
    using Tokens = uint4;
    enum { ROUNDS = 2 };
    static constexpr float UNIT = 1.0f / 16;

    DEVICE static Weights weights(const Stored &stored, int round) {
        return {bytes_of(stored.low, round), bytes_of(stored.high, round)};
    }
    DEVICE static Tokens tokens(uint32_t x, int round, uint32_t lane) { return shared(x, round, lane); }
    DEVICE static Tokens tokens_of(const uint8_t *x, int round, uint32_t t) { return global(x, round, t); }
    DEVICE static void multiply(int (&d)[4], const Weights &w, const Tokens &x) {
        multiply_dense_s8(d, w.low, make_uint2(x.x, x.y));
        multiply_dense_s8(d, w.high, make_uint2(x.z, x.w));
    }
};
