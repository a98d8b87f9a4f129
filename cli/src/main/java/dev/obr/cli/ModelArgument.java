package dev.obr.cli;

import dev.obr.kernels.ObrException;
import dev.obr.models.hub.HubOptions;
import dev.obr.models.hub.ModelHub;
import dev.obr.models.hub.ModelReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * A model as its user names it: a path, or {@code ORG/NAME[@REVISION]} of one that was pulled. What lies at such a path wins.
 *
 * @param named the name as a path
 * @param environment says where pulled models are
 */
record ModelArgument(Path named, Map<String, String> environment) {
    /** The folder or file; it exists if it is that of a pulled model. */
    Path path() {
        String name = named.toString().replace('\\', '/');
        if (Files.exists(named) || named.isAbsolute() || !ModelReference.matches(name)) {
            return named;
        }
        Path pulled = new ModelHub(HubOptions.fromEnvironment(environment)).find(ModelReference.parse(name));
        if (pulled == null) {
            throw new ObrException(named + " does not exist and was not pulled; fetch it with 'obr-runtime.jar pull "
                    + name + "', or give a model's folder or GGUF file");
        }
        return pulled;
    }

    /** As it was given. */
    @Override
    public String toString() {
        return named.toString();
    }
}
