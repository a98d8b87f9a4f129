package dev.obr.bench.gpu;

import dev.obr.bench.roofline.Gpu;
import dev.obr.bench.roofline.ProductKernel;
import dev.obr.bench.roofline.Roofline;
import java.util.Optional;
import java.util.OptionalDouble;

/** How long a product would take by a model of the GPU; no measurement. */
public interface ProductModel {
    /** For a GPU whose peaks are not known. */
    ProductModel NONE = (size, kernel) -> OptionalDouble.empty();

    /** Seconds; nothing where it knows no answer. */
    OptionalDouble seconds(ProductSize size, ProductKernel kernel);

    /** The timing model of the GPU that a driver calls so, where there is one. */
    static Optional<ProductModel> of(String deviceName) {
        Roofline roofline = new Roofline();
        return Gpu.named(deviceName)
                .map(gpu -> (size, kernel) ->
                        OptionalDouble.of(roofline.product(gpu, kernel, size.tokens(), size.features(), size.columns())
                                .seconds()));
    }
}
