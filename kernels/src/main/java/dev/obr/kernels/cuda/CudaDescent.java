package dev.obr.kernels.cuda;

import dev.obr.kernels.gpu.systems.DescentKernel;
import dev.obr.kernels.linalg.DeviceAlgebra.SignedCodes;
import dev.obr.kernels.linalg.Matrix;
import java.lang.foreign.MemorySegment;

/** Codes improved on a GPU: as many rows at once as there is memory for; W H, the gradients, the mask and codes travel there, codes and scales back. */
final class CudaDescent implements AutoCloseable {
    /** Gradients and products, the mask and codes, the gradients in double precision. */
    private static final int BYTES = 4 + 4 + 1 + 1 + 8;

    private final CudaStream stream;
    private final DescentKernel kernel;
    private final CallMemory memory;

    CudaDescent(CudaDevice device, CudaStream stream, DescentKernel kernel) {
        this.stream = stream;
        this.kernel = kernel;
        memory = new CallMemory(device, stream);
    }

    /** Improves {@code codes} in place; {@code h} is on the device. */
    void run(CudaMemory h, Matrix product, Matrix gradient, boolean[] kept, SignedCodes codes) {
        int cols = product.cols();
        int batch = memory.rowsAtOnce(product.rows(), (long) BYTES * cols + Float.BYTES);
        CudaMemory gradients = memory.of((long) Float.BYTES * batch * cols);
        CudaMemory products = memory.of((long) Float.BYTES * batch * cols);
        CudaMemory mask = memory.of((long) batch * cols);
        CudaMemory improved = memory.of((long) batch * cols);
        CudaMemory scales = memory.of((long) Float.BYTES * batch);
        CudaMemory room = memory.of((long) Double.BYTES * batch * cols);
        for (int top = 0; top < product.rows(); top += batch) {
            int rows = Math.min(batch, product.rows() - top);
            long first = (long) top * cols;
            long count = (long) rows * cols;
            byte[] bytes = new byte[rows * cols];
            for (int i = 0; i < bytes.length; i++) {
                bytes[i] = (byte) (kept[top * cols + i] ? 1 : 0);
            }
            MemorySegment ofCodes = MemorySegment.ofArray(codes.codes()).asSlice(first, count);
            MemorySegment ofScales =
                    MemorySegment.ofArray(codes.scale()).asSlice((long) Float.BYTES * top, (long) Float.BYTES * rows);
            stream.copyIn(floats(gradient, first, count), gradients, 0);
            stream.copyIn(floats(product, first, count), products, 0);
            stream.copyIn(MemorySegment.ofArray(bytes), mask, 0);
            stream.copyIn(ofCodes, improved, 0);
            stream.copyIn(ofScales, scales, 0);
            kernel.descend(
                    stream,
                    new DescentKernel.Operands(
                            rows,
                            cols,
                            h,
                            gradients,
                            products,
                            mask,
                            improved,
                            scales,
                            room,
                            codes.lowest(),
                            codes.highest()));
            stream.copyOut(improved, 0, ofCodes);
            stream.copyOut(scales, 0, ofScales);
            stream.synchronize();
        }
    }

    private static MemorySegment floats(Matrix matrix, long first, long count) {
        return MemorySegment.ofArray(matrix.values()).asSlice(Float.BYTES * first, Float.BYTES * count);
    }

    @Override
    public void close() {
        memory.close();
    }
}
