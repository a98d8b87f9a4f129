package dev.obr.models.packed;

import dev.obr.kernels.ObrException;
import dev.obr.models.file.JsonFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Locale;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/**
 * The folder beside its target in which a model grows.
 *
 * @param target where the finished model goes
 * @param folder {@code target} with ".partial" behind its name
 */
record PartialFolder(Path target, Path folder) {
    private static final String RUN = "run.json";

    static PartialFolder of(Path out) {
        Path target = out.toAbsolutePath().normalize();
        Path parent = target.getParent();
        if (parent == null || !Files.isDirectory(parent)) {
            throw new ObrException("cannot write " + out + ": there is no folder " + parent + "; create it first");
        }
        return new PartialFolder(target, parent.resolve(target.getFileName() + ".partial"));
    }

    boolean exists() {
        return Files.exists(folder.resolve(RUN));
    }

    Path layer(int layer) {
        return folder.resolve(String.format(Locale.ROOT, "layer-%05d.safetensors", layer));
    }

    Path layerReport(int layer) {
        return folder.resolve(String.format(Locale.ROOT, "layer-%05d.json", layer));
    }

    /** Checks that the model may be given its name. */
    void checkTarget(boolean force) {
        if (!Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        if (!force) {
            throw new ObrException(target + " exists already; choose another place, or replace it with --force");
        }
        if (!Files.isDirectory(target) || !isEmpty(target) && !PackedModel.isPacked(target)) {
            throw new ObrException(
                    target + " exists already and is no packed model, so --force does not replace it; choose another"
                            + " place");
        }
    }

    private static boolean isEmpty(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.findAny().isEmpty();
        } catch (IOException failure) {
            throw DurableFiles.cannotWrite(folder, failure);
        }
    }

    /** Makes the folder; one that a stopped run left goes first if {@code force} allows it, or if the run had finished no layer. */
    void begin(boolean force, JsonNode settings) {
        if (Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
            if (!force && exists() && Files.exists(layer(0))) {
                throw new ObrException(folder
                        + " holds a run that was stopped; go on with compress --resume, or start over with --force");
            }
            if (!exists() && !(Files.isDirectory(folder) && isEmpty(folder))) {
                throw new ObrException(folder + " is in the way and was not made by this program; move it elsewhere");
            }
            DurableFiles.deleteTree(folder);
        }
        try {
            Files.createDirectory(folder);
        } catch (IOException failure) {
            throw DurableFiles.cannotWrite(folder, failure);
        }
        orDelete(() -> DurableFiles.writeJson(folder.resolve(RUN), settings));
    }

    /** Checks that the stopped run was to write the same model. */
    void checkSettings(JsonNode settings) {
        JsonNode stopped = JsonFile.read(folder.resolve(RUN)).root();
        String difference =
                difference("", stopped, JsonFile.parse(bytes(settings), RUN).root());
        if (!difference.isEmpty()) {
            throw new ObrException(folder + " holds a run that was stopped with other settings (" + difference
                    + "); repeat its options, or start over with --force and without --resume");
        }
    }

    /** Through text and back, as {@code run.json} went: numbers then compare alike. */
    private static byte[] bytes(JsonNode json) {
        return json.toString().getBytes(StandardCharsets.UTF_8);
    }

    /** The first field that differs, with both values; empty where none does. */
    private static String difference(String path, JsonNode before, JsonNode now) {
        if (before.isObject() && now.isObject()) {
            for (String field : now.propertyNames()) {
                String inner = path.isEmpty() ? field : path + "." + field;
                String difference =
                        before.has(field) ? difference(inner, before.get(field), now.get(field)) : inner + " is new";
                if (!difference.isEmpty()) {
                    return difference;
                }
            }
            return before.size() == now.size() ? "" : path + " has other fields";
        }
        return before.equals(now) ? "" : path + " " + JsonFile.shown(before) + ", now " + JsonFile.shown(now);
    }

    /** An empty folder for the finished model, inside this one. */
    Path beginModel() {
        Path model = folder.resolve("model");
        DurableFiles.deleteTree(model);
        try {
            return Files.createDirectory(model);
        } catch (IOException failure) {
            throw DurableFiles.cannotWrite(model, failure);
        }
    }

    /** Gives the finished model its name, and deletes the rest. A model that is replaced disappears only after that. */
    void publish(Path model) {
        DurableFiles.syncAll(model);
        Path replaced = folder.resolve("replaced");
        try {
            if (Files.exists(target)) {
                Files.move(target, replaced, StandardCopyOption.ATOMIC_MOVE);
            }
            Files.move(model, target, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException failure) {
            throw DurableFiles.cannotWrite(target, failure);
        }
        DurableFiles.syncFolder(target.getParent());
        DurableFiles.deleteTree(folder);
    }

    /** Runs what writes; if it fails, the whole folder goes: a full disk is not left full. */
    void orDelete(Runnable write) {
        try {
            write.run();
        } catch (ObrException failure) {
            try {
                DurableFiles.deleteTree(folder);
            } catch (ObrException second) {
                failure.addSuppressed(second);
            }
            throw failure;
        }
    }
}
