/*
 * cuSPARSE without a GPU, for tests: the functions that CudaSparseGemm calls, by NVIDIA's documentation of them. Products are y = W x of a sparse W with float32 sums of half floats.
 *
 * Strict beyond that: what one product's preparation left in its workspace must be there when it runs, so that no two share one; indices must lie inside the matrix and ascend.
 *
 * A test may have an argument changed on its way (standin_cusparse_mutate), to see that it finds a caller who gets that argument wrong.
 */
#include "standin_library.h"

enum { SUCCESS = 0, NOT_INITIALIZED = 1, INVALID_VALUE = 3, EXECUTION_FAILED = 6, NOT_SUPPORTED = 10 };
enum { INDEX_32I = 2, BASE_ZERO = 0, R_32F = 0, R_16F = 2, ORDER_COL = 1, NO_TRANSPOSE = 0, ALG_DEFAULT = 0 };
enum { NO_WORKSPACE = 719, WORKSPACE_BYTES = 64 };

enum mutation { NONE, LEADING_DIMENSION, ROW_STARTS, VALUES, ELL_COLUMNS, BLOCK_SIZE, WORKSPACE, BETA };

static enum mutation mutation;

void standin_cusparse_mutate(int32_t chosen) { mutation = chosen; }

struct handle { int alive; void *stream; };
struct sparse { int alive; int64_t rows, cols, entries, block, ell_cols; device_address starts, indices, values; };
struct dense { int alive; int64_t rows, cols, ld; device_address values; };

#define ENTER(HANDLE) do { \
        if (!(HANDLE) || !(HANDLE)->alive) return NOT_INITIALIZED; \
        if (standin_state()) return EXECUTION_FAILED; \
    } while (0)

int cusparseCreate(struct handle **made) {
    if (standin_state()) return NOT_INITIALIZED;
    *made = malloc(sizeof **made);
    **made = (struct handle){1, NULL};
    standin_count(1);
    return SUCCESS;
}

int cusparseDestroy(struct handle *handle) {
    if (!handle || !handle->alive) return NOT_INITIALIZED;
    handle->alive = 0;
    standin_count(-1);
    return SUCCESS;
}

int cusparseSetStream(struct handle *handle, void *stream) {
    if (!handle || !handle->alive) return NOT_INITIALIZED;
    if (!standin_is_stream(stream)) return INVALID_VALUE;
    handle->stream = stream;
    return SUCCESS;
}

/* ---- descriptors ---- */

int cusparseCreateCsr(struct sparse **made, int64_t rows, int64_t cols, int64_t entries, device_address starts, device_address indices, device_address values,
                      int starts_type, int indices_type, int base, int type) {
    if (rows < 0 || cols < 0 || entries < 0 || entries > rows * cols) return INVALID_VALUE;
    if (starts_type != INDEX_32I || indices_type != INDEX_32I || base != BASE_ZERO || type != R_16F) return NOT_SUPPORTED;
    *made = malloc(sizeof **made);
    **made = (struct sparse){1, rows, cols, entries, 0, 0, starts, indices, values};
    if (mutation == ROW_STARTS) (*made)->starts = indices;
    if (mutation == VALUES) (*made)->values = starts;
    standin_count(1);
    return SUCCESS;
}

int cusparseCreateBlockedEll(struct sparse **made, int64_t rows, int64_t cols, int64_t block, int64_t ell_cols, device_address indices, device_address values,
                             int indices_type, int base, int type) {
    if (mutation == ELL_COLUMNS) ell_cols = cols;
    if (mutation == BLOCK_SIZE) block /= 2;
    if (rows < 0 || cols < 0 || block < 1 || ell_cols < 0 || ell_cols > cols || rows % block || cols % block || ell_cols % block) return INVALID_VALUE;
    if (indices_type != INDEX_32I || base != BASE_ZERO || type != R_16F) return NOT_SUPPORTED;
    *made = malloc(sizeof **made);
    **made = (struct sparse){1, rows, cols, rows * ell_cols, block, ell_cols, 0, indices, values};
    standin_count(1);
    return SUCCESS;
}

int cusparseCreateDnMat(struct dense **made, int64_t rows, int64_t cols, int64_t ld, device_address values, int type, int order) {
    if (mutation == LEADING_DIMENSION) ld++;
    if (rows < 0 || cols < 0 || ld < (order == ORDER_COL ? rows : cols)) return INVALID_VALUE;
    if (type != R_16F || order != ORDER_COL) return NOT_SUPPORTED;
    *made = malloc(sizeof **made);
    **made = (struct dense){1, rows, cols, ld, values};
    standin_count(1);
    return SUCCESS;
}

int cusparseDestroySpMat(struct sparse *w) {
    if (!w || !w->alive) return INVALID_VALUE;
    w->alive = 0;
    standin_count(-1);
    return SUCCESS;
}

int cusparseDestroyDnMat(struct dense *x) {
    if (!x || !x->alive) return INVALID_VALUE;
    x->alive = 0;
    standin_count(-1);
    return SUCCESS;
}

/* ---- y <- alpha W x + beta y ---- */

struct product { struct sparse *w; struct dense *x, *y; float alpha, beta; device_address workspace; };

static int prepare(const void *arguments) {
    const struct product *o = arguments;
    char *workspace = standin_resolve(o->workspace, WORKSPACE_BYTES);
    if (!workspace) return ILLEGAL_ADDRESS;
    memcpy(workspace, o, sizeof(void *) * 3);   /* for which operands */
    return 0;
}

/* Element (row, k-th kept) of W: its column, or -1 with what is wrong in *error. */
static int64_t kept(const struct sparse *w, const int32_t *starts, const int32_t *indices, int64_t row, int64_t k, int64_t *at, int *error) {
    int64_t column;
    if (w->block) {
        *at = row * w->ell_cols + k;
        column = indices[row / w->block * (w->ell_cols / w->block) + k / w->block] * w->block + k % w->block;
    } else {
        *at = starts[row] + k;
        column = *at < 0 || *at >= w->entries ? -1 : indices[*at];
    }
    if (column < 0 || column >= w->cols) *error = ILLEGAL_ADDRESS;
    return column;
}

static int multiply(const void *arguments) {
    const struct product *o = arguments;
    const struct sparse *w = o->w;
    const void *workspace = standin_resolve(o->workspace, WORKSPACE_BYTES);
    if (!workspace || !w->alive || !o->x->alive || !o->y->alive) return ILLEGAL_ADDRESS;
    if (memcmp(workspace, o, sizeof(void *) * 3)) return NO_WORKSPACE;
    const int64_t blocks = w->block ? w->rows / w->block * (w->ell_cols / w->block) : w->entries;
    const int32_t *indices = standin_resolve(w->indices, blocks * sizeof *indices);
    const int32_t *starts = w->block ? NULL : standin_resolve(w->starts, (w->rows + 1) * sizeof *starts);
    const _Float16 *values = standin_resolve(w->values, w->entries * sizeof *values);
    const _Float16 *x = matrix(o->x->values, o->x->rows, o->x->cols, o->x->ld, sizeof *x);
    _Float16 *y = matrix(o->y->values, o->y->rows, o->y->cols, o->y->ld, sizeof *y);
    if (!indices || !(starts || w->block) || !values || !x || !y) return ILLEGAL_ADDRESS;
    if (starts && (starts[0] || starts[w->rows] != w->entries)) return ILLEGAL_ADDRESS;
    for (int64_t t = 0; t < o->x->cols; t++) {
        for (int64_t row = 0; row < w->rows; row++) {
            const int64_t count = w->block ? w->ell_cols : starts[row + 1] - starts[row];
            float sum = 0;
            int64_t last = -1;
            for (int64_t k = 0; k < count; k++) {
                int error = 0;
                int64_t at;
                const int64_t column = kept(w, starts, indices, row, k, &at, &error);
                if (error || column <= last) return ILLEGAL_ADDRESS;
                last = column;
                sum += (float)values[at] * (float)x[t * o->x->ld + column];
            }
            _Float16 *to = &y[t * o->y->ld + row];
            *to = (_Float16)(o->alpha * sum + (o->beta == 0 ? 0 : o->beta * (float)*to));
        }
    }
    return 0;
}

static int checked(const struct handle *handle, int op_w, int op_x, const float *alpha, const struct sparse *w, const struct dense *x, const float *beta,
                   const struct dense *y, int compute, int algorithm) {
    ENTER(handle);
    if (!is_host(alpha) || !is_host(beta) || !w || !x || !y || !w->alive || !x->alive || !y->alive) return INVALID_VALUE;
    if (w->cols != x->rows || w->rows != y->rows || x->cols != y->cols) return INVALID_VALUE;
    if (op_w != NO_TRANSPOSE || op_x != NO_TRANSPOSE || compute != R_32F || algorithm != ALG_DEFAULT) return NOT_SUPPORTED;
    return SUCCESS;
}

int cusparseSpMM_bufferSize(struct handle *handle, int op_w, int op_x, const float *alpha, struct sparse *w, struct dense *x, const float *beta, struct dense *y,
                            int compute, int algorithm, size_t *bytes) {
    *bytes = mutation == WORKSPACE ? WORKSPACE_BYTES / 2 : WORKSPACE_BYTES;
    return checked(handle, op_w, op_x, alpha, w, x, beta, y, compute, algorithm);
}

static int queue(struct handle *handle, int (*run)(const void *), const struct product *o) {
    if (!handle->stream) return INVALID_VALUE;
    return standin_call(handle->stream, run, o, sizeof *o) ? EXECUTION_FAILED : SUCCESS;
}

int cusparseSpMM_preprocess(struct handle *handle, int op_w, int op_x, const float *alpha, struct sparse *w, struct dense *x, const float *beta, struct dense *y,
                            int compute, int algorithm, device_address workspace) {
    const int wrong = checked(handle, op_w, op_x, alpha, w, x, beta, y, compute, algorithm);
    return wrong ? wrong : queue(handle, prepare, &(struct product){w, x, y, *alpha, *beta, workspace});
}

int cusparseSpMM(struct handle *handle, int op_w, int op_x, const float *alpha, struct sparse *w, struct dense *x, const float *beta, struct dense *y, int compute,
                 int algorithm, device_address workspace) {
    const int wrong = checked(handle, op_w, op_x, alpha, w, x, beta, y, compute, algorithm);
    if (wrong) return wrong;
    return queue(handle, multiply, &(struct product){w, x, y, *alpha, mutation == BETA ? 1 - *beta : *beta, workspace});
}
