package dev.obr.models.file;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;

/** The bytes of one tensor, produced when its turn comes to be written: a model larger than memory can be written so. */
@FunctionalInterface
public interface TensorBytes {
    /** Writes all bytes of the tensor, row-major. */
    void writeTo(WritableByteChannel out) throws IOException;

    /** The bytes of a segment of any size. */
    static TensorBytes of(MemorySegment memory) {
        return out -> {
            ByteBuffer chunk = ByteBuffer.allocateDirect(1 << 20);
            for (long from = 0; from < memory.byteSize(); from += chunk.capacity()) {
                long length = Math.min(chunk.capacity(), memory.byteSize() - from);
                chunk.clear().limit((int) length);
                MemorySegment.ofBuffer(chunk).copyFrom(memory.asSlice(from, length));
                while (chunk.hasRemaining()) {
                    out.write(chunk);
                }
            }
        };
    }
}
