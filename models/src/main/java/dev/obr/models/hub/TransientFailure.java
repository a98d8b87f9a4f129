package dev.obr.models.hub;

import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** The hub could not answer this time; {@link #wait} is how long it asks to be left alone, null where it doesn't say. */
final class TransientFailure extends IOException {
    private static final long serialVersionUID = 1;

    private final @Nullable Duration pause;

    TransientFailure(String reason, @Nullable Duration pause) {
        super(reason);
        this.pause = pause;
    }

    @Nullable
    Duration pause() {
        return pause;
    }
}
