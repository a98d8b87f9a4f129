package dev.obr.models.gguf;

import dev.obr.kernels.ObrException;
import dev.obr.models.file.Excerpt;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Reads the head of a GGUF file front to back; every count is compared with the bytes that are left before anything is allocated for it. */
final class GgufCursor {
    /** Far above any vocabulary (Gemma's has 262,144 entries). */
    private static final int MAX_ARRAY = 1 << 24;

    private static final ValueLayout.OfShort I16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt I32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong I64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfDouble F64 =
            ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final MemorySegment file;
    private final String source;
    private long position;

    GgufCursor(MemorySegment file, String source) {
        this.file = file;
        this.source = source;
    }

    long position() {
        return position;
    }

    int int32(String what) {
        return file.get(I32, advance(4, what));
    }

    long int64(String what) {
        return file.get(I64, advance(8, what));
    }

    String string(String what) {
        long length = count(what, 1);
        byte[] bytes = file.asSlice(advance(length, what), length).toArray(ValueLayout.JAVA_BYTE);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    /** The name of a tensor or of a metadata entry: short and printable. */
    String name(String what) {
        String name = string(what);
        if (!Excerpt.isPlain(name)) {
            throw new ObrException(source + ": " + what + " is \"" + Excerpt.of(name)
                    + "\", which is no name; the file is damaged: download it again");
        }
        return name;
    }

    /**
     * A number of things to follow.
     *
     * @param minimumBytes what each of them takes at least
     */
    int count(String what, int minimumBytes) {
        long count = int64(what);
        long left = file.byteSize() - position;
        if (count < 0 || count > left / minimumBytes || count > Integer.MAX_VALUE - 8) {
            throw new ObrException(source + " announces " + Long.toUnsignedString(count) + " as the size of " + what
                    + ", but only " + left + " bytes follow; the file is truncated or damaged: download it again");
        }
        return (int) count;
    }

    /** A metadata value of the given GGUF type: a boxed number, Boolean or String, or an array of primitives or Strings. */
    Object value(int type, String key) {
        return switch (type) {
            case 0 -> Byte.toUnsignedInt(file.get(ValueLayout.JAVA_BYTE, advance(1, key)));
            case 1 -> (int) file.get(ValueLayout.JAVA_BYTE, advance(1, key));
            case 2 -> Short.toUnsignedInt(file.get(I16, advance(2, key)));
            case 3 -> (int) file.get(I16, advance(2, key));
            case 4 -> Integer.toUnsignedLong(int32(key));
            case 5 -> int32(key);
            case 6 -> file.get(F32, advance(4, key));
            case 7 -> file.get(ValueLayout.JAVA_BYTE, advance(1, key)) != 0;
            case 8 -> string(key);
            case 9 -> array(int32(key), key);
            case 10, 11 -> int64(key);
            case 12 -> file.get(F64, advance(8, key));
            default -> throw unknownType(type, key);
        };
    }

    private Object array(int type, String key) {
        int elementBytes = switch (type) {
            case 0, 1, 7 -> 1;
            case 2, 3 -> 2;
            case 4, 5, 6 -> 4;
            case 8, 10, 11, 12 -> 8;
            default -> throw unknownType(type, "the array " + key);
        };
        int n = count("the array " + key, elementBytes);
        if (n > MAX_ARRAY) {
            throw new ObrException(source + ": the array " + key + " has " + n + " entries (limit " + MAX_ARRAY
                    + "); the file is damaged: download it again");
        }
        switch (type) {
            case 6 -> {
                float[] floats = new float[n];
                for (int i = 0; i < n; i++) {
                    floats[i] = file.get(F32, advance(4, key));
                }
                return floats;
            }
            case 7 -> {
                boolean[] booleans = new boolean[n];
                for (int i = 0; i < n; i++) {
                    booleans[i] = file.get(ValueLayout.JAVA_BYTE, advance(1, key)) != 0;
                }
                return booleans;
            }
            case 8 -> {
                String[] strings = new String[n];
                for (int i = 0; i < n; i++) {
                    strings[i] = string(key);
                }
                return strings;
            }
            case 12 -> {
                double[] doubles = new double[n];
                for (int i = 0; i < n; i++) {
                    doubles[i] = file.get(F64, advance(8, key));
                }
                return doubles;
            }
            case 4, 10, 11 -> {
                long[] longs = new long[n];
                for (int i = 0; i < n; i++) {
                    longs[i] = ((Number) value(type, key)).longValue();
                }
                return longs;
            }
            default -> {
                int[] ints = new int[n];
                for (int i = 0; i < n; i++) {
                    ints[i] = ((Number) value(type, key)).intValue();
                }
                return ints;
            }
        }
    }

    private ObrException unknownType(int type, String key) {
        return new ObrException(source + ": " + key + " has the unknown value type " + Integer.toUnsignedString(type)
                + "; the file is damaged or newer than GGUF version 3");
    }

    /** Steps over {@code bytes} and returns where they start. */
    private long advance(long bytes, String what) {
        if (bytes > file.byteSize() - position) {
            throw new ObrException(source + " ends at byte " + file.byteSize() + " in the middle of " + what
                    + "; it is truncated: download it again");
        }
        long start = position;
        position += bytes;
        return start;
    }
}
