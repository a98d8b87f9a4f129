// A function that calls itself: the emulator lays calls out in place and refuses it.
__noinline__ __device__ int ackermann(int m, int n) {
    if (m == 0) return n + 1;
    if (n == 0) return ackermann(m - 1, 1);
    return ackermann(m - 1, ackermann(m, n - 1));
}

extern "C" __global__ void recursion(int* y) {
    int t = threadIdx.x;
    y[t] = ackermann(t % 3, t / 3);
}
