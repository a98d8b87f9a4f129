/*
 * cuBLAS without a GPU, for tests: the functions that CudaBlas calls, by NVIDIA's documentation of them. What they refuse at once they answer as cuBLAS does; beyond that they are strict where
 * it would fail later or compute nonsense: factors must be the host's, the stream the driver's.
 *
 * A test may have an argument changed on its way (standin_cublas_mutate), to see that it finds a caller who gets that argument wrong.
 */
#include "standin_library.h"

enum { SUCCESS = 0, NOT_INITIALIZED = 1, INVALID_VALUE = 7, EXECUTION_FAILED = 13 };

enum mutation {
    NONE, GEMM_OPERATION, GEMM_LEADING_DIMENSION, GEMM_FACTORS_SWAPPED, GEMM_BETA, SYRK_TRIANGLE, SYRK_OPERATION, TRSM_OPERATION, TRSM_TRIANGLE, TRSM_ORDER,
    BATCH_STRIDE, BATCH_COUNT, BATCH_POINTERS, BATCH_LEADING_DIMENSION, DOUBLE_LEADING_DIMENSION, DOUBLE_FACTORS_SWAPPED
};

static enum mutation mutation;
static int math_mode = -1;

void standin_cublas_mutate(int32_t chosen) { mutation = chosen; }
int32_t standin_cublas_math_mode(void) { return math_mode; }

struct handle { int alive; void *stream; };

#define ENTER(HANDLE) do { \
        if (!(HANDLE) || !(HANDLE)->alive || !(HANDLE)->stream) return NOT_INITIALIZED; \
        if (standin_state()) return EXECUTION_FAILED; \
    } while (0)

int cublasCreate_v2(struct handle **made) {
    if (standin_state()) return NOT_INITIALIZED;   /* it needs a context */
    *made = malloc(sizeof **made);
    **made = (struct handle){1, NULL};
    standin_count(1);
    return SUCCESS;
}

int cublasDestroy_v2(struct handle *handle) {
    if (!handle || !handle->alive) return NOT_INITIALIZED;
    handle->alive = 0;
    standin_count(-1);
    return SUCCESS;
}

int cublasGetVersion_v2(struct handle *handle, int *version) {
    if (!handle || !handle->alive) return NOT_INITIALIZED;
    *version = 120601;
    return SUCCESS;
}

int cublasSetMathMode(struct handle *handle, int mode) {
    if (!handle || !handle->alive) return NOT_INITIALIZED;
    math_mode = mode;
    return SUCCESS;
}

int cublasSetStream_v2(struct handle *handle, void *stream) {
    if (!handle || !handle->alive) return NOT_INITIALIZED;
    if (!standin_is_stream(stream)) return INVALID_VALUE;
    handle->stream = stream;
    return SUCCESS;
}

static int answer(int queued) { return queued ? EXECUTION_FAILED : SUCCESS; }

static int64_t least(int64_t rows) { return rows > 1 ? rows : 1; }

/* ---- C <- alpha op(A) op(B) + beta C ---- */

struct product {
    int op_a, op_b;
    int64_t m, n, k, lda, ldb, ldc, apart_a, apart_b, apart_c;
    double alpha, beta;
    device_address a, b, c;
    int count;
};

#define MULTIPLY(NAME, NUMBER)                                                                                         \
    static int NAME(const void *arguments) {                                                                           \
        const struct product *o = arguments;                                                                           \
        for (int which = 0; which < o->count; which++) {                                                               \
            const uint64_t size = sizeof(NUMBER);                                                                      \
            const NUMBER *a = matrix(o->a + which * o->apart_a * size, o->op_a ? o->k : o->m, o->op_a ? o->m : o->k, o->lda, size); \
            const NUMBER *b = matrix(o->b + which * o->apart_b * size, o->op_b ? o->n : o->k, o->op_b ? o->k : o->n, o->ldb, size); \
            NUMBER *c = matrix(o->c + which * o->apart_c * size, o->m, o->n, o->ldc, size);                            \
            if (!a || !b || !c) return ILLEGAL_ADDRESS;                                                                \
            NUMBER *column = malloc((o->m + 1) * size);                                                                \
            for (int64_t j = 0; j < o->n; j++) {                                                                       \
                memset(column, 0, o->m * size);                                                                        \
                for (int64_t p = 0; p < o->k; p++) {                                                                   \
                    const NUMBER factor = o->op_b ? b[p * o->ldb + j] : b[j * o->ldb + p];                             \
                    if (o->op_a) for (int64_t i = 0; i < o->m; i++) column[i] += factor * a[i * o->lda + p];           \
                    else for (int64_t i = 0; i < o->m; i++) column[i] += factor * a[p * o->lda + i];                   \
                }                                                                                                      \
                for (int64_t i = 0; i < o->m; i++) {                                                                   \
                    NUMBER *to = &c[j * o->ldc + i];                                                                   \
                    *to = (NUMBER)o->alpha * column[i] + (o->beta == 0 ? 0 : (NUMBER)o->beta * *to);                   \
                }                                                                                                      \
            }                                                                                                          \
            free(column);                                                                                              \
        }                                                                                                              \
        return 0;                                                                                                      \
    }

MULTIPLY(multiply_floats, float)
MULTIPLY(multiply_doubles, double)

/* Half floats, with sums of float32. */
static int multiply_halves(const void *arguments) {
    const struct product *o = arguments;
    const _Float16 *a = matrix(o->a, o->op_a ? o->k : o->m, o->op_a ? o->m : o->k, o->lda, sizeof *a);
    const _Float16 *b = matrix(o->b, o->op_b ? o->n : o->k, o->op_b ? o->k : o->n, o->ldb, sizeof *b);
    _Float16 *c = matrix(o->c, o->m, o->n, o->ldc, sizeof *c);
    if (!a || !b || !c) return ILLEGAL_ADDRESS;
    for (int64_t j = 0; j < o->n; j++) {
        for (int64_t i = 0; i < o->m; i++) {
            float sum = 0;
            for (int64_t p = 0; p < o->k; p++)
                sum += (float)(o->op_a ? a[i * o->lda + p] : a[p * o->lda + i]) * (float)(o->op_b ? b[p * o->ldb + j] : b[j * o->ldb + p]);
            _Float16 *to = &c[j * o->ldc + i];
            *to = (_Float16)((float)o->alpha * sum + (o->beta == 0 ? 0 : (float)o->beta * (float)*to));
        }
    }
    return 0;
}

static int invalid(const struct product *o) {
    return o->op_a < OP_N || o->op_a > OP_T || o->op_b < OP_N || o->op_b > OP_T || o->m < 0 || o->n < 0 || o->k < 0 || o->count < 0
        || o->lda < least(o->op_a ? o->k : o->m) || o->ldb < least(o->op_b ? o->n : o->k) || o->ldc < least(o->m);
}

int cublasSgemm_v2(struct handle *handle, int op_a, int op_b, int m, int n, int k, const float *alpha, device_address a, int lda, device_address b, int ldb,
                   const float *beta, device_address c, int ldc) {
    ENTER(handle);
    if (!is_host(alpha) || !is_host(beta)) return INVALID_VALUE;
    struct product o = {op_a, op_b, m, n, k, lda, ldb, ldc, 0, 0, 0, *alpha, *beta, a, b, c, 1};
    if (mutation == GEMM_OPERATION) o.op_a = !o.op_a;
    if (mutation == GEMM_LEADING_DIMENSION) o.lda++;
    if (mutation == GEMM_FACTORS_SWAPPED) { o.a = b; o.lda = ldb; o.op_a = op_b; o.b = a; o.ldb = lda; o.op_b = op_a; }
    if (mutation == GEMM_BETA) o.beta = 1 - o.beta;
    if (invalid(&o)) return INVALID_VALUE;
    return answer(standin_call(handle->stream, multiply_floats, &o, sizeof o));
}

int cublasDgemm_v2(struct handle *handle, int op_a, int op_b, int m, int n, int k, const double *alpha, device_address a, int lda, device_address b, int ldb,
                   const double *beta, device_address c, int ldc) {
    ENTER(handle);
    if (!is_host(alpha) || !is_host(beta)) return INVALID_VALUE;
    struct product o = {op_a, op_b, m, n, k, lda, ldb, ldc, 0, 0, 0, *alpha, *beta, a, b, c, 1};
    if (mutation == DOUBLE_LEADING_DIMENSION) o.ldb++;
    if (mutation == DOUBLE_FACTORS_SWAPPED) { o.a = b; o.b = a; }
    if (invalid(&o)) return INVALID_VALUE;
    return answer(standin_call(handle->stream, multiply_doubles, &o, sizeof o));
}

int cublasGemmEx(struct handle *handle, int op_a, int op_b, int m, int n, int k, const float *alpha, device_address a, int type_a, int lda, device_address b, int type_b,
                 int ldb, const float *beta, device_address c, int type_c, int ldc, int compute, int algorithm) {
    enum { HALF = 2, COMPUTE_32F = 68, ALGORITHM_DEFAULT = -1 };
    ENTER(handle);
    if (!is_host(alpha) || !is_host(beta)) return INVALID_VALUE;
    if (type_a != HALF || type_b != HALF || type_c != HALF || compute != COMPUTE_32F || algorithm != ALGORITHM_DEFAULT) return INVALID_VALUE;
    struct product o = {op_a, op_b, m, n, k, lda, ldb, ldc, 0, 0, 0, *alpha, *beta, a, b, c, 1};
    if (invalid(&o)) return INVALID_VALUE;
    return answer(standin_call(handle->stream, multiply_halves, &o, sizeof o));
}

int cublasSgemmStridedBatched(struct handle *handle, int op_a, int op_b, int m, int n, int k, const float *alpha, device_address a, int lda, int64_t apart_a,
                              device_address b, int ldb, int64_t apart_b, const float *beta, device_address c, int ldc, int64_t apart_c, int count) {
    ENTER(handle);
    if (!is_host(alpha) || !is_host(beta)) return INVALID_VALUE;
    struct product o = {op_a, op_b, m, n, k, lda, ldb, ldc, apart_a, apart_b, apart_c, *alpha, *beta, a, b, c, count};
    if (mutation == BATCH_STRIDE) o.apart_b++;
    if (mutation == BATCH_COUNT) o.count--;
    if (invalid(&o)) return INVALID_VALUE;
    return answer(standin_call(handle->stream, multiply_floats, &o, sizeof o));
}

/* ---- C <- alpha op(A) op(A)ᵀ + beta C, one triangle ---- */

static int multiply_by_transpose(const void *arguments) {
    const struct product *o = arguments;   /* op_b: the triangle */
    const float *a = matrix(o->a, o->op_a ? o->k : o->n, o->op_a ? o->n : o->k, o->lda, sizeof *a);
    float *c = matrix(o->c, o->n, o->n, o->ldc, sizeof *c);
    if (!a || !c) return ILLEGAL_ADDRESS;
    float *column = malloc((o->n + 1) * sizeof *column);
    for (int64_t j = 0; j < o->n; j++) {
        const int64_t from = o->op_b == UPPER ? 0 : j, to = o->op_b == UPPER ? j + 1 : o->n;
        memset(column, 0, o->n * sizeof *column);
        for (int64_t p = 0; p < o->k; p++) {
            const float factor = o->op_a ? a[j * o->lda + p] : a[p * o->lda + j];
            for (int64_t i = from; i < to; i++) column[i] += factor * (o->op_a ? a[i * o->lda + p] : a[p * o->lda + i]);
        }
        for (int64_t i = from; i < to; i++) {
            float *sum = &c[j * o->ldc + i];
            *sum = (float)o->alpha * column[i] + (o->beta == 0 ? 0 : (float)o->beta * *sum);
        }
    }
    free(column);
    return 0;
}

int cublasSsyrk_v2(struct handle *handle, int uplo, int op, int n, int k, const float *alpha, device_address a, int lda, const float *beta, device_address c, int ldc) {
    ENTER(handle);
    if (mutation == SYRK_TRIANGLE) uplo = !uplo;
    if (mutation == SYRK_OPERATION) op = !op;
    if (!is_host(alpha) || !is_host(beta) || uplo < LOWER || uplo > UPPER || op < OP_N || op > OP_T || n < 0 || k < 0 || lda < least(op ? k : n) || ldc < least(n))
        return INVALID_VALUE;
    struct product o = {.op_a = op, .op_b = uplo, .n = n, .k = k, .lda = lda, .ldc = ldc, .alpha = *alpha, .beta = *beta, .a = a, .c = c};
    return answer(standin_call(handle->stream, multiply_by_transpose, &o, sizeof o));
}

/* ---- op(A) X = alpha B, X in B's place ---- */

struct solve { int uplo, op, diag, m, n, lda, ldb, count; float alpha; device_address a, b; };

static int solve_one(const struct solve *o, device_address at, device_address to) {
    const float *a = matrix(at, o->m, o->m, o->lda, sizeof *a);
    float *b = matrix(to, o->m, o->n, o->ldb, sizeof *b);
    if (!a || !b) return ILLEGAL_ADDRESS;
    for (int j = 0; j < o->n; j++) {
        for (int i = 0; i < o->m; i++) b[(int64_t)j * o->ldb + i] *= o->alpha;
        substitute(o->uplo, o->op, o->diag, o->m, a, o->lda, b + (int64_t)j * o->ldb);
    }
    return 0;
}

static int solve_single(const void *arguments) {
    const struct solve *o = arguments;
    return solve_one(o, o->a, o->b);
}

static int solve_batch(const void *arguments) {
    const struct solve *o = arguments;
    const device_address *a = standin_resolve(o->a, o->count * sizeof *a), *b = standin_resolve(o->b, o->count * sizeof *b);
    if (!a || !b) return ILLEGAL_ADDRESS;
    for (int which = 0; which < o->count; which++) {
        const int from = mutation == BATCH_POINTERS && o->count > 1 ? (which + 1) % o->count : which;
        const int result = solve_one(o, a[from], b[which]);
        if (result) return result;
    }
    return 0;
}

static int solving(struct handle *handle, int side, struct solve o, const float *alpha, int (*run)(const void *)) {
    if (mutation == TRSM_OPERATION) o.op = !o.op;
    if (mutation == TRSM_TRIANGLE) o.uplo = !o.uplo;
    if (mutation == TRSM_ORDER) o.m--;
    if (mutation == BATCH_LEADING_DIMENSION && run == solve_batch) o.lda++;
    if (side != LEFT || !is_host(alpha) || o.uplo < LOWER || o.uplo > UPPER || o.op < OP_N || o.op > OP_T || o.diag < NON_UNIT || o.diag > UNIT || o.m < 0 || o.n < 0
        || o.lda < least(o.m) || o.ldb < least(o.m) || o.count < 0)
        return INVALID_VALUE;
    o.alpha = *alpha;
    return answer(standin_call(handle->stream, run, &o, sizeof o));
}

int cublasStrsm_v2(struct handle *handle, int side, int uplo, int op, int diag, int m, int n, const float *alpha, device_address a, int lda, device_address b, int ldb) {
    ENTER(handle);
    return solving(handle, side, (struct solve){uplo, op, diag, m, n, lda, ldb, 1, 0, a, b}, alpha, solve_single);
}

int cublasStrsmBatched(struct handle *handle, int side, int uplo, int op, int diag, int m, int n, const float *alpha, device_address a, int lda, device_address b, int ldb,
                       int count) {
    ENTER(handle);
    return solving(handle, side, (struct solve){uplo, op, diag, m, n, lda, ldb, count, 0, a, b}, alpha, solve_batch);
}
