package dev.obr.models.hub;

import dev.obr.kernels.ObrException;
import dev.obr.models.file.MappedFile;
import dev.obr.models.hub.RepositoryListing.Entry;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Models of the Hugging Face hub, in the folder that Python's huggingface_hub keeps them in: what either has fetched, the other finds.
 *
 * <pre>
 * ModelHub hub = new ModelHub(HubOptions.fromEnvironment(System.getenv()));
 * Path folder = hub.pull(ModelReference.parse("Qwen/Qwen3-0.6B"), List.of(), PullProgress.SILENT);
 * </pre>
 */
public final class ModelHub {
    private static final int FILES_AT_ONCE = 4;
    private static final int LONGEST_LISTING = 32 << 20;

    private final HubOptions options;

    public ModelHub(HubOptions options) {
        this.options = options;
    }

    /** The folder of what was pulled of a model, or null where nothing was. */
    public @Nullable Path find(ModelReference reference) {
        return CachedRepository.of(options.cache(), reference).find(reference.revision());
    }

    /**
     * Fetches a model as it is now, or the files of it that match one of the patterns; what is there already is not fetched again. Offline it is looked up.
     *
     * @param patterns such as {@code *Q4_K_M.gguf}; with none, config, tokenizer, licence and safetensors, or the only GGUF model
     * @return the folder with the files, below {@link HubOptions#cache}
     * @throws ObrException where that cannot be done: names, rights, network, disk
     */
    public Path pull(ModelReference reference, List<String> patterns, PullProgress progress) {
        CachedRepository repository = CachedRepository.of(options.cache(), reference);
        if (options.offline()) {
            return present(repository, reference, patterns);
        }
        try (HubConnection hub = new HubConnection(reference, options);
                StallGuard guard = new StallGuard(options.patience().silence())) {
            RepositoryListing listing = listing(hub, guard, reference, progress);
            List<HubFile> files = new ArrayList<>();
            for (Entry entry : new FileSelection(reference, listing.entries()).choose(patterns)) {
                files.add(complete(hub, listing.commit(), entry, progress));
            }
            Map<ContentHash, HubFile> missing = missing(repository, listing.commit(), files);
            announce(repository, missing.values(), progress);
            fetch(hub, guard, repository, listing.commit(), missing.values(), progress);
            for (HubFile file : files) { // all at the end: a snapshot that can be seen is whole
                boolean onlyOne = files.stream()
                                .filter(other -> other.hash().equals(file.hash()))
                                .count()
                        == 1;
                repository.show(listing.commit(), file, options.links(), onlyOne && missing.containsKey(file.hash()));
            }
            repository.remember(reference.revision(), listing.commit());
            return repository.snapshot(listing.commit());
        } catch (IOException e) {
            throw cannotWrite(repository, e);
        }
    }

    private Path present(CachedRepository repository, ModelReference reference, List<String> patterns) {
        Path snapshot = repository.find(reference.revision());
        if (snapshot == null) {
            throw new ObrException(reference + " is not in " + options.cache()
                    + ", and HF_HUB_OFFLINE forbids to fetch it; unset it, or set HF_HUB_CACHE to where the model is");
        }
        try (Stream<Path> all = Files.walk(snapshot)) {
            List<String> names = all.filter(Files::isRegularFile)
                    .map(file -> snapshot.relativize(file).toString().replace('\\', '/'))
                    .toList();
            for (String pattern : patterns) {
                if (names.stream().noneMatch(FileSelection.matcher(pattern))) {
                    throw new ObrException(snapshot + " has no file '" + pattern
                            + "', and HF_HUB_OFFLINE forbids to fetch it; unset it");
                }
            }
            return snapshot;
        } catch (IOException e) {
            throw new ObrException(MappedFile.cannotRead(snapshot, e), e);
        }
    }

    private RepositoryListing listing(
            HubConnection hub, StallGuard guard, ModelReference reference, PullProgress progress) {
        Retries retries = new Retries("the list of files of " + reference, options, progress);
        while (true) {
            try (HubConnection.Answer answer = hub.get(hub.listing(), null, 0)) {
                byte[] json = guard.guarded(answer.body()).readNBytes(LONGEST_LISTING + 1);
                if (json.length > LONGEST_LISTING) {
                    throw new ObrException(hub.listing() + " answered with more than " + LONGEST_LISTING
                            + " bytes; is HF_ENDPOINT a Hugging Face hub? nothing was fetched");
                }
                return RepositoryListing.parse(json, hub.listing().toString());
            } catch (IOException e) {
                retries.await(e);
            }
        }
    }

    /** Asks for what the listing does not say of a file. */
    private HubFile complete(HubConnection hub, String commit, Entry entry, PullProgress progress) {
        ContentHash listed = entry.hash();
        if (listed != null && entry.size() >= 0) {
            return new HubFile(entry.path(), entry.size(), listed);
        }
        Retries retries = new Retries(entry.path(), options, progress);
        while (true) {
            try (HubConnection.Answer answer = hub.head(hub.file(commit, entry.path()), entry.path())) {
                ContentHash hash = answer.etag();
                if (hash == null || answer.size() < 0 || answer.size() > RepositoryListing.LARGEST) {
                    throw new ObrException(options.endpoint() + " names no size and no hash of " + entry.path()
                            + ", so that it could not be checked; is HF_ENDPOINT a Hugging Face hub?");
                }
                return new HubFile(entry.path(), answer.size(), hash);
            } catch (IOException e) {
                retries.await(e);
            }
        }
    }

    /** Equal files once. */
    private static Map<ContentHash, HubFile> missing(CachedRepository repository, String commit, List<HubFile> files)
            throws IOException {
        Map<ContentHash, HubFile> missing = new LinkedHashMap<>();
        for (HubFile file : files) {
            if (!repository.has(commit, file)) {
                missing.putIfAbsent(file.hash(), file);
            }
        }
        return missing;
    }

    /** Says what is to come, if the disk has room for it. */
    private void announce(CachedRepository repository, Collection<HubFile> missing, PullProgress progress)
            throws IOException {
        long total = 0; // sizes are at most 2^41
        long present = 0;
        for (HubFile file : missing) {
            Path incomplete = repository.incomplete(file.hash());
            long size = Files.isRegularFile(incomplete) ? Files.size(incomplete) : 0;
            total += file.size();
            present += size <= file.size() ? size : 0;
        }
        Files.createDirectories(repository.folder());
        long free = Files.getFileStore(repository.folder()).getUsableSpace();
        if (total - present > free) {
            throw new ObrException(
                    "the files take " + SizeText.of(total - present) + ", but " + repository.cache()
                            + " has " + SizeText.of(free)
                            + " free; free some space, choose files with --file, or set HF_HUB_CACHE to a folder on another disk");
        }
        progress.begin(missing.size(), total, present);
    }

    /** Largest first; the first that fails ends the others, whose incomplete files stay. */
    private void fetch(
            HubConnection hub,
            StallGuard guard,
            CachedRepository repository,
            String commit,
            Collection<HubFile> missing,
            PullProgress progress)
            throws IOException {
        PullProgress oneAtATime = new SerialProgress(progress);
        ExecutorService threads = Executors.newFixedThreadPool(
                FILES_AT_ONCE, Thread.ofPlatform().daemon().name("pull-", 1).factory());
        try {
            ExecutorCompletionService<HubFile> done = new ExecutorCompletionService<>(threads);
            missing.stream()
                    .sorted(Comparator.comparingLong(HubFile::size).reversed().thenComparing(HubFile::path))
                    .forEach(file -> done.submit(() -> {
                        new BlobDownload(hub, guard, repository, commit, file, options, oneAtATime).run();
                        oneAtATime.finished(file.path(), file.size());
                        return file;
                    }));
            for (int i = 0; i < missing.size(); i++) {
                done.take().get();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ObrException("the pull was interrupted; the same command goes on where it stopped", e);
        } catch (ExecutionException e) {
            throw failure(e.getCause());
        } finally {
            threads.shutdownNow();
            hub.close();
            threads.close();
        }
    }

    private static IOException failure(@Nullable Throwable cause) {
        if (cause instanceof RuntimeException unchecked) {
            throw unchecked;
        }
        if (cause instanceof Error error) {
            throw error;
        }
        return cause instanceof IOException io ? io : new IOException(cause);
    }

    private static ObrException cannotWrite(CachedRepository repository, IOException e) {
        String reason = e instanceof AccessDeniedException
                ? "permission denied"
                : e instanceof FileSystemException system && system.getReason() != null
                        ? system.getReason()
                        : String.valueOf(e.getMessage());
        return new ObrException(
                "cannot write " + repository.folder() + " (" + reason
                        + "); free some space, or set HF_HUB_CACHE to another folder",
                e);
    }
}
