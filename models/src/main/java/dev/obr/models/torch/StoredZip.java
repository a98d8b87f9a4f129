package dev.obr.models.torch;

import dev.obr.kernels.ObrException;
import dev.obr.models.file.Excerpt;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The records of a zip archive whose records are stored, not compressed: slices of the mapped file. Nothing is ever extracted, so names are names and no paths.
 *
 * <pre>
 *   local header | record | local header | record | .. | central directory | [zip64 end | zip64 locator] | end
 *
 *   end              PK 5 6   u16 entries at 10   u32 size at 12   u32 offset at 16 (of the directory)   u16 comment length at 20    22 bytes + comment
 *   zip64 locator    PK 6 7   u64 offset of the zip64 end at 8                                                                       20 bytes
 *   zip64 end        PK 6 6   u64 entries at 32   u64 size at 40   u64 offset at 48                                                  56 bytes
 *   directory entry  PK 1 2   u16 flags at 8, method at 10   u32 packed size at 20, size at 24   u16 lengths of name, extra, comment at 28, 30, 32
 *                             u32 offset of the local header at 42                                                                   46 bytes + the three
 *   local header     PK 3 4   u16 lengths of name, extra at 26, 28                                                                   30 bytes + both
 *   extra field 1    u64 each of size, packed size, offset that is 0xFFFFFFFF in the directory entry
 * </pre>
 */
final class StoredZip {
    private static final ValueLayout.OfShort U16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final int LOCAL = 0x04034b50;
    private static final int ENTRY = 0x02014b50;
    private static final int END = 0x06054b50;
    private static final int LOCATOR_64 = 0x07064b50;
    private static final int END_64 = 0x06064b50;

    private static final int END_BYTES = 22;
    private static final int LOCATOR_BYTES = 20;
    private static final int END_64_BYTES = 56;
    private static final int ENTRY_BYTES = 46;
    private static final int LOCAL_BYTES = 30;
    private static final int MAX_COMMENT = 0xFFFF;
    private static final long IN_EXTRA = 0xFFFFFFFFL;

    private final MemorySegment file;
    private final String source;

    private StoredZip(MemorySegment file, String source) {
        this.file = file;
        this.source = source;
    }

    /** Where the central directory is. */
    private record Directory(long entries, long offset, long size) {}

    /**
     * All records by name, in the order of the directory.
     *
     * @param source the file's name, for messages
     * @throws ObrException where the archive is damaged, or a record is compressed or encrypted
     */
    static Map<String, MemorySegment> records(MemorySegment file, String source) {
        return new StoredZip(file, source).records();
    }

    private Map<String, MemorySegment> records() {
        Directory directory = directory();
        Map<String, MemorySegment> records = new LinkedHashMap<>();
        long at = directory.offset;
        long end = directory.offset + directory.size;
        for (long entry = 0; entry < directory.entries; entry++) {
            if (end - at < ENTRY_BYTES || u32(at) != ENTRY) {
                throw damaged("its directory ends after " + entry + " of " + directory.entries + " entries");
            }
            int nameLength = u16(at + 28);
            int extraLength = u16(at + 30);
            long next = at + ENTRY_BYTES + nameLength + extraLength + u16(at + 32);
            if (next > end) {
                throw damaged("entry " + entry + " of its directory is cut off");
            }
            String name = text(at + ENTRY_BYTES, nameLength);
            if (!Excerpt.isPlain(name)) {
                throw damaged("a record has the unprintable name " + Excerpt.of(name));
            }
            if (records.put(name, record(at, name, nameLength, extraLength, directory.offset)) != null) {
                throw damaged("two records are named " + name);
            }
            at = next;
        }
        if (at != end) {
            throw damaged("its directory has " + (end - at) + " bytes too many");
        }
        return records;
    }

    private Directory directory() {
        long end = end();
        long entries = u16(end + 10);
        long size = unsigned(end + 12);
        long offset = unsigned(end + 16);
        long limit = end;
        long locator = end - LOCATOR_BYTES;
        if (locator >= 0 && u32(locator) == LOCATOR_64) {
            long end64 = file.get(U64, locator + 8);
            if (end64 < 0 || end64 > locator - END_64_BYTES || u32(end64) != END_64) {
                throw damaged("its zip64 directory is not where it should be");
            }
            entries = file.get(U64, end64 + 32);
            size = file.get(U64, end64 + 40);
            offset = file.get(U64, end64 + 48);
            limit = end64;
        }
        if (offset < 0 || size < 0 || entries < 0 || offset > limit || size > limit - offset) {
            throw damaged("its directory reaches beyond the end");
        }
        return new Directory(entries, offset, size);
    }

    /** Where the end record starts: it is followed by its comment and nothing else. */
    private long end() {
        long last = file.byteSize() - END_BYTES;
        for (long at = last; at >= Math.max(0, last - MAX_COMMENT); at--) {
            if (u32(at) == END && u16(at + 20) == last - at) {
                return at;
            }
        }
        throw new ObrException(source + " is no whole zip archive, as torch.save writes; it is truncated or something"
                + " else: download it again");
    }

    private MemorySegment record(long entry, String name, int nameLength, int extraLength, long limit) {
        if ((u16(entry + 8) & 1) != 0) {
            throw new ObrException(source + ": record " + name + " is encrypted; save the file again with torch.save");
        }
        if (u16(entry + 10) != 0) {
            throw new ObrException(
                    source + ": record " + name + " is compressed, which torch.save never does; save the file again");
        }
        Extra extra = new Extra(entry + ENTRY_BYTES + nameLength, extraLength, name);
        long size = extra.or(unsigned(entry + 24));
        long packed = extra.or(unsigned(entry + 20));
        long local = extra.or(unsigned(entry + 42));
        if (size < 0 || size != packed) {
            throw damaged("record " + name + " has two sizes");
        }
        if (local < 0 || local > limit - LOCAL_BYTES || u32(local) != LOCAL) {
            throw damaged("record " + name + " is not where its directory says");
        }
        int localName = u16(local + 26);
        long from = local + LOCAL_BYTES + localName + u16(local + 28);
        if (from > limit || size > limit - from) {
            throw damaged("record " + name + " of " + size + " bytes reaches beyond the records");
        }
        if (!text(local + LOCAL_BYTES, localName).equals(name)) {
            throw damaged("record " + name + " has another name in front of it");
        }
        return file.asSlice(from, size);
    }

    /** The zip64 extra field of a directory entry, whose values are taken one after the other. */
    private final class Extra {
        private final String name;
        private long at;
        private final long end;

        Extra(long at, int length, String name) {
            this.name = name;
            long last = at + length;
            long field = at;
            while (last - field >= 4 && u16(field) != 1) {
                field += 4 + u16(field + 2);
            }
            boolean found = last - field >= 4;
            this.at = field + 4;
            this.end = found ? Math.min(last, field + 4 + u16(field + 2)) : this.at;
        }

        /** {@code value} itself, unless it says that the number is here. */
        long or(long value) {
            if (value != IN_EXTRA) {
                return value;
            }
            if (end - at < 8) {
                throw damaged("record " + name + " lacks its zip64 sizes");
            }
            at += 8;
            return file.get(U64, at - 8);
        }
    }

    private int u16(long at) {
        return Short.toUnsignedInt(file.get(U16, at));
    }

    private int u32(long at) {
        return file.get(U32, at);
    }

    private long unsigned(long at) {
        return Integer.toUnsignedLong(file.get(U32, at));
    }

    private String text(long at, int length) {
        return new String(file.asSlice(at, length).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
    }

    private ObrException damaged(String fault) {
        return new ObrException(source + " is damaged: " + fault + "; download it again");
    }
}
