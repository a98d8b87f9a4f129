package dev.obr.kernels.cuda;

import dev.obr.kernels.linalg.Block;
import dev.obr.kernels.linalg.Matrix;
import java.lang.foreign.MemorySegment;

/** A block whose size is known; on the device its rows lie one behind the other. */
record HostRectangle(Block block, int rows, int cols) {
    HostRectangle {
        block.check(rows, cols);
    }

    /** One of its own. */
    static HostRectangle identity(int n) {
        Matrix identity = Matrix.zeros(n, n);
        for (int i = 0; i < n; i++) {
            identity.set(i, i, 1);
        }
        return new HostRectangle(Block.of(identity), n, n);
    }

    long bytes() {
        return (long) rows * cols * Float.BYTES;
    }

    boolean inOnePiece() {
        return block.stride() == cols || rows == 1;
    }

    /** Its values as they go to the device: where they lie, or gathered from there. */
    MemorySegment values() {
        return inOnePiece() ? segment() : gathered();
    }

    /** Where its values are, if they are in one piece. */
    MemorySegment segment() {
        return MemorySegment.ofArray(block.values()).asSlice((long) block.offset() * Float.BYTES, bytes());
    }

    private MemorySegment gathered() {
        float[] values = new float[Math.multiplyExact(rows, cols)];
        for (int r = 0; r < rows; r++) {
            System.arraycopy(block.values(), block.offset() + r * block.stride(), values, r * cols, cols);
        }
        return MemorySegment.ofArray(values);
    }
}
