package dev.obr.kernels.gpu.tokens;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * How the next token of one row is chosen, and the random number that does so. The options are those of the runtime's sampler and checked there.
 *
 * @param uniform at least 0 and below 1
 * @param temperature 0 takes the likeliest
 * @param topK 0 keeps all
 * @param topP 1 keeps all
 * @param minP 0 keeps all
 * @param repeatPenalty 1 does nothing
 * @param repeatLastN tokens of the context that are penalised; -1 all
 */
public record Choice(
        double uniform, float temperature, int topK, float topP, float minP, float repeatPenalty, int repeatLastN) {
    /** Bytes of one in a device's memory. */
    public static final int BYTES = 40;

    private static final ValueLayout.OfDouble F64 =
            ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt I32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** By how much a logit may be below the largest; -infinity keeps all. */
    double least() {
        return Math.log(minP);
    }

    /** As {@code sample.cu} reads it: {@code | uniform f64 | least f64 | temperature | top p | top k | penalty | window | 0 |}. */
    public void store(MemorySegment choices, int row) {
        long at = (long) row * BYTES;
        choices.set(F64, at, uniform);
        choices.set(F64, at + 8, least());
        choices.set(F32, at + 16, temperature);
        choices.set(F32, at + 20, topP);
        choices.set(I32, at + 24, topK);
        choices.set(F32, at + 28, repeatPenalty);
        choices.set(I32, at + 32, repeatLastN); // -1 is more than any context has
        choices.set(I32, at + 36, 0);
    }
}
