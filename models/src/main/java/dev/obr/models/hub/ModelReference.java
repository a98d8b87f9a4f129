package dev.obr.models.hub;

import dev.obr.kernels.ObrException;
import dev.obr.models.file.Excerpt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A model on the hub: {@code ORG/NAME}, or {@code ORG/NAME@REVISION}.
 *
 * @param organisation who keeps it
 * @param revision a branch, a tag or a commit
 */
public record ModelReference(String organisation, String name, String revision) {
    /** The branch that every repository has. */
    public static final String MAIN = "main";

    private static final int LONGEST_ID = 96; // the hub's own limit
    private static final Pattern FORM = Pattern.compile("([^/@]+)/([^/@]+)(?:@(.+))?");
    private static final Pattern PART = Pattern.compile("[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?");
    private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}");

    public ModelReference {
        if (!isPart(organisation) || !isPart(name) || organisation.length() + 1 + name.length() > LONGEST_ID) {
            throw new ObrException("'" + Excerpt.of(organisation + "/" + name)
                    + "' is no name of a model on the hub; names are ORG/NAME, of letters, digits, '-', '_' and '.'");
        }
        if (!RepositoryPath.isSafe(revision)) {
            throw new ObrException("'" + Excerpt.of(revision)
                    + "' is no revision; give a branch, a tag or a commit after the @, such as " + MAIN);
        }
    }

    /** Reads {@code ORG/NAME} or {@code ORG/NAME@REVISION}. */
    public static ModelReference parse(String text) {
        Matcher form = FORM.matcher(text);
        if (!form.matches()) {
            throw new ObrException("'" + Excerpt.of(text)
                    + "' names no model on the hub; give ORG/NAME or ORG/NAME@REVISION, such as Qwen/Qwen3-0.6B");
        }
        String revision = form.group(3);
        return new ModelReference(form.group(1), form.group(2), revision == null ? MAIN : revision);
    }

    /** Whether {@link #parse} takes {@code text}. */
    public static boolean matches(String text) {
        Matcher form = FORM.matcher(text);
        return form.matches()
                && isPart(form.group(1))
                && isPart(form.group(2))
                && form.end(2) <= LONGEST_ID
                && (form.group(3) == null || RepositoryPath.isSafe(form.group(3)));
    }

    /** "--" separates the parts of a folder's name, so that none may hold it. */
    private static boolean isPart(String part) {
        return PART.matcher(part).matches() && !part.contains("--") && !part.contains("..") && !part.endsWith(".git");
    }

    static boolean isCommit(String text) {
        return COMMIT.matcher(text).matches();
    }

    /** {@code ORG/NAME}. */
    public String id() {
        return organisation + "/" + name;
    }

    /** As whoever pulls it writes it. */
    @Override
    public String toString() {
        return revision.equals(MAIN) ? id() : id() + "@" + revision;
    }
}
