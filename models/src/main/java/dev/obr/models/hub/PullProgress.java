package dev.obr.models.hub;

/** Hears how far a pull is; called from several threads, one at a time. */
public interface PullProgress {
    /** Hears nothing. */
    PullProgress SILENT = new PullProgress() {
        @Override
        public void begin(int files, long bytes, long present) {}

        @Override
        public void received(long bytes) {}

        @Override
        public void finished(String file, long bytes) {}

        @Override
        public void note(String sentence) {}
    };

    /**
     * What there is to do is known.
     *
     * @param files that are not there yet
     * @param bytes of these files
     * @param present how many of these bytes an earlier pull has left
     */
    void begin(int files, long bytes, long present);

    /** So many bytes more are on the disk; fewer than 0 where a file begins anew. */
    void received(long bytes);

    /** A file is complete and checked. */
    void finished(String file, long bytes);

    /** Something happened that takes time or is to be known: a wait, a file that begins anew. */
    void note(String sentence);
}
