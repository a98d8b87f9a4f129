// y = a x + y. Compiled by: nvcc -ptx -arch=sm_80 saxpy.cu
extern "C" __global__ void saxpy(int n, float a, const float* x, float* y) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = a * x[i] + y[i];
}
