package dev.obr.models.torch;

import dev.obr.kernels.ObrException;
import dev.obr.models.Weight;
import dev.obr.models.file.MappedFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A state dict that {@code torch.save} wrote since version 1.6, such as {@code pytorch_model.bin}: a zip archive of stored records.
 *
 * <pre>
 *   NAME/data.pkl     names, shapes, and which storage each tensor looks at   ({@link StateDictPickle})
 *   NAME/byteorder    little
 *   NAME/data/KEY     the elements of one storage
 * </pre>
 *
 * <p>Nothing of the pickle is executed and nothing is extracted: tensors are views of the mapped file.
 */
public final class TorchFile {
    private static final String PICKLE = "/data.pkl";

    /** How files began before they were zip archives: a pickled number. */
    private static final byte[] OLD_FORMAT = {(byte) 0x80, 2, (byte) 0x8a, 10, 0x6c, (byte) 0xfc, (byte) 0x9c, 0x46};

    private final String source;
    private final Arena arena;
    private final Map<String, TorchTensor> tensors;

    private TorchFile(String source, Arena arena, Map<String, TorchTensor> tensors) {
        this.source = source;
        this.arena = arena;
        this.tensors = Collections.unmodifiableMap(tensors);
    }

    /** Maps a file; its tensors are valid until {@code arena} closes. */
    public static TorchFile map(Path file, Arena arena) {
        return of(MappedFile.map(file, arena), file.toString(), arena);
    }

    /**
     * Reads a file that is in memory.
     *
     * @param source its name, for messages
     * @param arena owns copies of tensors that are not stored in order
     * @throws ObrException where the file is damaged, of the format before 1.6, or holds anything but tensors
     */
    public static TorchFile of(MemorySegment file, String source, Arena arena) {
        if (file.byteSize() >= OLD_FORMAT.length
                && file.asSlice(0, OLD_FORMAT.length).mismatch(MemorySegment.ofArray(OLD_FORMAT)) < 0) {
            throw new ObrException(
                    source + " is in torch's format before version 1.6, which is not supported; load it with torch and"
                            + " save it again");
        }
        Map<String, MemorySegment> records = StoredZip.records(file, source);
        String folder = folder(records.keySet(), source);
        checkByteOrder(records.get(folder + "/byteorder"), source);
        MemorySegment pickle = records.getOrDefault(folder + PICKLE, MemorySegment.NULL);
        Map<String, TorchTensor> tensors = new LinkedHashMap<>();
        StateDictPickle.read(pickle, source).forEach((name, view) -> {
            MemorySegment storage =
                    records.get(folder + "/data/" + view.storage().key());
            if (storage == null) {
                throw new ObrException(source + ": the elements of tensor " + name
                        + " are missing; the file is damaged: download it again");
            }
            tensors.put(name, TorchTensor.of(source, name, view, storage));
        });
        return new TorchFile(source, arena, tensors);
    }

    /** The records' common folder: that of the only data.pkl. */
    private static String folder(Set<String> names, String source) {
        String folder = null;
        for (String name : names) {
            if (name.endsWith(PICKLE) && name.indexOf('/') == name.length() - PICKLE.length()) {
                if (folder != null) {
                    throw new ObrException(source + " holds " + folder + PICKLE + " and " + name
                            + ", but torch.save writes one data.pkl; save the file again");
                }
                folder = name.substring(0, name.length() - PICKLE.length());
            }
        }
        if (folder == null) {
            throw new ObrException(source
                    + " is a zip archive without data.pkl, so torch.save did not write it; is it the right file?");
        }
        return folder;
    }

    private static void checkByteOrder(@Nullable MemorySegment order, String source) {
        if (order == null) {
            return; // torch before 2.1, which wrote the machine's: little-endian wherever models are trained
        }
        byte[] little = "little".getBytes(StandardCharsets.US_ASCII);
        if (order.mismatch(MemorySegment.ofArray(little)) >= 0) {
            throw new ObrException(source + " was not written in little-endian byte order, which alone is supported;"
                    + " save it again on another machine");
        }
    }

    /** The file's name, for messages. */
    public String source() {
        return source;
    }

    /** The names of all tensors, in file order. */
    public Set<String> names() {
        return tensors.keySet();
    }

    /**
     * A tensor as a weight of a model, in place unless its elements are stored out of order.
     *
     * @throws ObrException where there is none of that name, or weights of its type are not supported
     */
    public Weight weight(String name) {
        TorchTensor tensor = tensors.get(name);
        if (tensor == null) {
            throw new ObrException(source + " has no tensor " + name + "; download the file again");
        }
        return tensor.weight(arena);
    }
}
