package dev.obr.bench.gemm;

import dev.obr.bench.gpu.ProductRow;
import java.util.List;
import java.util.Optional;

/** The products of one shape on one device, ready to be measured. */
public interface GemmProducts extends AutoCloseable {
    /** Opens them on some device. */
    interface Factory {
        /**
         * Makes and loads the weights.
         *
         * @throws dev.obr.kernels.ObrException if there is not enough memory
         */
        GemmProducts open(GemmShape shape);

        /** Sentences about what is measured and how. */
        List<String> notes();
    }

    /** Why so many tokens cannot be multiplied here; empty where they can. */
    Optional<String> refusal(int tokens);

    /**
     * Measures all variants in turns.
     *
     * @param seconds that it should take; a few rounds are made however long they are
     */
    List<ProductRow> measure(int tokens, double seconds);

    @Override
    void close();
}
