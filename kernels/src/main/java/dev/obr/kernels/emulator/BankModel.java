package dev.obr.kernels.emulator;

/**
 * How many wavefronts an access to shared memory takes: 32 banks of 4-byte words, one word of each bank in a wavefront, any number of lanes served by the same word. Lanes of 8 bytes are served
 * half a warp at a time, of 16 bytes a quarter.
 */
final class BankModel {
    private static final int BANKS = 32;

    /** Distinct words asked of each bank. */
    private final int[] words = new int[BANKS * BANKS];

    private final int[] counts = new int[BANKS];
    private int wavefronts;
    private int ideal;

    /** Of the last access that was counted. */
    int wavefronts() {
        return wavefronts;
    }

    /** Of the last access, without conflicts: one for each phase that has a lane. */
    int ideal() {
        return ideal;
    }

    void count(long[] addresses, int mask, int bytes) {
        wavefronts = 0;
        ideal = 0;
        int lanes = bytes <= 4 ? 32 : bytes == 8 ? 16 : 8;
        for (int first = 0; first < 32; first += lanes) {
            int phase = lanes == 32 ? mask : mask & ((1 << lanes) - 1) << first;
            if (phase != 0) {
                wavefronts += phase(addresses, phase, Math.max(1, bytes >> 2));
                ideal++;
            }
        }
    }

    private int phase(long[] addresses, int mask, int wordsPerLane) {
        int most = 1;
        int asked = 0;
        for (int m = mask; m != 0; m &= m - 1) {
            int word = (int) (addresses[Integer.numberOfTrailingZeros(m)] >> 2);
            for (int i = 0; i < wordsPerLane; i++, word++) {
                int bank = word & BANKS - 1;
                if ((asked >>> bank & 1) == 0) {
                    asked |= 1 << bank;
                    counts[bank] = 1;
                    words[bank * BANKS] = word;
                } else if (words[bank * BANKS] != word) {
                    most = Math.max(most, ask(word));
                }
            }
        }
        return most;
    }

    /** How many distinct words the word's bank has been asked for, this one included. */
    private int ask(int word) {
        int bank = word & BANKS - 1;
        int count = counts[bank];
        for (int i = 0; i < count; i++) {
            if (words[bank * BANKS + i] == word) {
                return count;
            }
        }
        words[bank * BANKS + count] = word;
        return counts[bank] = count + 1;
    }
}
