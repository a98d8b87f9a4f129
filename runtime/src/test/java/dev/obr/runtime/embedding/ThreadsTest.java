package dev.obr.runtime.embedding;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.HotSpotDiagnosticMXBean;
import dev.obr.runtime.BatchOptions;
import dev.obr.runtime.BatchRequest;
import dev.obr.runtime.BatchScheduler;
import dev.obr.runtime.Generation;
import dev.obr.runtime.GenerationOptions;
import dev.obr.runtime.LanguageModel;
import dev.obr.runtime.RuntimeOptions;
import dev.obr.runtime.Session;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which threads there are while a model is open, what is left of them, and what becomes of the caller's. */
class ThreadsTest {
    @TempDir
    Path folder;

    @Test
    void noneOutlivesClose() throws Exception {
        Set<Thread> before = Thread.getAllStackTraces().keySet();
        Set<String> virtualBefore = virtualThreads("before");
        try (LanguageModel model =
                        LanguageModel.openDemo(RuntimeOptions.defaults().withThreads(4));
                BatchScheduler scheduler = new BatchScheduler(model, BatchOptions.defaults());
                Session session = model.newSession()) {
            Generation left = session.generate("The sea", GenerationOptions.defaults());
            assertThat(left.next().id()).isNotNegative(); // and nobody asks for more
            scheduler
                    .submit(BatchRequest.of(model.tokenizer().encode("The sea", true), GenerationOptions.defaults()))
                    .next();
            assertThat(ours(before)).extracting(Thread::getName).contains("obr-scheduler", "obr-worker-3");
            assertThat(ours(before)).allMatch(Thread::isDaemon);
        }
        for (Thread thread : ours(before)) {
            thread.join(Duration.ofSeconds(20)); // one that has been told to end may still be on its way
        }
        assertThat(ours(before)).isEmpty();
        assertThat(virtualThreads("after")).isEqualTo(virtualBefore);
    }

    private static List<Thread> ours(Set<Thread> before) {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> !before.contains(thread) && thread.getName().startsWith("obr-"))
                .toList();
    }

    /** Of the whole JVM: only a dump lists them. */
    private Set<String> virtualThreads(String name) throws IOException {
        Path dump = folder.resolve(name);
        ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class)
                .dumpThreads(dump.toAbsolutePath().toString(), HotSpotDiagnosticMXBean.ThreadDumpFormat.TEXT_PLAIN);
        Set<String> threads = new HashSet<>();
        for (String line : Files.readAllLines(dump)) {
            if (line.startsWith("#") && line.contains(" virtual")) {
                threads.add(line);
            }
        }
        return threads;
    }

    /** A virtual thread that waits here lets go of its carrier: the JVM reports none that could not, however short. */
    @Test
    void virtualThreadsThatWaitLetTheirCarriersGo() throws Exception {
        try (LanguageModel model = LanguageModel.open(
                        Stories.MODEL, RuntimeOptions.defaults().withThreads(2));
                BatchScheduler scheduler = new BatchScheduler(model, BatchOptions.defaults())) {
            Stories.tell(model); // classes that are initialised pin whoever waits for them, once
            int[] prompt = model.tokenizer().encode(Stories.PROMPT, true);
            GenerationOptions options = GenerationOptions.greedy().withMaxTokens(24);
            scheduler.submit(BatchRequest.of(prompt, options)).result();
            List<Callable<String>> tasks = List.of(
                    () -> Stories.tell(model),
                    () -> scheduler
                            .submit(BatchRequest.of(prompt, options))
                            .result()
                            .text());
            Path file = folder.resolve("pinned.jfr");
            try (Recording recording = new Recording()) {
                recording
                        .enable("jdk.VirtualThreadPinned")
                        .withThreshold(Duration.ZERO)
                        .withStackTrace();
                recording.start();
                try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
                    for (int round = 0; round < 4; round++) {
                        for (var text : threads.invokeAll(List.of(
                                tasks.get(0), tasks.get(1), tasks.get(0), tasks.get(1), tasks.get(0), tasks.get(1)))) {
                            assertThat(text.get()).isEqualTo(Stories.TEXT);
                        }
                    }
                }
                recording.stop();
                recording.dump(file);
            }
            assertThat(RecordingFile.readAllEvents(file))
                    .filteredOn(event -> event.getEventType().getName().equals("jdk.VirtualThreadPinned"))
                    .extracting(RecordedEvent::toString)
                    .isEmpty();
        }
    }
}
