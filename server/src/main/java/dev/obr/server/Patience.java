package dev.obr.server;

import java.io.IOException;

/** Notices within seconds that the client of an answer in one piece has left: a blank is written now and then once it has waited for long. */
final class Patience {
    private static final long FIRST_NANOS = 5_000_000_000L; // until then an error can still have its own status
    private static final long NEXT_NANOS = 1_000_000_000L;

    private final Exchange exchange;
    private long next = System.nanoTime() + FIRST_NANOS;

    Patience(Exchange exchange) {
        this.exchange = exchange;
    }

    /** @throws IOException if the client has left */
    void check() throws IOException {
        if (System.nanoTime() - next >= 0) {
            exchange.keepAlive();
            next = System.nanoTime() + NEXT_NANOS;
        }
    }
}
