package dev.obr.runtime;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Who waits for a turn: each client in its own order, the clients one after the other. Those that were running already come before all others. */
final class WaitingLine {
    private final ArrayDeque<BatchSequence> preempted = new ArrayDeque<>();
    private final Map<String, ArrayDeque<BatchSequence>> clients = new LinkedHashMap<>(); // the next one's first
    private int size;

    int size() {
        return size;
    }

    void add(BatchSequence sequence) {
        clients.computeIfAbsent(sequence.request.client(), client -> new ArrayDeque<>())
                .addLast(sequence);
        size++;
    }

    void addPreempted(BatchSequence sequence) {
        preempted.addFirst(sequence);
        size++;
    }

    /** The next one, who stays where it is. */
    @Nullable
    BatchSequence peek() {
        if (!preempted.isEmpty()) {
            return preempted.peekFirst();
        }
        return clients.isEmpty() ? null : clients.values().iterator().next().peekFirst();
    }

    /** Takes away the one that {@link #peek} shows; its client's others come after those of the other clients. */
    void remove() {
        size--;
        if (preempted.pollFirst() != null) {
            return;
        }
        Iterator<Map.Entry<String, ArrayDeque<BatchSequence>>> entries =
                clients.entrySet().iterator();
        Map.Entry<String, ArrayDeque<BatchSequence>> entry = entries.next();
        entries.remove();
        entry.getValue().removeFirst();
        if (!entry.getValue().isEmpty()) {
            clients.put(entry.getKey(), entry.getValue());
        }
    }

    /** Takes away all that leave the line. */
    List<BatchSequence> removeIf(Predicate<BatchSequence> leaves) {
        List<BatchSequence> left = new ArrayList<>();
        Predicate<BatchSequence> noted = sequence -> leaves.test(sequence) && left.add(sequence);
        preempted.removeIf(noted);
        clients.values().forEach(line -> line.removeIf(noted));
        clients.values().removeIf(ArrayDeque::isEmpty);
        size -= left.size();
        return left;
    }
}
