package dev.obr.compressor.random;

/** Random signs as PyTorch draws them: {@code torch.manual_seed(seed); 2 * torch.randint(0, 2, (n,)) - 1} on the CPU. */
public final class TorchSigns {
    private TorchSigns() {}

    /** n numbers, each +1 or -1. */
    public static int[] draw(long seed, int n) {
        MersenneTwister twister = MersenneTwister.seeded((int) seed);
        int[] signs = new int[n];
        for (int i = 0; i < n; i++) {
            signs[i] = 2 * (twister.nextInt() & 1) - 1;
        }
        return signs;
    }
}
