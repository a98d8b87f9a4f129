package dev.obr.models.gguf;

import dev.obr.kernels.DType;
import dev.obr.kernels.ObrException;
import dev.obr.models.Weight;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * One tensor of a GGUF file, of whatever type.
 *
 * @param source the file, for messages
 * @param name as the file has it, e.g. {@code blk.0.attn_q.weight}
 * @param type ggml's name of its type, e.g. {@code Q4_K}
 * @param shape outermost dimension first (the file has the innermost first)
 * @param memory its bytes in the mapped file, row-major
 */
public record GgufTensor(String source, String name, String type, List<Integer> shape, MemorySegment memory) {
    public GgufTensor {
        shape = List.copyOf(shape);
    }

    /**
     * The tensor as a weight of a model.
     *
     * @param huggingFaceName its name there
     * @throws ObrException where weights of this type are not supported
     */
    public Weight weight(String huggingFaceName) {
        DType weightType = GgmlType.valueOf(type).weightType();
        if (weightType == null) {
            throw new ObrException(source + ": tensor " + name + " has type " + type
                    + ", which is not supported; use a file with F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q4_K or Q6_K"
                    + " weights only");
        }
        return new Weight(huggingFaceName, weightType, shape, memory);
    }
}
