package dev.obr.bench.gemm;

import java.util.Random;

/**
 * Weights of half floats as square blocks, of which every row of blocks keeps half (blocked ELL): a far coarser mask than any that keeps a model's quality, but the one that tensor cores execute
 * without another instruction.
 *
 * @param block rows and columns of one
 * @param keptColumns columns of all blocks in a row
 * @param blocks [rows / block, keptColumns / block]: which column of blocks each is, ascending
 * @param values fp16 [rows, keptColumns]
 */
record BlockedEllHalves(int block, int keptColumns, int[] blocks, short[] values) {
    private static final float DEVIATION = 0.02f;

    /** Random ones; rows and columns are multiples of twice the block. */
    static BlockedEllHalves random(GemmShape shape, int block, long seed) {
        int across = shape.columns() / block;
        int kept = across / 2;
        int down = shape.features() / block;
        Random random = new Random(seed);
        int[] blocks = new int[down * kept];
        int at = 0;
        for (int row = 0; row < down; row++) {
            int wanted = kept;
            for (int column = 0; wanted > 0; column++) {
                if (random.nextInt(across - column) < wanted) {
                    blocks[at++] = column;
                    wanted--;
                }
            }
        }
        short[] values = new short[Math.multiplyExact(shape.features(), kept * block)];
        for (int i = 0; i < values.length; i++) {
            values[i] = Float.floatToFloat16((float) random.nextGaussian() * DEVIATION);
        }
        return new BlockedEllHalves(block, kept * block, blocks, values);
    }
}
