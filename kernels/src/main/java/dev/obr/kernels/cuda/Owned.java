package dev.obr.kernels.cuda;

import java.util.ArrayList;
import java.util.List;

/** Things that are closed together, the latest first. */
final class Owned implements AutoCloseable {
    private final List<AutoCloseable> things = new ArrayList<>();

    <T extends AutoCloseable> T add(T thing) {
        things.add(thing);
        return thing;
    }

    @Override
    public void close() {
        for (AutoCloseable thing : things.reversed()) {
            try {
                thing.close();
            } catch (RuntimeException e) {
                throw e;
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }
        things.clear();
    }
}
