package dev.obr.kernels.gpu;

/**
 * How many threads run a kernel.
 *
 * @param grid thread blocks; 65535 in y and z at most
 * @param block threads of each; 1024 at most, 64 of them in z
 * @param sharedBytes dynamic shared memory of each block
 */
public record LaunchShape(Dim grid, Dim block, int sharedBytes) {
    /** Extents; each at least 1. */
    public record Dim(int x, int y, int z) {
        public Dim {
            if (x < 1 || y < 1 || z < 1) {
                throw new IllegalArgumentException("a launch has extents of at least 1, not " + x + "," + y + "," + z);
            }
        }

        public long count() {
            return (long) x * y * z;
        }

        @Override
        public String toString() {
            return x + "," + y + "," + z;
        }
    }

    public LaunchShape {
        if (grid.y > 65535 || grid.z > 65535) {
            throw new IllegalArgumentException("a grid has 65535 blocks at most in y and z, not " + grid);
        }
        if (block.z > 64) {
            throw new IllegalArgumentException("a thread block has 64 threads at most in z, not " + block);
        }
        if (block.count() > 1024) {
            throw new IllegalArgumentException("a thread block has 1024 threads at most, not " + block.count());
        }
        if (sharedBytes < 0) {
            throw new IllegalArgumentException("negative shared memory: " + sharedBytes);
        }
    }

    /** A line of blocks with a line of threads each. */
    public static LaunchShape of(int blocks, int threads, int sharedBytes) {
        return of(blocks, 1, threads, sharedBytes);
    }

    public static LaunchShape of(int blocksX, int blocksY, int threads, int sharedBytes) {
        return new LaunchShape(new Dim(blocksX, blocksY, 1), new Dim(threads, 1, 1), sharedBytes);
    }
}
