package dev.obr.models.hub;

import dev.obr.kernels.ObrException;
import dev.obr.models.hub.RepositoryListing.Entry;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Which files of a repository are fetched: by kind, and without patterns those that a model is opened from. */
final class FileSelection {
    private static final int SHOWN = 8;
    private static final Set<String> KINDS = Set.of("safetensors", "json", "txt", "model", "gguf", "md", "jinja");
    private static final Set<String> NAMES = Set.of("license", "notice");
    private static final Set<String> PICKLES = Set.of("bin", "pt", "pth", "pkl", "pickle", "ckpt");
    private static final Pattern SHARD = Pattern.compile("(.*)-\\d{5}-of-\\d{5}\\.gguf");
    /** The vocabulary that a packed model keeps of a GGUF file; it holds no weights. */
    private static final String GGUF_TOKENIZER = "tokenizer.gguf";

    private final ModelReference reference;
    private final List<Entry> all;

    FileSelection(ModelReference reference, List<Entry> all) {
        this.reference = reference;
        this.all = all;
    }

    /** The files that match one of {@code patterns}; where there are none, the model. */
    List<Entry> choose(List<String> patterns) {
        return patterns.isEmpty() ? model() : matching(patterns);
    }

    private List<Entry> matching(List<String> patterns) {
        List<Entry> chosen = new ArrayList<>();
        for (String pattern : patterns) {
            Predicate<String> match = matcher(pattern);
            List<Entry> found =
                    all.stream().filter(file -> match.test(file.path())).toList();
            List<Entry> allowed =
                    found.stream().filter(file -> isAllowed(file.path())).toList();
            if (found.isEmpty()) {
                throw new ObrException(reference + " has no file '" + pattern + "'; it has " + names(all));
            }
            if (allowed.isEmpty()) {
                throw refused(found);
            }
            allowed.stream().filter(file -> !chosen.contains(file)).forEach(chosen::add);
        }
        return chosen;
    }

    /** What lies in the top folder and is read: safetensors where there are any, else a GGUF file, and all small files. */
    private List<Entry> model() {
        List<Entry> top = all.stream()
                .filter(file -> file.path().indexOf('/') < 0 && isAllowed(file.path()))
                .toList();
        List<Entry> safetensors = safetensors(top);
        List<Entry> ggufs = top.stream()
                .filter(file -> kind(file.path()).equals("gguf") && !file.path().equals(GGUF_TOKENIZER))
                .toList();
        if (safetensors.isEmpty() && ggufs.isEmpty()) {
            List<Entry> pickles = all.stream()
                    .filter(file -> PICKLES.contains(kind(file.path())))
                    .toList();
            throw pickles.isEmpty()
                    ? new ObrException(reference + " has neither safetensors nor GGUF files in its top folder; it has "
                            + names(all) + ": choose with --file")
                    : refused(pickles);
        }
        if (safetensors.isEmpty() && models(ggufs) > 1) {
            throw new ObrException(
                    reference + " has " + ggufs.size() + " GGUF files; choose with --file: " + names(ggufs));
        }
        List<Entry> weights = safetensors.isEmpty() ? ggufs : safetensors;
        return top.stream()
                .filter(file ->
                        weights.contains(file) || !kind(file.path()).equals("safetensors") && !ggufs.contains(file))
                .toList();
    }

    /** As a folder is opened: model.safetensors alone if it is there; Mistral's second copy of all weights never. */
    private static List<Entry> safetensors(List<Entry> top) {
        List<Entry> found = top.stream()
                .filter(file -> kind(file.path()).equals("safetensors"))
                .toList();
        List<Entry> single = found.stream()
                .filter(file -> file.path().equals("model.safetensors"))
                .toList();
        List<Entry> others = found.stream()
                .filter(file -> !file.path().startsWith("consolidated"))
                .toList();
        return !single.isEmpty() ? single : others.isEmpty() ? found : others;
    }

    /** Shards of one model count once. */
    private static long models(List<Entry> ggufs) {
        return ggufs.stream()
                .map(file -> SHARD.matcher(file.path()).replaceFirst("$1"))
                .distinct()
                .count();
    }

    private ObrException refused(List<Entry> files) {
        boolean pickled = files.stream().anyMatch(file -> PICKLES.contains(kind(file.path())));
        return new ObrException(
                pickled
                        ? reference + ": " + names(files)
                                + " are Python pickles, which can run code when they are opened and are never fetched;"
                                + " look for a revision or a copy of the model in safetensors, or convert it with transformers"
                        : reference + ": " + names(files) + " are of no kind that a model is read from; kinds are "
                                + KINDS.stream().sorted().collect(Collectors.joining(", ")));
    }

    private static String names(List<Entry> files) {
        String first = files.stream().limit(SHOWN).map(Entry::path).collect(Collectors.joining(", "));
        return files.isEmpty() ? "no files" : files.size() > SHOWN ? first + ", .. (" + files.size() + ")" : first;
    }

    private static boolean isAllowed(String path) {
        String name = path.substring(path.lastIndexOf('/') + 1).toLowerCase(Locale.ROOT);
        return NAMES.contains(name) || KINDS.contains(kind(path));
    }

    private static String kind(String path) {
        String name = path.substring(path.lastIndexOf('/') + 1).toLowerCase(Locale.ROOT);
        int dot = name.lastIndexOf('.');
        return dot < 0 ? "" : name.substring(dot + 1);
    }

    /** Shell patterns as the hub's own tools take them: {@code *} is anything, slashes included, {@code ?} one character. */
    static Predicate<String> matcher(String pattern) {
        StringBuilder regex = new StringBuilder();
        for (int c : pattern.codePoints().toArray()) {
            switch (c) {
                case '*' -> regex.append(".*");
                case '?' -> regex.append('.');
                default -> regex.append(Pattern.quote(Character.toString(c)));
            }
        }
        return Pattern.compile(regex.toString(), Pattern.DOTALL).asMatchPredicate();
    }
}
