package dev.obr.models.hub;

import dev.obr.kernels.ObrException;
import dev.obr.models.file.AtomicFile;
import dev.obr.models.file.MappedFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A model's folder in the cache, laid out as Python's huggingface_hub does:
 *
 * <pre>
 * models--ORG--NAME/blobs/HASH                    a file's bytes, under the hash that the hub names
 *                   blobs/HASH.obr.incomplete     what has arrived of it
 *                   snapshots/COMMIT/config.json  a link to ../../blobs/HASH; a file where there are no links
 *                   refs/main                     the commit that a branch or tag stood for when it was pulled
 * .locks/models--ORG--NAME/HASH.obr.lock          held by who is fetching HASH
 * </pre>
 *
 * <p>Locks and incomplete files are our own: Python's locks are of another kind, and two programs that append to one file would spoil it.
 */
record CachedRepository(Path cache, Path folder, String name) {
    static CachedRepository of(Path cache, ModelReference reference) {
        String name = "models--" + reference.organisation() + "--" + reference.name();
        Path root = cache.toAbsolutePath().normalize();
        return new CachedRepository(root, root.resolve(name), name);
    }

    Path blob(ContentHash hash) {
        return folder.resolve("blobs").resolve(hash.hex());
    }

    Path incomplete(ContentHash hash) {
        return folder.resolve("blobs").resolve(hash.hex() + ".obr.incomplete");
    }

    Path lock(ContentHash hash) {
        return cache.resolve(".locks").resolve(name).resolve(hash.hex() + ".obr.lock");
    }

    Path snapshot(String commit) {
        return folder.resolve("snapshots").resolve(commit);
    }

    private Path ref(String revision) {
        return RepositoryPath.resolve(folder.resolve("refs"), revision);
    }

    /** The snapshot of a revision, or null where none was pulled. */
    @Nullable
    Path find(String revision) {
        String commit = ModelReference.isCommit(revision) ? revision : commit(revision);
        return commit != null && Files.isDirectory(snapshot(commit)) ? snapshot(commit) : null;
    }

    private @Nullable String commit(String revision) {
        Path ref = ref(revision);
        try {
            String commit = Files.isRegularFile(ref) && Files.size(ref) < 100
                    ? Files.readString(ref).strip()
                    : "";
            return ModelReference.isCommit(commit) ? commit : null;
        } catch (IOException e) {
            throw new ObrException(MappedFile.cannotRead(ref, e), e);
        }
    }

    /** Remembers what a branch or tag stands for; a commit stands for itself. */
    void remember(String revision, String commit) throws IOException {
        if (!revision.equals(commit) && !commit.equals(commit(revision))) {
            Path ref = ref(revision);
            Files.createDirectories(ref.getParent());
            AtomicFile.write(ref, out -> out.write(ByteBuffer.wrap(commit.getBytes(StandardCharsets.US_ASCII))));
        }
    }

    /** Whether a file's bytes are there, in a blob or, where there are no links, in the snapshot. */
    boolean has(String commit, HubFile file) throws IOException {
        return isFile(blob(file.hash()), file.size())
                || isFile(RepositoryPath.resolve(snapshot(commit), file.path()), file.size());
    }

    static boolean isFile(Path path, long size) throws IOException {
        return Files.isRegularFile(path) && Files.size(path) == size;
    }

    /**
     * Shows a file in its snapshot.
     *
     * @param links whether to try a symbolic link
     * @param fresh whether the blob was fetched just now, so that nothing else shows it
     */
    void show(String commit, HubFile file, boolean links, boolean fresh) throws IOException {
        Path shown = RepositoryPath.resolve(snapshot(commit), file.path());
        if (isFile(shown, file.size())) {
            return;
        }
        Path parent = Objects.requireNonNull(shown.getParent(), "a file inside the snapshot");
        Files.createDirectories(parent);
        Path blob = blob(file.hash());
        if (links && link(shown, blob, parent.relativize(blob))) {
            return;
        }
        try {
            if (fresh) {
                Files.move(blob, shown, StandardCopyOption.ATOMIC_MOVE);
            } else {
                Path copy = shown.resolveSibling(
                        shown.getFileName() + "." + ProcessHandle.current().pid() + ".part");
                Files.copy(blob, copy, StandardCopyOption.REPLACE_EXISTING);
                Files.move(copy, shown, StandardCopyOption.ATOMIC_MOVE);
            }
        } catch (NoSuchFileException e) {
            if (!isFile(shown, file.size())) { // otherwise another pull was faster
                throw e;
            }
        }
    }

    private static boolean link(Path shown, Path blob, Path target) throws IOException {
        Files.deleteIfExists(shown);
        try {
            Files.createSymbolicLink(shown, target);
            return true;
        } catch (FileAlreadyExistsException e) {
            return Files.isSameFile(shown, blob); // another pull was faster
        } catch (UnsupportedOperationException | FileSystemException e) {
            return false;
        }
    }
}
