package dev.obr.models.hub;

import dev.obr.kernels.ObrException;
import dev.obr.models.file.Excerpt;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.nio.channels.UnresolvedAddressException;
import java.time.Duration;
import javax.net.ssl.SSLHandshakeException;

/** Counts failures in a row of one file or listing, and waits before each new attempt: longer each time, or as long as the server asks. */
final class Retries {
    private final String what;
    private final URI endpoint;
    private final Patience patience;
    private final PullProgress progress;
    private int failures;

    /** @param what is being fetched, for messages */
    Retries(String what, HubOptions options, PullProgress progress) {
        this.what = what;
        this.endpoint = options.endpoint();
        this.patience = options.patience();
        this.progress = progress;
    }

    /** Something arrived: failures are counted from zero again. */
    void progressed() {
        failures = 0;
    }

    /**
     * Waits after a failure.
     *
     * @throws ObrException where it is no use to go on
     */
    void await(IOException failure) {
        failures++;
        if (Thread.currentThread().isInterrupted()) {
            throw interrupted(failure);
        }
        if (failure instanceof SSLHandshakeException) {
            throw new ObrException(
                    "no secure connection for " + what + ": " + reason(failure) + "; if a proxy of yours replaces"
                            + " certificates, add its own to Java's trust store (-Djavax.net.ssl.trustStore)",
                    failure);
        }
        Duration asked = failure instanceof TransientFailure told ? told.pause() : null;
        if (failures >= patience.attempts() || asked != null && asked.compareTo(patience.longestWait()) > 0) {
            throw new ObrException(
                    what + " could not be fetched from " + endpoint + " (" + reason(failure)
                            + (asked == null ? "" : ", asks to wait " + asked.toSeconds() + " s")
                            + "); run the same command again later, it goes on where this one stopped; check the network"
                            + " and HTTPS_PROXY, or set HF_ENDPOINT to a mirror",
                    failure);
        }
        Duration wait = asked == null ? patience.firstWait().multipliedBy(1L << (failures - 1)) : asked;
        progress.note(what + ": " + reason(failure) + "; again in " + Math.max(1, wait.toSeconds()) + " s");
        try {
            Thread.sleep(wait);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw interrupted(e);
        }
    }

    private ObrException interrupted(Exception cause) {
        return new ObrException(what + " was interrupted; the same command goes on where it stopped", cause);
    }

    /** Connections that fail often have no message of their own. */
    private static String reason(IOException failure) {
        for (Throwable told = failure; told != null; told = told.getCause()) {
            if (told instanceof UnresolvedAddressException) {
                return "its host is unknown";
            }
        }
        String message = failure.getMessage();
        return message == null
                ? failure instanceof ConnectException
                        ? "no connection"
                        : failure.getClass().getSimpleName()
                : Excerpt.of(message.lines().findFirst().orElse(""));
    }
}
