#include <cuda_pipeline.h>

// Sums of rows, x [rows, cols] with cols % 512 == 0: the next 512 numbers are copied while the present ones are added.
extern "C" __global__ void row_sums(const float* x, float* y, int cols) {
    __shared__ __align__(16) float stage[2][512];
    const float* row = x + (long)blockIdx.x * cols;
    int t = threadIdx.x, steps = cols / 512;
    float sum = 0;
    __pipeline_memcpy_async(&stage[0][4 * t], row + 4 * t, 16);
    __pipeline_commit();
    for (int i = 0; i < steps; i++) {
        if (i + 1 < steps) __pipeline_memcpy_async(&stage[(i + 1) & 1][4 * t], row + 512 * (i + 1) + 4 * t, 16);
        __pipeline_commit();
        __pipeline_wait_prior(1);
        __syncthreads();
        for (int j = t; j < 512; j += 128) sum += stage[i & 1][j];  // others' copies
        __syncthreads();
    }
    for (int step = 16; step; step >>= 1) sum += __shfl_xor_sync(~0u, sum, step);
    __shared__ float warps[4];
    if (t % 32 == 0) warps[t / 32] = sum;
    __syncthreads();
    if (t == 0) y[blockIdx.x] = warps[0] + warps[1] + warps[2] + warps[3];
}

// Copies of 4 and 8 bytes, with zeros for what lies behind the end.
extern "C" __global__ void padded_copy(const int* x, int* y, int n) {
    __shared__ __align__(16) int stage[256];
    int t = threadIdx.x;
    int have = min(max(n - 2 * t, 0), 2) * 4;
    __pipeline_memcpy_async(&stage[2 * t], x + (have ? 2 * t : 0), 8, 8 - have);
    __pipeline_commit();
    __pipeline_wait_prior(0);
    __syncthreads();
    y[t] = stage[255 - t];
    y[128 + t] = stage[127 - t];
}
