package dev.obr.models.safetensors;

import dev.obr.kernels.DType;
import dev.obr.kernels.ObrException;
import dev.obr.models.Weight;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * One tensor of a safetensors file, of whatever type.
 *
 * @param source the file, for messages
 * @param name as the file has it
 * @param type as the file has it, e.g. {@code BF16}
 * @param shape outermost dimension first
 * @param memory its bytes in the mapped file, row-major; not aligned to the element's size in every file
 */
public record SafetensorsTensor(String source, String name, String type, List<Long> shape, MemorySegment memory) {
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfDouble DOUBLE =
            ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    public SafetensorsTensor {
        shape = List.copyOf(shape);
    }

    /**
     * The tensor as a weight of a model.
     *
     * @throws ObrException where weights of this type are not supported
     */
    public Weight weight() {
        DType weightType =
                SafetensorsType.named(type).map(SafetensorsType::weightType).orElse(null);
        if (weightType == null) {
            throw new ObrException(source + ": tensor " + name + " has dtype " + type
                    + ", which is not supported for weights; convert the model to F32, F16 or BF16");
        }
        List<Integer> sizes = new ArrayList<>();
        for (long size : shape) {
            if (size > Integer.MAX_VALUE) {
                throw new ObrException(source + ": tensor " + name + " has shape " + shape
                        + ", but a dimension may not exceed " + Integer.MAX_VALUE);
            }
            sizes.add((int) size);
        }
        return new Weight(name, weightType, sizes, memory);
    }

    /** Number of elements. */
    public long elements() {
        return shape.stream().mapToLong(Long::longValue).reduce(1, (a, b) -> a * b);
    }

    /**
     * All elements as float32, in order.
     *
     * @throws ObrException if they are no F32, F16, BF16 or F64, or too many for an array
     */
    public float[] floats() {
        if (elements() > Integer.MAX_VALUE - 8) {
            throw new ObrException(source + ": tensor " + name + " has shape " + shape + ", " + elements()
                    + " elements; more than 2^31 cannot be read at once: split it");
        }
        float[] values = new float[(int) elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = switch (type) {
                case "F32" -> memory.get(FLOAT, 4L * i);
                case "F64" -> (float) memory.get(DOUBLE, 8L * i);
                case "F16" -> Float.float16ToFloat(memory.get(SHORT, 2L * i));
                case "BF16" -> Float.intBitsToFloat(memory.get(SHORT, 2L * i) << 16);
                default ->
                    throw new ObrException(source + ": tensor " + name + " has dtype " + type
                            + ", which holds no real numbers; store it as F32, F16, BF16 or F64");
            };
        }
        return values;
    }
}
