package dev.obr.models.gguf;

import dev.obr.kernels.DType;
import dev.obr.kernels.ObrException;
import dev.obr.models.file.AtomicFile;
import dev.obr.models.file.TensorBytes;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes one GGUF file of version 3: metadata and tensors are announced first, the tensors' bytes asked for one by one while writing.
 *
 * <p>Metadata types matter to other readers (llama.cpp insists on unsigned counts), so there is one method for each.
 */
public final class GgufWriter {
    private static final int ALIGNMENT = 32;

    private record Pending(GgmlType type, List<Integer> shape, long bytes, TensorBytes content) {}

    /** Grows as metadata comes in: one encoded entry after another. */
    private final Encoder metadata = new Encoder();

    private int metadataCount;
    private final Map<String, Pending> tensors = new LinkedHashMap<>();

    public GgufWriter uint32(String key, long value) {
        entry(key, 4).int32((int) value);
        return this;
    }

    public GgufWriter int32(String key, int value) {
        entry(key, 5).int32(value);
        return this;
    }

    public GgufWriter float32(String key, float value) {
        entry(key, 6).int32(Float.floatToRawIntBits(value));
        return this;
    }

    public GgufWriter bool(String key, boolean value) {
        entry(key, 7).int8(value ? 1 : 0);
        return this;
    }

    public GgufWriter string(String key, String value) {
        entry(key, 8).string(value);
        return this;
    }

    public GgufWriter strings(String key, List<String> values) {
        array(key, 8, values.size());
        values.forEach(metadata::string);
        return this;
    }

    public GgufWriter int32s(String key, int[] values) {
        array(key, 5, values.length);
        for (int value : values) {
            metadata.int32(value);
        }
        return this;
    }

    public GgufWriter float32s(String key, float[] values) {
        array(key, 6, values.length);
        for (float value : values) {
            metadata.int32(Float.floatToRawIntBits(value));
        }
        return this;
    }

    /**
     * Adds a tensor under GGUF's own name, e.g. {@code blk.0.attn_q.weight}.
     *
     * <p>Other readers expect Q and K of the Llama family with rows permuted: see {@link GgufModel}.
     *
     * @param shape outermost dimension first, 1 to 4 of them, the innermost a multiple of the type's block size
     * @param content must write exactly as many bytes as type and shape take
     */
    public GgufWriter tensor(String name, DType type, List<Integer> shape, TensorBytes content) {
        if (shape.isEmpty() || shape.size() > 4) {
            throw new IllegalArgumentException("tensor " + name + " has " + shape.size() + " dimensions, not 1 to 4");
        }
        long bytes = type.bytes(shape.getLast());
        for (int size : shape.subList(0, shape.size() - 1)) {
            bytes = Math.multiplyExact(bytes, (long) size);
        }
        Pending pending = new Pending(GgmlType.of(type), List.copyOf(shape), bytes, content);
        if (tensors.putIfAbsent(name, pending) != null) {
            throw new IllegalArgumentException("two tensors are named " + name);
        }
        return this;
    }

    /** The name that GGUF gives to the tensor with a Hugging Face name. */
    public static String nameOf(String huggingFaceName) {
        return GgufNames.fromHuggingFace(huggingFaceName);
    }

    /**
     * Writes the file under a temporary name and moves it into place.
     *
     * @throws ObrException where the disk is full or the folder can't be written to; nothing half-written is left
     */
    public void write(Path file) {
        AtomicFile.write(file, out -> {
            TensorBytes.of(MemorySegment.ofArray(head())).writeTo(out);
            for (Map.Entry<String, Pending> tensor : tensors.entrySet()) {
                pad(out);
                long start = out.position();
                tensor.getValue().content.writeTo(out);
                if (out.position() - start != tensor.getValue().bytes) {
                    throw new IllegalStateException("tensor " + tensor.getKey() + " takes " + tensor.getValue().bytes
                            + " bytes, but " + (out.position() - start) + " were written");
                }
            }
            pad(out);
        });
    }

    private static void pad(FileChannel out) throws IOException {
        TensorBytes.of(MemorySegment.ofArray(new byte[(int) (-out.position() & ALIGNMENT - 1)]))
                .writeTo(out);
    }

    private byte[] head() {
        Encoder head = new Encoder();
        head.bytes("GGUF".getBytes(StandardCharsets.US_ASCII));
        head.int32(3);
        head.int64(tensors.size());
        head.int64(metadataCount);
        head.bytes(metadata.toByteArray());
        long offset = 0;
        for (Map.Entry<String, Pending> tensor : tensors.entrySet()) {
            Pending pending = tensor.getValue();
            head.string(tensor.getKey());
            head.int32(pending.shape.size());
            for (int size : pending.shape.reversed()) {
                head.int64(size);
            }
            head.int32(pending.type.number());
            head.int64(offset);
            offset += Math.ceilDiv(pending.bytes, ALIGNMENT) * ALIGNMENT;
        }
        return head.toByteArray();
    }

    private Encoder entry(String key, int type) {
        metadataCount++;
        metadata.string(key);
        metadata.int32(type);
        return metadata;
    }

    private void array(String key, int elementType, int length) {
        entry(key, 9);
        metadata.int32(elementType);
        metadata.int64(length);
    }

    /** Little-endian numbers and length-prefixed strings. */
    private static final class Encoder {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        void int8(int value) {
            out.write(value);
        }

        void int32(int value) {
            bytes(ByteBuffer.allocate(4)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putInt(value)
                    .array());
        }

        void int64(long value) {
            bytes(ByteBuffer.allocate(8)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(value)
                    .array());
        }

        void string(String text) {
            byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
            int64(utf8.length);
            bytes(utf8);
        }

        void bytes(byte[] bytes) {
            out.writeBytes(bytes);
        }

        byte[] toByteArray() {
            return out.toByteArray();
        }
    }
}
