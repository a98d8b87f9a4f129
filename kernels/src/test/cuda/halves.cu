#include <cuda_bf16.h>
#include <cuda_fp16.h>

// Pairs of half floats: y0 = a*b + c, y1 = a - b, y2 = max(a, b) where a < c and |a| elsewhere, y3 = a / 4 by way of floats.
extern "C" __global__ void half_pairs(const __half2* a, const __half2* b, const __half2* c, __half2* y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    __half2 p = a[i], q = b[i], r = c[i];
    y[i] = __hfma2(p, q, r);
    y[n + i] = __hsub2(p, q);
    __half low = __low2half(p) < __low2half(r) ? __hmax(__low2half(p), __low2half(q)) : __habs(__low2half(p));
    __half high = __high2half(p) < __high2half(r) ? __hmax(__high2half(p), __high2half(q)) : __habs(__high2half(p));
    y[2 * n + i] = __halves2half2(low, high);
    float2 wide = __half22float2(p);
    y[3 * n + i] = __floats2half2_rn(wide.x * 0.25f, wide.y * 0.25f);
}

// Sums of columns in bfloat16: each thread one column pair.
extern "C" __global__ void bfloat_columns(const __nv_bfloat162* x, float* y, int rows, int pairs) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= pairs) return;
    __nv_bfloat162 sum = __floats2bfloat162_rn(0.0f, 0.0f);
    for (int row = 0; row < rows; row++) sum = __hadd2(sum, x[row * pairs + i]);
    float2 wide = __bfloat1622float2(sum);
    y[2 * i] = wide.x;
    y[2 * i + 1] = wide.y;
}
