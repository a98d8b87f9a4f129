package dev.obr.models.hub;

/** Passes on what several threads say, one at a time. */
final class SerialProgress implements PullProgress {
    private final PullProgress progress;

    SerialProgress(PullProgress progress) {
        this.progress = progress;
    }

    @Override
    public synchronized void begin(int files, long bytes, long present) {
        progress.begin(files, bytes, present);
    }

    @Override
    public synchronized void received(long bytes) {
        progress.received(bytes);
    }

    @Override
    public synchronized void finished(String file, long bytes) {
        progress.finished(file, bytes);
    }

    @Override
    public synchronized void note(String sentence) {
        progress.note(sentence);
    }
}
