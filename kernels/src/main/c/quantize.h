/*
 * What the scale of one token's activations is found by (ActivationQuantizer.java): their largest magnitude, and how well codes under a scale would do.
 *
 * Sums are taken in 8 lanes of double whatever LANES is, entry i in lane i % 8, and the lanes added up in order: as the specification does, so that every instruction set chooses the
 * same scale. Bound: instructions; x lies in L1.
 */

typedef float f8 __attribute__((vector_size(32)));
typedef int32_t i8 __attribute__((vector_size(32)));
typedef float f4 __attribute__((vector_size(16)));
typedef double d4 __attribute__((vector_size(32)));

/* max |x|; a NaN among them is the result */
OBR_API float NAME(obr_largest)(const float *x, int32_t n) {
    vi largest = {0}; /* magnitudes of floats are in the order of their bits, NaNs above all */
    int i = 0;
    for (; i + LANES <= n; i += LANES) {
        vi magnitude = (vi)load(x + i) & 0x7fffffff;
        vi above = magnitude > largest;
        largest = (above & magnitude) | (~above & largest);
    }
    int32_t most = 0;
    for (int lane = 0; lane < LANES; lane++) most = largest[lane] > most ? largest[lane] : most;
    for (; i < n; i++) {
        int32_t magnitude;
        memcpy(&magnitude, x + i, 4);
        magnitude &= 0x7fffffff;
        most = magnitude > most ? magnitude : most;
    }
    float result;
    memcpy(&result, &most, 4);
    return result;
}

/* clamp(rint(x / scale), -most - 1, most): clamped first, for the bounds are whole; then an addition rounds to an integer */
INLINE void code_eight(const f8 *x, float scale, float most, f8 *codes) {
    f8 code = *x / scale, low = (-most - 1) - (f8){0}, high = most - (f8){0};
    i8 above = code > low;
    code = (f8)((above & (i8)code) | (~above & (i8)low));
    i8 below = code < high;
    code = (f8)((below & (i8)code) | (~below & (i8)high));
    *codes = (code + 0x1.8p23f) - 0x1.8p23f;
}

/* The sums of x code, lanes 0 to 3 and 4 to 7 (wider vectors than a register go through memory), and of code^2. */
typedef struct {
    d4 low, high;
    i8 squares;
} sums;

/* adds 8 entries; products of a float and a code are exact */
INLINE void add_eight(const f8 *x, float scale, float most, sums *s) {
    f8 code;
    code_eight(x, scale, most, &code);
    f4 halves[2], codes[2];
    memcpy(halves, x, sizeof halves);
    memcpy(codes, &code, sizeof codes);
    s->low += __builtin_convertvector(halves[0], d4) * __builtin_convertvector(codes[0], d4);
    s->high += __builtin_convertvector(halves[1], d4) * __builtin_convertvector(codes[1], d4);
    i8 whole = __builtin_convertvector(code, i8);
    s->squares += whole * whole;
}

/* scale^2 sum(code^2) - 2 scale sum(x code): the squared error less sum(x^2) */
OBR_API double NAME(obr_code_error)(const float *x, int32_t n, float scale, int32_t most) {
    sums s = {0};
    f8 eight;
    int i = 0;
    for (; i + 8 <= n; i += 8) {
        memcpy(&eight, x + i, sizeof eight);
        add_eight(&eight, scale, (float)most, &s);
    }
    if (i < n) {
        eight = (f8){0}; /* zeros have the code 0 */
        memcpy(&eight, x + i, 4 * (size_t)(n - i));
        add_eight(&eight, scale, (float)most, &s);
    }
    double product = 0;
    int64_t square = 0;
    for (int lane = 0; lane < 8; lane++) {
        product += lane < 4 ? s.low[lane] : s.high[lane - 4];
        square += s.squares[lane];
    }
    return (double)scale * (double)scale * (double)square - 2 * (double)scale * product;
}
