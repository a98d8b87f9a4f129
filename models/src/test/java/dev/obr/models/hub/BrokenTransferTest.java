package dev.obr.models.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.ObrException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Connections that end, servers that fall silent or send something else, and pulls that are killed. */
class BrokenTransferTest extends HubTestCase {
    private static final String FILE = "model.safetensors";

    @Test
    void goesOnWhereTheConnectionEnded() {
        stub.faults(FILE, HubStub.cutAfter(100_000));
        assertWhole(pull());
        assertThat(ranges()).hasSize(2).startsWith("all");
        assertThat(ranges().get(1)).matches("bytes=[1-9]\\d*-");
        assertThat(notes).anyMatch(note -> note.startsWith(FILE + ": ") && note.contains("again in"));
    }

    @Test
    void givesUpAfterSomeFailuresInARowAndTheNextPullGoesOn() throws IOException {
        stub.faults(
                FILE,
                HubStub.cutAfter(100_000),
                HubStub.refuse(500),
                HubStub.refuse(502),
                HubStub.refuse(503),
                HubStub.refuse(504));
        assertThatThrownBy(this::pull)
                .isInstanceOf(ObrException.class)
                .hasMessageStartingWith(FILE + " could not be fetched from " + stub.endpoint())
                .hasMessageContaining("goes on where this one stopped");
        assertThat(folder().resolve("snapshots")).doesNotExist();
        assertThat(new ModelHub(options()).find(TINY)).isNull();
        long left = Files.size(incomplete());
        assertThat(left).isPositive();
        stub.faults(FILE);
        stub.forget();
        assertWhole(pull());
        assertThat(ranges()).containsExactly("bytes=" + left + "-");
        assertThat(notes).contains("begin 1 " + WEIGHTS.length + " " + left);
    }

    @Test
    void serversThatKnowNoRangesSendItAllAgain() throws IOException {
        leave(Arrays.copyOf(WEIGHTS, 5000));
        stub.faults(FILE, (exchange, content) -> HubStub.send(exchange, 200, content));
        assertWhole(pull());
    }

    @Test
    void aServerThatNeverGetsFurtherIsGivenUp() {
        HubStub.Fault cut = HubStub.cutAfter(100_000);
        stub.faults(FILE, Stream.generate(() -> cut).limit(20).toArray(HubStub.Fault[]::new));
        assertThatThrownBy(this::pull).hasMessageStartingWith(FILE + " could not be fetched");
        assertThat(ranges()).hasSizeLessThan(12);
    }

    @Test
    void rangesThatBeginElsewhereAreNotTaken() throws IOException {
        leave(Arrays.copyOf(WEIGHTS, 5000));
        stub.faults(FILE, (exchange, content) -> {
            exchange.getResponseHeaders().set("Content-Range", "bytes 0-99/" + content.length);
            HubStub.send(exchange, 206, Arrays.copyOf(content, 100));
        });
        assertWhole(pull());
        assertThat(ranges()).containsExactly("bytes=5000-", "all");
    }

    @Test
    void aServerThatHasLessBeginsAnew() throws IOException {
        leave(Arrays.copyOf(WEIGHTS, 5000));
        stub.faults(FILE, HubStub.refuse(416));
        assertWhole(pull());
        assertThat(ranges()).containsExactly("bytes=5000-", "all");
    }

    /** The rest is of a file that has changed, which its hash shows. */
    @Test
    void whatIsLeftOfAnotherFileIsThrownAway() throws IOException {
        leave(new byte[5000]);
        assertWhole(pull());
        assertThat(ranges()).containsExactly("bytes=5000-", "all");
        assertThat(notes).anyMatch(note -> note.contains("not what the hub lists"));
    }

    @Test
    void whatIsLeftIsNotContinuedWithAnotherETag() throws IOException {
        Path left = folder().resolve("blobs").resolve(HubStub.gitHash("{}\n".getBytes()) + ".obr.incomplete");
        Files.createDirectories(left.getParent());
        Files.writeString(left, "{");
        stub.faults("config.json", (exchange, content) -> {
            exchange.getResponseHeaders().set("ETag", "\"" + "a".repeat(40) + "\"");
            HubStub.range(exchange, content);
        });
        assertWhole(pull());
        assertThat(notes).anyMatch(note -> note.contains("does not go on with the same file"));
    }

    @Test
    void moreThanTheFileIsThrownAwayToo() throws IOException {
        leave(new byte[WEIGHTS.length + 1]);
        assertWhole(pull());
    }

    @Test
    void aCompleteFileThatWasNotRenamedIsCheckedAndTaken() throws IOException {
        leave(WEIGHTS);
        assertWhole(pull());
        assertThat(ranges()).isEmpty();
    }

    @Test
    void wrongBytesAreFetchedOnceMore() {
        stub.faults(FILE, HubStub.corrupted());
        assertWhole(pull());
        assertThat(ranges()).containsExactly("all", "all");
    }

    @Test
    void wrongBytesTwiceAreRefused() throws IOException {
        stub.faults(FILE, HubStub.corrupted(), HubStub.corrupted());
        assertThatThrownBy(this::pull)
                .isInstanceOf(ObrException.class)
                .hasMessageStartingWith(FILE + " arrived twice with SHA-256")
                .hasMessageContaining("the hub lists " + HubStub.sha256(WEIGHTS));
        assertThat(blob()).doesNotExist();
        assertThat(incomplete()).isEmptyFile();
    }

    @Test
    void moreBytesThanListedAreRefused() {
        byte[] longer = Arrays.copyOf(WEIGHTS, WEIGHTS.length + 10);
        HubStub.Fault more = (exchange, content) -> HubStub.send(exchange, 200, longer);
        stub.faults(FILE, more, more);
        assertThatThrownBy(this::pull).hasMessageContaining("arrived twice");
        assertThat(incomplete()).isEmptyFile();
    }

    @Test
    void silenceEndsAConnection() {
        CountDownLatch over = new CountDownLatch(1);
        stub.faults(FILE, (exchange, content) -> {
            exchange.sendResponseHeaders(200, content.length);
            exchange.getResponseBody().write(content, 0, 50_000);
            exchange.getResponseBody().flush();
            await(over);
        });
        Patience patience = new Patience(4, Duration.ofMillis(1), Duration.ofSeconds(1), Duration.ofMillis(300));
        try {
            assertWhole(pull(options().withPatience(patience)));
        } finally {
            over.countDown();
        }
        assertThat(notes).anyMatch(note -> note.contains("nothing arrived for 0.3 s"));
    }

    /** The second waits for the first, and finds what that one fetched. */
    @Test
    void twoPullsAtOnceFetchEachFileOnce() throws Exception {
        CountDownLatch bothRun = new CountDownLatch(1);
        stub.faults(FILE, (exchange, content) -> {
            await(bothRun);
            HubStub.range(exchange, content);
        });
        try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
            List<Future<Path>> pulls = List.of(threads.submit(() -> pull()), threads.submit(() -> pull()));
            while (notes.stream().noneMatch(note -> note.contains("another pull is fetching it"))) {
                Thread.sleep(10);
            }
            bothRun.countDown();
            for (Future<Path> pull : pulls) {
                assertWhole(pull.get());
            }
        }
        assertThat(ranges()).containsExactly("all");
    }

    @Test
    void aKilledPullIsGoneOnWith() throws Exception {
        CountDownLatch over = new CountDownLatch(1);
        stub.faults(FILE, (exchange, content) -> {
            exchange.sendResponseHeaders(200, content.length);
            exchange.getResponseBody().write(content, 0, 400_000);
            exchange.getResponseBody().flush();
            await(over);
        });
        Process killed = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        PullInChild.class.getName(),
                        stub.endpoint().toString(),
                        cache.toString())
                .redirectErrorStream(true)
                .redirectOutput(cache.resolve("child.log").toFile())
                .start();
        try {
            while (killed.isAlive() && (!Files.exists(incomplete()) || Files.size(incomplete()) == 0)) {
                Thread.sleep(20);
            }
            assertThat(killed.isAlive()).as("the child waits for the rest").isTrue();
        } finally {
            killed.destroyForcibly().waitFor();
            over.countDown();
        }
        stub.forget();
        assertWhole(pull());
        assertThat(ranges()).hasSize(1).first().asString().matches("bytes=[1-9]\\d*-");
    }

    private void leave(byte[] bytes) throws IOException {
        Files.createDirectories(incomplete().getParent());
        Files.write(incomplete(), bytes);
    }

    private static void await(CountDownLatch latch) throws IOException {
        try {
            if (!latch.await(60, TimeUnit.SECONDS)) {
                throw new IOException("the test went on too long");
            }
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }
}
