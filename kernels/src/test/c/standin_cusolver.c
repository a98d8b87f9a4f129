/*
 * cuSOLVER without a GPU, for tests: the functions that CudaSolver calls, by NVIDIA's documentation of them. Workspaces are written all over, so that one that is smaller than was said, or that
 * lies over something else, shows.
 */
#include "standin_library.h"

enum { SUCCESS = 0, NOT_INITIALIZED = 1, INVALID_VALUE = 3, EXECUTION_FAILED = 6 };

enum mutation { NONE, TRIANGLE, LEADING_DIMENSION, WORKSPACE, ORDER, BATCH_COUNT, BATCH_INFO };

static enum mutation mutation;

void standin_cusolver_mutate(int32_t chosen) { mutation = chosen; }

struct handle { int alive; void *stream; };

#define ENTER(HANDLE) do { \
        if (!(HANDLE) || !(HANDLE)->alive || !(HANDLE)->stream) return NOT_INITIALIZED; \
        if (standin_state()) return EXECUTION_FAILED; \
    } while (0)

int cusolverDnCreate(struct handle **made) {
    if (standin_state()) return NOT_INITIALIZED;
    *made = malloc(sizeof **made);
    **made = (struct handle){1, NULL};
    standin_count(1);
    return SUCCESS;
}

int cusolverDnDestroy(struct handle *handle) {
    if (!handle || !handle->alive) return NOT_INITIALIZED;
    handle->alive = 0;
    standin_count(-1);
    return SUCCESS;
}

int cusolverDnSetStream(struct handle *handle, void *stream) {
    if (!handle || !handle->alive) return NOT_INITIALIZED;
    if (!standin_is_stream(stream)) return INVALID_VALUE;
    handle->stream = stream;
    return SUCCESS;
}

struct call { int uplo; int64_t n, lda; device_address a, workspace, info; int floats, count; };

static int workspace_floats(int64_t n) { return 256 + 32 * (int)n; }

static int invalid(const struct call *o) { return o->uplo < LOWER || o->uplo > UPPER || o->n < 0 || o->lda < (o->n > 1 ? o->n : 1) || o->count < 0; }

int cusolverDnSpotrf_bufferSize(struct handle *handle, int uplo, int n, device_address a, int lda, int *floats) {
    ENTER(handle);
    struct call o = {.uplo = uplo, .n = n, .lda = lda, .a = a};
    if (invalid(&o)) return INVALID_VALUE;
    *floats = workspace_floats(n);
    return SUCCESS;
}

static int run_potrf(const void *arguments) {
    const struct call *o = arguments;
    void *workspace = standin_resolve(o->workspace, 4ull * o->floats);
    float *a = matrix(o->a, o->n, o->n, o->lda, sizeof *a);
    int *info = standin_resolve(o->info, sizeof *info);
    if (!workspace || !a || !info) return ILLEGAL_ADDRESS;
    memset(workspace, 0xee, 4ull * o->floats);
    *info = factor(o->uplo, o->n, a, o->lda);
    return 0;
}

int cusolverDnSpotrf(struct handle *handle, int uplo, int n, device_address a, int lda, device_address workspace, int floats, device_address info) {
    ENTER(handle);
    struct call o = {uplo, n, lda, a, workspace, info, floats, 1};
    if (mutation == TRIANGLE) o.uplo = !o.uplo;
    if (mutation == LEADING_DIMENSION) o.lda++;
    if (mutation == WORKSPACE) o.floats /= 2;
    if (mutation == ORDER) o.n--;
    if (invalid(&o) || o.floats < workspace_floats(o.n)) return INVALID_VALUE;
    return standin_call(handle->stream, run_potrf, &o, sizeof o) ? EXECUTION_FAILED : SUCCESS;
}

static int run_batch(const void *arguments) {
    const struct call *o = arguments;
    const device_address *matrices = standin_resolve(o->a, o->count * sizeof *matrices);
    int *info = standin_resolve(o->info, o->count * sizeof *info);
    if (!matrices || !info) return ILLEGAL_ADDRESS;
    for (int which = 0; which < o->count; which++) {
        float *a = matrix(matrices[which], o->n, o->n, o->lda, sizeof *a);
        if (!a) return ILLEGAL_ADDRESS;
        const int result = factor(o->uplo, o->n, a, o->lda);
        info[which] = mutation == BATCH_INFO ? 0 : result;
    }
    return 0;
}

int cusolverDnSpotrfBatched(struct handle *handle, int uplo, int n, device_address matrices, int lda, device_address info, int count) {
    ENTER(handle);
    struct call o = {.uplo = uplo, .n = n, .lda = lda, .a = matrices, .info = info, .count = count};
    if (mutation == TRIANGLE) o.uplo = !o.uplo;
    if (mutation == LEADING_DIMENSION) o.lda++;
    if (mutation == ORDER) o.n--;
    if (mutation == BATCH_COUNT) o.count--;
    if (invalid(&o)) return INVALID_VALUE;
    return standin_call(handle->stream, run_batch, &o, sizeof o) ? EXECUTION_FAILED : SUCCESS;
}
