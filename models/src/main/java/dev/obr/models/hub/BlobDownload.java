package dev.obr.models.hub;

import dev.obr.kernels.ObrException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.regex.Pattern;

/**
 * Fetches the bytes of one file. What has arrived stays in an incomplete file, whatever happens, and is gone on from, by this pull or a later one; the hash is added up from its first byte,
 * and only a file that comes to the hub's hash gets the blob's name.
 */
final class BlobDownload {
    private static final int BUFFER = 256 << 10;

    private final HubConnection hub;
    private final StallGuard guard;
    private final CachedRepository repository;
    private final String commit;
    private final HubFile file;
    private final URI address;
    private final Path incomplete;
    private final Retries retries;
    private final PullProgress progress;
    private MessageDigest digest;
    private long arrived;
    private long furthest;

    BlobDownload(
            HubConnection hub,
            StallGuard guard,
            CachedRepository repository,
            String commit,
            HubFile file,
            HubOptions options,
            PullProgress progress) {
        this.hub = hub;
        this.guard = guard;
        this.repository = repository;
        this.commit = commit;
        this.file = file;
        this.address = hub.file(commit, file.path());
        this.incomplete = repository.incomplete(file.hash());
        this.retries = new Retries(file.path(), options, progress);
        this.progress = progress;
        this.digest = file.hash().digest(file.size());
    }

    /** Returns once the blob is there; whoever else is fetching it goes first. */
    void run() throws IOException {
        try (BlobLock lock = BlobLock.take(
                repository.lock(file.hash()),
                () -> progress.note(file.path() + ": another pull is fetching it; waiting"))) {
            if (repository.has(commit, file)) {
                return;
            }
            Files.createDirectories(incomplete.getParent());
            try (FileChannel out = FileChannel.open(
                    incomplete, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
                fetch(out);
                out.force(true);
            } catch (UncheckedIOException e) {
                throw e.getCause();
            }
            Files.move(
                    incomplete,
                    repository.blob(file.hash()),
                    StandardCopyOption.ATOMIC_MOVE,
                    StandardCopyOption.REPLACE_EXISTING);
        }
    }

    private void fetch(FileChannel out) throws IOException {
        takeUp(out);
        boolean wrongBefore = false;
        while (true) {
            receiveAll(out);
            String found = HexFormat.of().formatHex(digest.digest());
            if (found.equals(file.hash().hex())) {
                return;
            }
            startOver(out);
            if (wrongBefore) {
                throw new ObrException(file.path() + " arrived twice with "
                        + file.hash().algorithm() + " " + found
                        + ", but the hub lists " + file.hash().hex()
                        + "; nothing was kept of it: try again later, or set HF_ENDPOINT to another mirror");
            }
            wrongBefore = true;
            progress.note(file.path() + ": its bytes are not what the hub lists; beginning anew");
        }
    }

    /** Adds up what an earlier pull has left. */
    private void takeUp(FileChannel out) throws IOException {
        if (out.size() > file.size()) {
            out.truncate(0);
        }
        ByteBuffer buffer = ByteBuffer.allocate(BUFFER);
        while (out.read(buffer) >= 0) {
            digest.update(buffer.flip());
            buffer.clear();
        }
        arrived = out.position();
    }

    private void startOver(FileChannel out) {
        progress.received(-arrived);
        try {
            out.truncate(0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        arrived = 0;
        digest = file.hash().digest(file.size());
    }

    private void receiveAll(FileChannel out) throws IOException {
        while (arrived < file.size()) {
            try {
                receive(out);
            } catch (IOException e) {
                retries.await(e);
            }
        }
    }

    /**
     * One request, from where the file ends so far.
     *
     * @throws IOException where the network fails
     * @throws UncheckedIOException where the disk does, which no other attempt would mend
     */
    private void receive(FileChannel out) throws IOException {
        try (HubConnection.Answer answer = hub.get(address, file.path(), arrived)) {
            if (arrived > 0 && !continues(answer)) {
                progress.note(file.path() + ": the server does not go on with the same file; beginning anew");
                startOver(out);
                if (answer.status() != 200) {
                    return; // and ask for all of it
                }
            }
            append(guard.guarded(answer.body()), out);
        }
    }

    private boolean continues(HubConnection.Answer answer) {
        Pattern range = Pattern.compile("bytes\\s+" + arrived + "-\\d+/(" + file.size() + "|\\*)");
        return answer.status() == 206
                && (answer.etag() == null || answer.etag().equals(file.hash()))
                && range.matcher(answer.headers().firstValue("Content-Range").orElse(""))
                        .matches();
    }

    private void append(InputStream body, FileChannel out) throws IOException {
        byte[] buffer = new byte[BUFFER];
        try (body) {
            for (int count = body.read(buffer); count >= 0; count = body.read(buffer)) {
                int kept = (int) Math.min(count, file.size() - arrived);
                write(out, ByteBuffer.wrap(buffer, 0, kept));
                digest.update(buffer, 0, kept);
                arrived += kept;
                if (arrived > furthest) { // who sends the same part again and again comes to an end, too
                    furthest = arrived;
                    retries.progressed();
                }
                progress.received(kept);
                if (kept < count) {
                    digest.update(buffer, kept, count - kept); // more than listed: no longer that file
                    return;
                }
            }
        }
        if (arrived < file.size()) {
            throw new IOException(
                    "the connection ended after " + SizeText.of(arrived) + " of " + SizeText.of(file.size()));
        }
    }

    private static void write(FileChannel out, ByteBuffer bytes) {
        try {
            while (bytes.hasRemaining()) {
                out.write(bytes);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
