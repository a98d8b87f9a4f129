package dev.obr.models.torch;

import dev.obr.kernels.DType;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The element types of torch's storages, which pickles name by their classes. */
enum StorageType {
    FLOAT("FloatStorage", 4, DType.F32),
    HALF("HalfStorage", 2, DType.F16),
    BFLOAT16("BFloat16Storage", 2, DType.BF16),
    DOUBLE("DoubleStorage", 8, null),
    LONG("LongStorage", 8, null),
    INT("IntStorage", 4, null),
    SHORT("ShortStorage", 2, null),
    CHAR("CharStorage", 1, null),
    BYTE("ByteStorage", 1, null),
    BOOL("BoolStorage", 1, null);

    private final String className;
    private final int bytes;
    private final @Nullable DType weightType;

    StorageType(String className, int bytes, @Nullable DType weightType) {
        this.className = className;
        this.bytes = bytes;
        this.weightType = weightType;
    }

    /** The type whose class in Python's module {@code torch} has that name. */
    static Optional<StorageType> named(String className) {
        return Arrays.stream(values())
                .filter(type -> type.className.equals(className))
                .findFirst();
    }

    /** Of one element. */
    int bytes() {
        return bytes;
    }

    /** The type of a weight stored so, or null where weights can't be. */
    @Nullable
    DType weightType() {
        return weightType;
    }

    @Override
    public String toString() {
        return "torch." + className;
    }
}
