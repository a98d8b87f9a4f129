package dev.obr.models.hub;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** A stub of the hub with a model of two files, and an empty cache. */
abstract class HubTestCase {
    static final ModelReference TINY = ModelReference.parse("org/tiny");
    static final byte[] WEIGHTS = weights();
    static final Patience IMPATIENT =
            new Patience(4, Duration.ofMillis(1), Duration.ofSeconds(60), Duration.ofSeconds(10));

    @TempDir
    Path cache;

    HubStub stub;
    final List<String> notes = Collections.synchronizedList(new ArrayList<>());

    final PullProgress noted = new PullProgress() {
        @Override
        public void begin(int files, long bytes, long present) {
            notes.add("begin " + files + " " + bytes + " " + present);
        }

        @Override
        public void received(long bytes) {}

        @Override
        public void finished(String file, long bytes) {}

        @Override
        public void note(String sentence) {
            notes.add(sentence);
        }
    };

    @BeforeEach
    void startHub() throws IOException {
        stub = new HubStub().small("config.json", "{}\n").large("model.safetensors", WEIGHTS);
    }

    @AfterEach
    void stopHub() {
        stub.close();
    }

    private static byte[] weights() {
        byte[] bytes = new byte[700_000];
        new Random(1).nextBytes(bytes);
        return bytes;
    }

    HubOptions options() {
        return new HubOptions(stub.endpoint(), cache, null, false, true, ProxySettings.OF_JVM, IMPATIENT);
    }

    Path pull() {
        return pull(options());
    }

    Path pull(HubOptions options, String... patterns) {
        return new ModelHub(options).pull(TINY, List.of(patterns), noted);
    }

    Path folder() {
        return cache.resolve("models--org--tiny");
    }

    Path blob() {
        return folder().resolve("blobs").resolve(HubStub.sha256(WEIGHTS));
    }

    Path incomplete() {
        return folder().resolve("blobs").resolve(HubStub.sha256(WEIGHTS) + ".obr.incomplete");
    }

    /** The whole model is there. */
    void assertWhole(Path snapshot) {
        assertThat(snapshot.resolve("config.json")).hasContent("{}\n");
        assertThat(snapshot.resolve("model.safetensors")).hasBinaryContent(WEIGHTS);
        assertThat(incomplete()).doesNotExist();
    }

    /** Files below the cache, by name. */
    List<String> filesBelow(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            return all.filter(Files::isRegularFile)
                    .map(file -> folder.relativize(file).toString())
                    .sorted()
                    .toList();
        }
    }

    /** Ranges that storage was asked for, "all" for a whole file. */
    List<String> ranges() {
        return stub.requests().stream()
                .filter(request -> request.server().equals("storage"))
                .map(request -> request.range() == null ? "all" : request.range())
                .toList();
    }
}
