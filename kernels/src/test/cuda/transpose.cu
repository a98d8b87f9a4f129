// x [rows, cols] -> y [cols, rows] through a tile whose rows are padded by one word.
extern "C" __global__ void transpose(const float* x, float* y, int rows, int cols) {
    __shared__ float tile[32][33];
    int col = blockIdx.x * 32 + threadIdx.x, row = blockIdx.y * 32 + threadIdx.y;
    for (int j = 0; j < 32; j += blockDim.y)
        if (row + j < rows && col < cols) tile[threadIdx.y + j][threadIdx.x] = x[(row + j) * cols + col];
    __syncthreads();
    col = blockIdx.y * 32 + threadIdx.x;
    row = blockIdx.x * 32 + threadIdx.y;
    for (int j = 0; j < 32; j += blockDim.y)
        if (row + j < cols && col < rows) y[(row + j) * rows + col] = tile[threadIdx.x][threadIdx.y + j];
}
