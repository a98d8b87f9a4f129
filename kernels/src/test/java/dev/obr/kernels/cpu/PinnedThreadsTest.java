package dev.obr.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CyclicBarrier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

@EnabledOnOs(value = OS.LINUX, disabledReason = "only Linux holds threads on processors")
class PinnedThreadsTest {
    private static final int PROCESSORS = Runtime.getRuntime().availableProcessors();

    @Test
    void eachWorkerHasAProcessorOfItsOwn() {
        String free = processors();
        Map<Thread, String> held = new ConcurrentHashMap<>();
        CyclicBarrier all = new CyclicBarrier(PROCESSORS); // no thread takes two parts
        try (ThreadTeam team = new ThreadTeam(PROCESSORS, PinnedThreads.open())) {
            team.run(PROCESSORS, part -> {
                held.put(Thread.currentThread(), processors());
                meet(all);
            });
        }
        assertThat(held).hasSize(PROCESSORS);
        assertThat(held.remove(Thread.currentThread())).as("who hands out work").isEqualTo(free);
        assertThat(held.values())
                .doesNotHaveDuplicates()
                .allSatisfy(one -> assertThat(one).matches("\\d+"));
    }

    @Test
    void moreWorkersThanProcessorsShareThem() {
        int threads = PROCESSORS + 2;
        Map<Thread, String> held = new ConcurrentHashMap<>();
        CyclicBarrier all = new CyclicBarrier(threads);
        try (ThreadTeam team = new ThreadTeam(threads, PinnedThreads.open())) {
            team.run(threads, part -> {
                held.put(Thread.currentThread(), processors());
                meet(all);
            });
        }
        held.remove(Thread.currentThread());
        assertThat(held).hasSize(threads - 1);
        assertThat(held.values().stream().distinct()).hasSize(PROCESSORS);
    }

    /** Those that the calling thread may use, as the system lists them: 0-3,8. */
    private static String processors() {
        try {
            return Files.readAllLines(Path.of("/proc/thread-self/status")).stream()
                    .filter(line -> line.startsWith("Cpus_allowed_list:"))
                    .map(line -> line.split("\\s+")[1])
                    .findFirst()
                    .orElseThrow();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void meet(CyclicBarrier barrier) {
        try {
            barrier.await();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}
