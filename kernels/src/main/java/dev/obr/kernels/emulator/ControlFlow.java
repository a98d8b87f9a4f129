package dev.obr.kernels.emulator;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * The order in which diverged lanes should run so that they meet as early as they can: instructions that may come before others are ranked before them, and a loop, of which any instruction may
 * come before any other, is ranked as a whole, so that all its lanes leave it before one of them goes on. Within a loop the order is the same without the way back to its head.
 *
 * <p>That is the order of the strongly connected components of the graph, nested (Bourdoncle's weak topological order); running the lanes of the lowest rank first is what is known as thread
 * frontiers.
 */
final class ControlFlow {
    private final int[][] successors;
    private final int[] order;
    private int ordered;

    private ControlFlow(int[][] successors) {
        this.successors = successors;
        this.order = new int[successors.length];
    }

    /**
     * Ranks instructions.
     *
     * @param next where each instruction may go on, in order of the text
     */
    static int[] ranks(int[][] next) {
        List<int[]> blocks = blocks(next);
        int[] blockOf = new int[next.length];
        for (int b = 0; b < blocks.size(); b++) {
            for (int i = blocks.get(b)[0]; i < blocks.get(b)[1]; i++) {
                blockOf[i] = b;
            }
        }
        int[][] successors = new int[blocks.size()][];
        for (int b = 0; b < successors.length; b++) {
            int[] targets = next[blocks.get(b)[1] - 1];
            successors[b] = new int[targets.length];
            for (int i = 0; i < targets.length; i++) {
                successors[b][i] = blockOf[targets[i]];
            }
        }
        ControlFlow flow = new ControlFlow(successors);
        BitSet all = new BitSet();
        all.set(0, successors.length);
        flow.rank(all);
        int[] ranks = new int[next.length];
        int rank = 0;
        for (int b : flow.order) {
            for (int i = blocks.get(b)[0]; i < blocks.get(b)[1]; i++) {
                ranks[i] = rank++;
            }
        }
        return ranks;
    }

    /** Runs of instructions [first, end) that are entered at the first and left at the last. */
    private static List<int[]> blocks(int[][] next) {
        BitSet leaders = new BitSet();
        for (int i = 0; i < next.length; i++) {
            boolean falls = next[i].length == 1 && next[i][0] == i + 1;
            if (!falls) {
                leaders.set(i + 1);
                for (int target : next[i]) {
                    leaders.set(target);
                }
            }
        }
        List<int[]> blocks = new ArrayList<>();
        int first = 0;
        for (int i = 1; i <= next.length; i++) {
            if (i == next.length || leaders.get(i)) {
                blocks.add(new int[] {first, i});
                first = i;
            }
        }
        return blocks;
    }

    /** Orders the blocks of a part of the graph; what is left to do lies on a stack, since loops may nest deeply. */
    private void rank(BitSet all) {
        List<BitSet> stack = new ArrayList<>();
        stack.add(all);
        while (!stack.isEmpty()) {
            BitSet part = stack.removeLast();
            if (part.cardinality() == 1) {
                order[ordered++] = part.nextSetBit(0);
                continue;
            }
            List<BitSet> components = new Components(part).found;
            if (components.size() > 1) {
                // Found in reverse order, so that the last one found, which comes first, is on top of the stack.
                stack.addAll(components);
            } else {
                int head = part.nextSetBit(0);
                part.clear(head);
                order[ordered++] = head;
                stack.add(part);
            }
        }
    }

    /** Tarjan's strongly connected components of a part of the graph, without recursion; a component is found after all that it leads to. Later text is visited first. */
    private final class Components {
        private final List<BitSet> found = new ArrayList<>();
        private final BitSet part;
        private final int[] index = new int[successors.length];
        private final int[] low = new int[successors.length];
        private final int[] child = new int[successors.length];
        private final int[] path = new int[successors.length];
        private final int[] open = new int[successors.length];
        private final BitSet isOpen = new BitSet();
        private int indices;
        private int opened;

        Components(BitSet part) {
            this.part = part;
            for (int b = part.length() - 1; b >= 0; b = part.previousSetBit(b - 1)) {
                if (index[b] == 0) {
                    visit(b);
                }
            }
        }

        private void visit(int root) {
            int depth = 0;
            path[0] = root;
            enter(root);
            while (depth >= 0) {
                int b = path[depth];
                if (child[b] < successors[b].length) {
                    int next = successors[b][child[b]++];
                    if (!part.get(next)) {
                        continue;
                    }
                    if (index[next] == 0) {
                        path[++depth] = next;
                        enter(next);
                    } else if (isOpen.get(next)) {
                        low[b] = Math.min(low[b], index[next]);
                    }
                } else {
                    if (low[b] == index[b]) {
                        close(b);
                    }
                    depth--;
                    if (depth >= 0) {
                        low[path[depth]] = Math.min(low[path[depth]], low[b]);
                    }
                }
            }
        }

        private void enter(int b) {
            index[b] = low[b] = ++indices;
            open[opened++] = b;
            isOpen.set(b);
        }

        private void close(int b) {
            BitSet component = new BitSet();
            int member;
            do {
                member = open[--opened];
                isOpen.clear(member);
                component.set(member);
            } while (member != b);
            found.add(component);
        }
    }
}
