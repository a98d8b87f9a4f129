/*
 * Every instruction set of the integer kernels against a plain decode of the file's layout: sums equal bit by bit, nothing else is written, and, under AddressSanitizer and
 * UndefinedBehaviorSanitizer (make test-native), nothing outside of a buffer is read. A set that this processor lacks runs with its instructions written out in C (EMULATED), or is skipped.
 */
#include "packed_case.h"

static int failures = 0, cases = 0;

#if defined(EMULATED)
int tiles_in_use(void);
#else
static int tiles_in_use(void) { return 0; } /* the processor does not say */
#endif

/* what is coded thus in steps of 0.5: off the grid by less than half a step, beyond its ends by more */
static float activation_of(int code, int c) {
    float off = (float)(c % 5 - 2) / 16;
    return code == 127 ? 63.5f + (float)(c % 3) : code == -128 ? -64.0f - (float)(c % 3) : (float)code / 2 + off;
}

static void check(const kernels *k, weight w, const int8_t *plain, int tokens, int extreme) {
    int64_t stride = k->input_size(w.pattern, w.cols);
    int8_t *x = memory((int64_t)tokens * w.cols);
    uint8_t *inputs = memory(tokens * stride), *layout = memory(k->size(w.pattern, w.rows, w.cols, w.index));
    float *input_scales = memory(4 * (int64_t)tokens), *y = memory(4 * (int64_t)tokens * w.rows);
    int32_t *sums = memory(4 * (int64_t)w.rows);
    for (int64_t i = 0; i < (int64_t)tokens * w.cols; i++)
        x[i] = (int8_t)(extreme ? random_below(8) ? 127 : -128 : random_below(256) - 128);
    for (int t = 0; t < tokens; t++) {
        input_scales[t] = (float)(1 + random_below(100)) / 64;
        float *token = memory(4 * (int64_t)w.cols); /* exactly as long, so that reading further is found */
        for (int c = 0; c < w.cols; c++) token[c] = activation_of(x[(int64_t)t * w.cols + c], c);
        k->input(w.pattern, w.cols, token, 0.5f, 127, inputs + t * stride);
        free(token);
    }
    int middle = w.rows / 2 / PACKED_GRAIN * PACKED_GRAIN; /* laid out in two ranges, the later first */
    k->lay(w.pattern, w.rows, w.cols, middle, w.rows, w.codes, w.index, layout, sums);
    k->lay(w.pattern, w.rows, w.cols, 0, middle, w.codes, w.index, layout, sums);
    /* two of three ranges of rows are multiplied: the first stays as it is */
    int from = w.rows > 2 * PACKED_GRAIN ? PACKED_GRAIN : 0;
    for (int64_t i = 0; i < (int64_t)tokens * w.rows; i++) y[i] = -1234;
    int bounds[] = {from, middle > from ? middle : from, w.rows};
    for (int i = 0; i < 2; i++)
        k->matmul(w.pattern, w.rows, w.cols, bounds[i], bounds[i + 1], layout, sums, w.scales, inputs, input_scales,
                  tokens, y, w.rows);
    cases++;
    if (tiles_in_use()) {
        printf("%s %s x %d tokens: tiles are still set up\n", k->name, pattern_names[w.pattern], tokens);
        failures++;
    }
    for (int t = 0; t < tokens; t++)
        for (int r = 0; r < w.rows; r++) {
            int32_t sum = 0;
            for (int c = 0; c < w.cols; c++) sum += plain[(int64_t)r * w.cols + c] * x[(int64_t)t * w.cols + c];
            float expected = r < from ? -1234 : (float)sum * (input_scales[t] * w.scales[r]);
            float actual = y[(int64_t)t * w.rows + r];
            if (actual != expected) {
                printf("%s %s [%d, %d] x %d tokens: y[%d][%d] is %g, not %g\n", k->name, pattern_names[w.pattern],
                       w.rows, w.cols, tokens, t, r, (double)actual, (double)expected);
                failures++;
                goto done;
            }
        }
done:
    free(x), free(inputs), free(layout), free(input_scales), free(y), free(sums);
}

int main(void) {
    static const int shapes[][2] = {{1, 1},   {1, 64},  {3, 7},    {8, 31},   {16, 32},   {17, 65},
                                    {33, 96}, {50, 72}, {64, 256}, {40, 300}, {19, 1024}, {35, 2100}};
    static const int token_counts[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 33};
    static const int many_tokens[] = {12, 16, 17, 31, 32, 48, 63, 64, 600}; /* whole and cut tiles and squares of tokens; more than a block */
    for (int s = 0; s < KERNEL_SETS; s++) {
        const kernels *k = all_kernels + s;
        const char *how = "";
        if (obr_packed_supports(k->set) != OBR_RUNS) {
#if defined(EMULATED)
            how = ", its instructions written out in C";
#else
            printf("%s: skipped, this processor has no such instructions\n", k->name);
            continue;
#endif
        }
        int before = cases;
        for (int pattern = DENSE; pattern <= PAIRS_4_OF_8; pattern++)
            for (unsigned i = 0; i < sizeof shapes / sizeof *shapes; i++)
                for (int kind = 0; kind < (pattern == UNSTRUCTURED ? 5 : 2); kind++) {
                    int extreme = kind == 1, density = kind == 2 ? 256 : kind == 3 ? 0 : kind == 4 ? 250 : 128;
                    weight w = random_weight(pattern, shapes[i][0], shapes[i][1], density, extreme);
                    int8_t *plain = decoded(w);
                    for (unsigned t = 0; t < sizeof token_counts / sizeof *token_counts; t++)
                        check(k, w, plain, token_counts[t], extreme);
                    for (unsigned t = 0; w.rows == 33 && t < sizeof many_tokens / sizeof *many_tokens; t++)
                        check(k, w, plain, many_tokens[t], extreme);
                    if (w.cols == 2100 && kind == 0) check(k, w, plain, 300, extreme); /* more than stay in a cache */
                    free(plain);
                    free_weight(w);
                }
        printf("%s: %d cases%s\n", k->name, cases - before, how);
    }
    if (failures) printf("%d of %d cases are wrong\n", failures, cases);
    return failures != 0;
}
