package dev.obr.models.safetensors;

import dev.obr.kernels.DType;
import dev.obr.kernels.ObrException;
import dev.obr.models.Weight;
import java.lang.foreign.MemorySegment;
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
}
