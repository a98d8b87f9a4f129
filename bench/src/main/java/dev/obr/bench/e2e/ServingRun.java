package dev.obr.bench.e2e;

import dev.obr.kernels.ObrException;
import dev.obr.runtime.BatchOptions;
import dev.obr.runtime.BatchRequest;
import dev.obr.runtime.BatchScheduler;
import dev.obr.runtime.BatchStatus;
import dev.obr.runtime.BatchedGeneration;
import dev.obr.runtime.GenerationOptions;
import dev.obr.runtime.LanguageModel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;

/**
 * Sends requests of random tokens to a scheduler of its own, as many at a time as the case says, and notes when each token comes to its reader.
 *
 * @param requests that each client sends, one after the other
 * @param random where prompts come from: no two runs share one, so that none finds its prompt computed
 */
record ServingRun(int requests, SplittableRandom random) {
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    /** Figures of one run by their names: vLLM's, and the speeds of prompts and of new tokens by the scheduler's clock. */
    Map<String, Double> figures(LanguageModel model, ServingCase test) {
        // one sequence more than there are clients: the context that all go on from keeps its place
        BatchOptions options = BatchOptions.defaults().withRunning(test.concurrency() + 1);
        try (BatchScheduler scheduler = new BatchScheduler(model, options)) {
            int[] context = tokens(model, test.contextTokens());
            BatchStatus before = begin(scheduler, context);
            List<List<BatchRequest>> clients = IntStream.range(0, test.concurrency())
                    .mapToObj(client -> requests(model, context, test))
                    .toList();
            List<TokenTimes> times = send(scheduler, clients, test.contextTokens());
            settle(scheduler);
            return figures(times, before, scheduler.status(), test, model);
        }
    }

    private Map<String, Double> figures(
            List<TokenTimes> times, BatchStatus before, BatchStatus after, ServingCase test, LanguageModel model) {
        if (after.sharedTokens() - before.sharedTokens() < (long) test.contextTokens() * times.size()) {
            throw new ObrException("requests cannot go on from a context of " + test.contextTokens() + " tokens on "
                    + model.device() + ", where each computes its own: leave --n-depth out and take longer prompts");
        }
        long first = times.stream().mapToLong(TokenTimes::sent).min().orElseThrow();
        long last = times.stream()
                .mapToLong(request -> request.arrivals().getLast())
                .max()
                .orElseThrow();
        Map<String, Double> figures = ServingFigures.of(times, (last - first) / 1e9);
        figures.put(
                "prefill_throughput",
                1e3 * (after.promptTokens() - before.promptTokens()) / (after.promptMillis() - before.promptMillis()));
        // what a prompt's last step gives is the prompt's
        long steps = after.generatedTokens() - before.generatedTokens() - times.size();
        if (steps > 0) {
            figures.put("decode_throughput", 1e3 * steps / (after.generateMillis() - before.generateMillis()));
        }
        return figures;
    }

    /** Computes what all requests begin with. */
    private static BatchStatus begin(BatchScheduler scheduler, int[] context) {
        if (context.length > 0) {
            scheduler.submit(BatchRequest.of(context, length(1))).result();
            settle(scheduler);
        }
        return scheduler.status();
    }

    private List<BatchRequest> requests(LanguageModel model, int[] context, ServingCase test) {
        List<BatchRequest> all = new ArrayList<>();
        for (int i = 0; i < requests; i++) {
            int[] prompt = IntStream.concat(IntStream.of(context), IntStream.of(tokens(model, test.promptTokens())))
                    .toArray();
            all.add(BatchRequest.of(prompt, length(test.generatedTokens())));
        }
        return all;
    }

    private static List<TokenTimes> send(
            BatchScheduler scheduler, List<List<BatchRequest>> clients, int contextTokens) {
        CountDownLatch start = new CountDownLatch(1);
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<List<TokenTimes>>> futures = new ArrayList<>();
            for (List<BatchRequest> client : clients) {
                futures.add(threads.submit(() -> {
                    start.await();
                    List<TokenTimes> times = new ArrayList<>();
                    for (BatchRequest request : client) {
                        times.add(read(scheduler, request, contextTokens));
                    }
                    return times;
                }));
            }
            start.countDown();
            List<TokenTimes> all = new ArrayList<>();
            for (Future<List<TokenTimes>> future : futures) {
                all.addAll(future.get());
            }
            return all;
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException failure) {
                throw failure;
            }
            throw new IllegalStateException("a client has failed", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while requests were measured", e);
        }
    }

    private static TokenTimes read(BatchScheduler scheduler, BatchRequest request, int contextTokens) {
        List<Long> arrivals = new ArrayList<>(request.options().maxTokens());
        long sent = System.nanoTime();
        BatchedGeneration text = scheduler.submit(request);
        while (text.hasNext()) {
            text.next();
            arrivals.add(System.nanoTime());
        }
        return new TokenTimes(request.prompt().length - contextTokens, sent, arrivals);
    }

    /** A reader may see a text's end before the scheduler has counted its last step. */
    private static void settle(BatchScheduler scheduler) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (scheduler.status().running() > 0) {
            if (System.nanoTime() > deadline) {
                throw new IllegalStateException("the scheduler is busy a minute after the last text has ended");
            }
            Thread.onSpinWait();
        }
    }

    private static GenerationOptions length(int tokens) {
        return GenerationOptions.greedy().withMaxTokens(tokens);
    }

    private int[] tokens(LanguageModel model, int count) {
        return random.ints(count, 0, model.config().vocabularySize()).toArray();
    }
}
