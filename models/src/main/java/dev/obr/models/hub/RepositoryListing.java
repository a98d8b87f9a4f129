package dev.obr.models.hub;

import dev.obr.kernels.ObrException;
import dev.obr.models.file.Excerpt;
import dev.obr.models.file.JsonFile;
import dev.obr.models.file.JsonTree;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * What a repository holds at one commit, as the hub's {@code api/models/ORG/NAME/revision/REVISION} lists it.
 *
 * @param commit 40 hexadecimal digits
 */
record RepositoryListing(String commit, List<Entry> entries) {
    /** Bytes of a file: four times what the hub takes, and no listing is long enough for a sum that overflows. */
    static final long LARGEST = 1L << 41;

    /**
     * A listed file. Mirrors may leave out sizes and hashes, which are then asked for file by file.
     *
     * @param size in bytes, or -1
     */
    record Entry(String path, long size, @Nullable ContentHash hash) {}

    /**
     * Reads the hub's JSON.
     *
     * @param source where it came from, for messages
     * @throws ObrException where it is no such listing, or names a file that would lie elsewhere
     */
    static RepositoryListing parse(byte[] json, String source) {
        JsonNode root;
        try {
            root = JsonTree.parse(json);
        } catch (IOException e) {
            throw unusable(source, "no JSON (" + Excerpt.of(String.valueOf(e.getMessage())) + ")", e);
        }
        JsonNode commit = root.path("sha");
        if (!commit.isString() || !ModelReference.isCommit(commit.stringValue())) {
            throw unusable(source, "without a commit: sha is " + JsonFile.shown(root.get("sha")), null);
        }
        JsonNode files = root.path("siblings");
        if (!files.isArray()) {
            throw unusable(source, "without files: siblings is " + JsonFile.shown(root.get("siblings")), null);
        }
        List<Entry> entries = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (JsonNode file : files) {
            Entry entry = entry(file, source);
            if (!names.add(entry.path())) {
                throw unusable(source, "with '" + Excerpt.of(entry.path()) + "' twice", null);
            }
            entries.add(entry);
        }
        return new RepositoryListing(commit.stringValue(), List.copyOf(entries));
    }

    private static Entry entry(JsonNode file, String source) {
        JsonNode name = file.path("rfilename");
        if (!name.isString() || !RepositoryPath.isSafe(name.stringValue())) {
            throw unusable(
                    source,
                    "with a file named " + JsonFile.shown(file.get("rfilename"))
                            + ", which could be written outside its folder",
                    null);
        }
        JsonNode large = file.path("lfs");
        JsonNode hash = large.isObject() ? large.path("sha256") : file.path("blobId");
        JsonNode size = large.isObject() && large.has("size") ? large.path("size") : file.path("size");
        if (size.isNumber() && !(size.canConvertToLong() && size.longValue() <= LARGEST)) {
            throw unusable(source, "with a file of " + JsonFile.shown(size) + " bytes", null);
        }
        boolean sized = size.isIntegralNumber() && size.canConvertToLong() && size.longValue() >= 0;
        return new Entry(
                name.stringValue(),
                sized ? size.longValue() : -1,
                hash.isString() ? ContentHash.of(hash.stringValue()) : null);
    }

    private static ObrException unusable(String source, String found, @Nullable Exception cause) {
        String sentence = source + " answered with a listing " + found
                + "; is HF_ENDPOINT a Hugging Face hub? nothing was fetched";
        return cause == null ? new ObrException(sentence) : new ObrException(sentence, cause);
    }
}
