package dev.obr.models.file;

import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What a model is called by the folder that holds it. */
public final class FolderName {
    private static final Pattern HUB_CACHE = Pattern.compile("models--(.+?)--(.+)");

    private FolderName() {}

    /** The folder's own name; for a snapshot in the hub's cache, {@code models--ORG--NAME/snapshots/COMMIT}, its {@code ORG/NAME}. */
    public static String of(Path folder) {
        Path full = folder.toAbsolutePath().normalize();
        int parts = full.getNameCount();
        if (parts >= 3 && full.getName(parts - 2).toString().equals("snapshots")) {
            Matcher hub = HUB_CACHE.matcher(full.getName(parts - 3).toString());
            if (hub.matches()) {
                return hub.group(1) + "/" + hub.group(2);
            }
        }
        return parts == 0 ? folder.toString() : full.getFileName().toString();
    }
}
