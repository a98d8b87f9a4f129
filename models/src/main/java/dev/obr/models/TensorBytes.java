package dev.obr.models;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.WritableByteChannel;

/** The bytes of one tensor, produced when its turn comes to be written: a model larger than memory can be written so. */
@FunctionalInterface
public interface TensorBytes {
    /** Writes all bytes of the tensor, row-major. */
    void writeTo(WritableByteChannel out) throws IOException;

    /** The bytes of a segment of any size. */
    static TensorBytes of(MemorySegment memory) {
        return out -> {
            long chunk = 1 << 24; // a byte buffer holds less than 2 GiB
            for (long from = 0; from < memory.byteSize(); from += chunk) {
                var buffer = memory.asSlice(from, Math.min(chunk, memory.byteSize() - from))
                        .asByteBuffer();
                while (buffer.hasRemaining()) {
                    out.write(buffer);
                }
            }
        };
    }
}
