package dev.obr.models.gguf;

import dev.obr.kernels.ObrException;
import dev.obr.models.file.Excerpt;
import dev.obr.models.file.MappedFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One GGUF file of version 2 or 3, little-endian: metadata, a list of tensors, then their bytes at aligned offsets.
 *
 * <pre>
 *   "GGUF" | u32 version | u64 tensors | u64 metadata entries
 *   metadata entry:  string key | u32 type | value                                   string = u64 length | UTF-8 bytes
 *   tensor:          string name | u32 n | n x u64 dimension, innermost first | u32 type | u64 offset from the start of the data
 *   padding to general.alignment (32 where absent) | data
 * </pre>
 *
 * <p>Every count, size and offset is checked against the file's size before it is used; tensors are slices of the mapped file.
 */
public final class GgufFile {
    private static final int MAGIC = 'G' | 'G' << 8 | 'U' << 16 | 'F' << 24;
    private static final String ALIGNMENT = "general.alignment";
    private static final int DEFAULT_ALIGNMENT = 32;
    private static final int MAX_ALIGNMENT = 1 << 20;
    private static final int MAX_DIMENSIONS = 4;
    private static final long MAX_ELEMENTS = 1L << 50; // keeps byte counts inside a long

    private static final int MIN_METADATA_BYTES = 8 + 4 + 1;
    private static final int MIN_TENSOR_BYTES = 8 + 4 + 4 + 8;

    private final String source;
    private final Map<String, Object> metadata;
    private final Map<String, GgufTensor> tensors;

    private GgufFile(String source, Map<String, Object> metadata, Map<String, GgufTensor> tensors) {
        this.source = source;
        this.metadata = Collections.unmodifiableMap(metadata);
        this.tensors = Collections.unmodifiableMap(tensors);
    }

    /** Maps a file; its tensors are valid until {@code arena} closes. */
    public static GgufFile map(Path file, Arena arena) {
        return of(MappedFile.map(file, arena), file.toString());
    }

    /**
     * Reads a file that is in memory.
     *
     * @param source its name, for messages
     * @throws ObrException where the file contradicts itself or its size
     */
    public static GgufFile of(MemorySegment file, String source) {
        GgufCursor cursor = new GgufCursor(file, source);
        checkMagic(cursor.int32("the magic number"), source);
        checkVersion(cursor.int32("the version"), source);
        int tensorCount = cursor.count("the list of tensors", MIN_TENSOR_BYTES);
        int metadataCount = cursor.count("the metadata", MIN_METADATA_BYTES);

        Map<String, Object> metadata = new LinkedHashMap<>();
        for (int i = 0; i < metadataCount; i++) {
            String key = cursor.name("metadata key " + i);
            if (metadata.put(key, cursor.value(cursor.int32(key), key)) != null) {
                throw new ObrException(source + " has the metadata key " + key + " twice; download the file again");
            }
        }
        List<Entry> entries = new ArrayList<>();
        for (int i = 0; i < tensorCount; i++) {
            entries.add(Entry.read(cursor, i, source));
        }
        int alignment = alignment(metadata, source);
        long dataStart = Math.ceilDiv(cursor.position(), alignment) * alignment;
        long dataBytes = Math.max(0, file.byteSize() - dataStart);
        checkPlacement(entries, alignment, dataBytes, source);

        Map<String, GgufTensor> tensors = new LinkedHashMap<>();
        for (Entry e : entries) {
            MemorySegment bytes = file.asSlice(dataStart + e.offset, e.bytes);
            if (tensors.put(e.name, new GgufTensor(source, e.name, e.type.name(), e.shape, bytes)) != null) {
                throw new ObrException(source + " has the tensor " + e.name + " twice; download the file again");
            }
        }
        return new GgufFile(source, metadata, tensors);
    }

    /** The file's name, for messages. */
    public String source() {
        return source;
    }

    /**
     * Metadata by key, in file order: {@link Integer} (types up to 32 bits signed), {@link Long}, {@link Float}, {@link Double}, {@link Boolean}, {@link String}, or {@code int[]},
     * {@code long[]}, {@code float[]}, {@code double[]}, {@code boolean[]}, {@code String[]}.
     */
    public Map<String, Object> metadata() {
        return metadata;
    }

    /** All tensors by the file's own names, in the order in which it lists them. */
    public Map<String, GgufTensor> tensors() {
        return tensors;
    }

    private static void checkMagic(int magic, String source) {
        if (magic != MAGIC) {
            throw new ObrException(source + " starts with 0x" + Integer.toHexString(Integer.reverseBytes(magic))
                    + ", not with \"GGUF\"; give a GGUF file, or convert an older ggml file with llama.cpp");
        }
    }

    private static void checkVersion(int version, String source) {
        if (version == 2 || version == 3) {
            return;
        }
        int swapped = Integer.reverseBytes(version);
        if (swapped > 0 && swapped <= 3) {
            throw new ObrException(source + " is a big-endian GGUF file; convert it to little-endian with gguf-py's"
                    + " gguf_convert_endian.py");
        }
        throw new ObrException(source + " has GGUF version " + Integer.toUnsignedString(version)
                + ", but versions 2 and 3 are supported; convert it with a current llama.cpp");
    }

    private static int alignment(Map<String, Object> metadata, String source) {
        Object value = metadata.getOrDefault(ALIGNMENT, DEFAULT_ALIGNMENT);
        long alignment = value instanceof Integer || value instanceof Long ? ((Number) value).longValue() : 0;
        if (alignment < 1 || alignment > MAX_ALIGNMENT || Long.bitCount(alignment) != 1) {
            throw new ObrException(source + ": " + ALIGNMENT + " is " + Excerpt.of(value.toString())
                    + ", but a power of two up to " + MAX_ALIGNMENT
                    + " is expected; the file is damaged: download it again");
        }
        return (int) alignment;
    }

    /** Tensors must lie in the data, aligned, without overlap. */
    private static void checkPlacement(List<Entry> entries, int alignment, long dataBytes, String source) {
        List<Entry> ordered = new ArrayList<>(entries);
        ordered.sort(Comparator.comparingLong(Entry::offset));
        long end = 0;
        String before = "the start of the data";
        for (Entry e : ordered) {
            if (e.offset < 0 || e.offset > dataBytes || e.bytes > dataBytes - e.offset) {
                throw new ObrException(source + ": tensor " + e.name + " takes " + e.bytes + " bytes from offset "
                        + Long.toUnsignedString(e.offset) + ", but the file has only " + dataBytes
                        + " bytes of data; it is truncated: download it again");
            }
            if (e.offset % alignment != 0) {
                throw new ObrException(source + ": tensor " + e.name + " starts at offset " + e.offset
                        + ", which is no multiple of the alignment " + alignment
                        + "; the file is damaged: download it again");
            }
            if (e.offset < end) {
                throw new ObrException(source + ": tensor " + e.name + " starts at offset " + e.offset
                        + " and overlaps " + before + ", which ends at " + end
                        + "; the file is damaged: download it again");
            }
            end = e.offset + e.bytes;
            before = e.name;
        }
    }

    /** One entry of the list of tensors, checked in itself. */
    private record Entry(String name, GgmlType type, List<Integer> shape, long offset, long bytes) {
        static Entry read(GgufCursor cursor, int index, String source) {
            String name = cursor.name("the name of tensor " + index);
            int dimensions = cursor.int32(name);
            if (dimensions < 1 || dimensions > MAX_DIMENSIONS) {
                throw new ObrException(source + ": tensor " + name + " has "
                        + Integer.toUnsignedString(dimensions) + " dimensions, but 1 to " + MAX_DIMENSIONS
                        + " are expected; the file is damaged: download it again");
            }
            List<Integer> shape = new ArrayList<>();
            long elements = 1;
            for (int d = 0; d < dimensions; d++) {
                long size = cursor.int64(name);
                if (size < 1 || size > Integer.MAX_VALUE || size > MAX_ELEMENTS / elements) {
                    throw new ObrException(source + ": tensor " + name + " has a dimension of "
                            + Long.toUnsignedString(size)
                            + ", too large for any file or empty; the file is damaged: download it again");
                }
                elements *= size;
                shape.addFirst((int) size);
            }
            int number = cursor.int32(name);
            GgmlType type = GgmlType.numbered(number)
                    .orElseThrow(() -> new ObrException(source + ": tensor " + name + " has the unknown type number "
                            + Integer.toUnsignedString(number)
                            + "; use a file with F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q4_K or Q6_K weights only"));
            int innermost = shape.getLast();
            if (innermost % type.blockSize() != 0) {
                throw new ObrException(source + ": tensor " + name + " of type " + type + " has rows of " + innermost
                        + " elements, no multiple of its block size " + type.blockSize()
                        + "; the file is damaged: download it again");
            }
            long bytes = elements / type.blockSize() * type.blockBytes();
            return new Entry(name, type, shape, cursor.int64(name), bytes);
        }
    }
}
