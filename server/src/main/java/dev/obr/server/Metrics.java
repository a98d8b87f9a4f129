package dev.obr.server;

import dev.obr.runtime.BatchStatus;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.LongAdder;

/** {@code GET /metrics}: what was done and is being done, as Prometheus reads it; the names are llama.cpp's under {@code obr_}. */
final class Metrics {
    static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

    private final Map<Integer, LongAdder> answers = new ConcurrentSkipListMap<>();

    /** Counts an answer. */
    void answered(int status) {
        answers.computeIfAbsent(status, key -> new LongAdder()).increment();
    }

    String text(BatchStatus status) {
        StringBuilder text = new StringBuilder();
        double promptSeconds = status.promptMillis() / 1e3;
        double generateSeconds = status.generateMillis() / 1e3;
        add(text, "prompt_tokens_total", "counter", "Prompt tokens computed.", status.promptTokens());
        add(
                text,
                "prompt_tokens_shared_total",
                "counter",
                "Prompt tokens taken over from other texts.",
                status.sharedTokens());
        add(text, "prompt_seconds_total", "counter", "Time spent on prompts.", promptSeconds);
        add(text, "tokens_predicted_total", "counter", "Tokens generated.", status.generatedTokens());
        add(text, "tokens_predicted_seconds_total", "counter", "Time spent on generating.", generateSeconds);
        add(text, "n_decode_total", "counter", "Steps computed.", status.steps());
        add(
                text,
                "preemptions_total",
                "counter",
                "Texts that had to make room and were computed again.",
                status.preemptions());
        add(
                text,
                "prompt_tokens_seconds",
                "gauge",
                "Prompt tokens a second, on average.",
                rate(status.promptTokens(), promptSeconds));
        add(
                text,
                "predicted_tokens_seconds",
                "gauge",
                "Generated tokens a second, on average.",
                rate(status.generatedTokens(), generateSeconds));
        add(
                text,
                "kv_cache_usage_ratio",
                "gauge",
                "Memory of keys and values in use; 1 is all that may be.",
                (double) status.cacheBytes() / status.cacheLimit());
        add(text, "kv_cache_bytes", "gauge", "Memory of keys and values in use.", status.cacheBytes());
        add(text, "requests_processing", "gauge", "Texts being computed.", status.running());
        add(text, "requests_deferred", "gauge", "Texts that wait for their turn.", status.waiting());
        Runtime java = Runtime.getRuntime();
        add(
                text,
                "heap_bytes",
                "gauge",
                "Memory of Java objects, those included that nothing needs any more.",
                java.totalMemory() - java.freeMemory());
        head(text, "http_responses_total", "counter", "Answers by status.");
        answers.forEach((code, count) -> text.append("obr_http_responses_total{code=\"")
                .append(code)
                .append("\"} ")
                .append(count.sum())
                .append('\n'));
        return text.toString();
    }

    private static double rate(long tokens, double seconds) {
        return seconds > 0 ? tokens / seconds : 0;
    }

    private static void add(StringBuilder text, String name, String type, String help, double value) {
        head(text, name, type, help);
        boolean whole = value == Math.rint(value) && Math.abs(value) < 1e15;
        String number = whole ? Long.toString((long) value) : String.format(Locale.ROOT, "%.6g", value);
        text.append("obr_").append(name).append(' ').append(number).append('\n');
    }

    private static void head(StringBuilder text, String name, String type, String help) {
        text.append("# HELP obr_").append(name).append(' ').append(help).append('\n');
        text.append("# TYPE obr_").append(name).append(' ').append(type).append('\n');
    }
}
