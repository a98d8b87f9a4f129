package dev.obr.kernels.cuda;

import dev.obr.kernels.cuda.CudaBlas.At;
import dev.obr.kernels.cuda.DeviceScratch.Use;
import dev.obr.kernels.linalg.Block;
import dev.obr.kernels.linalg.Matrix;
import java.lang.foreign.MemorySegment;
import java.util.IdentityHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Operands of calls: rectangles of the host's arrays, which travel to the device and back, but for matrices that are held there. */
final class DeviceOperands {
    private final CudaDevice device;
    private final CudaStream stream;
    private final DeviceScratch scratch;
    private final Map<float[], CudaMemory> held = new IdentityHashMap<>();

    DeviceOperands(CudaDevice device, CudaStream stream, DeviceScratch scratch) {
        this.device = device;
        this.stream = stream;
        this.scratch = scratch;
    }

    /** Keeps a matrix there from now on; null where it is already. */
    @Nullable
    CudaMemory hold(Matrix matrix) {
        if (held.containsKey(matrix.values())) {
            return null;
        }
        CudaMemory memory = device.own(device.allocate(Math.max(4, 4L * matrix.values().length)));
        stream.copyIn(MemorySegment.ofArray(matrix.values()), memory, 0);
        held.put(matrix.values(), memory);
        return memory;
    }

    /** Lets go of what {@link #hold} gave, once. */
    void release(Matrix matrix, CudaMemory memory) {
        if (held.remove(matrix.values(), memory)) {
            memory.close();
        }
    }

    /** Where a matrix is held, or null. */
    @Nullable
    CudaMemory held(Matrix matrix) {
        return held.get(matrix.values());
    }

    /** An operand that is only read, where it is held or after it has travelled. */
    At factor(Use use, HostRectangle rectangle) {
        CudaMemory present = held.get(rectangle.block().values());
        return present != null
                ? new At(present, rectangle.block().offset(), rectangle.block().stride())
                : copyIn(use, rectangle);
    }

    /** Room for a result. */
    At room(Use use, HostRectangle rectangle) {
        return At.of(scratch.of(use, rectangle.bytes()), rectangle.cols());
    }

    At copyIn(Use use, HostRectangle rectangle) {
        At at = room(use, rectangle);
        stream.copyIn(rectangle.values(), at.memory(), 0);
        return at;
    }

    /** Waits for the result. What is beside it in the host's array is not written: other threads may use that. */
    void copyOut(At at, HostRectangle rectangle, boolean lowerOnly) {
        if (rectangle.inOnePiece() && !lowerOnly) {
            stream.copyOut(at.memory(), 0, rectangle.segment());
            stream.synchronize();
            return;
        }
        int cols = rectangle.cols();
        float[] values = new float[Math.multiplyExact(rectangle.rows(), cols)];
        stream.copyOut(at.memory(), 0, MemorySegment.ofArray(values));
        stream.synchronize();
        Block block = rectangle.block();
        for (int r = 0; r < rectangle.rows(); r++) {
            int count = lowerOnly ? r + 1 : cols;
            System.arraycopy(values, r * cols, block.values(), block.offset() + r * block.stride(), count);
        }
    }
}
