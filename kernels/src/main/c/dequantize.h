/*
 * Weights of every storage type -> float32.
 *
 * Block layouts are GGUF's; one line is one block, d and m are half floats, bytes left to right:
 *
 *   Q8_0   32 weights  | d | 32 x int8 q |                                       w = d q
 *   Q4_0   32 weights  | d | 16 bytes: low nibbles 0..15, high 16..31 |          w = d (q - 8)
 *   Q4_1   32 weights  | d | m | 16 bytes as above |                             w = d q + m
 *   Q4_K  256 weights  | d | m | 12 bytes: 8 x (scale 6 bit, min 6 bit) | 128 bytes |       w = d s q - m n
 *                        each 32 bytes hold 64 weights: low nibbles the first 32, high the next 32
 *   Q6_K  256 weights  | 128 bytes low 4 bits | 64 bytes high 2 bits | 16 x int8 scale | d |  w = d s (q - 32)
 *                        in each half of 128: byte l of ql: weights l, l + 64 (nibbles) for l < 64;  byte l of qh: weights l, l + 32, l + 64, l + 96 for l < 32
 *
 * Bound: a few instructions a weight. The loops are plain C over whole blocks, which the compiler vectorises for each instruction set.
 */

/* 16 bits at any address: rows in files need not be aligned */
INLINE uint16_t bits_at(const uint8_t *p) {
    uint16_t bits;
    memcpy(&bits, p, 2);
    return bits;
}

INLINE float half_at(const uint8_t *p) { return widen_one(bits_at(p)); }

INLINE void unpack_q8_0(const uint8_t *block, float *y) {
    float d = half_at(block);
    const int8_t *q = (const int8_t *)block + 2;
    for (int i = 0; i < 32; i++) y[i] = d * (float)q[i];
}

INLINE void unpack_q4_0(const uint8_t *block, float *y) {
    float d = half_at(block);
    const uint8_t *q = block + 2;
    for (int i = 0; i < 16; i++) {
        y[i] = d * (float)((q[i] & 15) - 8);
        y[i + 16] = d * (float)((q[i] >> 4) - 8);
    }
}

INLINE void unpack_q4_1(const uint8_t *block, float *y) {
    float d = half_at(block);
    float m = half_at(block + 2);
    const uint8_t *q = block + 4;
    for (int i = 0; i < 16; i++) {
        y[i] = d * (float)(q[i] & 15) + m;
        y[i + 16] = d * (float)(q[i] >> 4) + m;
    }
}

INLINE void unpack_q4_k(const uint8_t *block, float *y) {
    float d = half_at(block);
    float m = half_at(block + 2);
    const uint8_t *s = block + 4;
    for (int g = 0; g < 8; g++) {
        /* scales and minimums 0..3 lie in the low 6 bits of bytes 0..7, 4..7 in bytes 8..11 and the spare top bits */
        int scale = g < 4 ? s[g] & 63 : (s[g + 4] & 15) | (s[g - 4] >> 6) << 4;
        int minimum = g < 4 ? s[g + 4] & 63 : s[g + 4] >> 4 | (s[g] >> 6) << 4;
        float step = d * (float)scale;
        float offset = m * (float)minimum;
        const uint8_t *q = block + 16 + g / 2 * 32;
        int shift = g % 2 * 4;
        for (int i = 0; i < 32; i++) y[g * 32 + i] = step * (float)(q[i] >> shift & 15) - offset;
    }
}

INLINE void unpack_q6_k(const uint8_t *block, float *y) {
    float d = half_at(block + 208);
    for (int half = 0; half < 2; half++) {
        const uint8_t *low = block + half * 64;
        const uint8_t *high = block + 128 + half * 32;
        const int8_t *scale = (const int8_t *)block + 192 + half * 8;
        for (int g = 0; g < 4; g++) {
            const uint8_t *nibbles = low + g % 2 * 32;
            int shift = g / 2 * 4;
            for (int part = 0; part < 2; part++) {
                float step = d * (float)scale[g * 2 + part];
                for (int i = part * 16; i < part * 16 + 16; i++) {
                    int q = (nibbles[i] >> shift & 15) | (high[i] >> (2 * g) & 3) << 4;
                    y[half * 128 + g * 32 + i] = step * (float)(q - 32);
                }
            }
        }
    }
}

/* `count` weights of a row from column k0 on; both are multiples of the type's block size */
static void unpack(int type, const uint8_t *row, int64_t k0, int count, float *y) {
    int i = 0;
    switch (type) {
    case F32:
        memcpy(y, row + 4 * k0, 4 * (size_t)count);
        break;
    case F16:
        row += 2 * k0;
        for (; i + LANES <= count; i += LANES) store(y + i, load_f16(row + 2 * i));
        for (; i < count; i++) y[i] = half_at(row + 2 * i);
        break;
    case BF16:
        row += 2 * k0;
        for (; i + LANES <= count; i += LANES) store(y + i, load_bf16(row + 2 * i));
        for (; i < count; i++) y[i] = widen_bf16_one(bits_at(row + 2 * i));
        break;
    case Q8_0:
        for (row += k0 / 32 * 34; i < count; i += 32, row += 34) unpack_q8_0(row, y + i);
        break;
    case Q4_0:
        for (row += k0 / 32 * 18; i < count; i += 32, row += 18) unpack_q4_0(row, y + i);
        break;
    case Q4_1:
        for (row += k0 / 32 * 20; i < count; i += 32, row += 20) unpack_q4_1(row, y + i);
        break;
    case Q4_K:
        for (row += k0 / 256 * 144; i < count; i += 256, row += 144) unpack_q4_k(row, y + i);
        break;
    case Q6_K:
        for (row += k0 / 256 * 210; i < count; i += 256, row += 210) unpack_q6_k(row, y + i);
        break;
    }
}
