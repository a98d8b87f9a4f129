/*
 * How fast the integer kernels are: make -C kernels bench-native. Random matrices [4096, 2048], as many copies as keep them out of the caches, rounds of all patterns interleaved, the best of each.
 *
 *   decode     one token, THREADS threads, from memory; beside it a bare read of as many bytes, in the same round
 *   in cache   one token, one thread, [256, 2048]: cycles for 64 weights, by a loop of known length
 *   prefill    128 tokens, THREADS threads: multiply-adds of the dense shape
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/mman.h>
#include <time.h>

#include "packed_case.h"

enum { THREADS = 2, ROWS = 4096, COLS = 2048, SMALL_ROWS = 256, PATTERNS = 6, ROUNDS = 7, TOKENS = 128 };
static const int64_t BYTES_OF_COPIES = 96 << 20;

/* CPU time of the calling thread, so that other programs disturb less */
static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

typedef struct {
    weight w;
    int64_t size;
    int copies;
    uint8_t *layouts; /* [copies][size] */
    int32_t *sums;
    uint8_t *inputs; /* [TOKENS][..] */
} subject;

static const kernels *chosen;
static subject subjects[PATTERNS];
static float *outputs, *input_scales;
static volatile uint64_t read_sum;

/* what the threads do: rows or bytes of one part */
static int work_pattern, work_copies, work_tokens, work_rows, work_reads;

static void multiply(int part, int parts) {
    subject *s = subjects + work_pattern;
    int from = work_rows / parts * part, to = work_rows / parts * (part + 1);
    for (int c = 0; c < work_copies; c++) {
        const uint8_t *layout = s->layouts + c % s->copies * s->size;
        if (work_reads) {
            const uint64_t *words = (const uint64_t *)(layout + s->size / 128 * 64 * part);
            uint64_t sums[8] = {0};
            for (int64_t i = 0; i < s->size / 128 * 8; i += 8) {
                __builtin_prefetch((const uint8_t *)(words + i) + 2048, 0, 3);
                for (int j = 0; j < 8; j++) sums[j] += words[i + j];
            }
            for (int j = 0; j < 8; j++) read_sum += sums[j];
        } else {
            chosen->matmul(s->w.pattern, ROWS, COLS, from, to, layout, s->sums, s->w.scales, s->inputs, input_scales,
                           work_tokens, outputs, ROWS);
        }
    }
}

static void *second_half(void *taken) {
    double start = seconds();
    multiply(1, 2);
    *(double *)taken = seconds() - start;
    return NULL;
}

/* seconds of the slower thread of 1 or 2 */
static double timed(int threads) {
    double start = seconds(), other_taken = 0;
    pthread_t other;
    if (threads == 2) pthread_create(&other, NULL, second_half, &other_taken);
    multiply(0, threads);
    double taken = seconds() - start;
    if (threads == 2) pthread_join(other, NULL);
    return taken > other_taken ? taken : other_taken;
}

/* cycles in a second: a chain of additions takes one each */
static double frequency(void) {
    double start = seconds();
    uint64_t x = 0;
    for (int i = 0; i < 40000; i++) {
#if defined(__x86_64__)
        __asm__ volatile(".rept 100\n add $1, %0\n .endr" : "+r"(x));
#else
        __asm__ volatile(".rept 100\n add %0, %0, #1\n .endr" : "+r"(x));
#endif
    }
    return 4e6 / (seconds() - start);
}

static void keep_least(double *best, double value) {
    if (*best == 0 || value < *best) *best = value;
}

int main(void) {
    for (int i = 0; i < KERNEL_SETS; i++)
        if (obr_packed_supports(all_kernels[i].set) == OBR_RUNS) chosen = all_kernels + i;
    if (!chosen) {
        printf("no integer kernels for this processor\n");
        return 0;
    }
    outputs = memory(4ll * TOKENS * ROWS);
    input_scales = memory(4 * TOKENS);
    for (int t = 0; t < TOKENS; t++) input_scales[t] = 1;
    double lay_seconds[PATTERNS];
    for (int p = 0; p < PATTERNS; p++) {
        subject *s = subjects + p;
        s->w = random_weight(p, ROWS, COLS, 128, 0);
        s->size = up(chosen->size(p, ROWS, COLS, s->w.index), 64) * 64;
        s->copies = (int)up(BYTES_OF_COPIES, s->size);
        if (posix_memalign((void **)&s->layouts, 2 << 20, (size_t)(s->copies * s->size))) abort();
#if defined(MADV_HUGEPAGE)
        madvise(s->layouts, (size_t)(s->copies * s->size), MADV_HUGEPAGE);
#endif
        memset(s->layouts, 0, (size_t)s->size);
        s->sums = memory(4 * ROWS);
        lay_seconds[p] = seconds();
        chosen->lay(p, ROWS, COLS, 0, ROWS, s->w.codes, s->w.index, s->layouts, s->sums);
        lay_seconds[p] = seconds() - lay_seconds[p];
        for (int c = 1; c < s->copies; c++) memcpy(s->layouts + c * s->size, s->layouts, (size_t)s->size);
        int64_t stride = chosen->input_size(p, COLS);
        float x[COLS];
        s->inputs = memory(TOKENS * stride);
        for (int t = 0; t < TOKENS; t++) {
            for (int c = 0; c < COLS; c++) x[c] = (float)(random_below(256) - 128);
            chosen->input(p, COLS, x, 1, 127, s->inputs + t * stride);
        }
    }
    double decode[PATTERNS] = {0}, reads[PATTERNS] = {0}, cached[PATTERNS] = {0}, prefill[PATTERNS] = {0};
    for (int round = 0; round < ROUNDS; round++)
        for (int p = 0; p < PATTERNS; p++) {
            work_pattern = p, work_copies = subjects[p].copies, work_tokens = 1, work_rows = ROWS;
            keep_least(decode + p, timed(THREADS) / work_copies);
            work_reads = 1;
            keep_least(reads + p, timed(THREADS) / work_copies);
            work_reads = 0, work_rows = SMALL_ROWS, work_copies = 1;
            timed(1);
            double cycles = frequency();
            for (int i = 0; i < 4; i++) keep_least(cached + p, timed(1) * cycles / (SMALL_ROWS * COLS / 64));
            work_rows = ROWS / 4, work_tokens = TOKENS;
            keep_least(prefill + p, timed(THREADS));
        }
    printf("%s, [%d, %d], %d threads\n\n", chosen->name, ROWS, COLS, THREADS);
    printf("pattern        bits/w  decode Gw/s    GB/s   read GB/s   of read   cycles/64   prefill GMAC/s   laid out ns/w\n");
    for (int p = 0; p < PATTERNS; p++) {
        subject *s = subjects + p;
        double weights = (double)ROWS * COLS, bytes = (double)chosen->size(p, ROWS, COLS, s->w.index);
        double read_bytes = (double)(s->size / 128 * 128), gbs = bytes / decode[p] / 1e9, bare = read_bytes / reads[p] / 1e9;
        printf("%-12s %8.3f %12.1f %7.1f %11.1f %8.0f%% %11.2f %16.1f %15.2f\n", pattern_names[p], 8 * bytes / weights,
               weights / decode[p] / 1e9, gbs, bare, 100 * gbs / bare, cached[p],
               weights / 4 * TOKENS / prefill[p] / 1e9, lay_seconds[p] / weights * 1e9);
    }
    return 0;
}
