package dev.obr.runtime;

import dev.obr.runtime.transformer.ForwardPass;
import dev.obr.runtime.transformer.SequenceStep;
import java.util.ArrayList;
import java.util.List;

/**
 * The sequences that are computed together. Used by the scheduler's thread alone.
 *
 * <p>A step has one token of each text that is being generated and, beside them, a chunk of the prompts that have come, the oldest first.
 */
final class Batch {
    /** Rows of logits that the probabilities of a prompt's tokens are computed from at once. */
    private static final int PROMPT_ROWS = 32;

    /** Fewer tokens than this are computed rather than waited for. */
    private static final int WORTH_WAITING = 32;

    private final ForwardPass pass;
    private final BatchOptions options;
    private final BatchMemory memory;
    private final int vocabularySize;
    private final List<BatchSequence> sequences = new ArrayList<>(); // in the order of their coming
    private final List<float[]> logits = new ArrayList<>(); // [vocabularySize] each, written anew by every step
    private long steps;
    private long promptTokens;
    private long sharedTokens;
    private long generatedTokens;
    private double promptMillis;
    private double generateMillis;
    private long preemptions;

    Batch(LanguageModel model, BatchOptions options) {
        this.pass = model.pass();
        this.options = options;
        this.memory = new BatchMemory(model, options);
        this.vocabularySize = model.config().vocabularySize();
    }

    boolean isEmpty() {
        return sequences.isEmpty();
    }

    BatchStatus status() {
        return new BatchStatus(
                sequences.size(),
                0,
                pass.cacheBytes(),
                memory.limit(),
                steps,
                promptTokens,
                sharedTokens,
                generatedTokens,
                promptMillis,
                generateMillis,
                preemptions);
    }

    boolean hasRoomFor(BatchSequence sequence) {
        return sequences.isEmpty()
                || sequences.size() < options.running() && memory.hasRoomFor(sequence.text.length() + 1);
    }

    void join(BatchSequence sequence) {
        sequences.add(sequence);
    }

    /**
     * Computes one step.
     *
     * @return the sequences that had to make room for the others, those that came first in front
     */
    List<BatchSequence> step() {
        for (BatchSequence sequence : List.copyOf(sequences)) {
            if (sequence.reader.isCancelled()) {
                sequences.remove(sequence);
                memory.keep(sequence);
                sequence.cancel();
            }
        }
        List<BatchSequence> preempted = new ArrayList<>();
        List<Share> shares = plan();
        while (!memory.hasRoomFor(shares) && sequences.size() > 1) {
            BatchSequence last = sequences.removeLast();
            memory.free(last);
            preempted.addFirst(last);
            preemptions++;
            shares = plan();
        }
        if (!shares.isEmpty()) {
            try {
                compute(shares);
            } catch (RuntimeException failure) {
                shares.forEach(share -> fail(share.sequence(), failure));
            }
        }
        return preempted;
    }

    private List<Share> plan() {
        List<Share> shares = new ArrayList<>();
        for (BatchSequence sequence : sequences) {
            if (sequence.isGenerating()) {
                shares.add(new Share(sequence, 1));
            }
        }
        int left = shares.isEmpty() ? ForwardPass.MAX_CHUNK : options.chunk();
        for (BatchSequence sequence : List.copyOf(sequences)) {
            if (left > 0 && !sequence.isGenerating() && (sequence.cache() != null || begins(sequence))) {
                int most = sequence.request.promptLogprobs() ? PROMPT_ROWS : left;
                int tokens = Math.min(Math.min(most, left), sequence.pending());
                shares.add(new Share(sequence, tokens));
                left -= tokens;
            }
        }
        return shares;
    }

    /** Whether a sequence begins now, rather than when one before it holds more of what both begin with. */
    private boolean begins(BatchSequence sequence) {
        if (pass.sharesCaches() && !sequence.request.promptLogprobs()) {
            int later = 0;
            int now = memory.held(sequence);
            for (BatchSequence before : sequences.subList(0, sequences.indexOf(sequence))) {
                int common = sequence.common(before.text.tokens(0, before.text.length()));
                later = Math.max(later, common);
                now = Math.max(now, Math.min(common, before.held()));
            }
            if (later >= now + WORTH_WAITING) {
                return false;
            }
        }
        try {
            memory.begin(sequence, sequences);
        } catch (RuntimeException failure) {
            fail(sequence, failure);
            return false;
        }
        sharedTokens += sequence.held();
        return true;
    }

    private void compute(List<Share> shares) {
        int rows = shares.stream().mapToInt(Share::rows).sum();
        while (logits.size() < rows) {
            logits.add(new float[vocabularySize]);
        }
        List<SequenceStep> batch = new ArrayList<>();
        int row = 0;
        for (Share share : shares) {
            batch.add(share.step(logits.subList(row, row + share.rows()).toArray(float[][]::new)));
            row += share.rows();
        }
        count(shares, batch);
        for (int i = 0; i < shares.size(); i++) {
            BatchSequence sequence = shares.get(i).sequence();
            try {
                take(sequence, batch.get(i));
            } catch (RuntimeException failure) { // of this text alone: its grammar cannot go on
                fail(sequence, failure);
            }
        }
    }

    /** Computes a step and counts what it did. */
    private void count(List<Share> shares, List<SequenceStep> batch) {
        int all = shares.stream().mapToInt(Share::tokens).sum();
        int ofPrompts = shares.stream().mapToInt(Share::promptTokens).sum();
        shares.forEach(share -> share.sequence().computed(share.promptTokens()));
        long start = System.nanoTime();
        pass.forward(batch);
        double millis = (System.nanoTime() - start) / 1e6;
        steps++;
        promptTokens += ofPrompts;
        promptMillis += millis * ofPrompts / all;
        generateMillis += millis * (all - ofPrompts) / all;
    }

    /** Takes what a step gave a sequence: the probabilities of its prompt, its next token. */
    private void take(BatchSequence sequence, SequenceStep step) {
        float[][] rows = step.logits();
        if (rows.length > 1 || sequence.request.promptLogprobs()) {
            sequence.explainPrompt(sequence.held() - rows.length, rows);
        }
        if (sequence.pending() == 0) {
            generatedTokens++;
            sequence.choose(rows[rows.length - 1]);
            if (sequence.text.finishReason() != null) {
                end(sequence);
            }
        }
    }

    private void end(BatchSequence sequence) {
        sequences.remove(sequence);
        memory.keep(sequence);
        sequence.end();
    }

    private void fail(BatchSequence sequence, RuntimeException failure) {
        sequences.remove(sequence);
        memory.free(sequence);
        sequence.reader.fail(failure);
    }

    /** Frees all memory and gives up all sequences, in the order of their coming. */
    List<BatchSequence> close() {
        List<BatchSequence> left = List.copyOf(sequences);
        left.forEach(memory::free);
        sequences.clear();
        memory.clear();
        return left;
    }
}
