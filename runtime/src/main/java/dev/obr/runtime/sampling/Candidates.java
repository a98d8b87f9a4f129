package dev.obr.runtime.sampling;

/** The tokens still in the running, likeliest first once {@link #sort} ran, with their logits. The steps of the chain narrow it down. */
final class Candidates {
    final int[] ids;
    final float[] logits;
    int count;
    private boolean sorted;

    Candidates(int vocabularySize) {
        ids = new int[vocabularySize];
        logits = new float[vocabularySize];
    }

    /** Starts over with every token. */
    void fill(float[] all) {
        count = all.length;
        sorted = false;
        for (int i = 0; i < count; i++) {
            ids[i] = i;
            logits[i] = all[i];
        }
    }

    /** Keeps the k likeliest, sorted; ties go to the lower id. */
    void keepTop(int k) {
        if (sorted || k >= count) {
            sort();
            count = Math.min(count, k);
            return;
        }
        // A min-heap of the k best seen so far stands in front of the arrays; most tokens fail the first comparison.
        for (int i = k / 2 - 1; i >= 0; i--) {
            siftDown(i, k);
        }
        for (int i = k; i < count; i++) {
            if (worse(0, i)) {
                swap(0, i);
                siftDown(0, k);
            }
        }
        count = k;
        sort();
    }

    /** Heap sort, likeliest first. */
    void sort() {
        if (sorted) {
            return;
        }
        for (int i = count / 2 - 1; i >= 0; i--) {
            siftDown(i, count);
        }
        for (int end = count - 1; end > 0; end--) {
            swap(0, end);
            siftDown(0, end);
        }
        sorted = true;
    }

    // Min-heap on [0, size): the worst candidate on top.
    private void siftDown(int parent, int size) {
        for (int child = 2 * parent + 1; child < size; child = 2 * parent + 1) {
            if (child + 1 < size && worse(child + 1, child)) {
                child++;
            }
            if (!worse(child, parent)) {
                return;
            }
            swap(child, parent);
            parent = child;
        }
    }

    private boolean worse(int a, int b) {
        return logits[a] < logits[b] || (logits[a] == logits[b] && ids[a] > ids[b]);
    }

    private void swap(int a, int b) {
        int id = ids[a];
        ids[a] = ids[b];
        ids[b] = id;
        float logit = logits[a];
        logits[a] = logits[b];
        logits[b] = logit;
    }
}
