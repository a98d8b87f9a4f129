/*
 * What the libraries that stand in for cuBLAS and cuSOLVER have in common. They compute on the memory of the driver's stand-in (standin_cuda.c), to which they are linked, when its streams run.
 *
 * Matrices lie column by column, as NVIDIA documents: element (r, c) of a matrix of leading dimension ld is a[c * ld + r]. Every range is looked up when the work runs: an address that is the
 * host's, freed, or followed by too little memory gives the device the error 700, illegal address, as a GPU would.
 */
#pragma once

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t device_address;

enum { LOWER = 0, UPPER = 1 };
enum { OP_N = 0, OP_T = 1 };
enum { LEFT = 0, RIGHT = 1 };
enum { NON_UNIT = 0, UNIT = 1 };
enum { ILLEGAL_ADDRESS = 700 };

void standin_count(int32_t handles);
int standin_state(void);
int standin_is_stream(const void *handle);
void *standin_resolve(device_address address, uint64_t bytes);
int standin_call(void *stream, int (*run)(const void *arguments), const void *arguments, uint64_t bytes);

/* A factor that is passed by address lies on the host. */
static inline int is_host(const void *pointer) { return pointer && (uint64_t)(uintptr_t)pointer < (1ull << 48); }

static inline uint64_t extent(int64_t rows, int64_t cols, int64_t ld) { return rows && cols ? (uint64_t)((cols - 1) * ld + rows) : 0; }

static inline void *matrix(device_address address, int64_t rows, int64_t cols, int64_t ld, size_t element) {
    return standin_resolve(address, extent(rows, cols, ld) * element);
}

/* The leading triangle of n columns becomes its Cholesky factor: A = L Lᵀ (LOWER) or Uᵀ U (UPPER). 0, or the order of the leading block that is not positive definite. */
static inline int factor(int uplo, int64_t n, float *a, int64_t ld) {
    /* U's column j below the diagonal of L, and the other way round: (i, j) of L is a[j * ld + i], (j, i) of U is a[i * ld + j] */
    const int64_t down = uplo == LOWER ? 1 : ld, across = uplo == LOWER ? ld : 1;
    for (int64_t j = 0; j < n; j++) {
        float *column = a + j * across;
        float pivot = column[j * down];
        for (int64_t p = 0; p < j; p++) pivot -= a[p * across + j * down] * a[p * across + j * down];
        if (!(pivot > 0) || isinf(pivot)) return (int)(j + 1);
        pivot = sqrtf(pivot);
        column[j * down] = pivot;
        for (int64_t i = j + 1; i < n; i++) {
            float sum = column[i * down];
            for (int64_t p = 0; p < j; p++) sum -= a[p * across + i * down] * a[p * across + j * down];
            column[i * down] = sum / pivot;
        }
    }
    return 0;
}

/* Element (r, c) of the triangle T = op(A), zero in its other half. */
static inline float triangular(int uplo, int op, int diag, const float *a, int64_t ld, int64_t r, int64_t c) {
    const int64_t row = op == OP_N ? r : c, col = op == OP_N ? c : r;
    if (row == col) return diag == UNIT ? 1.0f : a[col * ld + row];
    return (uplo == LOWER) == (row > col) ? a[col * ld + row] : 0.0f;
}

/* x <- T⁻¹ x of one column. */
static inline void substitute(int uplo, int op, int diag, int64_t n, const float *a, int64_t ld, float *x) {
    const int forward = (uplo == LOWER) == (op == OP_N);
    for (int64_t s = 0; s < n; s++) {
        const int64_t i = forward ? s : n - 1 - s;
        float sum = x[i];
        if (forward)
            for (int64_t p = 0; p < i; p++) sum -= triangular(uplo, op, diag, a, ld, i, p) * x[p];
        else
            for (int64_t p = i + 1; p < n; p++) sum -= triangular(uplo, op, diag, a, ld, i, p) * x[p];
        x[i] = sum / triangular(uplo, op, diag, a, ld, i, i);
    }
}
