package dev.obr.kernels.cpu;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What became of one instruction set on this machine.
 *
 * @param set what was tried
 * @param outcome whether it can be used, or why not
 * @param kernels null unless it {@link Outcome#WORKS}
 * @param phrase for people: {@code works}, or why not
 */
record Trial<K>(KernelSet set, Outcome outcome, @Nullable K kernels, String phrase) {
    enum Outcome {
        WORKS,
        ABSENT,
        DISABLED,
        NOT_COMPILED,
        CAPPED,
        WRONG
    }

    /** What the C library answers of a set: ordinals are those of its enumeration. */
    enum Support {
        ABSENT,
        RUNS,
        DISABLED,
        NOT_COMPILED,
        /** The set belongs to another kind of processor. */
        FOREIGN
    }

    /** How sets of one kind of kernels are asked for, bound and tested. */
    interface Subject<S extends KernelSet, K> {
        Support support(S set);

        K bind(S set);

        /** What {@code kernels} compute wrongly; empty if nothing. */
        Optional<String> firstDifference(K kernels);
    }

    /**
     * Tries sets, fastest first, until {@code most} of them work. Sets of other kinds of processors are left out.
     *
     * @param slowestFirst all there are
     */
    static <S extends KernelSet, K> List<Trial<K>> of(
            List<S> slowestFirst, CpuCap cap, int most, Subject<S, K> subject) {
        List<Trial<K>> trials = new ArrayList<>();
        int works = 0;
        for (S set : slowestFirst.reversed()) {
            Support support = subject.support(set);
            if (support != Support.FOREIGN && works < most) {
                Trial<K> trial = of(set, support, cap, subject);
                works += trial.outcome == Outcome.WORKS ? 1 : 0;
                trials.add(trial);
            }
        }
        return trials;
    }

    private static <S extends KernelSet, K> Trial<K> of(S set, Support support, CpuCap cap, Subject<S, K> subject) {
        String description = set.description();
        return switch (support) {
            case ABSENT, FOREIGN -> new Trial<>(set, Outcome.ABSENT, null, "this machine has no " + description);
            case DISABLED -> new Trial<>(set, Outcome.DISABLED, null, "the system does not enable " + description);
            case NOT_COMPILED ->
                new Trial<>(set, Outcome.NOT_COMPILED, null, "this build was compiled without " + description);
            case RUNS ->
                cap.allows(set) ? tested(set, subject) : new Trial<>(set, Outcome.CAPPED, null, "capped at " + cap);
        };
    }

    private static <S extends KernelSet, K> Trial<K> tested(S set, Subject<S, K> subject) {
        K kernels = subject.bind(set);
        return subject.firstDifference(kernels)
                .map(difference ->
                        new Trial<K>(set, Outcome.WRONG, null, set.description() + " computes wrongly: " + difference))
                .orElseGet(() -> new Trial<>(set, Outcome.WORKS, kernels, "works"));
    }

    /** The kernels of the sets that work, fastest first. */
    static <K> List<K> usable(List<Trial<K>> trials) {
        List<K> usable = new ArrayList<>();
        for (Trial<K> trial : trials) {
            if (trial.kernels != null) {
                usable.add(trial.kernels);
            }
        }
        return usable;
    }

    /** Why sets of these outcomes that the cap allows were passed over. */
    static <K> List<String> refusals(List<Trial<K>> trials, CpuCap cap, Outcome... of) {
        List<Outcome> wanted = List.of(of);
        return trials.stream()
                .filter(trial -> wanted.contains(trial.outcome) && cap.allows(trial.set))
                .map(Trial::phrase)
                .toList();
    }
}
