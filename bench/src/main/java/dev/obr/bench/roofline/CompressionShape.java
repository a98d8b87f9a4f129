package dev.obr.bench.roofline;

import java.util.List;

/** Models whose compression the paper timed, on one A100. */
enum CompressionShape {
    LLAMA_2_7B("Llama-2-7B", 32, 32, 4096, 4096, 11008, 2 + 18 / 60.0),
    LLAMA_2_13B("Llama-2-13B", 40, 40, 5120, 5120, 13824, 4.5),
    LLAMA_2_70B("Llama-2-70B", 80, 64, 8192, 1024, 28672, 35.75);

    final String label;
    final int layers;
    final int heads;
    final int hidden;
    final int keys; // width of keys, and of values
    final int feedForward;
    final double publishedHours;

    CompressionShape(
            String label, int layers, int heads, int hidden, int keys, int feedForward, double publishedHours) {
        this.label = label;
        this.layers = layers;
        this.heads = heads;
        this.hidden = hidden;
        this.keys = keys;
        this.feedForward = feedForward;
        this.publishedHours = publishedHours;
    }

    /** A linear layer. */
    record Linear(int rows, int cols) {
        double weights() {
            return (double) rows * cols;
        }

        /** Multiplications of W with a matrix [cols, cols]. */
        double products() {
            return weights() * cols;
        }
    }

    /** A decoder layer's. */
    List<Linear> linears() {
        return List.of(
                new Linear(hidden, hidden),
                new Linear(keys, hidden),
                new Linear(keys, hidden),
                new Linear(hidden, hidden),
                new Linear(feedForward, hidden),
                new Linear(feedForward, hidden),
                new Linear(hidden, feedForward));
    }

    /** Widths of a decoder layer's inputs, each of which has a Hessian: of q, k and v, of o, of gate and up, of down. */
    List<Integer> inputs() {
        return List.of(hidden, hidden, hidden, feedForward);
    }

    double parameters() {
        return layers * linears().stream().mapToDouble(Linear::weights).sum();
    }
}
