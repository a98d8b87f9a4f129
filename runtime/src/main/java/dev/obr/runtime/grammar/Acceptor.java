package dev.obr.runtime.grammar;

import dev.obr.runtime.grammar.Symbol.Bytes;
import dev.obr.runtime.grammar.Symbol.Call;
import dev.obr.runtime.grammar.Symbol.End;
import dev.obr.runtime.grammar.Symbol.Repeat;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads a text by a grammar, byte by byte, following all ways to read it at once.
 *
 * <pre>
 *   State  = a set of stacks, each with a byte symbol on top
 *   stack  = Frame -> Frame -> ... -> end of the text      (position, count of repetitions done), shared tails
 * </pre>
 *
 * <p>Stacks and states that are equal are one object, and a state remembers where each kind of byte leads, so most bytes cost one look into a table: inside a JSON string a handful of states serve
 * any text. A call that ends its alternative leaves no frame behind; stacks grow with nesting alone.
 *
 * <p>States are immutable to their users, who may keep any and go on from it. One thread at a time: the tables fill while reading.
 */
public final class Acceptor {
    private static final State REFUSED = new State(List.of(), false, 0);

    private record FrameKey(
            int position, int count, @Nullable Frame parent) {}

    /** Where reading stands in one alternative, and where it goes on behind it. */
    private static final class Frame {
        final int number;
        final int position;
        final int count; // of a repetition at this position: how many are done or being read
        final @Nullable Frame parent; // null: the text ends

        Frame(int number, int position, int count, @Nullable Frame parent) {
            this.number = number;
            this.position = position;
            this.count = count;
            this.parent = parent;
        }
    }

    /** What may follow the text read so far. */
    public static final class State {
        private final List<Frame> frames;
        private final boolean mayEnd;
        private final @Nullable State[] next; // by kind of byte, null where not computed

        private State(List<Frame> frames, boolean mayEnd, int kinds) {
            this.frames = frames;
            this.mayEnd = mayEnd;
            this.next = new State[kinds];
        }

        /** Whether the text is complete as it is. */
        public boolean mayEnd() {
            return mayEnd;
        }

        /** Whether any byte may follow. */
        public boolean mayContinue() {
            return !frames.isEmpty();
        }
    }

    private record StateKey(List<Frame> frames, boolean mayEnd) {}

    private final Grammar grammar;
    private final Map<FrameKey, Frame> frames = new HashMap<>();
    private final Map<StateKey, State> states = new HashMap<>();
    private final ArrayDeque<Frame> open = new ArrayDeque<>();
    private final Set<Frame> seen = new HashSet<>();
    private boolean reachedEnd;
    private int numbered;

    public Acceptor(Grammar grammar) {
        this.grammar = grammar;
    }

    /** Before the first byte. */
    public State start() {
        reachedEnd = false;
        enter(grammar.start(), null);
        return settle();
    }

    /** The state behind byte {@code b} (0-255); null where it must not follow. */
    public @Nullable State after(State state, int b) {
        int kind = grammar.kind(b);
        State next = state.next[kind];
        if (next == null) {
            next = step(state, b);
            state.next[kind] = next;
        }
        return next == REFUSED ? null : next;
    }

    /** The state behind {@code bytes}; null where they must not follow. */
    public @Nullable State after(State state, byte[] bytes) {
        State reached = state;
        for (int i = 0; i < bytes.length && reached != null; i++) {
            reached = after(reached, bytes[i] & 0xFF);
        }
        return reached;
    }

    /** How many states are remembered: what {@link #forget} frees. */
    int states() {
        return states.size();
    }

    /** Frees every state but {@code current}; the returned one takes its place. */
    State forget(State current) {
        states.clear();
        frames.clear();
        State fresh = new State(current.frames, current.mayEnd, grammar.kinds());
        states.put(new StateKey(fresh.frames, fresh.mayEnd), fresh);
        return fresh;
    }

    private State step(State state, int b) {
        reachedEnd = false;
        for (Frame frame : state.frames) {
            if (((Bytes) grammar.symbol(frame.position)).set().contains(b)) {
                reach(frame.position + 1, 0, frame.parent);
            }
        }
        return settle();
    }

    /** Follows all frames that were reached until each stands before a byte. */
    private State settle() {
        List<Frame> waiting = new ArrayList<>();
        while (!open.isEmpty()) {
            Frame frame = open.removeLast();
            switch (grammar.symbol(frame.position)) {
                case Bytes bytes -> waiting.add(frame);
                case Call call -> enter(call.rule(), behind(frame));
                case Repeat repeat -> repeat(frame, repeat);
                case End end -> leave(frame.parent);
            }
        }
        seen.clear();
        if (waiting.isEmpty() && !reachedEnd) {
            return REFUSED;
        }
        waiting.sort(Comparator.comparingInt(frame -> frame.number));
        List<Frame> stacks = List.copyOf(waiting);
        boolean end = reachedEnd;
        return states.computeIfAbsent(new StateKey(stacks, end), key -> new State(stacks, end, grammar.kinds()));
    }

    private void repeat(Frame frame, Repeat repeat) {
        boolean endless = repeat.max() == Repeat.ENDLESS;
        if (endless || frame.count < repeat.max()) {
            // Beyond the minimum an endless repetition need not be counted, and all its rounds are one state.
            int count = endless ? Math.min(frame.count + 1, repeat.min()) : frame.count + 1;
            enter(repeat.rule(), frame(frame.position, count, frame.parent));
        }
        if (frame.count >= repeat.min()) {
            reach(frame.position + 1, 0, frame.parent);
        }
    }

    /** Where reading goes on behind the call that {@code frame} stands before. */
    private @Nullable Frame behind(Frame frame) {
        return grammar.symbol(frame.position + 1) instanceof End
                ? frame.parent
                : frame(frame.position + 1, 0, frame.parent);
    }

    private void enter(int rule, @Nullable Frame parent) {
        for (int position : grammar.starts(rule)) {
            reach(position, 0, parent);
        }
    }

    private void leave(@Nullable Frame parent) {
        if (parent == null) {
            reachedEnd = true;
        } else {
            reach(parent.position, parent.count, parent.parent);
        }
    }

    private void reach(int position, int count, @Nullable Frame parent) {
        Frame frame = frame(position, count, parent);
        if (seen.add(frame)) {
            open.add(frame);
        }
    }

    private Frame frame(int position, int count, @Nullable Frame parent) {
        return frames.computeIfAbsent(
                new FrameKey(position, count, parent), key -> new Frame(numbered++, position, count, parent));
    }
}
