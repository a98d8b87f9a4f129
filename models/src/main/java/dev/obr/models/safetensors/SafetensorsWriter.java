package dev.obr.models.safetensors;

import dev.obr.kernels.DType;
import dev.obr.kernels.ObrException;
import dev.obr.models.file.AtomicFile;
import dev.obr.models.file.TensorBytes;
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
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Writes one safetensors file: tensors are announced first, their bytes asked for one by one while writing. */
public final class SafetensorsWriter {
    private static final JsonMapper JSON = JsonMapper.shared();

    private record Pending(SafetensorsType type, List<Integer> shape, long bytes, TensorBytes content) {}

    private final Map<String, Pending> tensors = new LinkedHashMap<>();
    private final ObjectNode metadata = JSON.createObjectNode();

    /** Adds an entry to the file's free-form metadata. */
    public SafetensorsWriter metadata(String key, String value) {
        metadata.put(key, value);
        return this;
    }

    /**
     * Adds a tensor.
     *
     * @param type F32, F16 or BF16
     * @param shape outermost dimension first
     * @param content must write exactly as many bytes as type and shape take
     */
    public SafetensorsWriter tensor(String name, DType type, List<Integer> shape, TensorBytes content) {
        if (type.blockSize() > 1) {
            throw new IllegalArgumentException("safetensors files hold no " + type + " blocks (" + name + ")");
        }
        return add(name, SafetensorsType.valueOf(type.name()), shape, content);
    }

    /** Adds a tensor of signed bytes (I8). */
    public SafetensorsWriter signedBytes(String name, List<Integer> shape, TensorBytes content) {
        return add(name, SafetensorsType.I8, shape, content);
    }

    /** Adds a tensor of unsigned bytes (U8). */
    public SafetensorsWriter unsignedBytes(String name, List<Integer> shape, TensorBytes content) {
        return add(name, SafetensorsType.U8, shape, content);
    }

    /** Adds a tensor of signed 32-bit integers (I32), little-endian. */
    public SafetensorsWriter integers(String name, List<Integer> shape, TensorBytes content) {
        return add(name, SafetensorsType.I32, shape, content);
    }

    private SafetensorsWriter add(String name, SafetensorsType type, List<Integer> shape, TensorBytes content) {
        long bytes = type.bits() / 8;
        for (int size : shape) {
            bytes = Math.multiplyExact(bytes, (long) size);
        }
        Pending pending = new Pending(type, List.copyOf(shape), bytes, content);
        if (tensors.putIfAbsent(name, pending) != null) {
            throw new IllegalArgumentException("two tensors are named " + name);
        }
        return this;
    }

    /**
     * Writes the file under a temporary name and moves it into place.
     *
     * @throws ObrException where the disk is full or the folder can't be written to; nothing half-written is left
     */
    public void write(Path file) {
        AtomicFile.write(file, out -> {
            TensorBytes.of(MemorySegment.ofBuffer(header())).writeTo(out);
            for (Map.Entry<String, Pending> tensor : tensors.entrySet()) {
                writeContent(tensor.getKey(), tensor.getValue(), out);
            }
        });
    }

    private static void writeContent(String name, Pending tensor, FileChannel out) throws IOException {
        long start = out.position();
        tensor.content.writeTo(out);
        if (out.position() - start != tensor.bytes) {
            throw new IllegalStateException("tensor " + name + " takes " + tensor.bytes + " bytes, but "
                    + (out.position() - start) + " were written");
        }
    }

    /** Length and JSON, padded with spaces so that the data starts at a multiple of 64. */
    private ByteBuffer header() {
        ObjectNode root = JSON.createObjectNode();
        if (!metadata.isEmpty()) {
            root.set("__metadata__", metadata);
        }
        long offset = 0;
        for (Map.Entry<String, Pending> tensor : tensors.entrySet()) {
            ObjectNode entry = root.putObject(tensor.getKey());
            entry.put("dtype", tensor.getValue().type.name());
            ArrayNode shape = entry.putArray("shape");
            tensor.getValue().shape.forEach(shape::add);
            entry.putArray("data_offsets").add(offset).add(offset + tensor.getValue().bytes);
            offset += tensor.getValue().bytes;
        }
        byte[] json = root.toString().getBytes(StandardCharsets.UTF_8);
        int total = Math.ceilDiv(8 + json.length, 64) * 64;
        ByteBuffer header = ByteBuffer.allocate(total).order(ByteOrder.LITTLE_ENDIAN);
        header.putLong(total - 8).put(json);
        while (header.hasRemaining()) {
            header.put((byte) ' ');
        }
        return header.flip();
    }
}
