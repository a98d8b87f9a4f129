package dev.obr.cli;

import dev.obr.runtime.transformer.KvType;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How keys and values are kept, for every verb that runs a model. */
final class KvOption {
    @Option(
            names = "--kv",
            paramLabel = "f32|f16|int8|int4",
            description =
                    "How keys and values are kept. Without it, as a packed model was made for, and in f16 for any other.")
    private @Nullable KvType type;

    /** Null is the model's own. */
    @Nullable
    KvType type() {
        return type;
    }
}
