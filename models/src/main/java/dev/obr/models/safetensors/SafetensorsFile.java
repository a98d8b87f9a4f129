package dev.obr.models.safetensors;

import dev.obr.kernels.ObrException;
import dev.obr.models.file.Excerpt;
import dev.obr.models.file.JsonFile;
import dev.obr.models.file.MappedFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * One safetensors file: a JSON header that names tensors, then their bytes without gaps.
 *
 * <pre>
 *   u64 n (little-endian) | n bytes of JSON | data
 *   {"__metadata__": {..}, "name": {"dtype": "F16", "shape": [2, 3], "data_offsets": [from, to]}, ..}     offsets count from the start of data
 * </pre>
 *
 * <p>Everything the header says is checked against the file's size before it is used; tensors are slices of the mapped file.
 */
public final class SafetensorsFile {
    /** The format's own limit. */
    private static final long MAX_HEADER_BYTES = 100_000_000;

    private static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final String source;
    private final Map<String, SafetensorsTensor> tensors;

    private SafetensorsFile(String source, Map<String, SafetensorsTensor> tensors) {
        this.source = source;
        this.tensors = Collections.unmodifiableMap(tensors);
    }

    /** Maps a file; its tensors are valid until {@code arena} closes. */
    public static SafetensorsFile map(Path file, Arena arena) {
        return of(MappedFile.map(file, arena), file.toString());
    }

    /**
     * Reads a file that is in memory.
     *
     * @param source its name, for messages
     * @throws ObrException where the header contradicts itself or the file's size
     */
    public static SafetensorsFile of(MemorySegment file, String source) {
        if (file.byteSize() < 8) {
            throw new ObrException(source + " has only " + file.byteSize()
                    + " bytes, too few for a safetensors file; download it again");
        }
        long headerBytes = file.get(U64, 0);
        long available = file.byteSize() - 8;
        if (headerBytes < 0 || headerBytes > Math.min(available, MAX_HEADER_BYTES)) {
            throw new ObrException(source + " announces a header of " + Long.toUnsignedString(headerBytes)
                    + " bytes, but the file has " + available
                    + " after its first 8; it is truncated or no safetensors file: download it again");
        }
        byte[] json = file.asSlice(8, headerBytes).toArray(ValueLayout.JAVA_BYTE);
        JsonNode header = JsonFile.parse(json, source + " (header)").root();
        MemorySegment data = file.asSlice(8 + headerBytes);

        List<Entry> entries = new ArrayList<>();
        header.properties().forEach(field -> {
            if (!field.getKey().equals("__metadata__")) {
                entries.add(Entry.read(field.getKey(), field.getValue(), source));
            }
        });
        checkCoverage(entries, data.byteSize(), source);

        Map<String, SafetensorsTensor> tensors = new LinkedHashMap<>();
        entries.sort(Comparator.comparingLong(Entry::from).thenComparingLong(Entry::to));
        for (Entry e : entries) {
            MemorySegment bytes = data.asSlice(e.from, e.to - e.from);
            tensors.put(e.name, new SafetensorsTensor(source, e.name, e.type.name(), e.shape, bytes));
        }
        return new SafetensorsFile(source, tensors);
    }

    /** The file's name, for messages. */
    public String source() {
        return source;
    }

    /** All tensors by name, in file order. */
    public Map<String, SafetensorsTensor> tensors() {
        return tensors;
    }

    /** Tensors must cover the data exactly: in range, without overlap, without gaps. */
    private static void checkCoverage(List<Entry> entries, long dataBytes, String source) {
        List<Entry> ordered = new ArrayList<>(entries);
        ordered.sort(Comparator.comparingLong(Entry::from).thenComparingLong(Entry::to));
        long end = 0;
        String before = "the header";
        for (Entry e : ordered) {
            if (e.to > dataBytes) {
                throw new ObrException(source + ": tensor " + e.name + " ends at byte " + e.to
                        + " of the data, but the file has only " + dataBytes
                        + "; it is truncated: download it again");
            }
            if (e.from < end) {
                throw new ObrException(source + ": tensor " + e.name + " starts at byte " + e.from
                        + " of the data and overlaps " + before + ", which ends at " + end
                        + "; the file is damaged: download it again");
            }
            if (e.from > end) {
                throw new ObrException(source + ": " + (e.from - end) + " bytes before tensor " + e.name
                        + " belong to no tensor; the file is damaged: download it again");
            }
            end = e.to;
            before = e.name;
        }
        if (end != dataBytes) {
            throw new ObrException(source + ": " + (dataBytes - end) + " bytes at the end belong to no tensor"
                    + "; the file is damaged: download it again");
        }
    }

    /** One line of the header, checked in itself. */
    private record Entry(String name, SafetensorsType type, List<Long> shape, long from, long to) {
        static Entry read(String name, JsonNode value, String source) {
            if (!Excerpt.isPlain(name)) {
                throw damaged(source, Excerpt.of(name), "has an unprintable name, or one too long");
            }
            JsonNode dtype = value.get("dtype");
            JsonNode shape = value.get("shape");
            JsonNode offsets = value.get("data_offsets");
            if (dtype == null || !dtype.isString()) {
                throw damaged(source, name, "has no dtype");
            }
            SafetensorsType type = SafetensorsType.named(dtype.stringValue())
                    .orElseThrow(() -> new ObrException(source + ": tensor " + name + " has the unknown dtype "
                            + JsonFile.shown(dtype) + "; convert the model to F32, F16 or BF16"));
            List<Long> sizes = wholeNumbers(shape, source, name, "shape");
            List<Long> range = wholeNumbers(offsets, source, name, "data_offsets");
            if (range.size() != 2 || range.get(0) > range.get(1)) {
                throw damaged(source, name, "has data_offsets " + range + ", not a range");
            }
            long bytes;
            try {
                long elements = 1;
                for (long size : sizes) {
                    elements = Math.multiplyExact(elements, size);
                }
                bytes = Math.ceilDiv(Math.multiplyExact(elements, (long) type.bits()), 8);
            } catch (ArithmeticException overflow) {
                throw damaged(source, name, "has the shape " + sizes + ", too large for any file");
            }
            if (range.get(1) - range.get(0) != bytes) {
                throw damaged(
                        source,
                        name,
                        "of dtype " + type + " and shape " + sizes + " takes " + bytes + " bytes, but its data_offsets "
                                + range + " hold " + (range.get(1) - range.get(0)));
            }
            return new Entry(name, type, sizes, range.get(0), range.get(1));
        }

        private static List<Long> wholeNumbers(@Nullable JsonNode array, String source, String name, String field) {
            if (array == null || !array.isArray()) {
                throw damaged(source, name, "has no " + field);
            }
            List<Long> numbers = new ArrayList<>();
            for (JsonNode number : array) {
                if (!number.isIntegralNumber() || !number.canConvertToLong() || number.longValue() < 0) {
                    throw damaged(
                            source,
                            name,
                            "has " + field + " " + JsonFile.shown(array) + ", not whole numbers from 0 upwards");
                }
                numbers.add(number.longValue());
            }
            return numbers;
        }

        private static ObrException damaged(String source, String name, String fault) {
            return new ObrException(
                    source + ": tensor " + name + " " + fault + "; the file is damaged: download it again");
        }
    }
}
