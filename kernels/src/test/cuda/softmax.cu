#include <math.h>

// One warp a row: y = exp(x - max) / sum.
extern "C" __global__ void softmax_rows(const float* x, float* y, int rows, int cols) {
    int row = blockIdx.x * blockDim.y + threadIdx.y;
    if (row >= rows) return;
    const float* in = x + (long)row * cols;
    float most = -INFINITY, sum = 0;
    for (int i = threadIdx.x; i < cols; i += 32) most = fmaxf(most, in[i]);
    for (int step = 16; step; step >>= 1) most = fmaxf(most, __shfl_xor_sync(~0u, most, step));
    for (int i = threadIdx.x; i < cols; i += 32) sum += expf(in[i] - most);
    for (int step = 16; step; step >>= 1) sum += __shfl_xor_sync(~0u, sum, step);
    for (int i = threadIdx.x; i < cols; i += 32) y[(long)row * cols + i] = __expf(in[i] - most) / sum;
}
