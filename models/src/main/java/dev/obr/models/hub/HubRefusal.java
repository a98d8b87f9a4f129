package dev.obr.models.hub;

import dev.obr.kernels.ObrException;
import dev.obr.models.file.Excerpt;
import java.net.URI;
import java.net.http.HttpHeaders;
import org.jspecify.annotations.Nullable;

/** What a hub's refusal means for who asked, in one sentence with a remedy. */
final class HubRefusal {
    private HubRefusal() {}

    static ObrException of(
            ModelReference reference,
            HubOptions options,
            @Nullable String file,
            URI address,
            int status,
            HttpHeaders headers) {
        String code = headers.firstValue("X-Error-Code").orElse("");
        String said = headers.firstValue("X-Error-Message")
                .map(message -> ": " + Excerpt.of(message))
                .orElse("");
        String page = options.endpoint() + "/" + reference.id();
        String tokens = options.endpoint() + "/settings/tokens";
        boolean known = options.token() != null;
        if (code.equals("GatedRepo")) {
            return new ObrException(reference + " is gated: accept its terms at " + page
                    + (known
                            ? " with the account of your token, and make sure that the token may read gated models"
                            : ", then set HF_TOKEN to a token of yours from " + tokens));
        }
        if (status == 401 || status == 403) {
            return new ObrException(
                    known
                            ? reference + " may not be read with your token (" + status + said
                                    + "); check its rights at " + tokens + ", or the name at " + page
                            : reference + " does not exist or is private (" + status + said + "); check the name at "
                                    + page + ", or set HF_TOKEN to a token from " + tokens);
        }
        if (status == 404 && code.equals("RevisionNotFound")) {
            return new ObrException(reference.id() + " has no revision '" + reference.revision()
                    + "'; give a branch, a tag or a commit that " + page + "/commits/main shows");
        }
        if (status == 404 && file == null) {
            return new ObrException(
                    reference.id() + " does not exist at " + options.endpoint() + "; check the name at " + page);
        }
        if (status == 407) {
            return new ObrException("the proxy on the way to " + address.getHost()
                    + " wants a name and a password; write them in HTTPS_PROXY=http://NAME:PASSWORD@HOST:PORT, and start"
                    + " java with -Djdk.http.auth.tunneling.disabledSchemes= if it asks for the Basic scheme");
        }
        return new ObrException((file == null ? reference.toString() : reference + ": " + file) + " was refused by "
                + address.getHost() + " (" + status + said + "); look at " + page);
    }
}
