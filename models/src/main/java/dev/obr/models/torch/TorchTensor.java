package dev.obr.models.torch;

import dev.obr.kernels.DType;
import dev.obr.kernels.ObrException;
import dev.obr.models.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * One tensor of a torch file, of whatever type, as a view of its storage.
 *
 * @param source the file, for messages
 * @param name as the file has it
 * @param type of its elements
 * @param shape outermost dimension first
 * @param strides elements between neighbours along each dimension
 * @param memory the storage in the mapped file, from the tensor's first element on; known to hold its last one
 */
record TorchTensor(
        String source, String name, StorageType type, List<Long> shape, List<Long> strides, MemorySegment memory) {
    private static final int MAX_DIMENSIONS = 64; // torch's own limit

    TorchTensor {
        shape = List.copyOf(shape);
        strides = List.copyOf(strides);
    }

    /**
     * The tensor that a view describes, once its sizes are checked.
     *
     * @param storage the record that the view looks at
     */
    static TorchTensor of(String source, String name, TensorView view, MemorySegment storage) {
        StorageType type = view.storage().type();
        if (storage.byteSize() / type.bytes() != view.storage().elements() || storage.byteSize() % type.bytes() != 0) {
            throw damaged(
                    source,
                    name,
                    "has a storage of " + view.storage().elements() + " elements of " + type + ", but its record has "
                            + storage.byteSize() + " bytes");
        }
        long available = view.storage().elements();
        if (view.shape().size() > MAX_DIMENSIONS
                || view.shape().size() != view.strides().size()) {
            throw damaged(
                    source,
                    name,
                    "has " + view.shape().size() + " dimensions and "
                            + view.strides().size() + " strides");
        }
        long elements = 1;
        long last = view.offset(); // position of the last element
        try {
            for (int d = 0; d < view.shape().size(); d++) {
                long size = view.shape().get(d);
                long stride = view.strides().get(d);
                if (size < 0 || stride < 0) {
                    throw damaged(source, name, "has the shape " + view.shape() + " and strides " + view.strides());
                }
                elements = Math.multiplyExact(elements, size);
                last = Math.addExact(last, Math.multiplyExact(Math.max(0, size - 1), stride));
            }
        } catch (ArithmeticException overflow) {
            throw damaged(source, name, "has the shape " + view.shape() + ", too large for any file");
        }
        boolean inside = view.offset() >= 0
                && elements <= available // more would be one element in several places
                && (elements == 0 ? view.offset() <= available : last < available);
        if (!inside) {
            throw damaged(
                    source,
                    name,
                    "of shape " + view.shape() + " with strides " + view.strides() + " from element " + view.offset()
                            + " on reaches beyond its storage of " + available);
        }
        return new TorchTensor(
                source, name, type, view.shape(), view.strides(), storage.asSlice(view.offset() * type.bytes()));
    }

    /**
     * The tensor as a weight of a model: in place where its elements are stored in order, otherwise as a copy.
     *
     * @param arena owns the copy
     * @throws ObrException where weights of this type are not supported
     */
    Weight weight(Arena arena) {
        DType weightType = type.weightType();
        if (weightType == null) {
            throw new ObrException(source + ": tensor " + name + " is of " + type
                    + ", which is not supported for weights; convert the model to float32, float16 or bfloat16");
        }
        List<Integer> sizes = new ArrayList<>();
        for (long size : shape) {
            if (size > Integer.MAX_VALUE) {
                throw new ObrException(source + ": tensor " + name + " has shape " + shape
                        + ", but a dimension may not exceed " + Integer.MAX_VALUE);
            }
            sizes.add((int) size);
        }
        long elements = shape.stream().mapToLong(Long::longValue).reduce(1, (a, b) -> a * b);
        MemorySegment ordered =
                isOrdered() ? memory.asSlice(0, elements * type.bytes()) : arena.allocate(elements * type.bytes());
        if (!isOrdered()) {
            gather(0, 0, ordered, 0);
        }
        return new Weight(name, weightType, sizes, ordered);
    }

    /** Whether the last dimension is the densest and nothing lies between elements; strides of single elements do not count. */
    private boolean isOrdered() {
        if (shape.contains(0L)) {
            return true;
        }
        long step = 1;
        for (int d = shape.size() - 1; d >= 0; d--) {
            if (shape.get(d) > 1 && strides.get(d) != step) {
                return false;
            }
            step *= shape.get(d);
        }
        return true;
    }

    /** Copies what lies behind dimension {@code d} from element {@code from} on; returns where the next element goes. */
    private long gather(int d, long from, MemorySegment to, long at) {
        int bytes = type.bytes();
        if (d == shape.size()) {
            MemorySegment.copy(memory, from * bytes, to, at * bytes, bytes);
            return at + 1;
        }
        long next = at;
        for (long i = 0; i < shape.get(d); i++) {
            next = gather(d + 1, from + i * strides.get(d), to, next);
        }
        return next;
    }

    private static ObrException damaged(String source, String name, String fault) {
        return new ObrException(source + ": tensor " + name + " " + fault + "; the file is damaged: download it again");
    }
}
