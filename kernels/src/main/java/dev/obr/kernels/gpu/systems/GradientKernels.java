package dev.obr.kernels.gpu.systems;

import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.gpu.GpuKernel;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuModule;
import dev.obr.kernels.gpu.GpuStream;
import dev.obr.kernels.gpu.KernelArguments;
import dev.obr.kernels.gpu.KernelModule;
import dev.obr.kernels.gpu.LaunchShape;

/** Launches what conjugate gradients of many rows need beside products: {@code conjugate_gradients.cu}. A thread block a row; vectors are f32 [rows][columns]. */
public final class GradientKernels implements AutoCloseable {
    /** Sums that a step gives of each row: r r, b b and x (b + r). */
    public static final int SUMS = 3;

    private static final int THREADS = 256;

    private final GpuModule module;
    private final GpuKernel residual;
    private final GpuKernel step;
    private final GpuKernel dots;
    private final GpuKernel precondition;
    private final GpuKernel turn;
    private final GpuKernel mask;
    private final GpuKernel outer;

    public GradientKernels(GpuDevice device) {
        module = KernelModule.CONJUGATE_GRADIENTS.load(device);
        residual = module.kernel("gradient_residual");
        step = module.kernel("gradient_step");
        dots = module.kernel("gradient_dots");
        precondition = module.kernel("gradient_precondition");
        turn = module.kernel("gradient_turn");
        mask = module.kernel("gradient_mask");
        outer = module.kernel("outer_products");
    }

    /**
     * The vectors of some rows.
     *
     * @param y what products give
     * @param unknown one byte for each value, 0 where x stays zero
     */
    public record Vectors(
            int columns, GpuMemory b, GpuMemory x, GpuMemory r, GpuMemory p, GpuMemory y, GpuMemory unknown) {
        private void check(int rows) {
            long bytes = (long) Float.BYTES * rows * columns;
            b.requireBytes("right-hand sides", bytes);
            x.requireBytes("solutions", bytes);
            r.requireBytes("residuals", bytes);
            p.requireBytes("directions", bytes);
            y.requireBytes("products", bytes);
            unknown.requireBytes("unknowns", bytes / Float.BYTES);
        }
    }

    /** Queues {@code r <- b - y}, zero where nothing is unknown. @param sums f64 [rows][{@link #SUMS}] */
    public void residual(GpuStream stream, int rows, Vectors of, GpuMemory sums) {
        requireSums(sums, rows, SUMS);
        launch(
                stream,
                residual,
                rows,
                of,
                new KernelArguments()
                        .pointer(of.b)
                        .pointer(of.x)
                        .pointer(of.y)
                        .pointer(of.unknown)
                        .pointer(of.r)
                        .pointer(sums)
                        .i32(of.columns));
    }

    /** Queues {@code x += length p, r -= length y}. @param lengths f32 [rows] */
    public void step(GpuStream stream, int rows, Vectors of, GpuMemory lengths, GpuMemory sums) {
        lengths.requireBytes("lengths", (long) Float.BYTES * rows);
        requireSums(sums, rows, SUMS);
        launch(
                stream,
                step,
                rows,
                of,
                new KernelArguments()
                        .pointer(of.b)
                        .pointer(of.x)
                        .pointer(of.r)
                        .pointer(of.p)
                        .pointer(of.y)
                        .pointer(of.unknown)
                        .pointer(lengths)
                        .pointer(sums)
                        .i32(of.columns));
    }

    /** Queues {@code dots [rows] <- p y}, in float64. */
    public void dots(GpuStream stream, int rows, Vectors of, GpuMemory to) {
        requireSums(to, rows, 1);
        launch(
                stream,
                dots,
                rows,
                of,
                new KernelArguments().pointer(of.p).pointer(of.y).pointer(to).i32(of.columns));
    }

    /** Queues {@code y <- inverse (r - y)}, zero where nothing is unknown, and {@code dots [rows] <- r y}. */
    public void precondition(GpuStream stream, int rows, Vectors of, float inverse, GpuMemory to) {
        requireSums(to, rows, 1);
        launch(
                stream,
                precondition,
                rows,
                of,
                new KernelArguments()
                        .pointer(of.r)
                        .pointer(of.y)
                        .pointer(of.unknown)
                        .f32(inverse)
                        .pointer(to)
                        .i32(of.columns));
    }

    /** Queues {@code p <- y + share p}. @param shares f32 [rows] @param done int32 [rows], not 0 where p becomes zero */
    public void turn(GpuStream stream, int rows, Vectors of, GpuMemory shares, GpuMemory done) {
        shares.requireBytes("shares", (long) Float.BYTES * rows);
        done.requireBytes("what is done", (long) Integer.BYTES * rows);
        launch(
                stream,
                turn,
                rows,
                of,
                new KernelArguments()
                        .pointer(of.p)
                        .pointer(of.y)
                        .pointer(shares)
                        .pointer(done)
                        .i32(of.columns));
    }

    /** Queues {@code y <- 1} where something is unknown, else 0. */
    public void mask(GpuStream stream, int rows, Vectors of) {
        launch(
                stream,
                mask,
                rows,
                of,
                new KernelArguments().pointer(of.unknown).pointer(of.y).i32(of.columns));
    }

    /** Queues {@code products [columns][rank][rank] <- z zᵀ} of each column's z [columns][rank]. */
    public void outerProducts(GpuStream stream, int columns, int rank, GpuMemory z, GpuMemory products) {
        z.requireBytes("factors", (long) Float.BYTES * columns * rank);
        products.requireBytes("products", (long) Float.BYTES * columns * rank * rank);
        stream.launch(
                outer,
                LaunchShape.of(columns, THREADS, 0),
                new KernelArguments().pointer(z).pointer(products).i32(rank));
    }

    private static void requireSums(GpuMemory sums, int rows, int each) {
        sums.requireBytes("sums", (long) Double.BYTES * rows * each);
    }

    private static void launch(GpuStream stream, GpuKernel kernel, int rows, Vectors of, KernelArguments arguments) {
        of.check(rows);
        stream.launch(kernel, LaunchShape.of(rows, THREADS, 0), arguments);
    }

    @Override
    public void close() {
        module.close();
    }
}
