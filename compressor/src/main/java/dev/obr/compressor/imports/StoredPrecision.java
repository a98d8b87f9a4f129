package dev.obr.compressor.imports;

import dev.obr.kernels.DType;
import dev.obr.kernels.ObrException;

/** The type to which a checkpoint's weights were rounded, to the nearest and from the middle to the even neighbour. */
enum StoredPrecision {
    FLOAT {
        @Override
        float round(float value) {
            return value;
        }

        @Override
        float step(float value, int steps) {
            return Float.intBitsToFloat(Float.floatToRawIntBits(value) + steps);
        }
    },
    HALF {
        @Override
        float round(float value) {
            return Float.float16ToFloat(Float.floatToFloat16(value));
        }

        @Override
        float step(float value, int steps) {
            return Float.float16ToFloat((short) (Float.floatToFloat16(value) + steps));
        }
    },
    BRAIN {
        @Override
        float round(float value) {
            int bits = Float.floatToRawIntBits(value);
            return Float.intBitsToFloat(bits + 0x7fff + (bits >>> 16 & 1) & 0xffff0000);
        }

        @Override
        float step(float value, int steps) {
            return Float.intBitsToFloat(Float.floatToRawIntBits(value) + (steps << 16));
        }
    };

    /**
     * The precision of weights of that type.
     *
     * @param tensor its name and file, for messages
     */
    static StoredPrecision of(DType type, String tensor) {
        return switch (type) {
            case F32 -> FLOAT;
            case F16 -> HALF;
            case BF16 -> BRAIN;
            default ->
                throw new ObrException(
                        tensor + " is stored as " + type + ", but checkpoints of OBR hold F16, BF16 or F32");
        };
    }

    /** The nearest value of this precision. */
    abstract float round(float value);

    /** The value that lies {@code steps} after {@code value}, both of this precision and {@code value} positive. */
    abstract float step(float value, int steps);

    /** The least number that rounds to {@code value}, which is positive and finite. */
    double lower(float value) {
        return ((double) value + step(value, -1)) / 2;
    }

    /** The largest number that rounds to {@code value}. */
    double upper(float value) {
        float next = step(value, 1);
        return Float.isFinite(next) ? ((double) value + next) / 2 : 2.0 * value - lower(value);
    }
}
