package dev.obr.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class ThreadTeamTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 5})
    void runsEachPartOnce(int threads) {
        try (ThreadTeam team = new ThreadTeam(threads)) {
            for (int parts : new int[] {0, 1, 2, 3, 100}) {
                AtomicIntegerArray runs = new AtomicIntegerArray(parts);
                team.run(parts, runs::incrementAndGet);
                for (int p = 0; p < parts; p++) {
                    assertThat(runs.get(p)).isEqualTo(1);
                }
            }
        }
    }

    @Test
    void seesWhatEarlierTasksWrote() {
        long[] cells = new long[4];
        try (ThreadTeam team = new ThreadTeam(3)) {
            for (int i = 0; i < 20_000; i++) {
                team.run(4, part -> cells[part] = cells[part] + 1);
            }
        }
        assertThat(cells).containsOnly(20_000);
    }

    @Test
    void runsAgainAfterItsWorkersParked() throws InterruptedException {
        try (ThreadTeam team = new ThreadTeam(2)) {
            AtomicInteger sum = new AtomicInteger();
            for (int i = 0; i < 5; i++) {
                team.run(8, sum::addAndGet);
                Thread.sleep(20);
            }
            assertThat(sum).hasValue(5 * 28);
        }
    }

    @Test
    void usesSeveralThreads() {
        try (ThreadTeam team = new ThreadTeam(2)) {
            var names = ConcurrentHashMap.newKeySet();
            AtomicInteger arrived = new AtomicInteger();
            team.run(2, part -> {
                names.add(Thread.currentThread().getName());
                arrived.incrementAndGet();
                while (arrived.get() < 2) {
                    Thread.onSpinWait();
                }
            });
            assertThat(names).hasSize(2);
        }
    }

    @Test
    void throwsTheFirstFailureAfterAllPartsEnded() {
        try (ThreadTeam team = new ThreadTeam(3)) {
            AtomicInteger ended = new AtomicInteger();
            assertThatThrownBy(() -> team.run(30, part -> {
                        ended.incrementAndGet();
                        if (part % 7 == 3) {
                            throw new IllegalArgumentException("part " + part);
                        }
                    }))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageStartingWith("part ");
            assertThat(ended).hasValue(30);
            assertThatThrownBy(() -> team.run(2, part -> {
                        throw new StackOverflowError();
                    }))
                    .isInstanceOf(StackOverflowError.class);
            team.run(2, part -> ended.incrementAndGet());
            assertThat(ended).hasValue(32);
        }
    }

    @Test
    void partsMayCallTheirOwnTeam() {
        try (ThreadTeam team = new ThreadTeam(3)) {
            AtomicInteger runs = new AtomicInteger();
            team.run(6, outer -> team.run(5, inner -> team.run(2, innermost -> runs.incrementAndGet())));
            assertThat(runs).hasValue(60);
        }
    }

    @Test
    void manyCallersShareATeam() throws InterruptedException {
        try (ThreadTeam team = new ThreadTeam(2)) {
            AtomicLong sum = new AtomicLong();
            List<Thread> callers = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                Thread.Builder builder = i % 2 == 0 ? Thread.ofVirtual() : Thread.ofPlatform();
                callers.add(builder.start(() -> {
                    for (int n = 0; n < 200; n++) {
                        team.run(4, sum::addAndGet);
                    }
                }));
            }
            for (Thread caller : callers) {
                caller.join();
            }
            assertThat(sum).hasValue(8 * 200 * 6);
        }
    }

    @Test
    void refusesWorkOnceClosed() {
        ThreadTeam team = new ThreadTeam(2);
        team.close();
        team.close();
        assertThatThrownBy(() -> team.run(1, part -> {})).hasMessageContaining("closed");
        assertThatThrownBy(() -> new ThreadTeam(0)).hasMessageContaining("at least 1 thread");
    }

    @Test
    void splitsIntoContiguousRanges() {
        for (int n : new int[] {0, 1, 16, 100, 101}) {
            int last = 0;
            for (int part = 0; part <= 7; part++) {
                int start = ThreadTeam.split(n, 16, 7, part);
                assertThat(start).isBetween(last, n);
                assertThat(start % 16 == 0 || start == n).isTrue();
                last = start;
            }
            assertThat(last).isEqualTo(n);
        }
    }
}
